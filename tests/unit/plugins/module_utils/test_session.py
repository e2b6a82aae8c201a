# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP with one server: one connection, an exact request count, retries only where they do no harm."""

from __future__ import annotations

import contextlib
import email.utils
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    ApiError,
    BadResponse,
    ConnectionFailed,
    ResponseLost,
    TimedOut,
    TokensError,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.redaction import LONGEST_QUOTE
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import (
    MASK,
    Secret,
    authorization,
    basic_authorization,
)
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import Link
from products import EXAMPLE, ISSUER

if TYPE_CHECKING:
    from lab.client import Lab

OpenSession = Callable[..., Session]
PRODUCT, CREATE = EXAMPLE.name, EXAMPLE.targets["create"]
VERSION, TOKEN = EXAMPLE.targets["prove"].path, CREATE.path
ORPHAN = "A token that nobody holds may be left on the server"


def get(session: Session, path: str = VERSION, **more: Any) -> int:
    """Read something and return the status, also of a refusal."""
    try:
        return session.request("GET", path, doing="read the version", **more).status
    except ApiError as error:
        return error.status


def create(session: Session, lab: Lab, **more: Any) -> Any:
    """Create a token, with a request that must not be repeated."""
    body = {**CREATE.body(lab.details), "password": Secret(lab[PRODUCT]["password"])}
    return session.request("POST", TOKEN, doing="create a token", json_body=body, left_behind=ORPHAN, **more)


# Connections and their count.


def test_one_connection_serves_all_requests_of_a_task(lab: Lab, session: OpenSession) -> None:
    one = session()
    create(one, lab)
    assert [get(one) for _request in range(4)] == [401] * 4
    with pytest.raises(ApiError):
        one.request("DELETE", TOKEN, doing="delete a token")
    assert len({entry.connection for entry in lab.requests(PRODUCT)}) == 1
    assert one.request_count == len(lab.requests(PRODUCT)) == 6


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_cookie_is_sent_to_the_server_with_or_without_a_dot_in_its_name(
    lab: Lab, session: OpenSession, name: str
) -> None:
    one = session(url=lab.url(PRODUCT).replace("127.0.0.1", name))
    one.set_cookie("sessionid", Secret("of-this-user"))

    get(one)

    assert [entry.header("Cookie") for entry in lab.requests(PRODUCT)] == ["sessionid=of-this-user"]


@pytest.mark.parametrize("host", ["a-controller", "a-controller:9443", "[2001:db8::1]", "[2001:db8::1]:9443"])
def test_cookie_is_sent_to_its_own_host_only(open_session: OpenSession, host: str) -> None:
    http = (one := open_session(f"https://{host}"))._http
    one.set_cookie("sessionid", Secret("of-this-user"))

    def sent(url: str) -> str | None:
        return http.prepare_request(requests.Request("GET", url)).headers.get("Cookie")

    assert sent(f"https://{host}/api") == "sessionid=of-this-user"
    assert sent("https://elsewhere.example.net/api") is None
    assert sent("https://other-controller/api") is None


def test_request_count_is_the_number_that_the_server_received(
    lab: Lab, session: OpenSession, waits: list[float]
) -> None:
    one = session(retries=2, timeout=3)
    faults: list[tuple[str, dict[str, Any]]] = [
        ("drop_before", {}),
        ("drop_after", {"abrupt": True}),
        ("status", {"status": 503}),
        ("html", {}),
        ("truncate", {}),
        ("invalid_json", {}),
        ("delay", {"seconds": 600}),
        ("redirect", {}),
    ]
    for kind, parameters in faults:
        lab.fault(PRODUCT, kind, **parameters)
        for path in (VERSION, "/nowhere"):
            with contextlib.suppress(TokensError):
                one.request("GET", path, doing="read something")
    lab.clear_faults()
    assert one.request_count == len(lab.requests(PRODUCT))
    assert len(waits) == 4


def test_session_is_thread_safe(lab: Lab, session: OpenSession) -> None:
    one = session(connections=3)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _number: get(one), range(40)))
    entries = lab.requests(PRODUCT)
    assert (statuses, one.request_count, len(entries)) == ([401] * 40, 40, 40)
    assert len({entry.connection for entry in entries}) <= 3


def test_server_clock_is_read_from_the_date_of_a_response(lab: Lab, session: OpenSession) -> None:
    one = session()
    assert one.clock_offset is None
    lab.change_settings(PRODUCT, clock_offset=-5000.0)
    get(one)
    assert one.clock_offset == pytest.approx(-5000, abs=5)
    assert one.now() == pytest.approx(time.time() - 5000, abs=5)


def test_base_path_of_the_address_is_prepended_to_every_path(lab: Lab, session: OpenSession) -> None:
    get(session(url=f"{lab[PRODUCT]['url']}/a/base/"), query={"page_size": "5"})
    (entry,) = lab.requests(PRODUCT)
    assert (entry.path, entry.query) == (f"/a/base{VERSION}", "page_size=5")


def test_request_accepts_uncompressed_json_and_has_a_user_agent(lab: Lab, session: OpenSession) -> None:
    get(session())
    entry = lab.requests(PRODUCT)[0]
    assert entry.header("Accept") == "application/json"
    assert entry.header("Accept-Encoding") == "identity"
    assert entry.header("User-Agent") == "ansible-collection-sddc.tokens"


# The environment.


def test_netrc_never_authenticates_a_request(
    lab: Lab, session: OpenSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login eve password evil\ndefault login eve password evil\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    one = session()
    get(one)
    get(one, headers={"Authorization": authorization("NetworkInsight", Secret("mine-and-no-other"))})
    unsigned, signed = lab.requests(PRODUCT)
    assert unsigned.header("Authorization") is None
    assert signed.header("Authorization") == "NetworkInsight mine-and-no-other"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirect_is_an_error_and_never_followed(lab: Lab, session: OpenSession, method: str, status: int) -> None:
    target = lab[ISSUER.name]["url"]
    lab.fault(PRODUCT, "redirect", status=status, location=target)
    one = session(retries=2)
    with pytest.raises(BadResponse, match="redirect") as caught:
        one.request(method, VERSION, doing="read", headers={"Authorization": Secret("Bearer the-token-itself")})
    assert f"status {status}" in str(caught.value)
    assert "hostname" in caught.value.advice
    assert one.request_count == len(lab.requests()) == 1


# Retries.


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
@pytest.mark.parametrize("abrupt", [False, True])
def test_get_is_retried_after_a_dropped_connection(
    lab: Lab, session: OpenSession, waits: list[float], kind: str, abrupt: bool
) -> None:
    lab.fault(PRODUCT, kind, abrupt=abrupt)
    one = session(retries=1)
    assert get(one) == 401
    assert one.request_count == len(lab.requests(PRODUCT)) == 2
    assert len(waits) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncate"])
def test_post_is_not_retried_and_the_error_names_what_may_be_left_behind(
    lab: Lab, session: OpenSession, waits: list[float], kind: str
) -> None:
    lab.fault(PRODUCT, kind)
    one = session(retries=5)
    with pytest.raises(ResponseLost) as caught:
        create(one, lab)
    assert ORPHAN in str(caught.value)
    assert "Could not create a token on 127.0.0.1" in str(caught.value)
    assert one.request_count == len(lab.requests(PRODUCT)) == 1
    assert waits == []


def test_idempotent_post_is_retried(lab: Lab, session: OpenSession, waits: list[float]) -> None:
    lab.fault(PRODUCT, "drop_before")
    one = session(retries=1)
    assert create(one, lab, idempotent=True).status == 200
    assert one.request_count == 2
    assert len(waits) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_request_that_timed_out_is_not_retried(lab: Lab, session: OpenSession, waits: list[float], method: str) -> None:
    one = session(retries=3, timeout=0.3)
    lab.fault(PRODUCT, "delay", seconds=600)
    with pytest.raises(TimedOut, match=r"no complete response within 0\.3 s"):
        one.request(method, TOKEN, doing="create a token", left_behind=ORPHAN)
    lab.clear_faults()
    assert (one.request_count, waits) == (1, [])


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_overloaded_server_is_retried_after_the_time_it_asks_for(
    lab: Lab, session: OpenSession, waits: list[float], told: list[str], status: int, method: str
) -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    for asked in ("7", date, "3600"):
        lab.fault(PRODUCT, "status", status=status, headers={"Retry-After": asked})
    one = session(retries=3)
    if method == "POST":
        assert create(one, lab).status == 200
    else:
        assert get(one) == 401
    assert [low <= wait <= high for wait, (low, high) in zip(waits, ((7, 8), (27, 34), (60, 60)))] == [True] * 3
    assert one.request_count == len(lab.requests(PRODUCT)) == 4
    (notice,) = told
    assert f"{one.host}: retry 2 of 3 in " in notice
    assert f"server returned status {status}" in notice
    assert len(notice) <= 100


def test_unreachable_hosts_print_no_line_for_their_short_retries(open_session: OpenSession, told: list[str]) -> None:
    hosts = [open_session(f"https://127.0.0.1:{port}", retries=3) for port in range(1, 31)]
    for host in hosts:
        with pytest.raises(ConnectionFailed):
            get(host)
    assert told == []


def test_retries_that_take_long_are_reported_once_for_each_request(
    open_session: OpenSession, clock: Any, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if each try had taken the whole timeout.
    monkeypatch.setattr(clock, "monotonic", lambda: 30.0 * len(clock.waits))
    host = open_session("https://127.0.0.1:1", retries=3)
    for _request in range(2):
        with pytest.raises(ConnectionFailed):
            get(host)
    assert ["retry 2 of 3" in line for line in told] == [True, True]


@pytest.mark.parametrize("hours", [-2, 2])
def test_server_with_another_clock_is_retried_after_the_time_it_means(
    lab: Lab, session: OpenSession, waits: list[float], hours: float
) -> None:
    theirs = time.time() + hours * 3600
    date, later = (email.utils.formatdate(moment, usegmt=True) for moment in (theirs, theirs + 30))
    lab.fault(PRODUCT, "status", status=503, headers={"Date": date, "Retry-After": later})
    assert create(session(retries=1), lab).status == 200
    assert 30 <= waits[0] <= 33


def test_retry_after_of_one_response_is_not_used_for_another_failure(
    lab: Lab, session: OpenSession, waits: list[float]
) -> None:
    lab.fault(PRODUCT, "status", status=503, headers={"Retry-After": "40"})
    lab.fault(PRODUCT, "drop_before")
    assert get(session(retries=2)) == 401
    assert 40 <= waits[0] <= 44
    assert waits[1] < 40


def test_overloaded_server_is_not_retried_more_often_than_allowed(
    lab: Lab, session: OpenSession, waits: list[float]
) -> None:
    lab.fault(PRODUCT, "status", status=503, times=0)
    one = session(retries=2)
    with pytest.raises(ApiError, match="503") as caught:
        one.request("GET", VERSION, doing="read the version")
    assert "retries" in caught.value.advice
    assert one.request_count == len(lab.requests(PRODUCT)) == 3
    assert waits == sorted(waits)
    assert len(waits) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 500, 501])
def test_refusal_is_not_retried(lab: Lab, session: OpenSession, waits: list[float], status: int) -> None:
    lab.fault(PRODUCT, "status", status=status, body={"code": status, "message": "no"}, times=0)
    one = session(retries=3)
    with pytest.raises(ApiError, match=f"{status}, code {status}, 'no'") as caught:
        one.request("GET", VERSION, doing="read the version", advice={status: "Ask somebody else"})
    assert str(caught.value).endswith("Ask somebody else.")
    assert (one.request_count, waits) == (1, [])


# Secrets in texts of the server.

SECRET = "p4ss w0rd/of+the=admin"


def quoted(lab: Lab, session: OpenSession, message: str, **request: Any) -> str:
    """The error when the server returns `message`."""
    lab.fault(PRODUCT, "status", status=400, body={"code": 1, "message": message})
    with pytest.raises(ApiError) as caught:
        session().request("POST", TOKEN, doing="create a token", **request)
    return str(caught.value)


@pytest.mark.parametrize(
    "request_",
    [
        {"json_body": {"username": "admin", "password": Secret(SECRET)}},
        {"json_body": {"outer": {"inner": Secret(SECRET)}}},
        {"form": {"api_token": Secret(SECRET)}},
        {"headers": {"X-Token": Secret(SECRET)}},
        {"headers": {"Authorization": authorization("NetworkInsight", Secret(SECRET))}},
        {"headers": {"Authorization": basic_authorization("admin", Secret(SECRET))}},
    ],
    ids=["body", "nested body", "form", "header", "token in Authorization", "password in Authorization"],
)
def test_error_never_quotes_a_secret_that_was_sent(lab: Lab, session: OpenSession, request_: dict[str, Any]) -> None:
    said = quoted(lab, session, f"refused {SECRET} of admin", **request_)
    assert f"refused {MASK} of admin" in said
    assert SECRET not in said


@settings(max_examples=15)
@given(before=st.integers(LONGEST_QUOTE - 30, LONGEST_QUOTE + 5))
def test_message_is_redacted_before_it_is_shortened(lab: Lab, session: OpenSession, before: int) -> None:
    said = quoted(lab, session, "x" * before + SECRET + "y" * 300, form={"api_token": Secret(SECRET)})
    assert SECRET[:4] not in said
    assert len(said) < LONGEST_QUOTE + 200


def test_message_of_many_lines_becomes_one_line(lab: Lab, session: OpenSession) -> None:
    assert "'one two three'" in quoted(lab, session, "one\r\n  two\n\n\tthree")


def test_error_never_quotes_the_response_body(lab: Lab, session: OpenSession) -> None:
    lab.fault(PRODUCT, "invalid_json", body='{"token": "minted-and-precious", ')
    with pytest.raises(BadResponse) as caught:
        create(session(), lab).mapping()
    assert "precious" not in str(caught.value)


# Credentials that cannot be sent.


@pytest.mark.parametrize("value", ["line\nbreak", "nul\x00", "umlaut-ä", "return\r", " leading", "\ttab", "\x7f"])
def test_credential_that_cannot_be_sent_in_a_header_is_named_before_anything_is_sent(
    lab: Lab, session: OpenSession, value: str
) -> None:
    one = session()
    with pytest.raises(TokensError, match="header X-Token") as caught:
        one.request("GET", VERSION, doing="read", headers={"X-Token": Secret(value)})
    assert not isinstance(caught.value, ResponseLost)
    assert value.strip() not in str(caught.value)
    assert one.request_count == len(lab.requests(PRODUCT)) == 0


def test_repeated_name_in_the_query_of_a_link_is_sent_each_time(lab: Lab, session: OpenSession) -> None:
    link = Link.parse(f"{lab.url(EXAMPLE.name)}/nowhere?scope=a&scope=b&empty=", "a link")

    with pytest.raises(ApiError):
        session().request("GET", link.path, query=link.query, doing="ask")

    (entry,) = lab.requests()
    assert entry.query == "scope=a&scope=b&empty="
