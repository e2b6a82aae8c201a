# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request log: the requests to every product, in order of arrival."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from weakref import WeakKeyDictionary

# A limit, so that a lab that runs for days does not use up the memory.
_KEPT = 200_000


@dataclass
class Entry:
    """One request with its response. `status` is None while the request is processed and if no response was sent."""

    number: int
    time: float
    product: str
    host: str
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: str
    peer: str
    connection: int
    status: int | None = None
    work_status: int | None = None
    fault: str | None = None
    done: bool = False
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the entry as the control API shows it."""
        return asdict(self)


class Connections:
    """Numbers connections in the order of their first request."""

    def __init__(self) -> None:
        self._numbers: WeakKeyDictionary[asyncio.BaseTransport, int] = WeakKeyDictionary()
        self._next = itertools.count(1)

    def number(self, transport: asyncio.BaseTransport | None) -> int:
        """Return the number of a connection; 0 if it is already closed."""
        if transport is None:
            return 0
        if transport not in self._numbers:
            self._numbers[transport] = next(self._next)
        return self._numbers[transport]


class RequestLog:
    """Entries in order of arrival, with a way to wait for one."""

    def __init__(self) -> None:
        self.connections = Connections()
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._numbers = itertools.count(1)
        self._change = asyncio.Condition()

    def open(self, **facts: Any) -> Entry:
        """Add a request that has just arrived."""
        entry = Entry(number=next(self._numbers), time=time.time(), **facts)
        self._entries.append(entry)
        return entry

    async def close(self, entry: Entry, status: int | None) -> None:
        """Record the response and notify those who wait for it."""
        entry.status, entry.done = status, True
        entry.seconds = time.time() - entry.time
        await self.announce()

    async def announce(self) -> None:
        """Notify those who wait for a request to arrive or finish."""
        async with self._change:
            self._change.notify_all()

    def select(self, product: str | None = None, host: str | None = None, after: float = 0) -> list[Entry]:
        """Return the entries of a product and host with a number greater than `after`."""
        return [
            entry
            for entry in self._entries
            if entry.number > after and product in (None, entry.product) and host in (None, entry.host)
        ]

    async def wait(self, enough: Callable[[], bool], seconds: float) -> None:
        """Wait until `enough()` returns true, called at each arrival and completion, or until the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._change:
                await self._change.wait_for(enough)

    def clear(self) -> None:
        """Clear all entries. The numbering continues."""
        self._entries.clear()
