# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get an access token of another product from an option, from a store, or from its issuer."""

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
from .._lifecycle.lifecycle import Lifecycle
from .._lifecycle.options import LIFECYCLE, STORED, LifecycleOptions
from .._lifecycle.reader import read_token
from .._lifecycle.store import Store
from .base import Operation
from .sources import OAuthTokens
from .stores import store_of

_ADVICE = "First run the module that creates this token, or set its credentials in this task, too."


def stored_or(credentials: ArgumentSpec) -> ArgumentSpec:
    """The options for a token from a store, and for the credentials that can renew it."""
    return ArgumentSpec({name: LIFECYCLE.options[name] for name in STORED}, mutually_exclusive=(STORED,)).merge(
        replace(credentials, alternatives=tuple((*STORED, *group) for group in credentials.alternatives))
    )


class TokenProvider(ABC):
    """Provides an access token. Safe to use from several threads."""

    # The `action` for the token in its store, such as renewed; None when it was only read.
    stored_action: Optional[str] = None

    @abstractmethod
    def token(self) -> Optional[Token]:
        """The token; None in check mode when a token would have to be created. Raises TokensError."""

    def renewed(self, refused: Token) -> Optional[Token]:
        """Replace a refused token; None when that is impossible. Raises TokensError."""
        return None

    def confirm(self, renewed: Token) -> None:  # noqa: B027 - only KeptToken overrides it
        """Note that the server accepted a renewed token."""


class GivenToken(TokenProvider):
    """A token that the user set, optionally with its OpenID token."""

    def __init__(self, access_token: Secret, id_token: Optional[Secret] = None) -> None:
        self._token = oauth.access_token_of(access_token, companions={oauth.ID_TOKEN: id_token} if id_token else {})

    def token(self) -> Token:
        return self._token


class StoredToken(TokenProvider):
    """A token that another task keeps in a store."""

    def __init__(self, store: Store, product: str, runtime: Runtime) -> None:
        self._product = product
        self._runtime = runtime
        self._store = store
        self._lock = threading.Lock()
        self._token: Optional[Token] = None

    def token(self) -> Token:
        """Read once. Raises StoreError without a valid token of the product."""
        with self._lock:
            self._token = self._token or self._read()
            return self._token

    def renewed(self, refused: Token) -> Optional[Token]:
        """Read the store again; None when it has the refused token. Raises StoreError as token()."""
        with self._lock:
            if self._token is None or self._token.secret == refused.secret:
                self._token = self._read()
            return None if self._token.secret == refused.secret else self._token

    def _read(self) -> Token:
        return read_token(self._store, self._runtime.clock, product=self._product, advice=_ADVICE)


class KeptToken(TokenProvider):
    """A token that this task creates and renews, in a store if one is set."""

    def __init__(self, source: OAuthTokens, operation: Operation) -> None:
        self._source = source
        store = store_of(operation)
        self._is_stored = store is not None
        self._lifecycle = Lifecycle(source, LifecycleOptions.from_params(operation.params), store, operation.runtime)
        self._lock = threading.Lock()
        self._token: Optional[Token] = None
        self._has_renewed = False

    def token(self) -> Optional[Token]:
        with self._lock:
            if self._token is None:
                self._token = self._run()
            return self._token

    def renewed(self, refused: Token) -> Optional[Token]:
        """Renew a refused token. One renewal serves all threads.

        A token that has not expired is renewed only once, unless the server accepted the renewed one: a server that
        refuses two tokens would refuse all, and they cannot be revoked.
        """
        with self._lock:
            if self._token is None or self._token.secret != refused.secret:
                return self._token
            if not refused.has_expired(self._source.session.now()):
                if self._has_renewed:
                    return None
                self._has_renewed = True
            # `renew: always` would replace a token that another task has stored meanwhile.
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
    """Signs requests with the token of a provider. `headers` returns the headers for a token."""

    def __init__(self, tokens: TokenProvider, headers: Callable[[Token], Mapping[str, Any]]) -> None:
        self._tokens = tokens
        self._headers = headers

    def has_credential(self) -> bool:
        """Whether there is a token. False in check mode when one would have to be created. Raises TokensError."""
        return self._tokens.token() is not None

    def credential(self) -> Token:
        """Raises MissingOption without a token."""
        token = self._tokens.token()
        if token is None:
            raise MissingOption("access_token", "is required in check mode, which creates no token")
        return token

    def headers(self, credential: Token) -> Mapping[str, Any]:
        return self._headers(credential)

    def renewed(self, refused: Token, error: ApiError) -> Optional[Token]:
        return self._tokens.renewed(refused)

    def confirm(self, renewed: Token) -> None:
        self._tokens.confirm(renewed)
