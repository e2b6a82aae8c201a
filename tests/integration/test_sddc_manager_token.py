# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of an access token of SDDC Manager and of its refresh token, as recorded by the lab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products.sddc_manager import KIT, sddc_manager
from support.canaries import leaks
from support.in_process import done
from support.in_process_plays import InProcess
from support.playbooks import AS_MODULE, IN_PROCESS, Ansible, Route
from support.tasks import by_task, change_settings, checked, end_tokens, failing, lines, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

CREATE = "POST /v1/tokens"
REFRESH = "PATCH /v1/tokens/access-token/refresh"
REVOKE = "DELETE /v1/tokens/refresh-token"
PROBE = "GET /v1/sddc-managers"
PROBE_INSTALLER = "GET /v1/sddcs"
FILE = "{{ playbook_dir }}/token.json"
NO_PASSWORD = {"password": "{{ omit }}"}
LOCAL = pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)


def summary(result: dict[str, Any]) -> tuple[bool, str, bool]:
    return result["changed"], result["action"], result["verified"]


@LOCAL
def test_a_token_pair_is_created_reused_refreshed_and_revoked_with_the_documented_requests(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    tasks = [
        sddc_manager("created", token_file=FILE),
        sddc_manager("reused", token_file=FILE, **NO_PASSWORD),
        sddc_manager("refreshed", token_file=FILE, renew="always", **NO_PASSWORD),
        sddc_manager("revoked", token_file=FILE, state="absent", **NO_PASSWORD),
        sddc_manager("gone", token_file=FILE, state="absent", **NO_PASSWORD),
    ]

    run = succeeded(ansible.play(tasks, route=route, arguments=["-vvv", "--diff"]))

    names = [task["register"] for task in tasks]
    cut = by_task(run, lab, "sddc_manager", *names)
    assert [lines(cut[name]) for name in names] == [[CREATE, PROBE], [PROBE], [REFRESH, PROBE], [REVOKE, REFRESH], []]
    created, refreshed = run["created"], run["refreshed"]
    details = lab["sddc_manager"]
    assert json.loads(cut["created"][0].body) == {"username": details["username"], "password": details["password"]}
    assert [cut["refreshed"][0].body, cut["revoked"][0].body] == [json.dumps(created["refresh_token"])] * 2
    assert cut["refreshed"][1].header("Authorization") == f"Bearer {refreshed['token']}"
    assert [summary(run[name]) for name in names] == [
        (True, "created", True),
        (False, "reused", True),
        (True, "renewed", True),
        (True, "revoked", True),
        (False, "none", False),
    ]
    assert created["headers"] == {"Authorization": f"Bearer {created['token']}"}
    assert 3000 < created["expires_in"] <= 3600
    assert run["reused"]["token"] == created["token"] != refreshed["token"]
    assert refreshed["refresh_token"] == created["refresh_token"]
    assert f"cannot revoke the token {refreshed['fingerprint']}. It is valid until {refreshed['expires_at']}" in said(
        run
    )
    counts = lab.counts("sddc_manager")
    assert (counts["sign_ins"], counts["refreshes"], counts["refresh_tokens_valid"]) == (1, 1, 0)
    assert not (ansible.folder / "token.json").exists()
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_an_expiring_token_is_refreshed_without_a_password_and_an_old_pair_needs_the_password(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        sddc_manager("created", token_file=FILE),
        change_settings("sddc_manager", clock_offset=3500),
        sddc_manager("refreshed", token_file=FILE, **NO_PASSWORD),
        change_settings("sddc_manager", clock_offset=90000),
        failing(sddc_manager("locked_out", token_file=FILE, **NO_PASSWORD)),
        sddc_manager("signed_in", token_file=FILE),
    ]

    run = succeeded(in_process.play(tasks))

    names = ["created", "refreshed", "locked_out", "signed_in"]
    cut = by_task(run, lab, "sddc_manager", *names)
    # Without a response, the clock offset of the file is used, with which the token is valid for another hour.
    assert [lines(cut[name]) for name in names] == [
        [CREATE, PROBE],
        [PROBE, REFRESH, PROBE],
        [PROBE, REFRESH],
        [PROBE, REFRESH, CREATE, PROBE],
    ]
    assert [run[name]["action"] for name in names] == ["created", "renewed", "none", "renewed"]
    assert "The option password is required to create a token" in run["locked_out"]["msg"]
    assert lab.counts("sddc_manager")["refresh_tokens_valid"] == 1


@pytest.mark.parametrize("page", [None, "<html><body>404 Not Found</body></html>"], ids=["json", "html"])
def test_the_token_of_an_installer_is_verified_reused_replaced_and_revoked(
    in_process: InProcess, lab: Lab, page: str | None
) -> None:
    lab.change_settings("sddc_manager", is_installer=True)
    if page:
        headers = {"Content-Type": "text/html"}
        lab.fault("sddc_manager", "status", path="/v1/sddc-managers", status=404, body=page, headers=headers, times=0)
    tasks = [
        sddc_manager("created", token_file=FILE),
        sddc_manager("reused", token_file=FILE, **NO_PASSWORD),
        change_settings("sddc_manager", clock_offset=3700),
        sddc_manager("refreshed", token_file=FILE, **NO_PASSWORD),
        sddc_manager("revoked", token_file=FILE, state="absent", **NO_PASSWORD),
    ]

    run = succeeded(in_process.play(tasks))

    names = ["created", "reused", "refreshed", "revoked"]
    cut = by_task(run, lab, "sddc_manager", *names)
    probes = [PROBE, PROBE_INSTALLER]
    assert [lines(cut[name]) for name in names] == [
        [CREATE, *probes],
        probes,
        [*probes, REFRESH, *probes],
        [REVOKE, REFRESH],
    ]
    assert [summary(run[name]) for name in names] == [
        (True, "created", True),
        (False, "reused", True),
        (True, "renewed", True),
        (True, "revoked", True),
    ]


def test_a_server_that_lists_neither_managers_nor_installations_is_an_error(in_process: InProcess, lab: Lab) -> None:
    lab.fault("sddc_manager", "status", path="/v1/sddc-managers", status=404, body={"message": "Unknown path"})

    run = succeeded(in_process.play([failing(sddc_manager("created"))]))

    assert "the server returned status 404" in run["created"]["msg"]
    assert lines(lab.requests("sddc_manager"))[:3] == [CREATE, PROBE, PROBE_INSTALLER]
    assert lab.counts("sddc_manager")["refresh_tokens_valid"] == 0


@pytest.mark.parametrize("status", [400, 404])
def test_a_revoked_refresh_token_leads_to_a_new_sign_in(in_process: InProcess, lab: Lab, status: int) -> None:
    lab.change_settings("sddc_manager", refused_status=status)
    tasks = [
        sddc_manager("created", token_file=FILE),
        end_tokens("revoked", "sddc_manager"),
        sddc_manager("renewed", token_file=FILE),
        sddc_manager("reused", token_file=FILE),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "sddc_manager", "created", "renewed", "reused")
    assert lines(cut["renewed"]) == [PROBE, REFRESH, CREATE, PROBE]
    assert [run[name]["action"] for name in ("renewed", "reused")] == ["renewed", "reused"]


@pytest.mark.parametrize(("settings", "status"), [({"refresh_response": "bare"}, 201), ({"create_status": 200}, 200)])
def test_responses_are_read_in_each_form_that_the_vendor_documents(
    in_process: InProcess, lab: Lab, settings: dict[str, Any], status: int
) -> None:
    lab.change_settings("sddc_manager", **settings)

    run = succeeded(
        in_process.play(
            [sddc_manager("created", token_file=FILE), sddc_manager("renewed", token_file=FILE, renew="always")]
        )
    )

    assert [run[name]["action"] for name in ("created", "renewed")] == ["created", "renewed"]
    assert lab.requests("sddc_manager")[0].status == status
    assert lab.counts("sddc_manager")["refreshes"] == 1


def test_a_token_of_the_user_is_reused_refreshed_and_revoked_with_its_refresh_token(
    in_process: InProcess, lab: Lab
) -> None:
    held = {"token": "{{ created.token }}", "refresh_token": "{{ created.refresh_token }}", **NO_PASSWORD}
    tasks = [
        sddc_manager("created"),
        sddc_manager("reused", **held),
        sddc_manager("refreshed", **held, min_remaining=3000, renew="always", revoke_old=True),
        checked(sddc_manager("predicted", **held, state="absent")),
        sddc_manager("alone", state="absent", token="{{ created.token }}"),
        sddc_manager("revoked", **held, state="absent"),
        sddc_manager("again", **held, state="absent"),
        failing(sddc_manager("refused", **held, renew="always")),
        failing(sddc_manager("misplaced", refresh_token="{{ created.refresh_token }}")),
    ]

    run = succeeded(in_process.play(tasks))

    names = [task["register"] for task in tasks]
    cut = by_task(run, lab, "sddc_manager", *names)
    assert [lines(cut[name]) for name in names] == [
        [CREATE, PROBE],
        [PROBE],
        [REFRESH, PROBE],
        [],
        [],
        [REVOKE, REFRESH],
        [REVOKE, REFRESH],
        [REFRESH],
        [],
    ]
    assert [run[name]["action"] for name in names] == [
        *("created", "reused", "renewed", "revoked", "none", "revoked", "none", "none", "none"),
    ]
    assert run["reused"]["refresh_token"] == run["created"]["refresh_token"]
    assert "password is required" in run["refused"]["msg"]
    assert "The option refresh_token is set without token" in run["misplaced"]["msg"]
    assert "cannot revoke the token" in said(run)


def test_check_mode_of_absent_predicts_the_revocation_for_an_expired_access_token(
    in_process: InProcess, lab: Lab
) -> None:
    held = {"token": "{{ created.token }}", "refresh_token": "{{ created.refresh_token }}", **NO_PASSWORD}
    tasks = [
        sddc_manager("created"),
        change_settings("sddc_manager", clock_offset=3700),
        checked(sddc_manager("predicted", **held, state="absent")),
        sddc_manager("revoked", **held, state="absent"),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "sddc_manager", "created", "predicted", "revoked")
    assert lines(cut["predicted"]) == []
    assert summary(run["predicted"]) == (True, "revoked", False)
    assert summary(run["revoked"]) == (True, "revoked", True)
    assert "Check mode cannot check the refresh token" in said(run)


def test_check_mode_predicts_a_renewal_and_a_revocation_and_refreshes_nothing(in_process: InProcess, lab: Lab) -> None:
    tasks = [
        sddc_manager("created", token_file=FILE),
        checked(sddc_manager("renewal", token_file=FILE, renew="always")),
        checked(sddc_manager("revocation", token_file=FILE, state="absent")),
    ]

    run = succeeded(in_process.play(tasks, diff=True))

    assert [run[name]["action"] for name in ("renewal", "revocation")] == ["renewed", "revoked"]
    assert lines(lab.requests("sddc_manager")) == [CREATE, PROBE]
    shown = {"fingerprint": run["created"]["fingerprint"], "expires_at": run["created"]["expires_at"]}
    unknown = dict.fromkeys(shown, "known after the run")
    assert run["renewal"]["diff"] == {"before": shown, "after": unknown}
    assert run["revocation"]["diff"] == {"before": shown, "after": {}}


def test_a_server_error_at_a_refresh_is_named_and_no_password_is_sent(in_process: InProcess, lab: Lab) -> None:
    lab.fault("sddc_manager", "status", method="PATCH", status=500, body={"errorCode": "X1", "message": "Out of disk"})
    tasks = [
        sddc_manager("created", token_file=FILE),
        failing(sddc_manager("failed", token_file=FILE, renew="always")),
        sddc_manager("kept", token_file=FILE, renew="never"),
        failing(sddc_manager("refused", password="not-the-password")),
    ]

    run = succeeded(in_process.play(tasks))

    assert "Could not refresh an access token on 127.0.0.1" in run["failed"]["msg"]
    assert "the server returned status 500, code X1, 'Out of disk'" in run["failed"]["msg"]
    assert run["kept"]["action"] == "reused"
    assert "code IDENTITY_UNAUTHORIZED_ENTITY" in run["refused"]["msg"]
    assert "Check username and password" in run["refused"]["msg"]
    assert lab.counts("sddc_manager")["sign_ins"] == 1


def test_a_failed_revocation_is_an_error_and_the_file_stays(in_process: InProcess, lab: Lab) -> None:
    lab.fault("sddc_manager", "status", method="DELETE", status=204)

    run = succeeded(
        in_process.play(
            [sddc_manager("created", token_file=FILE), failing(sddc_manager("ended", token_file=FILE, state="absent"))]
        )
    )

    assert "the server still accepts the token after it confirmed the revocation" in run["ended"]["msg"]
    assert (in_process.folder / "token.json").exists()
    assert lab.counts("sddc_manager")["refresh_tokens_valid"] == 1


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize("blocked", [["DELETE"], ["DELETE", "PATCH"]], ids=str)
def test_a_revocation_that_a_gateway_blocks_is_not_taken_as_done_and_the_file_stays(
    in_process: InProcess, lab: Lab, status: int, blocked: list[str]
) -> None:
    for method in blocked:
        lab.fault("sddc_manager", "status", method=method, status=status, body={"message": "Blocked"})
    tasks = [
        sddc_manager("created", token_file=FILE),
        failing(sddc_manager("blocked", token_file=FILE, state="absent")),
        sddc_manager("revoked", token_file=FILE, state="absent"),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "sddc_manager", *(task["register"] for task in tasks))
    assert [lines(cut[name]) for name in ("blocked", "revoked")] == [[REVOKE, REFRESH]] * 2
    reason = "'Blocked'" if "PATCH" in blocked else "the server refused to revoke the token and still accepts it"
    assert reason in run["blocked"]["msg"]
    assert summary(run["revoked"]) == (True, "revoked", True)
    assert lab.counts("sddc_manager")["refresh_tokens_valid"] == 0


def test_a_replaced_pair_whose_revocation_is_blocked_stays_in_the_file_until_it_is_revoked(
    in_process: InProcess, lab: Lab
) -> None:
    for method in ("PATCH", "DELETE"):
        lab.fault("sddc_manager", "status", method=method, status=403, body={"message": "Blocked"})
    tasks = [
        sddc_manager("created", token_file=FILE),
        sddc_manager("signed_in", token_file=FILE, renew="always"),
        sddc_manager("finished", token_file=FILE),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "sddc_manager", *(task["register"] for task in tasks))
    assert [lines(cut[name]) for name in ("signed_in", "finished")] == [
        [REFRESH, CREATE, PROBE, REVOKE, REFRESH],
        [PROBE, REVOKE],
    ]
    assert f"The replaced token {run['created']['fingerprint']} is still valid" in said(run)
    assert lab.counts("sddc_manager")["refresh_tokens_valid"] == 1


def test_refresh_token_that_cannot_be_encoded_is_an_error_and_is_not_stored(lab: Lab, tmp_path: Path) -> None:
    job, file = KIT.jobs["creates and keeps"], tmp_path / "token.json"
    body = json.dumps({"accessToken": "header.e30.signature", "refreshToken": {"id": "\ud800"}})
    lab.fault("sddc_manager", "status", status=200, body=body, headers={"Content-Type": "application/json"})

    failed = done(job, lab.details, str(file))

    assert "'refreshToken' in the response contains characters" in failed.message
    assert not file.exists()
    assert not done(job, lab.details, str(file)).result.get("failed")
