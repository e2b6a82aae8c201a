# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server, or a device before it, that responds with something else: each is described, and in time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    ApiError,
    BadResponse,
    ConnectionFailed,
    OversizedResponse,
    TimedOut,
    TlsFailed,
    TokensError,
    TransportError,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret, authorization
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.peers import listening
from products import EXAMPLE

if TYPE_CHECKING:
    from lab.client import Lab

OpenSession = Callable[..., Session]
PRODUCT, CREATE, PROVE = EXAMPLE.name, EXAMPLE.targets["create"], EXAMPLE.targets["prove"]
ORPHAN = "A token that nobody holds may be left on the server"


def create(session: Session, lab: Lab) -> Any:
    """Create a token and read it from the response."""
    body = {**CREATE.body(lab.details), "password": Secret(lab[PRODUCT]["password"])}
    response = session.request("POST", CREATE.path, doing="create a token", json_body=body, left_behind=ORPHAN)
    return response.field("token", str)


def failure(session: Session, lab: Lab, kind: type[TokensError] = TokensError) -> TokensError:
    with pytest.raises(kind) as caught:
        create(session, lab)
    assert str(caught.value).startswith("Could not create a token on 127.0.0.1")
    return caught.value


# Responses other than the API documents.


@pytest.mark.parametrize(
    ("kind", "parameters", "named"),
    [
        ("html", {"status": 200}, "HTML page"),
        ("html", {"status": 403}, "HTML page"),
        ("html", {"status": 404}, "HTML page"),
        ("html", {"status": 502}, "HTML page"),
        ("html", {"status": 503}, "HTML page"),
        ("empty", {}, "is empty"),
        ("invalid_json", {}, "not valid JSON"),
        ("truncate", {}, "cut off"),
        ("gzip_bomb", {"megabytes": 1}, "compressed"),
        ("huge", {"megabytes": 20}, "longer than 16 MiB"),
        ("status", {"status": 200, "body": []}, "not a JSON object"),
        ("status", {"status": 200, "body": {"expiry": 1}}, "no usable 'token'"),
        ("status", {"status": 204}, "is empty"),
    ],
    ids=str,
)
def test_faulty_response_is_described(
    lab: Lab, session: OpenSession, kind: str, parameters: dict[str, Any], named: str
) -> None:
    lab.fault(PRODUCT, kind, **parameters)
    error = failure(session(), lab)
    assert named in error.cause
    if isinstance(error, BadResponse):
        assert f"status {error.status}" in error.cause


@pytest.mark.parametrize("status", [400, 500])
def test_a_compressed_refusal_still_names_its_status(lab: Lab, session: OpenSession, status: int) -> None:
    headers = {"Content-Type": "text/plain", "Content-Encoding": "br"}
    lab.fault(PRODUCT, "status", status=status, headers=headers, body="unreadable")

    error = failure(session(), lab, ApiError)

    assert isinstance(error, ApiError)
    assert error.status == status


@pytest.mark.parametrize("status", [403, 502])
def test_page_of_a_proxy_is_an_error_that_says_what_to_check(lab: Lab, session: OpenSession, status: int) -> None:
    lab.fault(PRODUCT, "html", status=status)
    assert "proxy" in failure(session(), lab).advice


def test_refusal_without_a_readable_body_still_names_its_status(lab: Lab, session: OpenSession) -> None:
    for body in ("", "[]", '{"message": 5}', '{"details": 5}', "plain words", '{"code": {"a": 1}}'):
        lab.fault(PRODUCT, "status", status=500, body=body)
        assert "the server returned status 500" in failure(session(), lab, ApiError).cause


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("html", {"status": 200}),
        ("html", {"status": 502}),
        ("html", {"status": 504}),
        ("status", {"status": 502}),
        ("status", {"status": 504, "body": {"message": "upstream timed out"}}),
        ("empty", {}),
        ("invalid_json", {}),
        ("huge", {"megabytes": 20}),
    ],
    ids=str,
)
def test_token_whose_response_was_lost_is_reported_as_left_behind(
    lab: Lab, session: OpenSession, kind: str, parameters: dict[str, Any]
) -> None:
    lab.fault(PRODUCT, kind, work=True, **parameters)
    error = failure(session(), lab)
    assert lab.counts(PRODUCT)["tokens_minted"] == 1
    assert ORPHAN in str(error)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_refusal_leaves_nothing_behind(lab: Lab, session: OpenSession, status: int) -> None:
    lab.fault(PRODUCT, "status", status=status)
    assert ORPHAN not in str(failure(session(), lab, ApiError))


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("status", {"status": 400, "body": "SECRETS"}),
    ("status", {"status": 503, "body": {"message": "SECRETS", "code": "SECRETS"}}),
    ("status", {"status": 200, "body": "SECRETS"}),
    ("status", {"status": 407, "body": {"message": "SECRETS", "details": [{"message": "SECRETS"}]}}),
    ("html", {"work": True}),
    ("invalid_json", {"body": '{"token": "SECRETS'}),
    ("empty", {}),
    ("redirect", {"location": "https://elsewhere.example.net/?token=SECRETS"}),
    ("truncate", {}),
    ("drop_after", {}),
    ("delay", {"seconds": 60, "work": True}),
]


def _quoting(value: Any, secrets: str) -> Any:
    """The parameters of a fault, with secrets in place of the placeholder."""
    if isinstance(value, str):
        return value.replace("SECRETS", secrets)
    if isinstance(value, list):
        return [_quoting(item, secrets) for item in value]
    return {key: _quoting(item, secrets) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(("kind", "parameters"), FAULTS, ids=str)
def test_no_error_and_no_notice_shows_a_secret_whatever_fails(
    lab: Lab, session: OpenSession, waits: list[float], told: list[str], kind: str, parameters: dict[str, Any]
) -> None:
    one = session(timeout=0.5 if kind == "delay" else 10, retries=1)
    lab.fault(PRODUCT, kind, times=2, **_quoting(parameters, f"<{lab[PRODUCT]['password']}>"))
    said = str(failure(one, lab)) + " ".join(told)
    lab.clear_faults()
    token = create(session(), lab)
    lab.fault(PRODUCT, kind, times=2, **_quoting(parameters, f"<{token}>"))
    signed = {"Authorization": authorization(EXAMPLE.scheme, Secret(token))}
    with pytest.raises(TokensError) as caught:
        one.request("GET", PROVE.path, doing="check a token", headers=signed).mapping()
    said += str(caught.value) + " ".join(told)
    assert not [secret["kind"] for secret in lab.secrets() if secret["value"] in said]


# Timeouts.


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("delay", {"seconds": 600}),
        ("delay", {"seconds": 600, "work": True}),
        ("trickle", {"interval": 10}),
    ],
    ids=str,
)
def test_incomplete_response_times_out(lab: Lab, session: OpenSession, kind: str, parameters: dict[str, Any]) -> None:
    lab.fault(PRODUCT, kind, **parameters)
    start = time.monotonic()
    error = failure(session(timeout=0.5), lab, TimedOut)
    assert 0.4 < time.monotonic() - start < 120
    assert "no complete response within 0.5 s" in error.cause
    assert ORPHAN in str(error)


def test_endless_headers_time_out(lab: Lab, session: OpenSession) -> None:
    lab.fault(PRODUCT, "endless_headers")
    error = failure(session(timeout=120), lab, OversizedResponse)
    assert "more or longer headers" in error.cause
    assert ORPHAN in str(error)


def test_slow_response_that_is_complete_in_time_is_read(lab: Lab, session: OpenSession) -> None:
    lab.fault(PRODUCT, "trickle", interval=0.001)
    assert create(session(timeout=120), lab)


def test_timeout_of_one_request_does_not_shorten_that_of_the_next(lab: Lab, session: OpenSession) -> None:
    one = session(timeout=3)
    for _request in range(3):
        lab.fault(PRODUCT, "delay", seconds=1.1)
        assert create(one, lab)
    assert len({entry.connection for entry in lab.requests(PRODUCT)}) == 1


# Failures before the request.


def never_left(session: Session, waits: list[float], tries: int = 3) -> TransportError:
    """The failure of a request that was not sent: nothing is counted or left behind, and it was retried."""
    with pytest.raises(TransportError) as caught:
        session.request("POST", CREATE.path, doing="create a token", left_behind=ORPHAN)
    assert (caught.value.sent, session.request_count) == (False, 0)
    assert ORPHAN not in str(caught.value)
    assert len(waits) == tries - 1
    return caught.value


def test_closed_port_is_retried_and_named(open_session: OpenSession, waits: list[float]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    error = never_left(open_session(f"127.0.0.1:{port}", retries=2), waits)
    assert isinstance(error, ConnectionFailed)
    assert "Connection refused" in error.cause
    assert f"127.0.0.1:{port}" in str(error)
    assert "hostname" in error.advice


def test_unresolvable_name_is_named(open_session: OpenSession, waits: list[float]) -> None:
    error = never_left(open_session("no-such-host.invalid", retries=0), waits, tries=1)
    assert isinstance(error, ConnectionFailed)
    assert "no connection" in error.cause
    assert "no-such-host.invalid" in str(error)


def test_unresponsive_server_times_out(open_session: OpenSession, waits: list[float]) -> None:
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        # The queue is full with these, so that the next client gets no response.
        callers = [socket.socket() for _number in range(3)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(address)
        start = time.monotonic()
        error = never_left(open_session(f"127.0.0.1:{address[1]}", retries=0, timeout=0.3), waits, tries=1)
        for caller in callers:
            caller.close()
    assert time.monotonic() - start < 60
    assert isinstance(error, ConnectionFailed)
    assert "within 0.3 s" in error.cause


def test_server_that_closes_the_connection_during_the_handshake_got_no_request(
    open_session: OpenSession, waits: list[float]
) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(65536)

    with listening(hang_up) as address:
        never_left(open_session(address, retries=2), waits)


def test_server_that_hangs_during_the_handshake_got_no_request(open_session: OpenSession, waits: list[float]) -> None:
    def stay_silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with listening(stay_silent) as address:
        start = time.monotonic()
        error = never_left(open_session(address, retries=0, timeout=0.3), waits, tries=1)
    assert time.monotonic() - start < 60
    assert "0.3 s" in error.cause


def test_port_without_tls_is_named_and_not_retried(open_session: OpenSession, waits: list[float]) -> None:
    def speak_http(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(speak_http) as address:
        error = never_left(open_session(address, retries=2), waits, tries=1)
    assert isinstance(error, TlsFailed)
    assert "TLS" in str(error)
