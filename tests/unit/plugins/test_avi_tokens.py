# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secure channel tokens: sessions with refused CSRF tokens, the expiry of a lifetime, and names in a list."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK
from ansible_collections.sddc.tokens.plugins.module_utils._http import listing, session
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.hostile_server import (
    HostileServer,
    hostile_server,
    recorded,
    run_at,
)
from support.in_process import Done, done
from support.kit import Job

if TYPE_CHECKING:
    from lab.client import Lab


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileServer]:
    with hostile_server(tmp_path_factory.mktemp("authority")) as server:
        yield server


OBJECTS = "/api/securechanneltoken"
CSRF = {"status": 401, "body": "CSRF token missing or incorrect.", "headers": {"Content-Type": "text/plain"}}
KEEP = Job(
    "avi_securechanneltoken",
    lambda details, file: {
        **{name: details["avi"][name] for name in ("username", "password")},
        "hostname": details["avi"]["url"],
        "name": "se-01",
    },
)


def keep(lab: Lab, **options: Any) -> Done:
    return done(KEEP, lab.details, **options)


@pytest.mark.parametrize("status", [401, 403, 419])
def test_a_refused_csrf_token_leads_to_a_new_session_even_if_the_old_one_cannot_be_ended(lab: Lab, status: int) -> None:
    lab.fault("avi", "status", method="POST", path=f"{OBJECTS}$", **CSRF)
    lab.fault("avi", "status", method="POST", path="/logout", **{**CSRF, "status": status})

    kept = keep(lab)

    assert kept.message == ""
    posts = [(entry.path, entry.status) for entry in lab.requests("avi") if entry.method == "POST"]
    signed_in = ("/login", 200)
    assert posts == [
        signed_in,
        (OBJECTS, 401),
        ("/logout", status),
        signed_in,
        (OBJECTS, 201),
        ("/logout", 200),
    ]
    assert (kept.result["action"], lab.counts("avi")["objects"]) == ("created", 1)


@pytest.mark.parametrize("min_remaining", [0, 300, 10**6])
def test_a_lifetime_sets_the_expiry_of_a_new_token_and_not_of_one_that_does_not_expire(
    lab: Lab, min_remaining: int
) -> None:
    limited = keep(lab, name="se-02", lifetime=3600, min_remaining=min_remaining).result
    endless = keep(lab).result
    again = keep(lab, lifetime=3600, min_remaining=min_remaining).result

    assert 3500 < limited["expires_in"] <= 3600
    assert (endless["action"], endless["expires_at"]) == ("created", None)
    assert (again["action"], again["changed"], again["expires_at"]) == ("none", False, None)
    assert {entry.method for entry in lab.requests("avi")} == {"GET", "POST"}


def test_an_entry_of_a_list_names_its_object_unless_token_name_or_uuid_does(lab: Lab) -> None:
    engines = {"product": "avi", **KEEP.options(lab.details, ""), "name": "Engines", "lifetime": 86400}

    def kept(**further: Any) -> dict[str, Any]:
        job = Job("token_set", lambda _details, _file: {"tokens": [{**engines, **further}]})
        (token,) = done(job, lab.details).result["tokens"]
        assert isinstance(token, dict)
        return token

    created, named = kept(), kept(name="Rack 4", token_name="Engines")
    missing = kept(name="Rack 5", uuid="0f3c2b")

    assert (created["name"], created["action"]) == ("Engines", "created")
    assert (named["name"], named["action"]) == ("Rack 4", "none")
    assert "the option name is required to create a token" in missing["error"].lower()


def test_the_sign_out_from_a_hanging_controller_takes_no_second_timeout(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_SHORTEST_SIGN_OUT", 0.25)
    for path in (OBJECTS, "/logout"):
        lab.fault("avi", "delay", path=path, seconds=600, times=9)

    kept = keep(lab, timeout=1.5)

    assert "no complete response within 1.5 s" in kept.message
    assert "no complete response within 0.25 s" in kept.said


@pytest.mark.parametrize(
    ("bound", "most", "named"),
    [
        ("MOST_REQUESTS", 12, "12 requests"),
        ("MOST_ITEMS", 25, "25 objects"),
        ("MOST_BYTES", 2 * 1024**2, "2 MiB"),
    ],
)
def test_an_endless_listing_is_read_up_to_each_bound(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, bound: str, most: int, named: str
) -> None:
    monkeypatch.setattr(listing, bound, most)
    items = [{"name": "x", "uuid": "y", "url": "x" * (100_000 if bound == "MOST_BYTES" else 1000)}] * 10
    lab.fault("avi", "status", path=OBJECTS, status=200, body={"results": items, "next": "more"}, times=5000)

    kept = keep(lab)

    assert f"exceed the limit of {named}" in kept.message
    assert "uuid" in kept.message
    # With a sign-in and a sign-out.
    assert 4 < kept.result["request_count"] <= 15


def test_an_error_after_a_long_list_of_names_takes_no_more_time_than_after_a_short_one(
    lab: Lab, server: HostileServer, tmp_path: Path
) -> None:
    def name(number: int) -> str:
        return f"securechanneltoken-{number:08d}-0000-4000-8000-{number:012d}"

    file = str(tmp_path / "token.json")
    responses, _kept = recorded(KEEP, lab, file)
    (listed_at,) = [number for number, response in enumerate(responses) if response.line.startswith(f"GET {OBJECTS}?")]
    (creation,) = [number for number, response in enumerate(responses) if response.line == f"POST {OBJECTS}"]

    def refused(count: int) -> tuple[float, str]:
        listed = [{"name": name(number), "uuid": name(-number - 1)} for number in range(count)]
        said = [*responses]
        said[listed_at] = replace(responses[listed_at], body=json.dumps({"results": listed}).encode())
        error = json.dumps({"error": " ".join(name(number) for number in range(count - 50, count)) * 100}).encode()
        head = f"HTTP/1.1 400 No\r\nContent-Type: application/json\r\nContent-Length: {len(error)}\r\n\r\n"
        server.starts_anew(said, head.encode() + error, creation)
        start = time.thread_time()
        ran = run_at(server, KEEP, lab, file)
        return time.thread_time() - start, ran.message

    (few, short), (many, long) = min(refused(2000) for _try in range(3)), refused(20_000)

    # The names are read ten times, and ten times as many are kept: that is proportional.
    assert many < 30 * few
    assert short == long
    assert "securechanneltoken-" not in long
    assert MASK in long
