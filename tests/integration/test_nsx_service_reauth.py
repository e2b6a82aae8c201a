# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Re-authentication of NSX partner service instances, as recorded by the lab.

A new manager of the lab has a dozen instances: two with a JWT alarm, the second of which has it in its details only,
and a third with another alarm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from products import EXAMPLE
from products.csp import csp
from products.nsx import POLICY, nsx, path_of
from support.canaries import leaks
from support.entries import entry
from support.in_process_plays import InProcess
from support.playbooks import EACH_ROUTE, Ansible, Route, module
from support.roles import play, role
from support.tasks import by_task, change_settings, checked, failing, lines, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

ALARMS = f"GET {POLICY}/infra/realized-state/alarms?page_size=1000"
HOST = "127.0.0.1"
JWT_ALARM = path_of("T0-main", "default", "partner-fw-01")
DETAILED_ALARM = path_of("T0-main", "edge-east", "partner-fw-02")
NO_ALARM = path_of("T0-main", "default", "partner-fw-04")
IDS = {"tier0_id": "T0-main", "locale_service_id": "default", "service_instance_id": "partner-fw-01"}


def reauth(path: str, base: str = "") -> str:
    return f"POST {base}{POLICY}{quote(path)}?action=reauth"


def listing(tier0: str, locale_service: str) -> str:
    """The request that checks whether instances exist."""
    return f"GET {POLICY}/infra/tier-0s/{tier0}/locale-services/{locale_service}/service-instances?page_size=1000"


def test_an_alarm_is_cleared_and_awaited_and_a_second_run_only_reads(ansible: Ansible, lab: Lab) -> None:
    run = succeeded(ansible.play([csp("csp"), nsx("acted", **IDS), nsx("again", **IDS)]))

    cut = by_task(run, lab, "nsx", "acted", "again")
    first, post, *waiting = cut["acted"]
    assert [first.line, post.line] == [ALARMS, reauth(JWT_ALARM)]
    assert {entry.line for entry in waiting} == {ALARMS}
    assert lines(cut["again"]) == [ALARMS, listing("T0-main", "default")]
    assert post.header("Authorization") == first.header("Authorization") == f"Bearer {run['csp']['token']}"
    assert post.header("X-NSX-OpenId") == run["csp"]["id_token"]
    assert first.header("X-NSX-OpenId") is None
    assert (post.body, post.header("csp-auth-token")) == ("", None)
    assert len({entry.connection for entry in cut["acted"]}) == 1
    acted, again = run["acted"], run["again"]
    assert (acted["changed"], acted["action"]) == (True, "reauthenticated")
    assert (again["changed"], again["action"]) == (False, "none")
    (done,) = acted["instances"]
    assert (done["path"], done["reauthenticated"], done["reason"], done["error"]) == (JWT_ALARM, True, "alarm", None)
    assert "JWT expired" in done["alarms"][0]
    assert again["instances"][0]["reason"] == "no_matching_alarm"
    assert lab.counts("nsx")["reauths"] == 1
    assert lab.counts("nsx")["alarms"] == 2
    assert "waiting for the alarms of 1 instance to clear" in said(run)
    assert "the alarms of 1 instance have cleared" in said(run)
    progress = [line for line in run.output.splitlines() if "alarms of" in line]
    assert len(progress) == len(set(progress)) == 2
    assert max(map(len, progress)) <= 100


def test_ids_with_reserved_characters_are_one_path_segment_and_duplicates_are_handled_once(
    in_process: InProcess, lab: Lab
) -> None:
    ids = ["a/b?c#d e%2Fé", "partner fw 12"]
    lab.act("nsx", "add_service_instances", host=HOST, ids=ids)
    paths = [path_of("T0-main", "default", name) for name in ids]
    lab.act("nsx", "raise_alarms", host=HOST, paths=paths)
    mappings = [{**IDS, "service_instance_id": name} for name in ids]
    listed = [mappings[0], paths[1], mappings[1], paths[1], mappings[0]]

    run = succeeded(in_process.play([csp("csp"), nsx("acted", service_instances=listed)]))

    posts = {entry.path for entry in lab.requests("nsx") if entry.method == "POST"}
    above = f"{POLICY}/infra/tier-0s/T0-main/locale-services/default/service-instances/"
    assert posts == {above + "a%2Fb%3Fc%23d%20e%252F%C3%A9", above + "partner%20fw%2012"}
    assert [item["path"] for item in run["acted"]["instances"]] == paths
    assert lab.counts("nsx")["reauths"] == 2


def test_a_manager_without_the_operation_is_named_for_a_404_and_for_a_400(in_process: InProcess, lab: Lab) -> None:
    lab.change_settings("nsx", reauth_api=False)
    tasks = [
        csp("csp"),
        failing(nsx("not_found", **IDS)),
        change_settings("nsx", unknown_path_status=400),
        failing(nsx("invalid_path", **IDS)),
    ]

    run = succeeded(in_process.play(tasks))

    assert "returned status 404" in run["not_found"]["msg"]
    assert "returned status 400, code 500012" in run["invalid_path"]["msg"]
    for name in ("not_found", "invalid_path"):
        assert "Newer releases of VMware Cloud on AWS do not support this operation" in run[name]["msg"]
        assert (run[name]["changed"], run[name]["instances"][0]["reauthenticated"]) == (False, False)


def test_one_failed_instance_does_not_stop_the_others_and_each_outcome_is_in_the_result(
    in_process: InProcess, lab: Lab
) -> None:
    missing = path_of("T0-main", "default", "no-such-instance")
    lab.act("nsx", "raise_alarms", host=HOST, paths=[missing])
    listed = [missing, JWT_ALARM, DETAILED_ALARM]

    run = succeeded(in_process.play([csp("csp"), failing(nsx("acted", service_instances=listed))]))

    acted = run["acted"]
    assert (acted["failed"], acted["changed"], acted["action"]) == (True, True, "reauthenticated")
    assert acted["request_count"] == len(lab.requests("nsx"))
    assert [item["reauthenticated"] for item in acted["instances"]] == [False, True, True]
    assert [item["reason"] for item in acted["instances"]] == ["alarm"] * 3
    error = acted["instances"][0]["error"]
    assert "returned status 404, code 600" in error
    assert "Check tier0_id, locale_service_id and service_instance_id" in error
    assert acted["instances"][1]["error"] is None
    assert "1 of 3 instances failed" in acted["msg"]
    assert missing in acted["msg"]
    assert error in acted["msg"]
    assert lab.counts("nsx")["reauths"] == 2
    assert lab.counts("nsx")["alarms"] == 2, "it waited for the successful ones"


def test_check_mode_reads_alarms_and_changes_nothing(in_process: InProcess, lab: Lab) -> None:
    listed = [JWT_ALARM, NO_ALARM]
    tasks = [
        csp("csp"),
        checked(nsx("predicted", service_instances=listed)),
        checked(nsx("nothing_due", service_instances=[NO_ALARM])),
        checked(nsx("forced", **IDS, force=True)),
        nsx("acted", service_instances=listed, wait=False),
        nsx("empty", service_instances=[]),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "nsx", "predicted", "nothing_due", "forced", "acted", "empty")
    assert [lines(cut[name]) for name in ("predicted", "nothing_due", "forced", "empty")] == [
        [ALARMS, listing("T0-main", "default")],
        [ALARMS, listing("T0-main", "default")],
        [],
        [],
    ]
    predicted, acted = run["predicted"], run["acted"]
    assert (
        (predicted["changed"], predicted["action"]) == (acted["changed"], acted["action"]) == (True, "reauthenticated")
    )
    assert [item["reauthenticated"] for item in predicted["instances"]] == [False, False]
    assert [item["reason"] for item in predicted["instances"]] == [item["reason"] for item in acted["instances"]]
    assert (run["nothing_due"]["changed"], run["nothing_due"]["action"]) == (False, "none")
    assert (run["forced"]["changed"], run["forced"]["action"]) == (True, "reauthenticated")
    assert (run["empty"]["changed"], run["empty"]["instances"]) == (False, [])
    assert lab.counts("nsx")["reauths"] == 1


def test_too_many_requests_are_retried_after_the_time_that_the_server_asks_for(in_process: InProcess, lab: Lab) -> None:
    body = {"module_name": "common-services", "error_message": "exceeded request rate", "error_code": "102"}
    limited: dict[str, Any] = {"status": 429, "headers": {"Retry-After": "1"}, "body": body}
    lab.fault("nsx", "status", method="GET", path="/alarms", **limited)
    lab.fault("nsx", "status", method="POST", path="action=reauth", times=2, **limited)
    tasks = [csp("csp"), nsx("acted", **IDS, wait=False), failing(nsx("given_up", **IDS, force=True, retries=0))]
    lab.fault("nsx", "status", method="POST", path="action=reauth", skip=1, times=0, **limited)

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "nsx", "acted", "given_up")
    assert [entry.status for entry in cut["acted"]] == [429, 200, 429, 429, 200]
    for earlier, later in ((0, 1), (2, 3), (3, 4)):
        assert cut["acted"][later].time - cut["acted"][earlier].time >= 0.9
    assert run["acted"]["action"] == "reauthenticated"
    assert "returned status 429, code 102, 'exceeded request rate'" in run["given_up"]["msg"]
    assert "Run the task again later" in run["given_up"]["msg"]


def test_at_most_concurrency_instances_are_handled_at_the_same_time(in_process: InProcess, lab: Lab) -> None:
    lab.change_settings("nsx", reauth_seconds=1)
    listed = [path_of("T0-main", "default", f"partner-fw-{number:02d}") for number in (1, 4, 7, 10)]
    lab.act("nsx", "raise_alarms", host=HOST, paths=listed[1:])

    run = succeeded(in_process.play([csp("csp"), nsx("acted", service_instances=listed, concurrency=3)]))

    assert [item["reauthenticated"] for item in run["acted"]["instances"]] == [True] * 4
    assert 1 < lab.counts("nsx")["peak_concurrency"] <= 3
    assert run["acted"]["request_count"] == len(lab.requests("nsx"))


@pytest.mark.parametrize("route", EACH_ROUTE)
def test_group_defaults_and_the_alias_id_token_are_the_same_on_all_routes(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    defaults = {"group/sddc.tokens.nsx": {**nsx()["sddc.tokens.nsx_service_reauth"], **IDS}}
    del defaults["group/sddc.tokens.nsx"]["open_id_token"]
    tasks = [
        csp("csp"),
        module("nsx_service_reauth", "nsx", id_token="{{ csp.id_token }}", wait=False),
        failing(module("nsx_service_reauth", "no_number", id_token="{{ csp.id_token }}", timeout="soon")),
    ]

    run = succeeded(ansible.play(tasks, route=route, keywords={"module_defaults": defaults}, arguments=["-vvv"]))

    assert run["nsx"]["action"] == "reauthenticated"
    (post,) = [entry for entry in lab.requests("nsx") if entry.method == "POST"]
    assert post.header("X-NSX-OpenId") == run["csp"]["id_token"]
    assert "timeout" in run["no_number"]["msg"]
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_the_changes_of_a_failed_token_set_entry_are_reported(ansible: Ansible, lab: Lab) -> None:
    paths = [JWT_ALARM, path_of("T0-main", "default", "no-such-instance")]
    lab.act("nsx", "raise_alarms", host=HOST, paths=paths)

    run = play(ansible, [role("token_rotation", tokens=[entry("nsx", service_instances=paths), entry(EXAMPLE.name)])])

    assert run.returncode != 0
    partly, whole = run["token_rotation_result"]
    assert (partly["action"], partly["changed"]) == ("reauthenticated", True)
    assert "1 of 2 instances failed" in partly["error"]
    assert (whole["action"], lab.counts("nsx")["reauths"]) == ("created", 1)
    assert "2 tokens: 2 changed, 1 failed, 0 unchanged." in said(run)


def test_an_unknown_instance_fails_and_one_listing_checks_a_locale_service(in_process: InProcess, lab: Lab) -> None:
    mistyped = [path_of("T0-main", "default", f"partner-fw-9{number}") for number in range(3)]
    nowhere = path_of("T0-main", "defalt", "partner-fw-01")
    tasks = [
        csp("csp"),
        failing(nsx("mistyped", **{**IDS, "service_instance_id": "partner-fw-99"})),
        failing(nsx("some", service_instances=[*mistyped, NO_ALARM, nowhere, DETAILED_ALARM], wait=False)),
        failing(checked(nsx("predicted", service_instances=mistyped[:1]))),
    ]

    run = succeeded(in_process.play(tasks))

    here, there = listing("T0-main", "default"), listing("T0-main", "defalt")
    cut = by_task(run, lab, "nsx", "mistyped", "some", "predicted")
    assert [lines(cut[name]) for name in ("mistyped", "some", "predicted")] == [
        [ALARMS, here],
        [ALARMS, here, there, reauth(DETAILED_ALARM)],
        [ALARMS, here],
    ]
    for name in ("mistyped", "some", "predicted"):
        assert run[name]["failed"]
    assert "(found: partner-fw-01, " in run["mistyped"]["msg"]
    reasons = {item["path"]: item["reason"] for item in run["some"]["instances"]}
    assert reasons == {
        **dict.fromkeys([*mistyped, nowhere], "not_found"),
        NO_ALARM: "no_matching_alarm",
        DETAILED_ALARM: "alarm",
    }
    assert [item["path"] for item in run["some"]["instances"] if item["error"]] == [*mistyped, nowhere]
    assert lab.counts("nsx")["reauths"] == 1
