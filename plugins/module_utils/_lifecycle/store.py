# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface between the lifecycle and the place where a token is stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from contextlib import AbstractContextManager
from typing import ClassVar, Final, NamedTuple, Optional

from .record import Record
from .refusal import Refusal

# For exclusive(): the content may have changed meanwhile.
ANY_VERSION: Final = object()
_LONGEST_WAIT = 120.0


class Stored(NamedTuple):
    """The content of a store. `version` changes with every write; both are None when nothing is stored."""

    record: Optional[Record]
    version: Hashable


class Writer(ABC):
    """The exclusive right to write to a store."""

    @abstractmethod
    def reserve(self) -> None:
        """Check that write() will succeed, before a token is requested. Raises StoreError."""

    @abstractmethod
    def write(self, record: Record) -> None:
        """Replace the whole content. Raises StoreError, also when the exclusive right was lost."""

    @abstractmethod
    def refusal(self) -> Optional[Refusal]:
        """The last refused credential; None without one."""

    @abstractmethod
    def note_refusal(self, refusal: Refusal) -> None:
        """Store a refused credential for the tasks that wait. A failure is ignored."""

    @abstractmethod
    def remove(self) -> None:
        """Remove the content. Raises StoreError."""

    @abstractmethod
    def move_aside(self) -> str:
        """Move damaged content aside, and return what became of it, as a sentence. Raises StoreError."""


class Store(ABC):
    """One record that several tasks share."""

    # Whether there is a place for one replaced token only.
    keeps_one_superseded: ClassVar[bool] = False

    @property
    @abstractmethod
    def location(self) -> str:
        """The store, as messages name it."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether nothing is stored, not even a damaged record."""

    @abstractmethod
    def read(self) -> Stored:
        """Read the record. Raises DamagedRecord and StoreError."""

    @property
    def longest_wait(self) -> float:
        """The timeout of exclusive() in seconds, unless lock_timeout is set."""
        return _LONGEST_WAIT

    @abstractmethod
    def exclusive(self, timeout: float, version: Hashable = ANY_VERSION) -> AbstractContextManager[Writer]:
        """Become the only writer, within `timeout` seconds. Raises StoreError.

        `version` is that of the last read(). If another task has replaced it meanwhile, a store may raise RecordChanged
        instead: the caller, which reads again, may find a valid token and not have to write.
        """
