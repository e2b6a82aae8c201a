# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface between the sessions and the place where their tokens are recorded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple

from .._core.token import Token
from .record import Record
from .source import TokenSource


class Stray(NamedTuple):
    """The token of a session that is over, and the place of its record."""

    token: Token
    place: str


class SessionRecords(ABC):
    """The sessions of one source."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    @abstractmethod
    def recording(self, now: Callable[[], float]) -> AbstractContextManager[Callable[[Token], None]]:
        """Check that a token can be recorded, and yield the function that records it. `now` returns the server's time.

        Raises StoreError.
        """

    @abstractmethod
    def strays(self) -> Iterator[Stray]:
        """Yield the tokens of the source whose sessions are over. Raises StoreError."""

    @abstractmethod
    def forget(self, token: Token) -> None:
        """Remove the record of a revoked token. Raises StoreError."""

    @abstractmethod
    def remove(self, place: str) -> None:
        """Remove the record of a stray. Raises StoreError."""

    @abstractmethod
    def sweep(self) -> None:
        """Remove what ended runs have left besides records."""

    def _is_own(self, record: Record) -> bool:
        source = self._source
        return bool(source.principal) and record.belongs_to(source.product, source.host, source.principal)
