# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an operation takes an access token of another product from: its options, a token file, or the issuer."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Optional

from .._clients import oauth
from .._core.argspec import ArgumentSpec
from .._core.errors import ApiError, MissingOption
from .._core.runtime import Runtime
from .._core.secret import Secret
from .._core.token import Token
from .._http.auth import Auth
from .._lifecycle.file_store import FileStore
from .._lifecycle.lifecycle import Lifecycle
from .._lifecycle.options import LIFECYCLE, LifecycleOptions
from .._lifecycle.reader import read_token
from .sources import OAuthTokens

_ADVICE = "Run the module that keeps it first, or give this one its credentials, too."


def token_file_or(credentials: ArgumentSpec) -> ArgumentSpec:
    """The options of a module that takes a token from a file, which the credentials of its product may keep valid."""
    return ArgumentSpec({"token_file": LIFECYCLE.options["token_file"]}).merge(
        replace(credentials, alternatives=tuple(("token_file", *group) for group in credentials.alternatives))
    )


class TokenProvider(ABC):
    """Provides an access token. Safe to use from several threads."""

    # What the task has done to the token in its file, such as renewed; None for nothing.
    stored_action: Optional[str] = None

    @abstractmethod
    def token(self) -> Optional[Token]:
        """The token; None in check mode when one would have to be created. Raises TokensError."""

    def renewed(self, refused: Token) -> Optional[Token]:
        """Another token after a server has refused this one; None when there is no way to get one."""
        return None

    def confirm(self, renewed: Token) -> None:  # noqa: B027  (most need not know)
        """Note that the server accepts the token that it was sent after a refusal."""


class GivenToken(TokenProvider):
    """A token, and perhaps its OpenID token, that the user gives."""

    def __init__(self, access_token: Secret, id_token: Optional[Secret] = None) -> None:
        self._token = oauth.access_token_of(access_token, companions={oauth.ID_TOKEN: id_token} if id_token else {})

    def token(self) -> Token:
        return self._token


class StoredToken(TokenProvider):
    """A token of a product that another task keeps in a file."""

    def __init__(self, path: str, product: str, runtime: Runtime) -> None:
        self._product = product
        self._runtime = runtime
        self._store = FileStore(path, runtime, read_only=True)
        self._lock = threading.Lock()
        self._token: Optional[Token] = None

    def token(self) -> Token:
        """Raises StoreError when there is no token, or no valid one of the product."""
        with self._lock:
            self._token = self._token or self._read()
            return self._token

    def renewed(self, refused: Token) -> Optional[Token]:
        """The token that is in the file by now, if it is another one. Raises StoreError as token() does."""
        with self._lock:
            if self._token is None or self._token.secret == refused.secret:
                self._token = self._read()
            return None if self._token.secret == refused.secret else self._token

    def _read(self) -> Token:
        return read_token(self._store, self._runtime.clock, product=self._product, advice=_ADVICE)


class KeptToken(TokenProvider):
    """A token that this task keeps valid by itself, in a file where one is given."""

    def __init__(self, source: OAuthTokens, params: Mapping[str, Any], runtime: Runtime) -> None:
        """`params` are those of the task, with its options of the life cycle."""
        self._source = source
        options = LifecycleOptions.from_params(params)
        store = FileStore(options.token_file, runtime) if options.token_file else None
        self._is_stored = store is not None
        self._lifecycle = Lifecycle(source, options, store, runtime)
        self._lock = threading.Lock()
        self._token: Optional[Token] = None
        self._has_renewed = False

    def token(self) -> Optional[Token]:
        with self._lock:
            if self._token is None:
                self._token = self._run()
            return self._token

    def renewed(self, refused: Token) -> Optional[Token]:
        """One renewal serves all threads whose token was refused.

        A token that has not expired is renewed once, and again only if that has helped: a server that refuses two
        tokens would refuse any, and what is created for it cannot be revoked.
        """
        with self._lock:
            if self._token is None or self._token.secret != refused.secret:
                return self._token
            if not refused.has_expired(self._source.session.now()):
                if self._has_renewed:
                    return None
                self._has_renewed = True
            # Not by renew: always, which would replace what another task has stored in the file meanwhile.
            self._source.note_refusal(refused)
            self._token = self._run()
            return self._token

    def confirm(self, renewed: Token) -> None:
        with self._lock:
            if self._token is not None and self._token.secret == renewed.secret:
                self._has_renewed = False

    def _run(self) -> Optional[Token]:
        outcome = self._lifecycle.run()
        if outcome.changed and self._is_stored:
            self.stored_action = outcome.action
        return outcome.token


class TokenAuth(Auth[Token]):
    """Signs requests with the token of a provider; `headers` makes the headers for a token."""

    def __init__(self, tokens: TokenProvider, headers: Callable[[Token], Mapping[str, Any]]) -> None:
        self._tokens = tokens
        self._headers = headers

    def has_credential(self) -> bool:
        """Whether there is a token: not in check mode when it would have to be created. Raises TokensError."""
        return self._tokens.token() is not None

    def credential(self) -> Token:
        """Raises InvalidOption when there is none."""
        token = self._tokens.token()
        if token is None:
            raise MissingOption("access_token", "is needed where no token may be created")
        return token

    def headers(self, credential: Token) -> Mapping[str, Any]:
        return self._headers(credential)

    def renewed(self, refused: Token, error: ApiError) -> Optional[Token]:
        return self._tokens.renewed(refused)

    def confirm(self, renewed: Token) -> None:
        self._tokens.confirm(renewed)
