# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that repeats what the lab once said, over real TLS, and lies in one reply: any bytes that a test likes.

It stands where a proxy stands, so that each product's requests come to it, whatever their port.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from lab.client import Lab
from lab.tls import Authority
from support.in_process import Done, SkippingClock, done, prepared
from support.kit import Job

# Seconds; a client that is at work is never silent for so long.
_SILENCE = 30
# Seconds of one run, however busy the machine is.
_LONGEST_RUN = 300
_HOP = ("content-length", "transfer-encoding", "connection", "date")


@dataclass(frozen=True)
class TrueReply:
    """What the lab said to one request."""

    line: str
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def as_bytes(self) -> bytes:
        """The reply as it goes over the wire."""
        kept = [f"{name}: {value}" for name, value in self.headers if name.lower() not in _HOP]
        head = [f"HTTP/1.1 {self.status} Said", *kept, f"Content-Length: {len(self.body)}"]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + self.body


def recorded(job: Job, lab: Lab, file: str) -> tuple[list[TrueReply], bytes]:
    """Run the job against the lab; all replies, in order, and the content of the token file before the run."""
    said: list[TrueReply] = []
    original = Session._response_of

    def listen(self: Session, response: Any, body: bytes, received_at: float, call: Any) -> Any:
        line = f"{call.method} {response.request.path_url}"
        said.append(TrueReply(line, response.status_code, tuple(response.raw.headers.items()), body))
        return original(self, response, body, received_at, call)

    prepared(job, lab, file)
    kept = Path(file).read_bytes() if Path(file).exists() else b""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Session, "_response_of", listen)
        result = done(job, lab.details, file).result
    assert not result.get("failed"), result
    return said, kept


@dataclass
class HostileServer:
    """Repeats `replies`; the request of number `lie_at` gets `lie` in place of its own, and so do all after it if
    `goes_on`. The connection is closed after a lie."""

    proxy_url: str
    ca_path: str
    replies: list[TrueReply] = field(default_factory=list)
    lie: bytes = b""
    lie_at: int = -1
    goes_on: bool = False
    asked: int = 0

    def starts_anew(self, replies: list[TrueReply], lie: bytes = b"", lie_at: int = -1, goes_on: bool = False) -> None:
        """The next request is the first."""
        self.replies, self.lie, self.lie_at, self.goes_on, self.asked = replies, lie, lie_at, goes_on, 0

    def answer(self, line: str) -> tuple[bytes, bool]:
        """What is said to a request, and whether it is a lie."""
        number, self.asked = self.asked, self.asked + 1
        if number == self.lie_at or (self.goes_on and number > self.lie_at >= 0):
            return self.lie, True
        known = [reply for reply in self.replies[number:] + self.replies if reply.line == line]
        return (known[0].as_bytes() if known else b"HTTP/1.1 404 Unknown\r\nContent-Length: 0\r\n\r\n"), False

    def serve(self, plain: socket.socket, context: ssl.SSLContext) -> None:
        """One connection to its end."""
        plain.settimeout(_SILENCE)
        _read_request(plain)
        plain.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
        with context.wrap_socket(plain, server_side=True) as connection:
            while True:
                line = _read_request(connection)
                if not line:
                    return
                reply, is_lie = self.answer(line)
                connection.sendall(reply)
                if is_lie:
                    return


def _read_request(connection: socket.socket) -> str:
    """Method and path; nothing when the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return ""
        data += more
    head, _blank, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return " ".join(head.split(b"\r\n")[0].decode().split(" ")[:2])


@contextlib.contextmanager
def hostile_server(folder: Path) -> Iterator[HostileServer]:
    """A server that listens until the end."""
    authority = Authority(folder)
    context = authority.server_context("127.0.0.1", "good", False)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as listener:
        server = HostileServer(f"http://127.0.0.1:{listener.getsockname()[1]}", str(authority.ca_path))

        def serve(connection: socket.socket) -> None:
            # The client may be gone before all is said.
            with connection, contextlib.suppress(OSError):
                server.serve(connection, context)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield server
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def run_at(server: HostileServer, job: Job, lab: Lab, file: str) -> Done:
    """Run the job at the server. It ends in time, in a result that Ansible can hand on or in an error of ours."""
    more: dict[str, Any] = {}
    details = {**lab.details, "ca_path": server.ca_path}
    if "wait_timeout" in job.options(details, file):
        more["wait_timeout"] = 0.01
    started = time.monotonic()
    run = done(job, details, file, proxy_url=server.proxy_url, timeout=200, retries=1, clock=SkippingClock(), **more)
    assert time.monotonic() - started < _LONGEST_RUN
    assert "internal error" not in run.said
    assert "Traceback" not in run.said
    assert not run.result.get("failed") or run.message
    # What Ansible hands on is JSON.
    json.dumps(run.result, allow_nan=False)
    return run
