# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an operation takes an access token of another product from: its options, a token file, or the issuer."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Optional

from .._clients import oauth
from .._core.argspec import ArgumentSpec
from .._core.runtime import Runtime
from .._core.secret import Secret
from .._core.token import Token
from .._lifecycle.file_store import FileStore
from .._lifecycle.lifecycle import Lifecycle
from .._lifecycle.options import LIFECYCLE, LifecycleOptions
from .._lifecycle.reader import read_token
from .session_tokens import OAuthTokens

_ADVICE = "Run the module that keeps it first, or give this one its credentials, too."


def token_file_or(credentials: ArgumentSpec) -> ArgumentSpec:
    """The options of a module that takes a token from a file, which the credentials of its product may keep valid."""
    return ArgumentSpec({"token_file": LIFECYCLE.options["token_file"]}).merge(
        replace(credentials, alternatives=tuple(("token_file", *group) for group in credentials.alternatives))
    )


class TokenProvider(ABC):
    """Provides an access token. Safe to use from several threads."""

    @abstractmethod
    def token(self) -> Optional[Token]:
        """The token; None in check mode when one would have to be created. Raises TokensError."""

    def renewed(self, refused: Token) -> Optional[Token]:
        """Another token after a server has refused this one; None where there is no way to get one."""
        return None


class GivenToken(TokenProvider):
    """A token, and perhaps its OpenID token, that the user gives."""

    def __init__(self, access_token: Secret, id_token: Optional[Secret] = None) -> None:
        self._token = oauth.described(access_token, companions={oauth.ID_TOKEN: id_token} if id_token else {})

    def token(self) -> Token:
        return self._token


class StoredToken(TokenProvider):
    """A token of a product that another task keeps in a file."""

    def __init__(self, path: str, product: str, runtime: Runtime) -> None:
        self._product = product
        self._store = FileStore(path, runtime, read_only=True)
        self._clock = runtime.clock

    def token(self) -> Token:
        """Raises StoreError where there is none, or none of the product that is valid."""
        return read_token(self._store, self._clock, product=self._product, advice=_ADVICE)


class KeptToken(TokenProvider):
    """A token that this task keeps valid by itself, in a file where one is given."""

    def __init__(self, source: OAuthTokens, token_file: Optional[str], runtime: Runtime) -> None:
        self._source = source
        options = LifecycleOptions(token_file=token_file)
        store = FileStore(token_file, runtime) if token_file else None
        self._lifecycle = Lifecycle(source, options, store, runtime)
        self._lock = threading.Lock()
        self._token: Optional[Token] = None
        self._has_renewed = False

    def token(self) -> Optional[Token]:
        with self._lock:
            if self._token is None:
                self._token = self._lifecycle.run().token
            return self._token

    def renewed(self, refused: Token) -> Optional[Token]:
        """One renewal serves all threads whose token was refused, and is the only one before its time: a server that
        refuses its token, too, would refuse any, and what is created for it cannot be revoked."""
        with self._lock:
            if self._token is None or self._token.secret != refused.secret:
                return self._token
            if not refused.has_expired(self._source.session.now()):
                if self._has_renewed:
                    return None
                self._has_renewed = True
            # Not by renew: always, which would replace what another task has stored in the file meanwhile.
            self._source.note_refusal(refused)
            self._token = self._lifecycle.run().token
            return self._token
