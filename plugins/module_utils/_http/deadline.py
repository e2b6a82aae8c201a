# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time by which a response must be whole, the bytes that it may have, and whether a request has left.

The time-out of a socket is for each read: a server that sends a byte now and then would hold a task for hours.
Here every read gets only what is left of the time of the whole request. The bytes are counted here, too, before any
library makes something of them: one reads a chunk of the length -1 up to the end of the connection.
"""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any, Optional

_SHORTEST = 0.001


class Flooded(OSError):
    """More bytes came than the response may have."""


class Watch(threading.local):
    """What this thread's request is at: when it must be done, what may still come, whether any of it has left."""

    ends_at: Optional[float] = None
    bytes_left = math.inf
    has_left = False

    def left(self) -> Optional[float]:
        """Seconds until it must be done."""
        return None if self.ends_at is None else max(_SHORTEST, self.ends_at - time.monotonic())

    def count(self, received: int) -> int:
        """Note so many bytes, and return their number. Raises Flooded."""
        self.bytes_left -= received
        if self.ends_at is not None and self.bytes_left < 0:
            # Python 3.9 looks into the arguments of every OSError that a socket raises.
            raise Flooded("more bytes than expected")
        return received


watch = Watch()


@contextlib.contextmanager
def deadline(seconds: float, most_bytes: float = math.inf) -> Iterator[None]:
    """All reads of this thread's sockets must be done within so many seconds, and bring no more than so many bytes."""
    watch.ends_at, watch.bytes_left, watch.has_left = time.monotonic() + seconds, most_bytes, False
    try:
        yield
    finally:
        watch.ends_at = None


class DeadlineTlsSocket(ssl.SSLSocket):
    """A TLS socket whose reads end at the deadline."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        if watch.ends_at is not None:
            self.settimeout(watch.left())
        return watch.count(super().recv_into(*args, **kwargs))


class DeadlineSocket(socket.socket):
    """A plain socket, on the way to a proxy, whose reads end at the deadline."""

    @classmethod
    def of(cls, plain: socket.socket) -> DeadlineSocket:
        """The same connection as such a socket."""
        timeout = plain.gettimeout()
        wrapped = cls(fileno=plain.detach())
        wrapped.settimeout(timeout)
        return wrapped

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        if watch.ends_at is not None:
            self.settimeout(watch.left())
        return watch.count(super().recv_into(*args, **kwargs))
