# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of a token of VCF Operations, whose expiry slides, as recorded by the lab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from products.vcf_operations import API, DIRECTORY, vcf_operations
from support.canaries import leaks
from support.in_process_plays import InProcess
from support.playbooks import AS_MODULE, IN_PROCESS, Ansible, Route
from support.tasks import by_task, change_settings, checked, end_tokens, failing, lines, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

ACQUIRE = f"POST {API}/token/acquire"
RELEASE = f"POST {API}/token/release"
PROBE = f"GET {API}/currentuser"
HOURS = 3600
FILE = {"token_file": "{{ playbook_dir }}/token.json"}
NO_PASSWORD = {"password": "{{ omit }}"}
LOCAL = pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)


def summary(result: dict[str, Any]) -> tuple[bool, str, bool]:
    return result["changed"], result["action"], result["verified"]


@LOCAL
def test_a_token_is_acquired_reused_renewed_and_released_with_the_documented_requests(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    tasks = [
        vcf_operations("created", **FILE),
        vcf_operations("reused", **FILE, **NO_PASSWORD),
        vcf_operations("renewed", **FILE, renew="always"),
        vcf_operations("released", **FILE, state="absent", **NO_PASSWORD),
        vcf_operations("gone", **FILE, state="absent", **NO_PASSWORD),
    ]

    run = succeeded(ansible.play(tasks, route=route, arguments=["-vvv", "--diff"]))

    names = [task["register"] for task in tasks]
    cut = by_task(run, lab, "vcf_operations", *names)
    assert [lines(cut[name]) for name in names] == [
        [ACQUIRE, PROBE],
        [PROBE],
        [ACQUIRE, PROBE, RELEASE],
        [RELEASE, PROBE],
        [],
    ]
    details, created = lab["vcf_operations"], run["created"]
    acquisition, probe = cut["created"]
    assert json.loads(acquisition.body) == {"username": details["username"], "password": details["password"]}
    assert acquisition.header("Authorization") is None
    assert probe.header("Authorization") == f"OpsToken {created['token']}"
    assert {request.header("Accept") for request in lab.requests("vcf_operations")} == {"application/json"}
    assert [summary(run[name]) for name in names] == [
        (True, "created", True),
        (False, "reused", True),
        (True, "renewed", True),
        (True, "revoked", True),
        (False, "none", False),
    ]
    assert (created["token_type"], created["headers"]) == (
        "OpsToken",
        {"Authorization": f"OpsToken {created['token']}"},
    )
    assert 5.9 * HOURS < created["expires_in"] <= 6 * HOURS
    counts = lab.counts("vcf_operations")
    assert (counts["acquisitions"], counts["releases"], counts["tokens_valid"]) == (2, 2, 0)
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_a_token_that_others_use_is_kept_after_its_stored_expiry_without_a_password(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        vcf_operations("created", **FILE),
        change_settings("vcf_operations", clock_offset=5 * HOURS),
        vcf_operations("used", token="{{ created.token }}"),
        change_settings("vcf_operations", clock_offset=10 * HOURS),
        checked(vcf_operations("predicted", **FILE, **NO_PASSWORD)),
        vcf_operations("reused", **FILE, **NO_PASSWORD),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vcf_operations", "created", "used", "predicted", "reused")
    assert [lines(cut[name]) for name in ("predicted", "reused")] == [[PROBE], [PROBE]]
    assert [summary(run[name]) for name in ("predicted", "reused")] == [(False, "reused", True)] * 2
    assert 5.9 * HOURS < run["reused"]["expires_in"] <= 6 * HOURS
    current = json.loads((in_process.folder / "token.json").read_text())["current"]
    assert current["expires_at"] - current["issued_at"] == pytest.approx(16 * HOURS, abs=60)


def test_a_verification_every_five_hours_keeps_one_token_for_days(in_process: InProcess, lab: Lab) -> None:
    tasks = [vcf_operations("first", **FILE)]
    for hours in range(5, 75, 5):
        tasks += [
            change_settings("vcf_operations", clock_offset=hours * HOURS),
            vcf_operations(f"after_{hours}", **FILE, **NO_PASSWORD),
        ]

    run = succeeded(in_process.play(tasks))

    assert lines(lab.requests("vcf_operations")) == [ACQUIRE, *[PROBE] * 15]
    assert {run[f"after_{hours}"]["action"] for hours in range(5, 75, 5)} == {"reused"}
    assert run["after_70"]["issued_at"] == run["first"]["issued_at"]


def test_a_token_that_was_not_used_for_six_hours_is_replaced(in_process: InProcess, lab: Lab) -> None:
    tasks = [
        vcf_operations("created", **FILE),
        change_settings("vcf_operations", clock_offset=6 * HOURS + 60),
        vcf_operations("renewed", **FILE),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vcf_operations", "created", "renewed")
    assert lines(cut["renewed"]) == [PROBE, ACQUIRE, PROBE]
    assert run["renewed"]["action"] == "renewed"


def test_a_server_that_extends_no_token_costs_one_refused_request(in_process: InProcess, lab: Lab) -> None:
    lab.change_settings("vcf_operations", extends=False)
    tasks = [
        vcf_operations("created", **FILE),
        change_settings("vcf_operations", clock_offset=4 * HOURS),
        vcf_operations("reused", **FILE),
        change_settings("vcf_operations", clock_offset=7 * HOURS),
        vcf_operations("renewed", **FILE),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vcf_operations", "created", "reused", "renewed")
    assert lines(cut["renewed"]) == [PROBE, ACQUIRE, PROBE]


def test_a_directory_user_names_its_source_and_shares_no_file_with_a_local_user(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        vcf_operations("created", **FILE, **DIRECTORY),
        failing(vcf_operations("foreign", **FILE)),
        failing(vcf_operations("elsewhere", **{**DIRECTORY, "auth_source": "Another directory"})),
    ]

    run = succeeded(in_process.play(tasks))

    details = lab["vcf_operations"]
    assert json.loads(lab.requests("vcf_operations")[0].body) == {
        "username": details["directory_username"],
        "password": details["directory_password"],
        "authSource": details["directory"],
    }
    assert run["foreign"]["request_count"] == 0
    assert "Check username, password and auth_source" in run["elsewhere"]["msg"]
    assert "code 1501" in run["elsewhere"]["msg"]


def test_the_source_local_is_the_same_user_as_without_a_source(in_process: InProcess, lab: Lab) -> None:
    run = succeeded(
        in_process.play([vcf_operations("created", **FILE), vcf_operations("reused", **FILE, auth_source="LOCAL")])
    )

    assert run["reused"]["action"] == "reused"


def test_release_8_is_used_with_its_own_scheme(in_process: InProcess, lab: Lab) -> None:
    lab.change_settings("vcf_operations", release=8, without_accept="xml", refuses_signed_acquisitions=True)
    older = {"auth_scheme": "vRealizeOpsToken"}
    tasks = [
        vcf_operations("created", **FILE, **older),
        vcf_operations("reused", **FILE, **older),
        vcf_operations("released", **FILE, **older, state="absent"),
    ]

    run = succeeded(in_process.play(tasks))

    created = run["created"]
    assert created["token_type"] == "vRealizeOpsToken"
    assert created["headers"] == {"Authorization": f"vRealizeOpsToken {created['token']}"}
    assert run["reused"]["action"] == "reused"
    assert lab.counts("vcf_operations")["tokens_valid"] == 0


def test_a_scheme_that_the_server_refuses_is_named_and_the_token_is_reported_as_left(
    in_process: InProcess, lab: Lab
) -> None:
    lab.change_settings("vcf_operations", release=8)

    run = succeeded(in_process.play([failing(vcf_operations("refused", **FILE))]))

    assert lines(lab.requests("vcf_operations")) == [ACQUIRE, PROBE, RELEASE]
    assert "Set auth_scheme to the scheme that the release of the server accepts" in run["refused"]["msg"]
    assert "is left on the server until 20" in run["refused"]["msg"]
    assert lab.counts("vcf_operations")["tokens_valid"] == 1
    assert "token" not in run["refused"]


def test_headers_have_the_scheme_of_the_task_and_not_that_of_the_task_which_stored_the_token(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        vcf_operations("created", **FILE),
        vcf_operations("reused", **FILE, auth_scheme="vRealizeOpsToken", verify=False),
    ]

    run = succeeded(in_process.play(tasks))

    token = run["created"]["token"]
    assert run["reused"]["headers"] == {"Authorization": f"vRealizeOpsToken {token}"}


def test_without_verification_the_validity_of_the_response_counts(in_process: InProcess, lab: Lab) -> None:
    tasks = [vcf_operations(name, **FILE, verify=False) for name in ("created", "reused")]

    run = succeeded(in_process.play(tasks))

    assert lines(lab.requests("vcf_operations")) == [ACQUIRE]
    assert 5.9 * HOURS < run["reused"]["expires_in"] <= 6 * HOURS


@pytest.mark.parametrize("validity", ["absent", "past", "far"])
def test_an_unusable_validity_is_a_warning_and_the_verification_says_how_long_the_token_is_valid(
    in_process: InProcess, lab: Lab, validity: str
) -> None:
    lab.change_settings("vcf_operations", validity=validity)

    run = succeeded(in_process.play([vcf_operations("created", **FILE), vcf_operations("reused", **FILE)]))

    assert "returned no usable expiry" in said(run)
    assert 5.9 * HOURS < run["created"]["expires_in"] <= 6 * HOURS
    assert run["reused"]["action"] == "reused"


def test_a_token_of_the_user_is_verified_and_released_and_a_second_release_changes_nothing(
    in_process: InProcess, lab: Lab
) -> None:
    held = {"token": "{{ created.token }}", **NO_PASSWORD}
    tasks = [
        vcf_operations("created"),
        vcf_operations("reused", **held),
        checked(vcf_operations("predicted", **held, state="absent")),
        vcf_operations("released", **held, state="absent"),
        vcf_operations("again", **held, state="absent"),
        failing(vcf_operations("refused", **held, renew="never")),
    ]

    run = succeeded(in_process.play(tasks))

    names = [task["register"] for task in tasks]
    cut = by_task(run, lab, "vcf_operations", *names)
    assert [lines(cut[name]) for name in names] == [
        [ACQUIRE, PROBE],
        [PROBE],
        [PROBE],
        [RELEASE, PROBE],
        [RELEASE],
        [PROBE],
    ]
    assert [run[name]["action"] for name in names] == ["created", "reused", "revoked", "revoked", "none", "none"]
    assert 5.9 * HOURS < run["reused"]["expires_in"] <= 6 * HOURS


def test_a_revoked_token_is_replaced_and_one_of_a_user_without_permission_is_not(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        vcf_operations("created", **FILE),
        end_tokens("revoked", "vcf_operations"),
        vcf_operations("renewed", **FILE),
        change_settings("vcf_operations", forbidden=True),
        failing(vcf_operations("forbidden", **FILE)),
    ]

    run = succeeded(in_process.play(tasks))

    assert run["renewed"]["action"] == "renewed"
    assert "status 403" in run["forbidden"]["msg"]
    assert lab.counts("vcf_operations")["acquisitions"] == 2


def test_an_invalid_request_is_reported_with_the_fields_that_the_server_names(in_process: InProcess, lab: Lab) -> None:
    body = {
        "message": "Invalid request body.",
        "apiErrorCode": 1400,
        "validationFailures": [{"violationPath": "authSource", "failureMessage": "is unknown"}],
    }
    lab.fault("vcf_operations", "status", path="/acquire", status=422, body=body)

    run = succeeded(in_process.play([failing(vcf_operations("refused"))]))

    assert "status 422, code 1400, 'Invalid request body.; authSource is unknown'" in run["refused"]["msg"]


def test_check_mode_predicts_and_acquires_and_releases_nothing(in_process: InProcess, lab: Lab) -> None:
    tasks = [
        checked(vcf_operations("creation", **FILE)),
        vcf_operations("created", **FILE),
        checked(vcf_operations("renewal", **FILE, renew="always")),
        checked(vcf_operations("revocation", **FILE, state="absent")),
    ]

    run = succeeded(in_process.play(tasks))

    assert [run[name]["action"] for name in ("creation", "renewal", "revocation")] == ["created", "renewed", "revoked"]
    assert lines(lab.requests("vcf_operations")) == [ACQUIRE, PROBE]
