# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the event source nsx_jwt_alarms survives: failing managers, refused tokens, its own end."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.extensions.eda.plugins.event_source.nsx_jwt_alarms import main
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._operations.csp_access_token import CspAccessToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated

if TYPE_CHECKING:
    from conftest import StartSource
    from lab.client import Lab

Looks = Callable[[int], None]
Log = Callable[[], list[str]]

HOST = "127.0.0.1"
INSTANCES = "/infra/tier-0s/T0-main/locale-services/{}/service-instances/partner-fw-{}"
FIRST, SECOND = INSTANCES.format("default", "01"), INSTANCES.format("edge-east", "02")
ALARMS = r"/realized-state/alarms"
SIGN_IN = "/api/session/create"


def raise_alarm(lab: Lab, path: str) -> None:
    lab.act("nsx", "raise_alarms", host=HOST, paths=[path])


def until_held(lab: Lab, path: str) -> None:
    """Wait until a fault delays a request."""
    while not any(entry.fault and not entry.done and path in entry.path for entry in lab.requests("nsx")):
        time.sleep(0.01)


def keep_token(lab: Lab, path: Path) -> None:
    """Let a task write a token file."""
    args = {
        "hostname": lab["csp"]["url"],
        "api_token": lab["csp"]["api_token"],
        "token_file": str(path),
        "ca_path": lab.ca_path,
        "renew": "always",
    }
    params = Validated(CspAccessToken, args).params
    result = execute(CspAccessToken, params, Runtime())
    assert not result.get("failed"), result["msg"]


def relay(listener: socket.socket, port: int) -> None:
    """Forward every connection to another port of this machine, until the sockets are closed."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            target.close()

    def serve() -> None:
        while True:
            try:
                near, _address = listener.accept()
            except OSError:
                return
            far = socket.create_connection((HOST, port))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("drop_before", {}),
        ("drop_after", {"abrupt": True}),
        ("html", {}),
        ("invalid_json", {}),
        ("status", {"status": 500}),
        ("status", {"status": 429}),
        ("redirect", {"location": "https://elsewhere.example.com/"}),
    ],
)
def test_a_failing_manager_is_polled_less_often_and_start_and_end_are_logged_once(
    quiet: Lab,
    start: StartSource,
    with_password: dict[str, Any],
    looks: Looks,
    pauses: list[float],
    log: Log,
    kind: str,
    facts: dict[str, Any],
) -> None:
    source = start(main, **with_password, interval=60, max_interval=600)
    looks(2)
    fault = quiet.fault("nsx", kind, path=ALARMS, times=0, **facts)
    raise_alarm(quiet, FIRST)
    looks(8)
    seen_while_failing, said_while_failing = list(source.seen), log()
    quiet.clear_faults(fault)

    assert source.event()
    looks(1)
    failing = [pause for pause in pauses if pause > 60]
    assert seen_while_failing == []
    assert failing[:5] == [120, 240, 480, 600, 600]
    assert pauses[-1] == 60
    assert len(said_while_failing) == 1
    assert "read the alarms" in said_while_failing[0]
    assert len(log()) == 2
    assert "works again" in log()[1]


def test_a_manager_that_is_unreachable_at_the_start_is_polled_until_it_responds(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], looks: Looks, log: Log
) -> None:
    """The port of another program first; then connections are forwarded from there to the manager."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        closed_port = listener.getsockname()[1]
        raise_alarm(quiet, FIRST)
        source = start(main, **{**with_password, "hostname": f"https://{HOST}:{closed_port}"})
        looks(3)
        assert (source.seen, len(log())) == ([], 1)
        assert f"{HOST}:{closed_port}" in log()[0]

        listener.listen()
        relay(listener, int(quiet["nsx"]["url"].rsplit(":", 1)[1]))
        assert source.event()
        looks(1)
        assert len(log()) == 2
        source.stop()


@pytest.mark.parametrize("keeps_file", [False, True])
def test_a_refused_access_token_is_renewed_without_a_log_line(
    quiet: Lab,
    start: StartSource,
    with_api_token: dict[str, Any],
    looks: Looks,
    log: Log,
    tmp_path: Path,
    keeps_file: bool,
) -> None:
    source = start(main, **with_api_token, **({"token_file": str(tmp_path / "csp.json")} if keeps_file else {}))
    looks(3)
    minted_before = quiet.counts("csp")["tokens_minted"]

    for path in (FIRST, SECOND):
        quiet.revoke_tokens("csp")
        raise_alarm(quiet, path)
        source.event()
        looks(3)

    # An access token, and its OpenID token.
    assert quiet.counts("csp")["tokens_minted"] == 3 * minted_before
    assert [entry.line for entry in quiet.requests("csp")] == ["POST /csp/gateway/am/api/auth/api-tokens/authorize"] * 3
    assert log() == []


def test_many_polls_take_one_access_token_and_one_connection(
    quiet: Lab, start: StartSource, with_api_token: dict[str, Any], looks: Looks
) -> None:
    start(main, **with_api_token)
    looks(6)

    assert len(quiet.requests("csp")) == 1
    assert {entry.line for entry in quiet.requests("nsx")} == {
        "GET /policy/api/v1/infra/realized-state/alarms?page_size=1000"
    }
    assert len({entry.connection for entry in quiet.requests("nsx")}) == 1


def test_a_token_file_of_another_task_is_read_again_when_its_token_is_refused(
    quiet: Lab, start: StartSource, looks: Looks, log: Log, tmp_path: Path
) -> None:
    path = tmp_path / "csp.json"
    keep_token(quiet, path)
    old = json.loads(path.read_text())["current"]["token"]
    args = {"hostname": quiet["nsx"]["url"], "token_file": str(path), "ca_path": quiet.ca_path}
    source = start(main, **args)
    looks(2)

    keep_token(quiet, path)
    quiet.revoke_tokens("csp", tokens=[old])
    raise_alarm(quiet, FIRST)
    source.event()
    assert log() == []

    quiet.revoke_tokens("csp")
    looks(2)
    keep_token(quiet, path)
    raise_alarm(quiet, SECOND)
    source.event()
    looks(1)
    assert len(log()) == 2
    assert "works again" in log()[1]


def test_an_ended_session_is_opened_again_without_a_log_line_and_the_last_one_is_closed(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], looks: Looks, log: Log
) -> None:
    source = start(main, **with_password, use_session=True)
    looks(3)
    assert quiet.counts("nsx")["sessions_opened"] == 1

    # A request is delayed until its session has ended, and the next sign-in until sessions last again.
    look = quiet.fault("nsx", "delay", path=ALARMS, seconds=3600)
    until_held(quiet, ALARMS)
    sign_in = quiet.fault("nsx", "delay", path=SIGN_IN, seconds=3600)
    quiet.change_settings("nsx", session_timeout=0)
    raise_alarm(quiet, FIRST)
    quiet.clear_faults(look)
    until_held(quiet, SIGN_IN)
    quiet.change_settings("nsx", session_timeout=1800)
    quiet.clear_faults(sign_in)
    source.event()
    source.stop()

    counts = quiet.counts("nsx")
    assert (counts["sessions_opened"], counts["sessions_open"]) == (2, 0)
    assert log() == []


def test_a_session_without_a_required_right_takes_one_sign_in_for_each_poll(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], looks: Looks, pauses: list[float]
) -> None:
    quiet.fault("nsx", "status", path=ALARMS, times=0, status=403, body={"error_message": "no permission"})
    source = start(main, **with_password, use_session=True)
    looks(3)
    source.stop()

    lines = [entry.line.split("?")[0].split("/")[-1] for entry in quiet.requests("nsx")]
    assert lines[:6] == ["create", "alarms", "destroy"] * 2
    assert lines.count("alarms") <= len(pauses) + 1


def test_credentials_that_the_issuer_refuses_are_logged_once_and_polled_slowly(
    quiet: Lab, start: StartSource, with_api_token: dict[str, Any], looks: Looks, log: Log
) -> None:
    start(main, **{**with_api_token, "csp_api_token": "no-such-token-at-all"})
    looks(5)

    assert len(log()) == 1
    assert "get an access token" in log()[0] or "exchange" in log()[0]
    assert len(quiet.requests("csp")) <= 6


def test_an_internal_error_is_logged_without_its_text_and_the_source_continues(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], looks: Looks, log: Log, monkeypatch: Any
) -> None:
    from ansible_collections.sddc.tokens.plugins.module_utils._clients import nsx

    source = start(main, **with_password)
    looks(2)

    def broken(self: Any) -> Any:
        raise RuntimeError(with_password["password"])

    with monkeypatch.context() as patch:
        patch.setattr(nsx.NsxClient, "list_policy_alarms", broken)
        looks(3)
    raise_alarm(quiet, FIRST)

    assert source.event()
    assert "RuntimeError" in log()[0]


def test_the_source_ends_at_once_when_it_is_cancelled(
    start: StartSource, with_password: dict[str, Any], lab: Lab
) -> None:
    source = start(main, **with_password, interval=3600)
    source.event()

    source.stop()


def test_a_hanging_request_delays_the_end_by_its_timeout_at_most(
    quiet: Lab, start: StartSource, with_password: dict[str, Any]
) -> None:
    quiet.fault("nsx", "delay", path=ALARMS, seconds=3600, times=0)
    source = start(main, **{**with_password, "timeout": 1})
    quiet.wait_for_requests(1, "nsx", finished=False)

    source.stop()


def test_a_session_that_a_poll_opens_during_the_end_is_closed(
    quiet: Lab, start: StartSource, with_password: dict[str, Any]
) -> None:
    held = quiet.fault("nsx", "delay", path=SIGN_IN, seconds=3600)
    source = start(main, **with_password, use_session=True)
    quiet.wait_for_requests(1, "nsx", finished=False)

    source.cancel()
    quiet.clear_faults(held)
    source.join()

    counts = quiet.counts("nsx")
    assert (counts["sessions_opened"], counts["sessions_open"]) == (1, 0)
