# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of an API session of vCenter, as recorded by the lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from products.vcenter import session
from support.bao import Bao
from support.canaries import leaks
from support.in_process_plays import InProcess
from support.playbooks import AS_MODULE, IN_PROCESS, Ansible, Route
from support.tasks import by_task, change_settings, checked, end_tokens, failing, lines, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

OPEN, CHECK, END = "POST /api/session", "GET /api/session", "DELETE /api/session"
OLD = "/rest/com/vmware/cis/session"
USE = "GET /api/vcenter/datacenter"
HEADER = "vmware-api-session-id"
FILE = "{{ playbook_dir }}/token.json"
NO_PASSWORD = {"password": "{{ omit }}"}
LOCAL = pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)


def summary(result: dict[str, Any]) -> tuple[bool, str, bool]:
    return result["changed"], result["action"], result["verified"]


@LOCAL
def test_a_session_is_opened_used_reused_renewed_and_ended_with_the_documented_requests(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    use: dict[str, Any] = {
        "name": "Use the session",
        "ansible.builtin.uri": {
            "url": "{{ lab.vcenter.url }}/api/vcenter/datacenter",
            "headers": "{{ opened.headers }}",
            "ca_path": "{{ ca_path }}",
        },
        "no_log": True,
    }
    tasks = [
        session("opened", token_file=FILE),
        session("reused", token_file=FILE, **NO_PASSWORD),
        session("renewed", token_file=FILE, renew="always"),
        session("ended", token_file=FILE, state="absent", **NO_PASSWORD),
        session("gone", token_file=FILE, state="absent", **NO_PASSWORD),
    ]

    run = succeeded(ansible.play([tasks[0], use, *tasks[1:]], route=route, arguments=["-vvv", "--diff"]))

    opened, reused, renewed = (run[name] for name in ("opened", "reused", "renewed"))
    log = lab.requests("vcenter")
    assert lines(log) == [OPEN, CHECK, USE, CHECK, OPEN, CHECK, END, END, CHECK]
    assert [run[name]["request_count"] for name in ("opened", "reused", "renewed", "ended", "gone")] == [2, 1, 3, 2, 0]
    assert [summary(run[task["register"]]) for task in tasks] == [
        (True, "created", True),
        (False, "reused", True),
        (True, "renewed", True),
        (True, "revoked", True),
        (False, "none", False),
    ]
    signs = [request.header(HEADER) for request in log]
    old, new = opened["token"], renewed["token"]
    assert signs == [None, old, old, old, None, new, old, new, new]
    assert old == reused["token"] != new
    assert opened["headers"] == {opened["token_type"]: old} == {HEADER: old}
    assert (opened["expires_at"], opened["expires_in"]) == (None, None)
    assert lab.counts("vcenter")["tokens_valid"] == 0
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


# --- Reuse ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ending", [end_tokens("revoked", "vcenter"), change_settings("vcenter", clock_offset=1801)], ids=["ended", "idle"]
)
def test_a_session_that_has_ended_is_replaced_with_one_sign_in(
    in_process: InProcess, lab: Lab, ending: dict[str, Any]
) -> None:
    tasks = [session("opened", token_file=FILE), ending, session("renewed", token_file=FILE)]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vcenter", "opened", "renewed")
    assert lines(cut["renewed"]) == [CHECK, OPEN, CHECK]
    assert summary(run["renewed"]) == (True, "renewed", True)
    assert lab.counts("vcenter")["tokens_valid"] == 1


def test_checks_keep_a_session_open_beyond_its_idle_time_until_vcenter_ends_it(in_process: InProcess, lab: Lab) -> None:
    lab.change_settings("vcenter", session_lifetime=5000)
    checks = [
        task
        for number in range(1, 4)
        for task in (
            change_settings("vcenter", clock_offset=number * 1700),
            session(f"after_{number}", token_file=FILE),
        )
    ]

    run = succeeded(in_process.play([session("opened", token_file=FILE), *checks]))

    assert [run[f"after_{number}"]["action"] for number in range(1, 4)] == ["reused", "reused", "renewed"]


def test_a_session_is_reused_without_a_request_with_verify_false_or_a_recent_verification(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        session("opened", token_file=FILE),
        session("recent", token_file=FILE, verify_max_age="10m"),
        session("unchecked", token_file=FILE, verify=False),
        session("old", token_file=FILE, verify_max_age=0.0001),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vcenter", "opened", "recent", "unchecked", "old")
    assert [lines(requests) for requests in cut.values()] == [[OPEN, CHECK], [], [], [CHECK]]
    assert [run[name]["verified"] for name in cut] == [True, True, False, True]
    assert {run[name]["token"] for name in cut} == {run["opened"]["token"]}


def test_an_unknown_expiry_is_no_reason_to_renew_or_to_warn(in_process: InProcess, lab: Lab) -> None:
    windows = {"min_remaining": "2d", "renew_before": "3d"}
    tasks = [session("opened", token_file=FILE, **windows), session("reused", token_file=FILE, **windows)]

    run = succeeded(in_process.play(tasks))

    assert [run[name]["action"] for name in ("opened", "reused")] == ["created", "reused"]
    assert run.output.strip() == ""


def test_a_session_of_the_caller_is_used_replaced_or_ended(in_process: InProcess, lab: Lab) -> None:
    given = {"token": "{{ opened.token }}"}
    tasks = [
        session("opened"),
        session("used", **given),
        session("ended", **given, state="absent"),
        session("ended_again", **given, state="absent"),
        failing(session("never", **given, renew="never")),
        session("replaced", **given),
    ]

    run = succeeded(in_process.play(tasks))

    names = ["opened", "used", "ended", "ended_again", "never", "replaced"]
    cut = by_task(run, lab, "vcenter", *names)
    assert [lines(cut[name]) for name in names] == [
        [OPEN, CHECK], [CHECK], [END, CHECK], [END], [CHECK], [CHECK, OPEN, CHECK]
    ]  # fmt: skip
    assert [run[name]["action"] for name in names] == ["created", "reused", "revoked", "none", "none", "renewed"]
    assert lab.counts("vcenter")["tokens_valid"] == 1


def test_machines_share_a_session_in_a_store_from_which_others_read_it(
    in_process: InProcess, lab: Lab, bao: Bao
) -> None:
    path = "sddc/vcenter"
    bao.do("DELETE", f"secret/metadata/{path}")
    store = {"path": path, "url": bao.address, "ca_path": bao.ca_path, "token": bao.root_token}

    run = succeeded(in_process.play([session("first", token_store=store), session("second", token_store=store)]))

    assert lines(lab.requests("vcenter")) == [OPEN, CHECK, CHECK]
    assert run["first"]["headers"] == run["second"]["headers"]
    document = bao.document(path)
    assert (document["token_type"], document["token"]) == (HEADER, run["first"]["token"])

    succeeded(in_process.play([session("ended", token_store=store, state="absent")]))
    assert "token" not in bao.document(path)
    assert lab.counts("vcenter")["tokens_valid"] == 0


# --- Nothing is left behind ----------------------------------------------------------------------------------------


def test_a_session_that_would_be_neither_stored_nor_returned_is_not_opened(in_process: InProcess, lab: Lab) -> None:
    run = in_process.play([session("lost", return_token=False)])

    assert "would be lost" in run["lost"]["msg"]
    assert lab.requests("vcenter") == []


def test_a_new_session_that_vcenter_does_not_accept_is_ended(in_process: InProcess, lab: Lab) -> None:
    lab.fault("vcenter", "status", method="GET", path="/api/session", status=401)

    run = in_process.play([session("refused", token_file=FILE)])

    assert lines(lab.requests("vcenter")) == [OPEN, CHECK, END]
    assert "It was revoked" in run["refused"]["msg"]
    assert lab.counts("vcenter")["tokens_valid"] == 0


def test_the_session_of_an_interrupted_run_is_ended_by_the_next_task_with_its_folder(
    in_process: InProcess, lab: Lab
) -> None:
    folder = {"record_folder": "{{ playbook_dir }}/sessions"}
    tasks = [
        session("left", **folder, max_duration=0.0001),
        session("opened", **folder),
        session("ended", **folder, token="{{ opened.token }}", state="absent"),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vcenter", "left", "opened", "ended")
    assert lines(cut["opened"]) == [END, OPEN, CHECK]
    assert cut["opened"][0].header(HEADER) == run["left"]["token"]
    assert lab.counts("vcenter")["tokens_valid"] == 0
    assert [path.suffix for path in (in_process.folder / "sessions").iterdir()] == []


def test_check_mode_opens_no_session(in_process: InProcess, lab: Lab) -> None:
    run = succeeded(in_process.play([checked(session("predicted", token_file=FILE))]))

    assert (run["predicted"]["changed"], run["predicted"]["action"]) == (True, "created")
    assert lab.requests("vcenter") == []
    assert list(in_process.folder.iterdir()) == []


# --- Before 7.0 U2 -------------------------------------------------------------------------------------------------


def test_an_older_vcenter_is_recognized_once_in_a_task_and_asked_by_its_own_api(
    in_process: InProcess, lab: Lab
) -> None:
    lab.change_settings("vcenter", session_api="rest")
    old_check = f"POST {OLD}?~action=get"
    tasks = [
        session("opened", token_file=FILE),
        session("reused", token_file=FILE),
        session("ended", token_file=FILE, state="absent"),
        failing(session("refused", password="wrong")),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vcenter", *(task["register"] for task in tasks))
    assert [lines(requests) for requests in cut.values()] == [
        [OPEN, f"POST {OLD}", old_check],
        [CHECK, old_check],
        [END, f"DELETE {OLD}", old_check],
        [OPEN, f"POST {OLD}"],
    ]
    assert [run[name]["action"] for name in cut] == ["created", "reused", "revoked", "none"]
    assert "com.vmware.vapi.std.errors.unauthenticated" in run["refused"]["msg"]
    assert "Authentication required." in run["refused"]["msg"]
    assert lab.counts("vcenter")["tokens_valid"] == 0


def test_a_page_of_a_proxy_with_status_404_is_no_sign_of_an_older_vcenter(in_process: InProcess, lab: Lab) -> None:
    lab.fault("vcenter", "html", path="/api/session", status=404)

    run = in_process.play([session("opened")])

    assert "an HTML page" in run["opened"]["msg"]
    assert lines(lab.requests("vcenter")) == [OPEN]
