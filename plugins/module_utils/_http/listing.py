# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits on the total size of all listings that a task reads."""

from __future__ import annotations

from .._core.errors import ListingTooLong
from .response import Response

# 1,000 alarms have about 2 MB. Parsed JSON may take 26 times as much memory.
MOST_BYTES = 32 * 1024 * 1024
MOST_ITEMS = 50_000
MOST_REQUESTS = 1_000


class ListingBounds:
    """Counts the requests, bytes and objects of listings. `advice` tells the user how to read less."""

    def __init__(self, advice: str = "") -> None:
        self._advice = advice
        self._bytes = self._items = self._requests = 0

    def count_page(self, response: Response) -> None:
        """Count a page before it is parsed. Raises ListingTooLong."""
        self._requests += 1
        self._bytes += len(response.body)
        self._check(self._requests, MOST_REQUESTS, f"{MOST_REQUESTS} requests", response)
        self._check(self._bytes, MOST_BYTES, f"{MOST_BYTES // 1024**2} MiB", response)

    def count_items(self, count: int, response: Response) -> None:
        """Count the objects of a page. Raises ListingTooLong."""
        self._items += count
        self._check(self._items, MOST_ITEMS, f"{MOST_ITEMS} objects", response)

    def _check(self, count: int, most: int, bound: str, response: Response) -> None:
        if count > most:
            raise ListingTooLong(bound, doing=response.doing, host=response.host, advice=self._advice)
