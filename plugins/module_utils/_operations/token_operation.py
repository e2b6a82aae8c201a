# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of operations that manage one token."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from .._core.argspec import ArgumentSpec
from .._core.errors import InvalidOption
from .._core.outcome import Outcome
from .._lifecycle.lifecycle import Lifecycle
from .._lifecycle.options import STORED, LifecycleOptions
from .._lifecycle.source import TokenSource
from .base import Operation
from .stores import records_of, store_of


class TokenOperation(Operation):
    """An operation that creates, renews or revokes one token."""

    secret_results = frozenset(("token", "headers"))
    unattended = ArgumentSpec(required_if=(("state", "present", STORED, True),))

    @abstractmethod
    def source(self) -> TokenSource:
        """The token source of the product. Raises InvalidOption."""

    def run(self) -> Outcome:
        options = LifecycleOptions.from_params(self.params)
        if options.would_lose_a_token:
            raise InvalidOption(
                "return_token",
                "is false without token_file or token_store: a new token would be lost",
                advice="Set one of them.",
            )
        source = self.source()
        outcome = Lifecycle(source, options, store_of(self), self.runtime, records_of(self)).run()
        return replace(outcome, headers=source.headers(outcome.token)) if outcome.token else outcome
