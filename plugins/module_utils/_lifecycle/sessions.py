# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record the token of a session before it is used, and revoke the tokens of killed sessions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Optional

from .._core.errors import StoreError, StoreUnavailable, TokensError
from .._core.runtime import Runtime
from .._core.token import Token
from .options import LifecycleOptions
from .revocation import Revoker
from .session_document import SessionDocument
from .session_folder import SessionFolder
from .session_records import SessionRecords, Stray
from .shared_store import Documents
from .source import TokenSource


class Sessions:
    """The sessions of one source, if record_folder is set, or `documents`, the one of record_store."""

    def __init__(
        self,
        source: TokenSource,
        options: LifecycleOptions,
        revoker: Revoker,
        runtime: Runtime,
        documents: Optional[Documents],
    ) -> None:
        self._source = source
        self._revoker = revoker
        self._runtime = runtime
        self._records = _records(source, options, runtime, documents)

    def recording(self, now: Callable[[], float]) -> AbstractContextManager[Callable[[Token], None]]:
        """SessionRecords.recording(), or a function that records nothing if nothing is to be recorded."""
        return self._records.recording(now) if self._records else nullcontext(_ignore)

    def forget(self, token: Token) -> None:
        """Remove the record of a revoked token, if there is one. Raises StoreError."""
        if self._records is None:
            return
        try:
            self._records.forget(token)
        except StoreUnavailable as error:
            # The next session finds the record, and the token revoked.
            self._runtime.warn(f"The token {token.fingerprint} is revoked, and its record was not removed. {error}")

    def end_strays(self) -> bool:
        """Revoke the tokens of sessions that are over. Returns whether there was one. A failure is a warning."""
        if self._records is None:
            return False
        strays = self._strays(self._records)
        if self._runtime.check_mode:
            return bool(strays)
        are_ended = [self._end(self._records, token, place) for token, place in strays]
        self._records.sweep()
        return any(are_ended)

    def _strays(self, records: SessionRecords) -> list[Stray]:
        try:
            return list(records.strays())
        except StoreError as error:
            # What this task does for its own token comes first.
            self._runtime.warn(f"The tokens of interrupted sessions could not be read. {error}")
            return []

    def _end(self, records: SessionRecords, token: Token, place: str) -> bool:
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
            records.remove(place)
        return is_left


def _records(
    source: TokenSource, options: LifecycleOptions, runtime: Runtime, documents: Optional[Documents]
) -> Optional[SessionRecords]:
    if documents:
        return SessionDocument(documents, source, runtime, options.max_duration)
    path = options.record_folder
    return SessionFolder(path, source, runtime, options.max_duration) if path else None


def _ignore(_token: Token) -> None:
    """Record nothing."""
