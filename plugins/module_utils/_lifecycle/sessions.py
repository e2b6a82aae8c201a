# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record the token of a session before it is used, and revoke the tokens of killed sessions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress

from .._core.errors import StoreError, TokensError
from .._core.runtime import Runtime
from .._core.token import Token
from .options import LifecycleOptions
from .revocation import Revoker
from .session_folder import SessionFolder
from .source import TokenSource


class Sessions:
    """The sessions of one source, if record_folder is set."""

    def __init__(self, source: TokenSource, options: LifecycleOptions, revoker: Revoker, runtime: Runtime) -> None:
        self._source = source
        self._revoker = revoker
        self._runtime = runtime
        path, longest = options.record_folder, options.max_duration
        self._folder = SessionFolder(path, source, runtime, longest) if path else None

    def recording(self, now: Callable[[], float]) -> AbstractContextManager[Callable[[Token], None]]:
        """SessionFolder.recording(), or a function that records nothing without record_folder."""
        return self._folder.recording(now) if self._folder else nullcontext(_ignore)

    def forget(self, token: Token) -> None:
        """Remove the record of a revoked token, if there is one. Raises StoreError."""
        if self._folder:
            self._folder.forget(token)

    def end_strays(self) -> bool:
        """Revoke the tokens of sessions that are over. Returns whether there was one. A failure is a warning."""
        if self._folder is None:
            return False
        if self._runtime.check_mode:
            return next(self._folder.strays(), None) is not None
        are_ended = [self._end(self._folder, token, path) for token, path in self._folder.strays()]
        self._folder.sweep()
        return any(are_ended)

    def _end(self, folder: SessionFolder, token: Token, path: str) -> bool:
        is_left = not self._revoker.has_expired(token) and self._source.is_revocable(token)
        if is_left:
            try:
                self._revoker.revoke(token)
            except TokensError as error:
                self._runtime.warn(
                    f"A session was interrupted, and its token {token.fingerprint} is still valid. {error}"
                )
                return False
            self._runtime.warn(f"A session was interrupted. Its token {token.fingerprint} is now revoked.")
        with suppress(StoreError):
            folder.remove(path)
        return is_left


def _ignore(_token: Token) -> None:
    """Record nothing."""
