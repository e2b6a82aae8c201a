# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a request is retried, and how long to wait before each retry."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Optional

from .response import moment_of

try:
    from urllib3.exceptions import HTTPError
    from urllib3.util.retry import Retry
except Exception:  # pylint: disable=broad-exception-caught  # a broken library is a missing one
    # Session reports the missing library. Until then this file must load.
    Retry = None  # type: ignore[assignment,misc] # stand-in

LONGEST_WAIT = 60.0
SHORTEST_WAIT = 0.5
# The longest wait is reached by then: further doublings would only overflow.
_MOST_DOUBLINGS = 10
_RETRY_AFTER_JITTER = 0.1
_SECONDS = re.compile(r"[0-9]+")
_MOST_DIGITS = 9


class Retries:
    """The retries of one request, and the waits before them in seconds.

    Waits have jitter, so that tasks that failed at the same time do not retry at the same time.
    """

    def __init__(self, limit: int, random_fraction: Callable[[], float] = random.random) -> None:
        """`limit` is the number of retries. `random_fraction` returns a number from 0 to 1."""
        self._retry = Retry(total=limit)
        self._tries = 0
        self._random_fraction = random_fraction

    def next_wait(self, method: str, error: Exception, asked: Optional[float] = None) -> Optional[float]:
        """Seconds to wait before the next retry; None when none is left. `asked` comes from a Retry-After header."""
        try:
            self._retry = self._retry.increment(method, error=error)
        except HTTPError:
            return None
        self._tries += 1
        shortest, longest = self._backoff() if asked is None else _no_earlier_than(min(LONGEST_WAIT, asked))
        return min(LONGEST_WAIT, shortest + (longest - shortest) * self._random_fraction())

    def _backoff(self) -> tuple[float, float]:
        """The bounds of a wait with equal jitter: from half of the backoff to all of it. urllib3 1 has no jitter."""
        backoff = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** min(self._tries, _MOST_DOUBLINGS))
        return backoff / 2, backoff


def asked_wait(retry_after: Optional[str], now: float) -> Optional[float]:
    """The seconds that a Retry-After header asks for (RFC 9110, section 10.2.3); None without a valid one.

    `now` is the server's time in epoch seconds, to which a date is compared. A date in the past is ignored.
    """
    text = (retry_after or "").strip()
    if _SECONDS.fullmatch(text):
        # Checked by length: float() would overflow.
        return float(text) if len(text) <= _MOST_DIGITS else LONGEST_WAIT
    moment = moment_of(text)
    return moment - now if moment is not None and moment > now else None


def _no_earlier_than(asked: float) -> tuple[float, float]:
    """The bounds of a wait that the server asks for: never shorter."""
    return asked, asked + max(SHORTEST_WAIT, asked * _RETRY_AFTER_JITTER)
