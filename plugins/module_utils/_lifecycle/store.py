# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a token is kept between tasks, plays and runs: the seam between the life cycle and files or servers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from contextlib import AbstractContextManager
from typing import NamedTuple, Optional

from .record import Record
from .refusal import Refusal


class Stored(NamedTuple):
    """What a store holds; the version changes with every write, and is None where nothing is stored."""

    record: Optional[Record]
    version: Hashable


class Writer(ABC):
    """The right to be the only writer of a store."""

    @abstractmethod
    def reserve(self) -> None:
        """Prove, before a token is requested, that write() will succeed as far as can be known. Raises StoreError."""

    @abstractmethod
    def write(self, record: Record) -> None:
        """Replace what is stored as a whole. Raises StoreError, also where the right to write was lost meanwhile."""

    @abstractmethod
    def refusal(self) -> Optional[Refusal]:
        """The last refusal of a credential that a writer has noted."""

    @abstractmethod
    def note_refusal(self, refusal: Refusal) -> None:
        """Let those who wait know that a credential was refused. A failure to do so is ignored."""

    @abstractmethod
    def remove(self) -> None:
        """Remove what is stored. Raises StoreError."""

    @abstractmethod
    def move_aside(self) -> str:
        """Move what cannot be understood aside, and return where it is now. Raises StoreError."""


class Store(ABC):
    """One record, shared by all who know where it is."""

    @property
    @abstractmethod
    def location(self) -> str:
        """How messages name it."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Whether nothing is stored, not even something that cannot be understood."""

    @abstractmethod
    def read(self) -> Stored:
        """What is stored. Raises DamagedRecord where that cannot be understood, and StoreError."""

    @abstractmethod
    def exclusive(self, timeout: float) -> AbstractContextManager[Writer]:
        """Become the only writer, within `timeout` seconds. Raises StoreError."""
