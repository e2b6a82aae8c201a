# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A document with one field for each session, so that a session on any machine can revoke what a killed one left."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Optional

from .._core.errors import ForeignRecord, WriteConflict
from .._core.runtime import Runtime
from .._core.token import Token
from .document import Fields
from .record import Record, deserialized, serialized
from .session_records import SessionRecords, Stray
from .shared_store import Documents, Version, VersionWriter
from .source import TokenSource

# The first field, with the version of the format.
_SESSIONS, _FORMAT = "sessions", "1"
# Without a run in its name, only the recorded time decides whether a session is over.
_SESSION = re.compile(r"session_((?P<run>[0-9a-f]{16})_(?P<part>[0-9a-f]{8})_)?[0-9a-f]{16}")
# Seconds for which a write is repeated while other sessions write, and between the attempts.
_PATIENCE = 60.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 0.3


class SessionDocument(SessionRecords):
    """The sessions of one source in a document. `longest` is the maximum duration of a session in seconds.

    No other machine can see whether a run has ended, so that the recorded time decides, by the clock of the server that
    keeps the document.
    """

    def __init__(self, documents: Documents, source: TokenSource, runtime: Runtime, longest: float) -> None:
        super().__init__(source)
        self._documents = documents
        self._runtime = runtime
        self._longest = longest
        # It saves a request. If it is outdated, a write is refused.
        self._seen: Optional[Version] = None

    @contextmanager
    def recording(self, now: Callable[[], float]) -> Iterator[Callable[[Token], None]]:
        # It changes nothing, but fails if the policy does not allow a write.
        self._update(lambda version: version.fields)
        yield self._record

    def strays(self) -> Iterator[Stray]:
        version = self._read()
        for name, record in self._sessions(version):
            if record.current and self._is_own(record) and self._is_over(name, record.current, version):
                yield Stray(record.current, name)

    def forget(self, token: Token) -> None:
        version = self._seen or self._read()
        for name, record in self._sessions(version):
            if record.current and record.current.secret == token.secret:
                self.remove(name)

    def remove(self, place: str) -> None:
        self._update(lambda version: {name: text for name, text in version.fields.items() if name != place})

    def sweep(self) -> None:
        """A run leaves nothing else in the document."""

    def _record(self, token: Token) -> None:
        run = self._runtime.run
        name = f"session_{f'{run.id}_{run.part}_' if run else ''}{secrets.token_hex(8)}"
        owner = (self._source.product, self._source.host, self._source.principal or "")

        def with_token(version: Version) -> Fields:
            promised = replace(token, promised_until=self._now(version) + self._longest)
            return {**version.fields, name: serialized(Record(*owner, promised)).decode()}

        self._update(with_token)

    def _now(self, version: Version) -> float:
        """The time of the server that keeps the document."""
        return self._runtime.clock.time() + version.clock_offset

    def _is_over(self, name: str, token: Token, version: Version) -> bool:
        match, own = _SESSION.fullmatch(name), self._runtime.run
        if match and own and match["run"] == own.id:
            # The plays of a run are sequential.
            return match["part"] != own.part
        return (token.promised_until or 0) <= self._now(version)

    def _sessions(self, version: Version) -> Iterator[tuple[str, Record]]:
        """The sessions of all sources. A damaged one is skipped."""
        for name in filter(_SESSION.fullmatch, version.fields):
            try:
                record = deserialized(version.fields[name].encode())
            except ValueError:
                continue
            self._runtime.redactor.hide(*record.secrets)
            yield name, record

    def _read(self) -> Version:
        self._seen = self._checked(self._documents.read())
        return self._seen

    def _checked(self, version: Version) -> Version:
        fields = version.fields
        if fields and fields.get(_SESSIONS) != _FORMAT:
            raise ForeignRecord(
                f"{self._documents.location} is not a document of sessions, or was written by a later release",
                advice="Set another path in record_store. The document was not changed.",
            )
        return version

    def _update(self, change: Callable[[Version], Mapping[str, str]]) -> None:
        """Replace the document by what `change` makes of it, also while other sessions do. Raises StoreError."""
        clock = self._runtime.clock
        end = clock.monotonic() + _PATIENCE
        version = self._seen or self._read()
        while True:
            writer = VersionWriter(self._documents, version, clock)
            try:
                writer.replace({_SESSIONS: _FORMAT, **change(version)})
                self._seen = writer.version
                return
            except WriteConflict:
                self._seen = version = self._checked(writer.version)
                if clock.monotonic() >= end:
                    raise
            clock.sleep(random.uniform(_SHORTEST_PAUSE, _LONGEST_PAUSE))  # noqa: S311 - jitter is not a secret
