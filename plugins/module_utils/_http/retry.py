# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often, and after which wait, a request is tried again."""

from __future__ import annotations

from typing import Optional

try:
    from urllib3.exceptions import HTTPError, InvalidHeader
    from urllib3.util.retry import Retry
except Exception:  # pylint: disable=broad-exception-caught  # a broken library is a missing one
    # The transport reports the missing library; until then this file must load.
    Retry = None  # type: ignore[assignment,misc]

LONGEST_WAIT = 60.0
_SHORTEST_WAIT = 0.5
_BACKOFF_FACTOR = 0.5


class Retries:
    """The tries that are left after the first, and the waits before them, in seconds."""

    def __init__(self, limit: int) -> None:
        self._retry = Retry(total=limit, backoff_factor=_BACKOFF_FACTOR)

    def next_wait(self, method: str, error: Exception, retry_after: Optional[str] = None) -> Optional[float]:
        """How long to wait before the next try; None when no try is left.

        `retry_after` is the header that the server sent (RFC 9110, section 10.2.3).
        """
        try:
            self._retry = self._retry.increment(method, error=error)
        except HTTPError:
            return None
        asked = self._asked(retry_after)
        wait = asked if asked is not None else max(_SHORTEST_WAIT, self._retry.get_backoff_time())
        return float(min(LONGEST_WAIT, wait))

    def _asked(self, retry_after: Optional[str]) -> Optional[float]:
        if not retry_after:
            return None
        try:
            # Bounded while it is what the header says: the largest of integers are no floats.
            return min(LONGEST_WAIT, self._retry.parse_retry_after(retry_after))
        except (InvalidHeader, ValueError, OverflowError):
            return None
