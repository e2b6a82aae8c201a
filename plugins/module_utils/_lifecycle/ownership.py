# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that the content of a store belongs to the product, server and user of a task."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Optional

from .._core.errors import DamagedRecord, ForeignRecord
from .._core.runtime import Runtime
from .record import ClockReading, Record
from .source import TokenSource
from .store import ANY_VERSION, Store, Stored, Writer


class OwnRecord:
    """The record of one source in a store. `clock_offset` is the server's clock minus the local clock, in seconds."""

    def __init__(self, store: Store, source: TokenSource, runtime: Runtime, *, replace_foreign: bool) -> None:
        self._store = store
        self._replace_foreign = replace_foreign
        self._source = source
        self._runtime = runtime
        self.clock_offset = 0.0

    @property
    def location(self) -> str:
        """The store, as messages name it."""
        return self._store.location

    @property
    def keeps_one_superseded(self) -> bool:
        """As Store.keeps_one_superseded."""
        return self._store.keeps_one_superseded

    @property
    def longest_wait(self) -> float:
        """As Store.longest_wait."""
        return self._store.longest_wait

    def exclusive(self, timeout: float, version: Hashable = ANY_VERSION) -> AbstractContextManager[Writer]:
        """As Store.exclusive()."""
        return self._store.exclusive(timeout, version)

    def is_empty(self) -> bool:
        """Whether nothing is stored."""
        return self._store.is_empty()

    def find(self) -> Stored:
        """The record of the source, with its principal.

        Raises ForeignRecord for a record of another product, server or user, which is treated as missing with
        replace_foreign. Raises DamagedRecord and StoreError as Store.read().
        """
        record, version = self._store.read()
        if record is None:
            return Stored(None, version)
        source = self._source
        is_own = record.belongs_to(source.product, source.host, source.principal)
        if not is_own and record.belongs_to(source.product, source.host, None):
            is_own = any(source.belongs_to(record.principal, token) for token in record.tokens)
            # The refresh token that identifies the user now is replaced by the next renewal.
            record = replace(record, principal=source.principal or "") if is_own else record
        if is_own:
            self.clock_offset = record.offset_of(self._runtime.clock)
            return Stored(record, version)
        if self._replace_foreign:
            return Stored(None, version)
        raise ForeignRecord(
            f"{self.location} holds a {record.product} token of {record.principal} on {record.host}, not a "
            f"{source.product} token of {source.principal or 'this user'} on {source.host}",
            advice="Set another path for this token, or set replace_foreign: true to replace the stored one.",
        )

    def read(self, writer: Optional[Writer] = None) -> tuple[Record, Hashable]:
        """The record of the source and its version; an empty record when nothing is stored.

        A damaged record counts as missing, and is moved aside when there is a `writer`. Raises ForeignRecord and
        StoreError as find().
        """
        try:
            record, version = self.find()
        except DamagedRecord as error:
            record, version = None, None
            self._report(error, writer)
        else:
            if record is None and version is not None and (writer or self._runtime.check_mode):
                # It is replaced later, unless the task fails before.
                self._runtime.warn(
                    f"{self.location} holds a token of another product, server or user. It will be replaced."
                )
        return record or Record(self._source.product, self._source.host, self._source.principal or ""), version

    def write(self, writer: Writer, record: Record) -> Record:
        """Store the record with the clock offset of this task, and return it as stored. Raises StoreError."""
        offset = self._source.clock_offset
        if offset is not None:
            record = replace(record, clock_offset=offset, clock=ClockReading.of(self._runtime.clock))
        writer.write(record)
        return record

    def _report(self, error: DamagedRecord, writer: Optional[Writer]) -> None:
        cause = error.cause[:1].upper() + error.cause[1:]
        if writer:
            self._runtime.warn(f"{cause}. {writer.move_aside()}")
        elif self._runtime.check_mode:
            self._runtime.warn(f"{cause}. It would be moved aside and replaced.")
