# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secure channel tokens of an Avi controller, as recorded by the lab."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from products.avi import avi
from support.canaries import leaks
from support.in_process_plays import InProcess
from support.playbooks import Ansible, Run, Task
from support.tasks import by_task, change_settings, checked, failing, lines, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

HOST = "127.0.0.1"
OBJECTS = "/api/securechanneltoken"
LIST = f"GET {OBJECTS}?page=1&page_size=200"
LABEL = "se-01"
FIND = f"GET {OBJECTS}?name={LABEL}&page=1&page_size=200"
LOGIN, LOGOUT = "POST /login", "POST /logout"
SESSION: dict[str, Any] = {
    "username": "{{ omit }}",
    "password": "{{ omit }}",
    "session_id": "{{ user.cookies['avi-sessionid'] }}",
}
CSRF: dict[str, Any] = {"csrftoken": "{{ user.cookies.csrftoken }}"}


def info(register: str, **options: Any) -> Task:
    return avi(register, of="avi_securechanneltoken_info", **options)


def se_token(register: str, **options: Any) -> Task:
    return avi(register, of="avi_se_auth_token", **options)


def sign_in() -> Task:
    """A session of the user."""
    return {
        "name": "Sign in",
        "ansible.builtin.uri": {
            "url": "{{ lab.avi.url }}/login",
            "method": "POST",
            "body_format": "form-urlencoded",
            "body": {"username": "{{ lab.avi.username }}", "password": "{{ lab.avi.password }}"},
            "ca_path": "{{ ca_path }}",
        },
        "register": "user",
    }


def no_leaks(run: Run, lab: Lab, *more: str) -> None:
    assert leaks({"output": run.output}, [*more, *(secret["value"] for secret in lab.secrets())]) == []


def closed(lab: Lab) -> None:
    """Check that every session that was opened is closed."""
    counts = lab.counts("avi")
    assert counts["sessions_opened"] > 0
    assert counts["sessions_open"] == 0


def test_a_token_is_created_once_its_metadata_is_merged_and_its_deletion_is_verified(
    ansible: Ansible, lab: Lab
) -> None:
    first: dict[str, Any] = {"name": LABEL, "metadata": {"tenant_uuid": "tenant-1", "rack": 4}}
    tasks = [
        checked(avi("predicted", **first)),
        avi("created", **first),
        avi("again", **first),
        avi("as_list", name=LABEL, metadata=[{"key": "rack", "val": "4"}]),
        avi("merged", name=LABEL, metadata=[{"key": "rack", "val": "5"}, {"key": "row", "val": "B"}]),
        avi("in_use", name=LABEL, in_use=True),
        failing(avi("odd_metadata", name=LABEL, metadata=["rack"])),
        checked(avi("deletion_predicted", name=LABEL, state="absent")),
        avi("deleted", name=LABEL, state="absent"),
        avi("deleted_again", name=LABEL, state="absent"),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vvv", "--diff"]))

    names = ["predicted", "created", "again", "as_list", "merged", "in_use"]
    names += ["deletion_predicted", "deleted", "deleted_again"]
    cut = by_task(run, lab, "avi", *names)
    number = run["created"]["uuid"]
    only_found = [LOGIN, FIND, LOGOUT]
    one = f"{OBJECTS}/{number}"
    assert {name: lines(cut[name]) for name in names} == {
        "predicted": only_found,
        "created": [LOGIN, FIND, f"POST {OBJECTS}", LOGOUT],
        "again": only_found,
        "as_list": only_found,
        "merged": [LOGIN, FIND, f"PUT {one}", LOGOUT],
        "in_use": [LOGIN, FIND, f"PUT {one}", LOGOUT],
        "deletion_predicted": only_found,
        "deleted": [LOGIN, FIND, f"DELETE {one}", f"GET {one}", LOGOUT],
        "deleted_again": only_found,
    }
    assert cut["deleted"][3].status == 404
    actions = ["created", "created", "none", "none", "updated", "updated", "deleted", "deleted", "none"]
    assert [run[name]["action"] for name in names] == actions
    assert [run[name]["changed"] for name in names] == [action != "none" for action in actions]
    created = run["created"]
    assert (created["name"], created["token"], created["token_type"]) == (LABEL, number, "SecureChannelToken")
    assert "headers" not in created
    assert created["metadata"] == run["as_list"]["metadata"] == {"tenant_uuid": "tenant-1", "rack": "4"}
    assert run["merged"]["metadata"] == {"tenant_uuid": "tenant-1", "rack": "5", "row": "B"}
    assert run["in_use"]["metadata"] == run["merged"]["metadata"]
    assert run["in_use"]["in_use"] is True
    assert run["predicted"]["verified"] is run["deletion_predicted"]["verified"] is False
    assert run["deleted"]["verified"] is True
    assert "must be a mapping with the keys key and val" in run["odd_metadata"]["msg"]
    signed = [entry for name in names for entry in cut[name] if entry.path != "/login"]
    assert {entry.header("X-Avi-Version") for entry in signed} == {lab["avi"]["api_version"]}
    writes = [entry for entry in signed if entry.method != "GET"]
    assert {entry.header("Referer") for entry in writes} == {f"https://{urlsplit(lab['avi']['url']).netloc}"}
    closed(lab)
    no_leaks(run, lab)


def test_a_token_is_renewed_by_lifetime_and_an_expiry_time_is_only_compared(in_process: InProcess, lab: Lab) -> None:
    expiry = round(time.time()) + 7200.5
    tasks = [
        avi("created", name=LABEL, lifetime=3600),
        avi("lasting", name=LABEL, lifetime=86400),
        avi("renewed", name=LABEL, lifetime=86400, min_remaining=7200),
        avi("renewed_already", name=LABEL, lifetime=86400, min_remaining=7200),
        avi("fixed", name=LABEL, expiry_time=expiry),
        avi("fixed_already", name=LABEL, expiry_time=expiry),
        avi("without", name=LABEL, min_remaining=10**6),
        avi("past", name=LABEL, expiry_time=1000),
        avi("past_already", name=LABEL, expiry_time=1000),
        failing(avi("no_time", name=LABEL, lifetime=0)),
        failing(avi("two_times", name=LABEL, lifetime=60, expiry_time=expiry)),
    ]

    run = succeeded(in_process.play(tasks))

    actions = {name: run[name]["action"] for name in [task["register"] for task in tasks[:-2]]}
    assert actions == {
        "created": "created",
        "lasting": "none",
        "renewed": "updated",
        "renewed_already": "none",
        "fixed": "updated",
        "fixed_already": "none",
        "without": "none",
        "past": "updated",
        "past_already": "none",
    }
    assert 3500 < run["created"]["expires_in"] <= 3600
    assert 3500 < run["lasting"]["expires_in"] <= 3600
    assert 86000 < run["renewed"]["expires_in"] <= 86400
    assert 7000 < run["fixed"]["expires_in"] <= 7201
    assert run["past_already"]["expires_in"] == 0
    assert "lifetime must be longer than 0 s" in run["no_time"]["msg"]
    assert "mutually exclusive: lifetime|expiry_time" in run["two_times"]["msg"]
    assert len({run[name]["uuid"] for name in actions}) == 1


@contextmanager
def playing(in_process: InProcess, tasks: list[Task]) -> Iterator[list[Run]]:
    """A play that runs in parallel. At the end the list contains its run."""
    runs: list[Run] = []
    thread = threading.Thread(target=lambda: runs.append(in_process.play(tasks)))
    thread.start()
    try:
        yield runs
    finally:
        thread.join()


def meanwhile(lab: Lab, fault: int, method: str, action: str, **values: Any) -> None:
    """Change the controller while a request for an object is delayed, then let the request continue."""
    seen = lab.wait_for_requests(1, "avi", finished=False)
    while not any(entry.method == method and entry.path.startswith(OBJECTS) and not entry.done for entry in seen):
        seen = lab.wait_for_requests(len(seen) + 1, "avi", finished=False)
    lab.act("avi", action, host=HOST, **values)
    lab.clear_faults(fault)


def test_changes_by_another_client_are_kept_and_an_ended_session_is_opened_again_once(
    in_process: InProcess, lab: Lab
) -> None:
    mine, theirs = {"owner": "us"}, [{"key": "rack", "val": "9"}]
    number = "a-token-of-this-test"
    put = lab.fault("avi", "delay", method="PUT", seconds=60)
    post = lab.fault("avi", "delay", method="POST", path=f"{OBJECTS}$", skip=1, seconds=60)
    delete = lab.fault("avi", "delay", method="DELETE", seconds=60)
    tasks = [
        avi("created", name=LABEL, uuid=number),
        avi("updated", name=LABEL, metadata=mine),
        avi("after_401", name="se-02"),
        change_settings("avi", session_refused_status=419),
        avi("after_419", name=LABEL, state="absent"),
    ]

    with playing(in_process, tasks) as runs:
        meanwhile(lab, put, "PUT", "change_token", token=number, values={"metadata": theirs})
        meanwhile(lab, post, "POST", "end_sessions")
        meanwhile(lab, delete, "DELETE", "end_sessions")

    (run,) = runs
    cut = by_task(succeeded(run), lab, "avi", "created", "updated", "after_401", "after_419")
    statuses = {name: [(entry.method, entry.path, entry.status) for entry in cut[name]] for name in cut}
    one = f"{OBJECTS}/{number}"
    assert statuses["updated"][2:-1] == [("PUT", one, 412), ("GET", one, 200), ("PUT", one, 200)]
    assert run["updated"]["metadata"] == {"owner": "us", "rack": "9"}
    login, logout = ("POST", "/login", 200), ("POST", "/logout", 200)
    assert statuses["after_401"][2:] == [("POST", OBJECTS, 401), login, ("POST", OBJECTS, 201), logout]
    assert statuses["after_419"][2:] == [
        ("DELETE", one, 419),
        login,
        ("DELETE", one, 204),
        ("GET", one, 404),
        logout,
    ]
    assert [run[name]["action"] for name in cut] == ["created", "updated", "created", "deleted"]
    assert lab.counts("avi")["objects"] == 1
    closed(lab)


def test_every_failure_is_explained_and_closes_the_session_that_the_task_opened(ansible: Ansible, lab: Lab) -> None:
    number = str(uuid.uuid4())
    lab.fault("avi", "status", method="PUT", times=2, status=412, body={"error": "Concurrent update"})
    lab.fault("avi", "status", method="DELETE", times=1, status=204)
    refused: dict[str, Any] = {"status": 401, "body": {"error": "Authentication credentials were not provided."}}
    tasks = [
        avi("first", name=LABEL),
        failing(avi("changed_twice", name=LABEL, metadata={"a": "b"})),
        failing(avi("still_there", name=LABEL, state="absent")),
        avi("other", name="se-02"),
        avi("twin", name=LABEL, uuid="{{ other.uuid }}"),
        failing(avi("two_of_one_name", name=LABEL, state="absent")),
        failing(avi("password", name=LABEL, password="a-wrong-password")),
        failing(avi("tenant", name=LABEL, tenant="nobody")),
        failing(avi("newer_version", name=LABEL, api_version="99.1.1")),
        failing(avi("no_name", uuid=number)),
        failing(se_token("no_cloud", cloud="No-Cloud")),
        failing(se_token("no_cloud_uuid", cloud_uuid="cloud-none")),
        change_settings("avi", upgrading=True),
        failing(info("upgrading")),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vvv"]))

    sentences = {
        "changed_twice": "returned status 412",
        "still_there": "it still exists after the controller confirmed the deletion",
        "two_of_one_name": "2 secure channel tokens have this name",
        "password": "Check username and password",
        "tenant": "Check tenant, and the names and UUIDs",
        "newer_version": "Without it, the controller's own is used",
        "no_name": "is required to create a token: no token has this uuid",
        "no_cloud": "no cloud has the name 'No-Cloud'",
        "no_cloud_uuid": "Check tenant, and the names and UUIDs",
        "upgrading": "refuses requests during an upgrade",
    }
    for name, sentence in sentences.items():
        assert sentence in run[name]["msg"], run[name]["msg"]
        assert run[name]["changed"] is False
    assert "Set uuid to the UUID of the right one" in run["two_of_one_name"]["msg"]
    assert run["password"]["request_count"] == 1
    assert lab.counts("avi")["logins_refused"] == 1
    closed(lab)
    no_leaks(run, lab, "a-wrong-password", number)

    lab.fault("avi", "status", method="GET", times=0, **refused)
    refused_for_good = succeeded(ansible.play([failing(info("refused"))]))
    assert lines(lab.requests("avi"))[-4:-1] == [LIST, LOGIN, LIST], "signed in again only once"
    assert "returned status 401" in refused_for_good["refused"]["msg"]


def test_an_existing_session_is_used_and_stays_open_in_each_tenant_and_version(ansible: Ansible, lab: Lab) -> None:
    in_lab: dict[str, Any] = {"tenant": "lab", "name": "se-lab"}
    tasks = [
        sign_in(),
        avi("created", name=LABEL, **SESSION, **CSRF),
        info("read_only", **SESSION),
        failing(avi("no_csrf", name="se-03", **SESSION)),
        avi("own_version", name=LABEL, **SESSION, **CSRF, api_version="30.2.1"),
        avi("in_lab", **in_lab),
        info("of_lab", tenant="lab"),
        info("of_admin"),
        failing(info("twice", session_id="a-session-id-of-the-user")),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vv"]))

    log = lab.requests("avi")[1:]
    assert lines(log[:3]) == ["GET /api/initial-data", FIND, f"POST {OBJECTS}"]
    assert log[2].header("X-CSRFToken")
    assert {entry.header("X-Avi-Version") for entry in log[1:3]} == {lab["avi"]["api_version"]}
    assert lines(log[3:5]) == ["GET /api/initial-data", LIST]
    assert (log[7].line, log[7].status) == (f"POST {OBJECTS}", 401)
    assert "session_id and csrftoken" in run["no_csrf"]["msg"]
    assert (log[8].line, log[8].header("X-Avi-Version")) == (FIND, "30.2.1")
    assert (run["own_version"]["request_count"], run["own_version"]["action"]) == (1, "none")
    assert [entry.header("X-Avi-Tenant") for entry in log[10:12]] == ["lab", "lab"]
    assert (len(run["read_only"]["securechanneltokens"]), len(run["of_admin"]["securechanneltokens"])) == (1, 1)
    assert len(run["of_lab"]["securechanneltokens"]) == 1
    assert run["of_lab"]["securechanneltokens"][0]["fingerprint"] == run["in_lab"]["fingerprint"]
    assert "mutually exclusive: session_id|username" in run["twice"]["msg"]
    assert lab.counts("avi")["sessions_open"] == 1, "the session of the user"
