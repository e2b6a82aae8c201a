# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The access token with which an operation signs its requests: given, from a token file, or from credentials."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Optional

from .._clients import oauth
from .._core.errors import TokenFileError
from .._core.secret import Secret
from .._core.token import Token, iso8601
from .._lifecycle.file_store import TokenFile
from .._lifecycle.lifecycle import Lifecycle, LifecycleOptions
from .base import Runtime
from .oauth_tokens import OAuthTokens

# The task itself takes a while, and its waits are longer than a token of a minute would live.
_MIN_REMAINING = 300
_LOCK_TIMEOUT = 120


class Access(ABC):
    """Where the token comes from. Safe to use from several threads."""

    @abstractmethod
    def token(self) -> Optional[Token]:
        """The token; None in check mode when one would have to be created. Raises TokensError."""

    def renewed(self, refused: Token) -> Optional[Token]:
        """Another token after a server has refused this one; None where there is no way to get one."""
        return None


class GivenAccess(Access):
    """A token, and perhaps its OpenID token, that the user hands in."""

    def __init__(self, access_token: Secret, id_token: Optional[Secret] = None) -> None:
        self._token = oauth.described(access_token, companions={oauth.ID_TOKEN: id_token} if id_token else {})

    def token(self) -> Token:
        """See Access."""
        return self._token


class StoredAccess(Access):
    """A token of a product that another task keeps in a file."""

    def __init__(self, path: str, product: str, runtime: Runtime, now: float) -> None:
        self._product = product
        self._file = TokenFile(path, warn=runtime.warn, notify=runtime.notify, read_only=True)
        self._now = now

    def token(self) -> Token:
        """See Access. Raises TokenFileError where there is none, or none of the product that is alive."""
        path = self._file.path
        record = self._file.read()
        if record is None or record.current is None:
            raise TokenFileError(f"there is no token in {path}", advice="Run the module that keeps it first.")
        # To send it would hand the secret of one product to another.
        if record.product != self._product:
            raise TokenFileError(
                f"{path} holds a token of {record.product}, where one of {self._product} is needed",
                advice=f"Give the file in which a task keeps its {self._product} token.",
            )
        if record.current.has_expired(self._now + record.clock_offset):
            raise TokenFileError(
                f"the token in {path} expired at {iso8601(record.current.expires_at)}",
                advice="Run the module that keeps it first, or give this one its credentials, too.",
            )
        return record.current


class KeptAccess(Access):
    """A token that this task keeps alive by itself, in a file where one is given."""

    def __init__(self, source: OAuthTokens, token_file: Optional[str], runtime: Runtime) -> None:
        self._source = source
        self._runtime = runtime
        self._options = LifecycleOptions(
            state="present",
            token=None,
            token_file=token_file,
            min_remaining=_MIN_REMAINING,
            renew="auto",
            verify=True,
            revoke_old=source.can_revoke and bool(token_file),
            lock_timeout=_LOCK_TIMEOUT,
            check_mode=runtime.check_mode,
        )
        self._lock = threading.Lock()
        self._token: Optional[Token] = None
        self._has_renewed = False

    def token(self) -> Optional[Token]:
        """See Access."""
        with self._lock:
            if self._token is None:
                self._token = self._kept()
            return self._token

    def renewed(self, refused: Token) -> Optional[Token]:
        """See Access. One renewal serves all threads whose token was refused, and is the only one before its time: a
        server that refuses its token, too, would refuse any, and what is minted for it cannot be revoked."""
        with self._lock:
            if self._token is None or self._token.secret != refused.secret:
                return self._token
            if not refused.has_expired(self._source.session.now()):
                if self._has_renewed:
                    return None
                self._has_renewed = True
            # Not by renew: always, which would replace what another task has stored in the file meanwhile.
            self._source.note_refusal(refused)
            self._token = self._kept()
            return self._token

    def _kept(self) -> Optional[Token]:
        lifecycle = Lifecycle(self._source, self._options, warn=self._runtime.warn, notify=self._runtime.notify)
        return lifecycle.run().token
