# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often, and after which wait, a request is tried again."""

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
    # The transport reports the missing library; until then this file must load.
    Retry = None  # type: ignore[assignment,misc]

LONGEST_WAIT = 60.0
SHORTEST_WAIT = 0.5
# Twice the longest wait after ten tries: further doublings change nothing.
_MOST_DOUBLINGS = 10
_RETRY_AFTER_JITTER = 0.1
_SECONDS = re.compile(r"[0-9]+")
_MOST_DIGITS = 9


class Retries:
    """The tries that are left after the first, and the waits before them, in seconds.

    Waits are random within bounds, so that tasks that failed at the same time do not all try again at the same time.
    """

    def __init__(self, limit: int, random_fraction: Callable[[], float] = random.random) -> None:
        """`random_fraction` returns a number from 0 to 1."""
        self._retry = Retry(total=limit)
        self._tries = 0
        self._random_fraction = random_fraction

    def next_wait(self, method: str, error: Exception, asked: Optional[float] = None) -> Optional[float]:
        """How long to wait before the next try; None when no try is left. `asked` is what the server asks for."""
        try:
            self._retry = self._retry.increment(method, error=error)
        except HTTPError:
            return None
        self._tries += 1
        shortest, longest = self._backoff() if asked is None else _no_earlier_than(min(LONGEST_WAIT, asked))
        return min(LONGEST_WAIT, shortest + (longest - shortest) * self._random_fraction())

    def _backoff(self) -> tuple[float, float]:
        """The bounds of a wait: equal jitter, half of the backoff is certain. urllib3 has jitter from release 2 on."""
        backoff = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** min(self._tries, _MOST_DOUBLINGS))
        return backoff / 2, backoff


def asked_wait(retry_after: Optional[str], now: float) -> Optional[float]:
    """The wait of a header Retry-After (RFC 9110, section 10.2.3), in seconds; None where it asks for none.

    `now` is the time by the clock of the server that sent it: a date is relative to it. A past one is a mistake.
    """
    text = (retry_after or "").strip()
    if _SECONDS.fullmatch(text):
        # Bounded while it is text: the largest of integers are no floats.
        return float(text) if len(text) <= _MOST_DIGITS else LONGEST_WAIT
    moment = moment_of(text)
    return moment - now if moment is not None and moment > now else None


def _no_earlier_than(asked: float) -> tuple[float, float]:
    """The bounds of a wait for which the server asks."""
    return asked, asked + max(SHORTEST_WAIT, asked * _RETRY_AFTER_JITTER)
