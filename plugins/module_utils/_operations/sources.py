# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials, and base classes for the token source of a product."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Optional, TypeVar

from .._clients import oauth
from .._core.argspec import ArgumentSpec, Names
from .._core.secret import Secret
from .._core.token import Token
from .._http.session import Session
from .._lifecycle.source import TokenSource

ClientT = TypeVar("ClientT")


def joined(*parts: Optional[str]) -> str:
    """Join the parts of a principal unambiguously: `a/b` and `c` differ from `a` and `b/c`."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts if part)


class Credential(ABC, Generic[ClientT]):
    """One kind of credential: its options, its principal, and how a client exchanges it for a token."""

    # The option that selects this kind.
    NAME: ClassVar[str]
    # The option that contains the secret.
    SECRET: ClassVar[str]
    OPTIONS: ClassVar[ArgumentSpec]

    def __init__(self, params: Mapping[str, Any]) -> None:
        """`params` are the parameters of a task, with option names without a prefix."""
        self.params = params

    @property
    @abstractmethod
    def principal(self) -> str:
        """The user or client of the tokens, as token files name it."""

    @property
    def secret(self) -> Secret:
        """The secret that is sent to the server."""
        secret: Secret = self.params[self.SECRET]
        return secret

    @abstractmethod
    def authenticate(self, client: ClientT) -> Token:
        """Create a token. Raises TokensError."""


def given(kinds: Sequence[type[Credential[ClientT]]], params: Mapping[str, Any]) -> Optional[Credential[ClientT]]:
    """The first kind whose options are all set; None without one."""

    def is_whole(kind: type[Credential[ClientT]]) -> bool:
        return all(params[name] for group in ((kind.NAME,), *kind.OPTIONS.required_together) for name in group)

    return next((kind(params) for kind in kinds if is_whole(kind)), None)


@dataclass(frozen=True)
class TokenOwner:
    """The owner of the token in a token_file: the product, and the options for the server and the credentials.

    A task without credentials only reads a token that another task stores.
    """

    product: str = ""
    server: Names = ()
    credentials: Names = ()

    def prefixed(self, prefix: str) -> TokenOwner:
        """The owner in a module whose options have a prefix."""

        def renamed(names: Names) -> Names:
            return tuple(prefix + name for name in names)

        return TokenOwner(self.product, renamed(self.server), renamed(self.credentials))

    def is_reader(self, params: Mapping[str, Any]) -> bool:
        """Whether the task only reads its token_file."""
        return not any(params.get(name) for name in self.credentials)


class SessionTokens(TokenSource):
    """The tokens of one server, created with a credential; None to use existing tokens only."""

    def __init__(self, session: Session, credential: Optional[Credential[Any]] = None) -> None:
        self.session = session
        self._credential = credential

    @property
    def host(self) -> str:
        return self.session.host

    @property
    def principal(self) -> Optional[str]:
        return self._credential.principal if self._credential else None

    @property
    def credential(self) -> Optional[Secret]:
        return self._credential.secret if self._credential else None

    @property
    def clock_offset(self) -> Optional[float]:
        return self.session.clock_offset


class OAuthTokens(SessionTokens):
    """Access tokens that the server can neither check nor revoke. Their claims decide whether they are valid."""

    can_revoke = False
    verifies_offline = True

    def __init__(self, session: Session, credential: Optional[Credential[Any]] = None) -> None:
        super().__init__(session, credential)
        self._refused: Optional[Secret] = None

    def from_user(self, secret: Secret) -> Token:
        return oauth.access_token_of(secret)

    def note_refusal(self, token: Token) -> None:
        """Treat a token as invalid after the server that it is for has refused it."""
        self._refused = token.secret

    def is_accepted(self, token: Token, now: float) -> bool:
        return token.secret != self._refused and oauth.is_valid_by_claims(token.secret, now)

    def revoke(self, token: Token) -> bool:
        return False
