# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Store a token in one document of a server, shared by many machines, with a lease in the document.

Each write names the version that it replaces, and succeeds only while that version is the latest. The lease decides who
may renew. It starts with the version that contains it, and is measured by the server's clock. A holder that was paused
for longer than its lease finds another version, and writes nothing more.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import random
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import Optional

from .._core.errors import (
    DamagedRecord,
    ForeignRecord,
    RecordChanged,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    WriteConflict,
    WriteUnknown,
)
from .._core.runtime import Clock, Runtime
from .._core.token import iso8601
from .document import SCHEMA, Fields, emptied, fields_of, is_recognizable, record_of
from .record import ClockReading, LaterVersion, Record
from .refusal import Refusal
from .store import ANY_VERSION, Store, Stored, Writer

_HOLDER, _SECONDS = "lease_holder", "lease_seconds"
_LEASE = (_HOLDER, _SECONDS)
_REFUSAL = "refusal"
_HOLDER_BYTES = 16
# Seconds: the Date header has whole seconds, and the clocks of two server nodes may differ.
_CLOCK_MARGIN = 2.0
# Seconds for which a server node may return an older version, and between the reads meanwhile.
_LONGEST_STALENESS = 1.0
_STALE_PAUSE = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.15, 1.0
_PAUSE_GROWTH = 1.5
_NOTIFY_AFTER = 2.0
# Seconds after the lease of a killed task, in which the task that takes over renews the token.
_TAKEOVER = 30.0


@dataclass(frozen=True)
class Version:
    """A version of a document. `number` is 0 when there never was one.

    `created_at` and `read_at` are epoch seconds of the server's clock. `clock_offset` is the server's clock minus the
    local clock, in seconds.
    """

    fields: Fields
    number: int
    created_at: float
    read_at: float
    clock_offset: float


class Documents(ABC):
    """The interface between the lease protocol and a server that keeps versions of one document."""

    @property
    @abstractmethod
    def location(self) -> str:
        """The document, as messages name it."""

    @abstractmethod
    def read(self) -> Version:
        """The latest version. Raises StoreError."""

    @abstractmethod
    def write(self, fields: Fields, replaces: int) -> Version:
        """Write the version after `replaces`, and return it.

        Raises WriteConflict when another version is the latest, WriteUnknown when the response was lost, and
        StoreError.
        """


class SharedStore(Store):
    """The record in a document.

    `lease` is the duration of a lease, `needed` the part of it that a request requires, both in seconds. `local_lock`
    returns the lock that the processes of one machine share, for a timeout in seconds.
    """

    keeps_one_superseded = True

    def __init__(
        self,
        documents: Documents,
        runtime: Runtime,
        *,
        lease: float,
        needed: float,
        local_lock: Callable[[float], AbstractContextManager[object]],
    ) -> None:
        self._documents = documents
        self._runtime = runtime
        self._lease = lease
        self._needed = needed
        self._local_lock = local_lock
        self._seen: Optional[Version] = None
        # The version with which a wait has ended. The next read returns it.
        self._awaited: Optional[Version] = None
        self._writer: Optional[SharedWriter] = None

    @property
    def location(self) -> str:
        return self._documents.location

    def is_empty(self) -> bool:
        with suppress(DamagedRecord, ForeignRecord):
            return self.read().record is None
        return False

    @property
    def longest_wait(self) -> float:
        """Long enough to take over from a task that was killed."""
        return max(super().longest_wait, self._lease + _TAKEOVER)

    def read(self) -> Stored:
        """Return the version that the holder of the lease knows; otherwise read it from the server."""
        version = self._writer.version if self._writer else self._awaited or self._documents.read()
        self._seen, self._awaited = version, None
        record = self._record(version)
        if record is None:
            return Stored(None, None)
        self._runtime.redactor.hide(*record.secrets)
        reading = ClockReading.of(self._runtime.clock)
        return Stored(replace(record, clock_offset=version.clock_offset, clock=reading), _digest(version.fields))

    @contextmanager
    def exclusive(self, timeout: float, version: Hashable = ANY_VERSION) -> Iterator[Writer]:
        clock = self._runtime.clock
        end = clock.monotonic() + timeout
        with self._local_lock(timeout):
            writer = self._leased(end, timeout, version)
            self._writer = writer
            try:
                yield writer
            finally:
                self._writer = None
                writer.release()

    def _record(self, version: Version) -> Optional[Record]:
        if not is_recognizable(version.fields):
            raise ForeignRecord(
                f"the content of {self.location} is not a token document",
                advice="Check the path. The document was not changed. If nothing needs it, delete its latest version "
                "(kv delete): the next run creates a new one.",
            )
        try:
            return record_of(version.fields) if version.fields else None
        except LaterVersion:
            raise ForeignRecord(
                f"the document {self.location} was written by a later release of this collection",
                advice="Update the collection, or set another path. The document was not changed.",
            ) from None
        except ValueError as error:
            raise DamagedRecord(
                f"the document {self.location} is damaged: {error}",
                advice="Delete its latest version (kv delete), or run the task with state: present, which replaces it. "
                "A token in it is not revoked.",
            ) from None

    def _leased(self, end: float, timeout: float, expected: Hashable) -> SharedWriter:
        """Wait until no task holds the lease, and take it. Raises RecordChanged for another content than expected."""
        clock = self._runtime.clock
        pause, was_reported = _FIRST_PAUSE, False
        name = self.location.partition(" ")[0].rpartition("/")[2]
        # The version that was read before saves a request. If it is outdated, the write is refused.
        version = self._seen or self._documents.read()
        while True:
            if not _is_leased(version):
                if was_reported:
                    self._runtime.notify(f"{name}: the other task has ended")
                    was_reported = False
                self._check_content(version, expected)
                writer = SharedWriter(self._documents, version, clock, lease=self._lease, needed=self._needed)
                try:
                    writer.take_lease()
                    return writer
                except WriteConflict:
                    version = writer.version
            left = end - clock.monotonic()
            if left <= 0:
                raise self._busy(version, timeout)
            if timeout - left > _NOTIFY_AFTER and not was_reported:
                self._runtime.notify(f"{name}: waiting at most {left:.0f} s for another task to renew the token")
                was_reported = True
            if _is_leased(version):
                longest = min(pause, max(_lease_left(version), _FIRST_PAUSE))
                clock.sleep(min(left, longest * random.uniform(0.7, 1.3)))  # noqa: S311 - jitter is not a secret
                pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)
                version = self._documents.read()

    def _check_content(self, version: Version, expected: Hashable) -> None:
        """Raises RecordChanged for another content than expected, and ForeignRecord, before anything is written."""
        record = None
        with suppress(DamagedRecord):
            record = self._record(version)
        if expected not in (ANY_VERSION, _digest(version.fields) if record else None):
            self._awaited = version
            raise RecordChanged(f"another task has changed {self.location}")

    def _busy(self, version: Version, timeout: float) -> StoreBusy:
        lease_end = iso8601(version.read_at + _lease_left(version))
        return StoreBusy(
            f"another task has renewed the token in {self.location} for more than {timeout:g} s",
            advice=f"If that task was killed, this task can take over at {lease_end}. Run it again then, or raise "
            "lock_timeout.",
        )


class VersionWriter:
    """Replaces one version of a document after the other. `version` is the last one that it has read or written."""

    def __init__(self, documents: Documents, version: Version, clock: Clock) -> None:
        self.version = version
        self._documents = documents
        self._clock = clock
        self._is_lost = False
        self._response_was_lost = False

    def replace(self, fields: Fields) -> None:
        """Replace the version that this writer knows. Raises WriteConflict when another version is the latest, and for
        each later write."""
        if self._is_lost:
            raise WriteConflict(f"another task has changed {self._documents.location}")
        self._response_was_lost = False
        try:
            self.version = self._written(fields)
        except StoreUnavailable as error:
            error.follows_lost_write = self._response_was_lost
            raise

    def _written(self, fields: Fields) -> Version:
        number, end = self.version.number, math.inf
        while True:
            try:
                return self._documents.write(fields, number)
            except (WriteConflict, WriteUnknown) as error:
                self._response_was_lost = self._response_was_lost or isinstance(error, WriteUnknown)
                found = self._documents.read()
                if found.number == number + 1 and found.fields == fields:
                    # The response was lost, but the write was processed.
                    return found
                # An outdated node may refuse a valid write, and a request may be lost. Repeating the write is safe: a
                # version is replaced only once.
                now = self._clock.monotonic()
                if found.number > number or now >= end:
                    self.version, self._is_lost = found, True
                    if isinstance(error, WriteUnknown) and found.number <= number:
                        raise StoreUnavailable(error.cause, doing=error.doing, host=error.host) from error
                    raise WriteConflict(f"another task has changed {self._documents.location}") from error
                # From the first failure on: a response that was waited for in vain may have taken longer.
                end = min(end, now + _LONGEST_STALENESS)
            self._clock.sleep(_STALE_PAUSE)


class SharedWriter(VersionWriter, Writer):
    """The holder of the lease."""

    def __init__(self, documents: Documents, version: Version, clock: Clock, *, lease: float, needed: float) -> None:
        super().__init__(documents, version, clock)
        self._seconds = lease
        self._needed = needed
        self._holder = f"{platform.node()} {os.getpid()} {secrets.token_hex(_HOLDER_BYTES)}"
        self._ends_at = 0.0

    def take_lease(self) -> None:
        """Write the lease into the document. Raises WriteConflict after a concurrent write, and StoreError."""
        self._write(self._with_lease(self.version.fields))

    def reserve(self) -> None:
        """Renew the lease if it may end before the next request does."""
        if self._clock.monotonic() + self._needed > self._ends_at:
            self.take_lease()

    def write(self, record: Record) -> None:
        """Write the record. The last write of a renewal also ends the lease."""
        try:
            fields = fields_of(record, _without(self.version.fields, _LEASE, (_REFUSAL,)))
        except ValueError as error:
            raise StoreError(
                f"the token cannot be stored in {self._documents.location}: {error}",
                advice="Check the token that the server issued, or run the task without token_store.",
            ) from None
        self._write(self._with_lease(fields) if record.pending or record.announced else fields)

    def refusal(self) -> Optional[Refusal]:
        """The last refused credential, with its time by the local clock."""
        try:
            refusal = Refusal.from_document(json.loads(self.version.fields[_REFUSAL]))
        except (KeyError, ValueError, TypeError, RecursionError):
            return None
        return replace(refusal, at=refusal.at - self.version.clock_offset)

    def note_refusal(self, refusal: Refusal) -> None:
        at = refusal.at + self.version.clock_offset + _CLOCK_MARGIN
        fields = _without(self.version.fields, _LEASE)
        with suppress(StoreError):
            self._write({**fields, _REFUSAL: json.dumps(asdict(replace(refusal, at=at)))})

    def remove(self) -> None:
        """Remove the token, and keep the document: deleting it would restart its versions."""
        record = record_of(self.version.fields)
        fields = emptied(record) if record else {}
        self._write(fields)

    def move_aside(self) -> str:
        self._write({})
        return "It was replaced. A token in it was not revoked."

    def release(self) -> None:
        """End the lease, unless the last write has done so. If that fails, the lease expires."""
        if self.version.fields.get(_HOLDER) == self._holder and not self._is_lost:
            with suppress(StoreError):
                self._write(_without(self.version.fields, _LEASE))

    def _with_lease(self, fields: Fields) -> Fields:
        return {"schema": SCHEMA, **fields, _HOLDER: self._holder, _SECONDS: f"{self._seconds:g}"}

    def _write(self, fields: Fields) -> None:
        """Replace the version that this writer knows, and note when its lease ends. Raises as replace()."""
        sent_at = self._clock.monotonic()
        self.replace(fields)
        self._ends_at = sent_at + self._seconds if _HOLDER in fields else 0.0


def _is_leased(version: Version) -> bool:
    """Whether somebody's lease still runs, by the clock of the server."""
    return _lease_left(version) > 0


def _lease_left(version: Version) -> float:
    """How long somebody's lease still runs, in seconds."""
    if not version.fields.get(_HOLDER):
        return 0.0
    try:
        seconds = float(version.fields[_SECONDS])
    except (KeyError, ValueError):
        return 0.0
    return version.created_at + seconds + _CLOCK_MARGIN - version.read_at


def _without(fields: Fields, *groups: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if not any(name in group for group in groups)}


def _digest(fields: Fields) -> str:
    """A digest of the document without its lease and its refused credential."""
    content = json.dumps(_without(fields, _LEASE, (_REFUSAL,)), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
