# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Store the name of a token before it is created, so that a token whose response is lost can be revoked by its name."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from .._core.errors import TokensError
from .._core.runtime import Runtime
from .ownership import OwnRecord
from .record import Record
from .source import TokenSource
from .store import Writer


class Announcements:
    """The announced tokens of a source. Nothing happens for a source whose tokens have no names."""

    def __init__(self, source: TokenSource, own: OwnRecord, runtime: Runtime) -> None:
        self._source = source
        self._own = own
        self._runtime = runtime

    def announce(self, writer: Writer, record: Record) -> Record:
        """Store the name of the next token, and return the record as stored. Raises StoreError."""
        name = self._source.announce()
        return self._own.write(writer, replace(record, announced=name)) if name else record

    def settle(self, writer: Writer, record: Record, error: TokensError) -> Record:
        """After `error` in the creation: revoke a token whose response was lost, or remove a name that no token has."""
        name = record.announced
        if name is None:
            return record
        is_settled = not error.left_behind
        with suppress(TokensError):
            # If no token has the name, the server may still be creating it.
            is_settled = is_settled or self._source.revoke_announced(name)
        if not is_settled:
            error.left_behind = f"A token with the name {name} may exist. The next run revokes it"
            return record
        error.left_behind = ""
        record = replace(record, announced=None)
        with suppress(TokensError):
            if record.tokens:
                self._own.write(writer, record)
            else:
                writer.remove()
        return record

    def finish(self, writer: Writer, record: Record) -> Record:
        """Revoke the announced token of a task that was interrupted, and return the record as stored."""
        name = record.announced
        if name is None:
            return record
        try:
            was_left = self._source.revoke_announced(name)
        except TokensError as error:
            self._runtime.warn(f"A task was interrupted, and may have left the token {name}. {error}")
            return record
        if was_left:
            self._runtime.warn(f"A task was interrupted while it created the token {name}, which is now revoked.")
        return self._own.write(writer, replace(record, announced=None))
