# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token in one document of a server, shared by many machines: single flight by a lease in the document.

Each write names the version that it replaces, and succeeds only while that one is the latest. The lease says who may
renew; it starts with the version that holds it and is measured by the server's clock alone. A holder that was paused
for longer than its lease finds its version replaced and writes nothing more.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import random
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import Optional

from .._core.errors import DamagedRecord, ForeignRecord, StoreBusy, StoreError, WriteConflict, WriteUnknown
from .._core.runtime import Clock, Runtime
from .document import SCHEMA, Fields, emptied, fields_of, is_recognizable, record_of
from .record import ClockReading, LaterVersion, Record
from .refusal import Refusal
from .store import Store, Stored, Writer

_HOLDER, _SECONDS = "lease_holder", "lease_seconds"
_LEASE = (_HOLDER, _SECONDS)
_REFUSAL = "refusal"
_HOLDER_BYTES = 16
# The Date header has whole seconds, and the clocks of two nodes may differ.
_CLOCK_MARGIN = 2.0
# How long a node may be behind the one that has written, and how often it is asked meanwhile (seconds).
_LONGEST_STALENESS = 1.0
_STALE_PAUSE = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.15, 1.0
_PAUSE_GROWTH = 1.5
_NOTIFY_AFTER = 2.0


@dataclass(frozen=True)
class Version:
    """A version of a document. `number` is 0 where there never was one. Times are epoch seconds of the server: when
    the version was written, and when it was read. `clock_offset` is the server's clock minus this one, in seconds."""

    fields: Fields
    number: int
    created_at: float
    read_at: float
    clock_offset: float


class Documents(ABC):
    """The seam between the protocol and a server that keeps versions of one document."""

    @property
    @abstractmethod
    def location(self) -> str:
        """How messages name the document."""

    @abstractmethod
    def read(self) -> Version:
        """The latest version. Raises StoreError."""

    @abstractmethod
    def write(self, fields: Fields, replaces: int) -> Version:
        """Write the version that follows a number.

        Raises WriteConflict where another version is the latest, WriteUnknown where the response was lost, and
        StoreError.
        """


class SharedStore(Store):
    """The record in a document. `lease` is how long a writer may take (seconds), `needed` what it must have left of
    that to send a request. `local_lock` lets one process of this machine ask at a time."""

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
        self._writer: Optional[SharedWriter] = None

    @property
    def location(self) -> str:
        return self._documents.location

    def is_empty(self) -> bool:
        with suppress(DamagedRecord, ForeignRecord):
            return self.read().record is None
        return False

    def read(self) -> Stored:
        """The holder of the lease knows what is stored; all others ask the server."""
        version = self._writer.version if self._writer else self._documents.read()
        self._seen = version
        record = self._record(version)
        if record is None:
            return Stored(None, None)
        self._runtime.redactor.hide(*record.secrets)
        reading = ClockReading.of(self._runtime.clock)
        return Stored(replace(record, clock_offset=version.clock_offset, clock=reading), _digest(version.fields))

    @contextmanager
    def exclusive(self, timeout: float) -> Iterator[Writer]:
        clock = self._runtime.clock
        end = clock.monotonic() + timeout
        with self._local_lock(timeout):
            writer = self._leased(end, timeout)
            self._writer = writer
            try:
                yield writer
            finally:
                self._writer = None
                writer.release()

    def _record(self, version: Version) -> Optional[Record]:
        if not is_recognizable(version.fields):
            raise ForeignRecord(
                f"{self.location} is not a token document", advice="Check the path. The document was left as it is."
            )
        try:
            return record_of(version.fields) if version.fields else None
        except LaterVersion:
            raise ForeignRecord(
                f"the document {self.location} was written by a later release of this collection",
                advice="Update the collection, or give another path. The document was left as it is.",
            ) from None
        except ValueError as error:
            raise DamagedRecord(
                f"the document {self.location} is damaged: {error}",
                advice="Run the task with state: present, which replaces it.",
            ) from None

    def _leased(self, end: float, timeout: float) -> SharedWriter:
        """A writer that has taken the lease, once nobody else has it."""
        clock = self._runtime.clock
        pause, was_reported = _FIRST_PAUSE, False
        # What the task has read a moment ago saves a request: where it is out of date the write is refused.
        version = self._seen or self._documents.read()
        while True:
            if not _is_leased(version):
                # Refused before anything is written.
                with suppress(DamagedRecord):
                    self._record(version)
                writer = SharedWriter(self._documents, version, clock, lease=self._lease, needed=self._needed)
                with suppress(WriteConflict):
                    writer.take_lease()
                    return writer
            left = end - clock.monotonic()
            if left <= 0:
                raise StoreBusy(
                    f"another task has renewed the token in {self.location} for more than {timeout:g} s",
                    advice="Wait for it to end, or raise lock_timeout.",
                )
            if timeout - left > _NOTIFY_AFTER and not was_reported:
                self._runtime.notify(f"waiting for another task to renew {self.location}, at most {timeout:g} s")
                was_reported = True
            if _is_leased(version):
                clock.sleep(min(left, pause * random.uniform(0.7, 1.3)))  # noqa: S311  (no secret)
                pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE)
            version = self._documents.read()


class SharedWriter(Writer):
    """The holder of the lease. `version` is the one that it has read or written last."""

    def __init__(self, documents: Documents, version: Version, clock: Clock, *, lease: float, needed: float) -> None:
        self.version = version
        self._documents = documents
        self._clock = clock
        self._seconds = lease
        self._needed = needed
        self._holder = f"{platform.node()} {os.getpid()} {secrets.token_hex(_HOLDER_BYTES)}"
        self._ends_at = 0.0
        self._is_lost = False

    def take_lease(self) -> None:
        """Write the lease into the document. Raises WriteConflict where somebody else has written, and StoreError."""
        self._write(self._with_lease(self.version.fields))

    def reserve(self) -> None:
        """What takes long must not begin with a lease that ends before it is over."""
        if self._clock.monotonic() + self._needed > self._ends_at:
            self.take_lease()

    def write(self, record: Record) -> None:
        """The last write of a renewal ends the lease, too."""
        try:
            fields = fields_of(record, _without(self.version.fields, _LEASE, (_REFUSAL,)))
        except ValueError as error:
            raise StoreError(f"the token cannot be stored in {self._documents.location}: {error}") from None
        self._write(self._with_lease(fields) if record.pending else fields)

    def refusal(self) -> Optional[Refusal]:
        """Its time is by the clock of this machine, as the tasks of this machine compare it."""
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
        """The document stays, without a token: whoever deletes it lets its versions begin again."""
        record = record_of(self.version.fields)
        fields = emptied(record) if record else {}
        self._write(fields)

    def move_aside(self) -> str:
        self._write({})
        return "It was replaced."

    def release(self) -> None:
        """Let others write, unless the last write has done so. The lease ends by itself where that fails."""
        if self.version.fields.get(_HOLDER) == self._holder and not self._is_lost:
            with suppress(StoreError):
                self._write(_without(self.version.fields, _LEASE))

    def _with_lease(self, fields: Fields) -> Fields:
        return {"schema": SCHEMA, **fields, _HOLDER: self._holder, _SECONDS: f"{self._seconds:g}"}

    def _write(self, fields: Fields) -> None:
        """Replace the version that this writer knows. Raises WriteConflict where it is not the latest any more, and
        ever after: who has lost the lease writes nothing more."""
        if self._is_lost:
            raise WriteConflict(f"another task has changed {self._documents.location}")
        sent_at = self._clock.monotonic()
        self.version = self._written(fields, sent_at + _LONGEST_STALENESS)
        self._ends_at = sent_at + self._seconds if _HOLDER in fields else 0.0

    def _written(self, fields: Fields, end: float) -> Version:
        number = self.version.number
        while True:
            try:
                return self._documents.write(fields, number)
            except (WriteConflict, WriteUnknown) as error:
                found = self._documents.read()
                if found.number == number + 1 and found.fields == fields:
                    # The response was lost, and not the request.
                    return found
                # A node that is behind refuses a write that the next moment accepts; a lost request is sent again.
                # Neither can do harm: a version is replaced once.
                if found.number > number or self._clock.monotonic() >= end:
                    self.version, self._is_lost = found, True
                    raise WriteConflict(f"another task has changed {self._documents.location}") from error
            self._clock.sleep(_STALE_PAUSE)


def _is_leased(version: Version) -> bool:
    """Whether somebody's lease still runs, by the clock of the server."""
    if not version.fields.get(_HOLDER):
        return False
    try:
        seconds = float(version.fields[_SECONDS])
    except (KeyError, ValueError):
        return False
    return version.read_at < version.created_at + seconds + _CLOCK_MARGIN


def _without(fields: Fields, *groups: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if not any(name in group for group in groups)}


def _digest(fields: Fields) -> str:
    """What changes with the tokens of a document, and not with its lease."""
    content = json.dumps(_without(fields, _LEASE, (_REFUSAL,)), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
