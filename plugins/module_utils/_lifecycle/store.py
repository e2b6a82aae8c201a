# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token file as the life cycle of one server and principal uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Optional

from .file_store import DamagedFile, TokenFile
from .record import Record
from .source import TokenSource


class TokenStore(TokenFile):
    """A token file that knows what of its content is its source's own, and remembers the server's clock."""

    def __init__(
        self,
        path: str,
        source: TokenSource,
        *,
        warn: Callable[[str], None],
        notify: Callable[[str], None],
        read_only: bool = False,
    ) -> None:
        super().__init__(path, warn=warn, notify=notify, read_only=read_only)
        self._source = source
        self.clock_offset = 0.0
        """By how many seconds the server's clock was ahead of ours when the file was written."""

    def find_own(self, fate: str) -> Optional[Record]:
        """What the file holds for this source, in its name; None for nothing, and with a warning for another's token.

        `fate` ends that warning. Raises as read().
        """
        record = self.read()
        if record is None:
            return None
        source = self._source
        is_own = record.belongs_to(source.product, source.host, source.principal)
        if not is_own and record.belongs_to(source.product, source.host, None):
            is_own = any(source.owns(record.principal, token) for token in record.tokens)
            # What proves it now is replaced by the next renewal.
            record = replace(record, principal=source.principal or "") if is_own else record
        if not is_own:
            self._warn(
                f"The token file {self.path} holds a {record.product} token of {record.principal} on {record.host}, "
                f"not one of {source.principal or 'this user'} on {source.host}. {fate}"
            )
            return None
        self.clock_offset = record.clock_offset
        return record

    def read_own(self, set_damaged_aside: bool = False) -> Record:
        """What the file holds for this source; an empty record where that is nothing, or cannot be understood."""
        try:
            record = self.find_own("It is replaced.")
        except DamagedFile as error:
            record = None
            if set_damaged_aside:
                self._warn(f"{error.cause[:1].upper()}{error.cause[1:]}. It is kept as {self.set_aside()}.")
            elif self._read_only:
                self._warn(f"{error.cause[:1].upper()}{error.cause[1:]}. It would be kept aside and replaced.")
        return record or Record(self._source.product, self._source.host, self._source.principal or "")

    def store(self, record: Record) -> Record:
        """Write the record, with the server's clock as this task has seen it, and return it as it was written."""
        offset = self._source.clock_offset
        if offset is not None:
            record = replace(record, clock_offset=offset)
        self.write(record)
        return record
