# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deadline for a request: it applies while bytes arrive without a pause, in handshakes, and for every address."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    ApiError,
    ConnectionFailed,
    TimedOut,
    TlsFailed,
    TransportError,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._http import deadline as deadlines
from ansible_collections.sddc.tokens.plugins.module_utils._http import session as transport
from ansible_collections.sddc.tokens.plugins.module_utils._http.deadline import DeadlineSocket, connected, deadline
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.peers import listening
from products import EXAMPLE

if TYPE_CHECKING:
    from lab.client import Lab

OpenSession = Callable[..., Session]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
# Seconds for which a server continues: with a working deadline, a request ends earlier even on a slow machine.
FOREVER = 100
# A message that a TLS client has to ignore during its handshake (RFC 5246, section 7.4.1.1).
HELLO_REQUEST = bytes(4)


@pytest.fixture(scope="module")
def context() -> ssl.SSLContext:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server)
    return server


def flood(connection: socket.socket, data: bytes) -> None:
    """Send the same data repeatedly, without a pause, until the client has disconnected."""
    end = time.monotonic() + FOREVER
    while time.monotonic() < end:
        connection.sendall(data)


def given_up(session: Session) -> TransportError:
    """The error of a request. The deadline was the reason, long before the server stopped."""
    start = time.monotonic()
    with pytest.raises(TransportError) as caught:
        session.request("GET", "/", doing="read")
    assert time.monotonic() - start < FOREVER / 2
    return caught.value


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (HEAD + b"Content-Length: 16000000\r\n\r\n", b"x"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 2000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
    ],
    ids=["records of one byte", "chunks of one byte", "interim responses"],
)
def test_an_endless_response_times_out_at_the_deadline(
    context: ssl.SSLContext, open_session: OpenSession, head: bytes, part: bytes
) -> None:
    def drip(plain: socket.socket) -> None:
        with context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(65536)
            connection.sendall(head)
            flood(connection, part)

    with listening(drip) as address:
        error = given_up(open_session(address, validate_certs=False, timeout=1))
    assert isinstance(error, TimedOut)


def test_an_endless_handshake_times_out_at_the_deadline(open_session: OpenSession) -> None:
    # Of the size with which OpenSSL, if it reads by itself, does not return while there is more.
    record = b"\x16\x03\x03" + (len(HELLO_REQUEST) * 4000).to_bytes(2, "big") + HELLO_REQUEST * 4000

    def shake(plain: socket.socket) -> None:
        plain.recv(65536)
        flood(plain, record * 200)

    with listening(shake) as address:
        error = given_up(open_session(address, validate_certs=False, timeout=1))
    # On a fast machine, the limit of its bytes ends it before the deadline does.
    assert isinstance(error, (ConnectionFailed, TlsFailed))
    assert not error.sent


def test_an_endless_response_of_a_proxy_times_out_at_the_deadline(open_session: OpenSession) -> None:
    def drip(plain: socket.socket) -> None:
        plain.recv(65536)
        plain.sendall(b"HTTP/1.1 200 Go on\r\n")
        flood(plain, b"X: y\r\n")

    with listening(drip) as address:
        error = given_up(open_session("sddc.example.com", proxy_url=Secret(f"http://{address}"), timeout=1))
    assert not error.sent


@pytest.mark.parametrize("live", [True, False])
def test_all_addresses_of_a_host_share_the_time_of_one_request(monkeypatch: pytest.MonkeyPatch, live: bool) -> None:
    now = [1000.0]
    tried: list[Any] = []

    def connect(self: DeadlineSocket, address: Any) -> None:
        tried.append(address)
        if not (live and len(tried) == 6):
            now[0] += self.gettimeout() or FOREVER
            raise socket.timeout("timed out")

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{number}", 443)) for number in range(6)]
    monkeypatch.setattr(deadlines.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(deadlines.socket, "getaddrinfo", lambda *_args: found)
    monkeypatch.setattr(DeadlineSocket, "connect", connect)
    with deadline(12), contextlib.ExitStack() as stack:
        if live:
            stack.enter_context(connected("sddc.example.com", 443))
        else:
            stack.enter_context(pytest.raises(socket.timeout))
            connected("sddc.example.com", 443)
    assert tried == [address for *_kind, address in found]
    assert now[0] - 1000 <= 12


def test_addresses_that_do_not_respond_take_no_more_than_one_timeout(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(socket.socket()) as server, contextlib.ExitStack() as callers:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        # The queue is full with these, so that the next client gets no response.
        for _number in range(3):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(address)
        dead = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)] * (FOREVER * 2)
        monkeypatch.setattr(deadlines.socket, "getaddrinfo", lambda *_args: dead)
        error = given_up(open_session("sddc.example.com", timeout=1))
    assert isinstance(error, ConnectionFailed)
    assert "within 1 s" in error.cause


# The sign-out.


@pytest.mark.parametrize("seconds_used", [0, 3, 50])
def test_the_sign_out_has_the_rest_of_the_timeout_of_the_request_before_it(
    lab: Lab, session: OpenSession, monkeypatch: pytest.MonkeyPatch, seconds_used: float
) -> None:
    one = session(timeout=10)
    passed = [0.0]
    monkeypatch.setattr(one._runtime.clock, "monotonic", lambda: passed[0])
    lab.fault(EXAMPLE.name, "drop_after")
    with pytest.raises(TransportError):
        one.request("POST", "/", doing="work")
    passed[0] += seconds_used
    given: list[float] = []

    def noted(seconds: float, *bounds: float) -> Any:
        given.append(seconds)
        return deadline(seconds, *bounds)

    monkeypatch.setattr(transport, "deadline", noted)
    with pytest.raises(ApiError):
        one.request("POST", "/", doing="sign out", signs_out=True)
    assert given == [max(10 - seconds_used, transport._SHORTEST_SIGN_OUT)]


def test_the_sign_out_from_an_overloaded_server_ends_with_the_timeout_of_one_request(
    lab: Lab, session: OpenSession, waits: list[float]
) -> None:
    one = session(timeout=5, retries=9)
    lab.fault(EXAMPLE.name, "status", status=503, headers={"Retry-After": "6"}, times=99)
    with pytest.raises(ApiError):
        one.request("POST", "/", doing="sign out", signs_out=True)
    assert waits == []
