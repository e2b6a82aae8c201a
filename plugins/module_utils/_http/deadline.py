# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time by which a response must be whole, the bytes that it may have, and how far its request has come.

The timeout of a socket is for each call: a server that sends a byte now and then would hold a task for hours, and one
that never pauses would hold OpenSSL within one call. Here every address and every read gets only what is left of the
time of the whole request, and OpenSSL sees only bytes that were read here. The bytes are counted here, too, before any
library makes something of them: one reads a chunk of the length -1 up to the end of the connection.
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
    """More bytes came than the response may have."""


class Stage(enum.IntEnum):
    """How far a request has come on a new connection, or that it has left on any."""

    CONNECTING = 0
    TUNNELLING = 1
    HANDSHAKE = 2
    SENT = 3


class Watch(threading.local):
    """What this thread's request is at: when it must be done, what may still come, how far it has come."""

    ends_at: Optional[float] = None
    bytes_left = math.inf
    stage = Stage.CONNECTING

    def left(self) -> Optional[float]:
        """Seconds until it must be done; None without a deadline. Raises socket.timeout when it should be."""
        if self.ends_at is None:
            return None
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        return left

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
    """This thread's sockets must be done within so many seconds, and receive no more than so many bytes."""
    watch.ends_at, watch.bytes_left, watch.stage = time.monotonic() + seconds, most_bytes, Stage.CONNECTING
    try:
        yield
    finally:
        watch.ends_at = None


class DeadlineSocket(socket.socket):
    """A plain socket whose calls end at the deadline. `server_name` is whose certificate is expected behind it."""

    server_name = ""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.mind_deadline()
        return watch.count(super().recv_into(*args, **kwargs))

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.mind_deadline()
        super().sendall(*args, **kwargs)

    def mind_deadline(self, share: float = 1) -> None:
        """Give the next call its share of the time that is left. Raises socket.timeout."""
        left = watch.left()
        if left is not None:
            self.settimeout(left * share)


class DeadlineTlsSocket(DeadlineSocket):
    """TLS over such a socket. OpenSSL reads from memory: each of its loops ends with the bytes that were read here."""

    def __init__(self, plain: DeadlineSocket, context: ssl.SSLContext, server_name: str) -> None:
        """Shake hands. Raises OSError, ssl.SSLError among it."""
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
            return self._run(lambda: self._tls.read(nbytes or len(buffer), buffer))  # type: ignore[return-value]
        except ssl.SSLEOFError:
            # Without a farewell of TLS: whether all has come is for HTTP to judge, as with the sockets of Python.
            return 0

    def sendall(self, data: Any, flags: int = 0) -> None:
        rest = memoryview(data).cast("B")
        while rest:
            part = rest[:_CHUNK]
            written = self._run(lambda part=part: self._tls.write(part))  # type: ignore[misc]
            rest = rest[written:]

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The certificate of the server, for libraries that compare names by themselves."""
        return self._tls.getpeercert(binary_form)

    def _run(self, step: Callable[[], _Result]) -> _Result:
        """A step of TLS, with all that it has to send, and all that it waits for."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._send_pending()
                self._receive()
                continue
            except ssl.SSLError:
                # The alert that tells the other side why.
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
    """A context whose sockets are of that kind."""

    def wrap_socket(self, sock: socket.socket, *_args: Any, server_hostname: Any = None, **_kwargs: Any) -> Any:
        """Some libraries name no server where it is an address: the socket knows it."""
        if not isinstance(sock, DeadlineSocket):
            raise TypeError("only sockets with a deadline can be wrapped")
        return DeadlineTlsSocket(sock, self, server_hostname or sock.server_name)


def connected(host: str, port: int, options: Sequence[Any] = ()) -> DeadlineSocket:
    """A connection with one of the host's addresses, which share the time that is left. Raises OSError."""
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
        # A name that no name server can know, such as one with an empty label.
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
