# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets that end at the deadline of a whole request, count its bytes and note how far it has come.

The timeout of a plain socket is for each call. A server that sends a byte now and then would block a task for hours,
and one that never pauses would block OpenSSL within one call. Here each address, handshake and read gets the remaining
time of the request, and OpenSSL reads from memory. The bytes are counted before an HTTP library parses them: urllib3
reads a chunk of length -1 until the connection ends.
"""

from __future__ import annotations

import contextlib
import enum
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Optional, TypeVar

_CHUNK = 64 * 1024

_Result = TypeVar("_Result")


class Flooded(OSError):
    """The response has more bytes than it may have."""


class Stage(enum.IntEnum):
    """How far a request has come. A request on an open connection starts at SENT."""

    CONNECTING = 0
    TUNNELLING = 1
    HANDSHAKE = 2
    SENT = 3


class Watch(threading.local):
    """The request of this thread: its deadline, the bytes that it may still receive, and its stage."""

    ends_at: Optional[float] = None
    bytes_left = math.inf
    stage = Stage.CONNECTING

    def left(self) -> Optional[float]:
        """Seconds until the deadline; None without one. Raises socket.timeout after it."""
        if self.ends_at is None:
            return None
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        return left

    def count(self, received: int) -> int:
        """Count received bytes, and return their number. Raises Flooded."""
        self.bytes_left -= received
        if self.ends_at is not None and self.bytes_left < 0:
            # Python 3.9 reads the arguments of every OSError that a socket raises.
            raise Flooded("more bytes than expected")
        return received


watch = Watch()


@contextlib.contextmanager
def deadline(seconds: float, most_bytes: float = math.inf) -> Iterator[None]:
    """Limit the sockets of this thread to so many seconds and received bytes in total."""
    watch.ends_at, watch.bytes_left, watch.stage = time.monotonic() + seconds, most_bytes, Stage.CONNECTING
    try:
        yield
    finally:
        watch.ends_at = None


class DeadlineSocket(socket.socket):
    """A plain socket whose calls end at the deadline. `server_name` is the expected name in the certificate."""

    server_name = ""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.mind_deadline()
        return watch.count(super().recv_into(*args, **kwargs))

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.mind_deadline()
        super().sendall(*args, **kwargs)

    def mind_deadline(self, share: float = 1) -> None:
        """Limit the next call to a share of the remaining time. Raises socket.timeout."""
        left = watch.left()
        if left is not None:
            self.settimeout(left * share)


class DeadlineTlsSocket(DeadlineSocket):
    """TLS over a DeadlineSocket. OpenSSL reads from memory, so that none of its loops outlives the deadline."""

    def __init__(self, plain: DeadlineSocket, context: ssl.SSLContext, server_name: str) -> None:
        """Perform the handshake. Raises OSError, including ssl.SSLError."""
        timeout = plain.gettimeout()
        super().__init__(fileno=plain.detach())
        self.settimeout(timeout)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._received = memoryview(bytearray(_CHUNK))
        try:
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
            self._run(self._tls.do_handshake)
        except BaseException:
            self.close()
            raise

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        try:
            return self._run(lambda: self._tls.read(nbytes or len(buffer), buffer))  # type: ignore[return-value] # with a buffer, read() returns an int
        except ssl.SSLEOFError:
            # The end without close_notify. HTTP decides whether the response is complete, as with sockets of ssl.
            return 0

    def sendall(self, data: Any, flags: int = 0) -> None:
        rest = memoryview(data).cast("B")
        while rest:
            part = rest[:_CHUNK]
            written = self._run(lambda part=part: self._tls.write(part))  # type: ignore[misc] # mypy infers no type
            rest = rest[written:]

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The certificate of the server, for libraries that compare names themselves."""
        return self._tls.getpeercert(binary_form)

    def _run(self, step: Callable[[], _Result]) -> _Result:
        """Run a TLS operation: send what it produces and receive what it waits for."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._send_pending()
                self._receive()
                continue
            except ssl.SSLError:
                # Send the alert that tells the server why.
                with contextlib.suppress(OSError):
                    self._send_pending()
                raise
            self._send_pending()
            return result

    def _send_pending(self) -> None:
        content = self._outgoing.read()
        if content:
            super().sendall(content)

    def _receive(self) -> None:
        count = super().recv_into(self._received)
        if count:
            self._incoming.write(self._received[:count])
        else:
            self._incoming.write_eof()


class DeadlineContext(ssl.SSLContext):
    """A context that makes DeadlineTlsSockets."""

    def wrap_socket(self, sock: socket.socket, *_args: Any, server_hostname: Any = None, **_kwargs: Any) -> Any:
        """Wrap a DeadlineSocket. Some libraries pass no name for an IP address: then the socket's is used."""
        if not isinstance(sock, DeadlineSocket):
            raise TypeError("only sockets with a deadline can be wrapped")
        return DeadlineTlsSocket(sock, self, server_hostname or sock.server_name)


def connected(host: str, port: int, options: Sequence[Any] = ()) -> DeadlineSocket:
    """Connect to one of the host's addresses, which share the remaining time. Raises OSError."""
    failure = OSError("no address")
    addresses = _addresses(host, port)
    for number, (family, kind, protocol, _name, address) in enumerate(addresses):
        try:
            plain = DeadlineSocket(family, kind, protocol)
        except OSError as error:
            failure = error
            continue
        try:
            for option in options:
                plain.setsockopt(*option)
            plain.mind_deadline(1 / (len(addresses) - number))
            plain.connect(address)
            return plain
        except OSError as error:
            plain.close()
            failure = error
    raise failure


def _addresses(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except UnicodeError:
        # A name that DNS cannot contain, such as one with an empty label.
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
