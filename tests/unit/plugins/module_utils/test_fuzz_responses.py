# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random responses to every request of every module lead to one of our errors or a result, in time.

Over real sockets with real TLS. The few examples of `make test` are the same each time. `make test-all` tries others.
"""

from __future__ import annotations

import json
import logging
import resource
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._http import body as transport
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.hostile_server import (
    HostileServer,
    TrueReply,
    hostile_server,
    recorded,
    run_at,
)
from products import EXAMPLE, JOBS, KITS
from support.in_process import record_of

if TYPE_CHECKING:
    from lab.client import Lab

# MiB by which the process may grow over all runs of a test.
MOST_GROWTH = 200
FAST, WHOLE = 10, 150
# Of a job that differs from another one only in that it is an entry of a list.
FAST_ENTRY = 3
MIB = 1024 * 1024

DEEP, ABSENT = "@deep@", "@absent@"
_DEPTHS = st.sampled_from([50, 330, 500, 900, 990, 2500, 100_000])
_NUMBERS = st.one_of(
    st.integers(),
    st.integers(min_value=10**300, max_value=10**310),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([1e11, 1e300, -1e300, 0, -1, 253402300799, 2**63, 1e-300]),
)
_TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "\x00", "a\nb: c", "\ud800", "é", "a.b.c", "x" * 70_000, "0" * 40, "../..", "%2e%2e/", "next"]
    ),
)
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    _NUMBERS,
    _TEXTS,
    st.just(DEEP),
    st.recursive(
        _TEXTS | _NUMBERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3)
    ),
)
_STATUSES = st.integers(100, 599).map(str) | st.sampled_from(["600", "999", "0", "-1", "abc", "2000"])
_HEADERS = st.sampled_from(
    [
        "Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: two", "Content-Length: 3",
        "Content-Length: 5\r\nContent-Length: 7", "Content-Length: \xb2", "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip", "Content-Encoding: gzip", "Content-Encoding: br", "Content-Encoding: identity",
        "Date: never", "Date: Mon, 01 Jan 99999 00:00:00 GMT", "Date: Sun, 06 Nov 1994 08:49:37 +9999",
        "Date: Thu, 01 Jan 0001 00:00:00 -2359", "Retry-After: soon", "Retry-After: 99999999999999999999",
        "Retry-After: -5", "Retry-After: nan", "Retry-After: Thu, 01 Jan 0001 00:00:00 GMT", "Content-Type: text/html",
        "Content-Type: text/plain; charset=utf-7", "Content-Type: application/json; charset=utf-16", "no colon here",
        " : empty name", "Set-Cookie: =; ; Max-Age=x", "Set-Cookie: sessionid=\xff\x01; Expires=never",
        "Set-Cookie: csrftoken=\"a b\"; Domain=elsewhere.example.net", "Set-Cookie: csrftoken=a\tb; Secure",
        "X-XSRF-TOKEN: \x80\xff", "X-XSRF-TOKEN: a b", "Location: https://elsewhere.example.net/\x00",
        "X-Long: " + "x" * 70_000, "\r\n".join(f"X-{number}: y" for number in range(300)), "Connection: close",
    ]
)  # fmt: skip


def _places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values of a document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [at, *(place for key, value in inner for place in _places(value, (*at, key)))]


def _with(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a path, or without one there."""
    if not place:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    if value == ABSENT and len(place) == 1:
        del copy[place[0]]
    else:
        copy[place[0]] = _with(copy[place[0]], place[1:], value)
    return copy


@st.composite
def bodies(draw: st.DrawFn, true: TrueReply) -> bytes:
    """A body: the original one with another value somewhere, truncated, in another encoding, or anything."""
    try:
        document = json.loads(true.body)
    except ValueError:
        document = None
    kind = draw(st.sampled_from(["value", "value", "value", "twice", "torn", "encoded", "bytes", "value alone"]))
    if document is None and kind in ("value", "twice"):
        kind = "bytes"
    if kind == "value":
        place = draw(st.sampled_from(_places(document)))
        text = json.dumps(_with(document, place, draw(st.just(ABSENT) | _VALUES)))
    elif kind == "twice":
        key = draw(st.sampled_from(sorted(document) if isinstance(document, dict) and document else ["token"]))
        text = f"{json.dumps(document)[:-1]}, {json.dumps(key)}: {json.dumps(draw(_VALUES))}}}"
    elif kind == "value alone":
        text = json.dumps(draw(_VALUES))
    elif kind == "torn":
        return true.body[: draw(st.integers(0, max(0, len(true.body) - 1)))] + draw(st.binary(max_size=4))
    elif kind == "encoded":
        return true.body.decode("utf-8", "replace").encode(draw(st.sampled_from(["utf-16", "utf-32", "utf-8-sig"])))
    else:
        return draw(st.binary(max_size=200) | st.sampled_from([b"NaN", b"9" * 5000, b"-Infinity", b"\xff" * 50, b""]))
    depth = draw(_DEPTHS)
    return text.replace(f'"{DEEP}"', "[" * depth + "]" * depth).encode("utf-8", "surrogatepass")


@st.composite
def lies(draw: st.DrawFn, true: TrueReply) -> bytes:
    """A whole response that differs from the original one."""
    if draw(st.integers(0, 15)) == 0:
        return draw(st.binary(max_size=300))
    body = draw(bodies(true)) if draw(st.integers(0, 4)) else true.body
    status = str(true.status) if draw(st.integers(0, 2)) else draw(_STATUSES)
    headers = {f"{name}: {value}" for name, value in true.headers if name.lower() in ("content-type", "set-cookie")}
    more = draw(st.lists(_HEADERS, max_size=2))
    if not any(header.startswith(("Content-Length", "Transfer")) for header in more):
        more.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([f"HTTP/1.1 {status} Lie", *sorted(headers), *more])
    return head.encode("latin-1", "replace") + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileServer]:
    with hostile_server(tmp_path_factory.mktemp("authority")) as server:
        yield server


def _fuzz(job_name: str, lab: Lab, server: HostileServer, folder: Path, examples: settings) -> None:
    job, file = JOBS[job_name], str(folder / "token.json")
    replies, kept = recorded(job, lab, file)

    @settings(examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def lie(data: st.DataObject) -> None:
        Path(file).unlink(missing_ok=True)
        if kept:
            Path(file).touch(mode=0o600)
            Path(file).write_bytes(kept)
        number = data.draw(st.integers(0, len(replies) - 1))
        server.starts_anew(replies, data.draw(lies(replies[number])), number, data.draw(st.booleans()))
        run_at(server, job, lab, file)
        if job.keeps:
            record_of(file)
            server.starts_anew(replies)
            again = run_at(server, job, lab, file)
            assert not again.result.get("failed"), f"the response is remembered after its run: {again.message}"

    # Hypothesis creates tables of Unicode at first use, which are larger than everything that is measured here.
    st.text().validate()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lie()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MOST_GROWTH, f"{grown:.0f} MiB more"


@pytest.mark.parametrize("job_name", JOBS)
def test_a_random_response_leads_to_our_error_or_a_result_and_is_not_remembered(
    lab: Lab, server: HostileServer, tmp_path: Path, job_name: str
) -> None:
    examples = FAST_ENTRY if JOBS[job_name].entry_of else FAST
    _fuzz(job_name, lab, server, tmp_path, settings(max_examples=examples, derandomize=True))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("job_name", JOBS)
def test_hundreds_of_random_responses_lead_to_our_errors_or_results(
    lab: Lab, server: HostileServer, tmp_path: Path, job_name: str
) -> None:
    _fuzz(job_name, lab, server, tmp_path, settings(max_examples=WHOLE))


def test_an_invalid_header_does_not_log_the_secrets_after_it(
    lab: Lab, server: HostileServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The library quotes what it could not read, and Ansible's log, or its stderr, includes that."""
    job, file = EXAMPLE.jobs["creates"], str(tmp_path / "token.json")
    replies, _kept = recorded(job, lab, file)
    head = "HTTP/1.1 200 Lie\r\nno colon here\r\nSet-Cookie: sessionid=a-secret-of-a-session; Path=/\r\n"
    server.starts_anew(replies, f"{head}Content-Length: 2\r\n\r\n{{}}".encode(), 0)

    with caplog.at_level(logging.DEBUG):
        run_at(server, job, lab, file)
        logging.getLogger("urllib3.connection").warning("what others do is still heard of")

    assert "a-secret-of-a-session" not in caplog.text
    assert "what others do is still heard of" in caplog.text


ODD = {name: (kit, *facts) for kit in KITS.values() for name, facts in kit.odd.items()}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_response_head_is_read_or_named(lab: Lab, server: HostileServer, tmp_path: Path, odd: str) -> None:
    kit, name, number, header, error = ODD[odd]
    job, file = kit.jobs[name], str(tmp_path / "token.json")
    replies, _kept = recorded(job, lab, file)
    head = f"HTTP/1.1 200 Lie\r\nContent-Type: application/json\r\n{header}\r\n\r\n"
    server.starts_anew(replies, head.encode("latin-1") + replies[number].body, number)

    run = run_at(server, job, lab, file)

    assert error in run.message
    assert bool(run.result.get("failed")) == bool(error)


NEGATIVE_CHUNKS = "HTTP/1.1 200 Lie\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_chunk_of_negative_length_is_named_as_the_cause(lab: Lab, server: HostileServer, tmp_path: Path) -> None:
    job, file = EXAMPLE.jobs["creates"], str(tmp_path / "token.json")
    replies, _kept = recorded(job, lab, file)
    server.starts_anew(replies, f"{NEGATIVE_CHUNKS}-2\r\n".encode(), 0)

    message = run_at(server, job, lab, file).message

    # Before release 2 the library waited for data that cannot arrive.
    waited = urllib3.__version__.startswith("1.")
    cause = "the connection was closed before the response was complete" if waited else "the response is not valid HTTP"
    assert cause in message
    assert "may be left on the server" in message


def test_an_endless_chunk_is_read_up_to_a_bound(lab: Lab, server: HostileServer, tmp_path: Path) -> None:
    """The library interprets the length -1 as everything that arrives."""
    job, file = EXAMPLE.jobs["creates"], str(tmp_path / "token.json")
    replies, _kept = recorded(job, lab, file)
    server.starts_anew(replies, f"{NEGATIVE_CHUNKS}-1\r\n".encode() + b" " * 300 * MIB, 0)
    tracemalloc.start()
    try:
        message = run_at(server, job, lab, file).message
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert "the response is longer than any response of the API" in message
    assert peak < 200 * MIB


def _filled(unit: bytes, start: bytes = b"[", end: bytes = b"0]") -> bytes:
    """As many units as the longest body may contain."""
    size = transport.LONGEST_BODY - len(start) - len(end)
    return start + unit * (size // len(unit)) + end


LARGEST = {
    "one string": _filled(b"x", b'{"token": "', b'"}'),
    "empty lists": _filled(b"[],"),
    "empty mappings": _filled(b"{},"),
    "numbers": _filled(b"1.5,"),
    "one number": _filled(b"9"),
    "brackets": b"[" * transport.LONGEST_BODY,
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", LARGEST)
def test_the_largest_accepted_response_takes_bounded_memory_and_time(
    lab: Lab, server: HostileServer, tmp_path: Path, shape: str
) -> None:
    job, file = EXAMPLE.jobs["creates"], str(tmp_path / "token.json")
    replies, _kept = recorded(job, lab, file)
    body = LARGEST[shape]
    head = f"HTTP/1.1 200 Lie\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    server.starts_anew(replies, head.encode() + body, 0)
    tracemalloc.start()
    try:
        run = run_at(server, job, lab, file)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    print(f"{shape}: {peak / MIB:.0f} MiB at most")
    # A long word is a token like any other.
    assert run.result.get("failed") or shape == "one string"
    # Sixteen bytes of Python objects for each byte of the response, and the copies of the server in this process.
    assert peak < 40 * transport.LONGEST_BODY
