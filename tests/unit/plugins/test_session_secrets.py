# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identifiers of a session are secret: cookies of any name, also during the sign-out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK, Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.hostile_server import (
    HostileServer,
    TrueReply,
    hostile_server,
    recorded,
    run_at,
)
from products import EXAMPLE, KITS
from support.canaries import leaks
from support.in_process import Done, done, prepared, record_of
from support.kit import Kit

if TYPE_CHECKING:
    from lab.client import Lab

COOKIE = "Zq7wX2Bk9-of-a-node"
SIGNING_OUT = {name: kit for name, kit in KITS.items() if kit.signs_out}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileServer]:
    with hostile_server(tmp_path_factory.mktemp("authority")) as server:
        yield server


def answer(name: str, status: int, said: str) -> dict[str, Any]:
    """A refusal that sets a cookie and quotes a text."""
    headers = {"Content-Type": "text/plain", "Set-Cookie": f'{name}="{COOKIE}"; Path=/elsewhere; HttpOnly'}
    return {"status": status, "headers": headers, "body": said, "times": 0}


def assert_hidden(ran: Done, *more: str) -> None:
    assert MASK in ran.said
    assert leaks({"result": str(ran.result), "notes": ran.said}, [COOKIE, *more]) == []


@pytest.mark.parametrize("name", ["JSESSIONID", "XSRF-TOKEN", "balancer"])
@pytest.mark.parametrize("kit", KITS.values(), ids=KITS)
def test_a_cookie_of_any_name_is_in_no_message_of_any_product(lab: Lab, tmp_path: Path, kit: Kit, name: str) -> None:
    job, file = next(iter(kit.jobs.values())), str(tmp_path / "token.json")
    prepared(job, lab, file)
    lab.fault(kit.name, "status", **answer(name, 400, f"the node of {COOKIE} is gone"))

    assert_hidden(done(job, lab.details, file))


def test_a_cookie_that_a_session_sends_is_in_no_message(lab: Lab, session: Callable[..., Session]) -> None:
    one = session()
    one.set_cookie("sessionid", Secret(COOKIE))
    lab.fault(EXAMPLE.name, "status", status=400, body=f"the node of {COOKIE} is gone")

    with pytest.raises(ApiError) as caught:
        one.request("GET", EXAMPLE.targets["prove"].path, doing="read")

    assert leaks({"error": str(caught.value)}, [COOKIE]) == []
    assert MASK in str(caught.value)


@pytest.mark.parametrize("kit", SIGNING_OUT.values(), ids=SIGNING_OUT)
def test_a_cookie_is_in_no_warning_of_a_session_whose_sign_out_fails(lab: Lab, tmp_path: Path, kit: Kit) -> None:
    method, path = kit.signs_out[0].split(" ", 1)
    file = str(tmp_path / "token.json")
    warned = []
    for job in kit.jobs.values():
        prepared(job, lab, file)
        lab.fault(kit.name, "status", method=method, path=path, **answer("JSESSIONID", 500, f"no session {COOKIE}"))
        ran = done(job, lab.details, file)
        warned += ran.result["warnings"]
        assert leaks({"result": str(ran.result), "notes": ran.said}, [COOKIE]) == []
    assert any(f"no session {MASK}" in warning for warning in warned)


def given_by(response: TrueReply) -> Iterator[str]:
    """The session identifiers in a response."""
    for name, value in response.headers:
        if name.lower() == "set-cookie":
            yield from (found[1] for found in re.finditer(r"^[^=;]+=([^;]+)", value))
        elif "token" in name.lower():
            yield value


@pytest.mark.parametrize("kit", SIGNING_OUT.values(), ids=SIGNING_OUT)
def test_session_identifiers_are_in_no_message(lab: Lab, server: HostileServer, tmp_path: Path, kit: Kit) -> None:
    file, lies = str(tmp_path / "token.json"), 0
    for job in kit.jobs.values():
        responses, _kept = recorded(job, lab, file)
        for number in range(1, len(responses)):
            known = sorted({value for response in responses[:number] for value in given_by(response)})
            if known and responses[number].line.split(" ")[0] in ("GET", "POST"):
                body = " ".join(f"<{value}>" for value in known).encode()
                head = f"HTTP/1.1 400 Lie\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
                server.starts_anew(responses, head.encode() + body, number)
                assert_hidden(run_at(server, job, lab, file), *known)
                lies += 1
    # A session can also be a token, which other tests look for.
    assert lies or "token" in kit.signs_out[0]


def test_stored_tokens_that_are_not_sent_are_in_no_message(lab: Lab, tmp_path: Path) -> None:
    file = str(tmp_path / "token.json")
    job = next(job for job in EXAMPLE.jobs.values() if job.keeps)
    prepared(job, lab, file)
    done(job, lab.details, file)
    record = record_of(file)
    assert record is not None
    others = {name: f"Zq7wX2Bk9-{name}-{name}" for name in ("pending", "superseded", "refresh")}
    pending = Token(Secret(others["pending"]), "Bearer", companions={"refresh_token": Secret(others["refresh"])})
    with FileStore(file, Runtime()).exclusive(10) as writer:
        writer.write(replace(record, pending=pending, superseded=(Token(Secret(others["superseded"]), "Bearer"),)))
    current = record.tokens[0].secret.reveal()
    lab.fault(EXAMPLE.name, "status", **answer("a", 400, f"neither {current} nor {' nor '.join(others.values())}"))

    ran = done(job, lab.details, file, renew="always")

    assert_hidden(ran, current, *others.values())
