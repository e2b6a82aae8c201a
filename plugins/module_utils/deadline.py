# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time by which a reply must be whole.

The time-out of a socket is for each read: a server that sends a byte now and then would hold a task for hours.
Here every read gets only what is left of the time of the whole request.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

_current = threading.local()
_SHORTEST = 0.001


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """All reads of this thread's TLS sockets must be done within so many seconds."""
    _current.at = time.monotonic() + seconds
    try:
        yield
    finally:
        _current.at = None


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket whose reads end at the deadline of the thread that reads."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """See socket.recv_into(); raises TimeoutError once the deadline is over."""
        at = getattr(_current, "at", None)
        if at is not None:
            self.settimeout(max(_SHORTEST, at - time.monotonic()))
        return super().recv_into(*args, **kwargs)
