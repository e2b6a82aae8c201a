# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which a task can prove to a product who it is: one small class for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Optional, TypeVar

from .._core.argspec import ArgumentSpec
from .._core.secret import Secret
from .._core.token import Token

ClientT = TypeVar("ClientT")


class Credential(ABC, Generic[ClientT]):
    """One kind of credential: its options, whose it is, and how a client exchanges it for a token."""

    # The option without which it is not given.
    NAME: ClassVar[str]
    OPTIONS: ClassVar[ArgumentSpec]

    def __init__(self, params: Mapping[str, Any]) -> None:
        """`params` are the parameters of a task, without a prefix."""
        self.params = params

    @property
    @abstractmethod
    def principal(self) -> str:
        """Whose tokens it creates, as a token file names them."""

    @property
    @abstractmethod
    def secret(self) -> Optional[Secret]:
        """What is sent, and what a server may refuse."""

    @abstractmethod
    def authenticate(self, client: ClientT) -> Token:
        """Create a token. Raises TokensError."""


def given(kinds: Sequence[type[Credential[ClientT]]], params: Mapping[str, Any]) -> Optional[Credential[ClientT]]:
    """The first kind that the parameters hold whole; None without any."""

    def is_whole(kind: type[Credential[ClientT]]) -> bool:
        return all(params[name] for group in ((kind.NAME,), *kind.OPTIONS.required_together) for name in group)

    return next((kind(params) for kind in kinds if is_whole(kind)), None)
