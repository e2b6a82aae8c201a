# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a token of a shared store, for the lookup token_store."""

from __future__ import annotations

from .._core.argspec import TRANSPORT, ArgumentSpec
from .._core.outcome import Outcome
from .._lifecycle.options import LIFECYCLE
from .._lifecycle.reader import named_secret, read_token
from .._lifecycle.store_options import TOKEN_STORE
from .base import Operation
from .vault_store import shared_store

_ADVICE = "First run the module that creates this token."


class TokenStoreLookup(Operation):
    """Read the token of a document. Nothing is written, and the token is not sent to its product."""

    name = "sddc.tokens.token_store"
    argument_spec = ArgumentSpec(
        {
            # The lookup has the options of the store as its own.
            "token_store": {"type": "dict", "required": True, "no_log": False, "spec": TOKEN_STORE, "prefix": ""},
            "secret": {"type": "str", "default": "token", "no_log": False},
            "min_remaining": {**LIFECYCLE.options["min_remaining"], "default": 0},
            **TRANSPORT.options,
        }
    )

    def run(self) -> Outcome:
        """The secret that the options select. Raises TokensError."""
        store = shared_store(self, self.params["token_store"])
        seconds = max(self.params["min_remaining"], 1)
        token = read_token(store, self.runtime.clock, min_remaining=seconds, advice=_ADVICE)
        secret = named_secret(token, self.params["secret"], store.location)
        return Outcome(False, "none", values={"secret": secret})
