# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeout of a whole request: every read gets only the rest of it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest
import trustme

from ansible_collections.sddc.tokens.plugins.module_utils._http.deadline import DeadlineSocket, connected, deadline
from ansible_collections.sddc.tokens.plugins.module_utils._http.tls import tls_context

Pair = tuple[ssl.SSLSocket, ssl.SSLSocket]
# Seconds: longer than any deadline of these tests, on a busy machine, too.
LONG = 120


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(server)
    return server, tls_context(validate_certs=False, environ={})


@pytest.fixture
def pair(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[Pair]:
    """Both ends of a TLS connection. The second one is of our class."""
    theirs, plain = socket.socketpair()
    ends = theirs, DeadlineSocket(fileno=plain.detach())
    for end in ends:
        end.settimeout(LONG)
    made: list[ssl.SSLSocket] = []
    server = threading.Thread(target=lambda: made.append(contexts[0].wrap_socket(ends[0], server_side=True)))
    server.start()
    ours = contexts[1].wrap_socket(ends[1], server_hostname="localhost")
    server.join()
    with made[0], ours:
        yield made[0], ours


def test_read_ends_at_the_deadline(pair: Pair) -> None:
    start = time.monotonic()
    with deadline(0.2), pytest.raises(socket.timeout):
        pair[1].recv_into(bytearray(10))
    assert 0.15 < time.monotonic() - start < LONG / 2


def test_slow_bytes_do_not_move_the_deadline(pair: Pair) -> None:
    stopped = threading.Event()

    def trickle() -> None:
        while not stopped.wait(0.05):
            pair[0].sendall(b"x")

    trickler = threading.Thread(target=trickle)
    trickler.start()
    start = time.monotonic()

    def read_on() -> None:
        while time.monotonic() - start < LONG:
            pair[1].recv_into(bytearray(1))

    with deadline(0.4), pytest.raises(socket.timeout):
        read_on()
    taken = time.monotonic() - start
    stopped.set()
    trickler.join()
    assert taken < LONG / 2


@pytest.mark.parametrize("seconds", [0, -5])
def test_read_after_the_deadline_is_a_timeout_and_no_other_error(pair: Pair, seconds: float) -> None:
    with deadline(seconds), pytest.raises(socket.timeout):
        pair[1].recv_into(bytearray(10))


def test_deadline_is_that_of_the_thread_that_reads(pair: Pair) -> None:
    found: list[int] = []
    reader = threading.Thread(target=lambda: found.append(pair[1].recv_into(bytearray(10))))
    with deadline(0):
        reader.start()
        reader.join(0.1)
        pair[0].sendall(b"hello")
        reader.join()
    assert found == [5]


def test_a_connection_has_the_socket_options_of_the_library() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, deadline(LONG):
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        with connected("127.0.0.1", server.getsockname()[1], options) as ours:
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_deadline_ends_with_its_request(pair: Pair) -> None:
    with deadline(0):
        pass
    later = threading.Timer(0.1, pair[0].sendall, [b"hello"])
    later.start()
    assert pair[1].recv_into(bytearray(10)) == 5
    later.join()
