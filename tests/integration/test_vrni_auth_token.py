# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of a token of Aria Operations for Networks, as recorded by the lab."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from products.vrni import LDAP, VIDM, vidm_client, vrni
from support.in_process_plays import InProcess
from support.playbooks import Ansible
from support.tasks import by_task, change_settings, checked, end_tokens, failing, lines, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

CREATE = "POST /api/ni/auth/token"
CREATE_FROM_VIDM = "POST /api/ni/auth/token/vidm"
PROBE = "GET /api/ni/info/version"
REVOKE = "DELETE /api/ni/auth/token"
LIFETIME = 18000
FILE = "{{ playbook_dir }}/token.json"


def signed(result: dict[str, Any]) -> str:
    return str(result["headers"]["Authorization"])


def test_a_token_is_created_for_local_ldap_and_vidm_users_with_the_documented_requests(
    ansible: Ansible, lab: Lab
) -> None:
    run = succeeded(ansible.play([vrni("local"), vrni("ldap", **LDAP), vrni("vidm", **VIDM)]))

    cut = by_task(run, lab, "vrni", "local", "ldap", "vidm")
    details = lab["vrni"]
    assert [json.loads(requests[0].body) for requests in cut.values()] == [
        {
            "username": details["username"],
            "password": details["password"],
            "domain": {"domain_type": "LOCAL"},
        },
        {
            "username": details["ldap_username"],
            "password": details["ldap_password"],
            "domain": {"domain_type": "LDAP", "value": details["ldap_domain"]},
        },
        {"vidm_token": details["vidm_token"]},
    ]
    assert [lines(requests) for requests in cut.values()] == [
        [CREATE, PROBE],
        [CREATE, PROBE],
        [CREATE_FROM_VIDM, PROBE],
    ]
    assert lab.counts("vrni")["tokens_valid"] == 3
    for name, (create, probe) in cut.items():
        result = run[name]
        assert (result["changed"], result["action"], result["verified"]) == (True, "created", True)
        assert create.header("Authorization") is None
        assert probe.header("Authorization") == signed(result) == f"NetworkInsight {result['token']}"
        assert create.connection == probe.connection, "one connection is reused"
        assert result["token_type"] == "NetworkInsight"
        assert result["fingerprint"] == hashlib.sha256(result["token"].encode()).hexdigest()[:12]
        assert LIFETIME - 60 <= result["expires_in"] <= LIFETIME + 1


def test_a_valid_stored_token_is_reused_with_one_request_and_with_none_without_verify(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        vrni("created", token_file=FILE),
        vrni("reused", token_file=FILE),
        vrni("trusted", token_file=FILE, verify=False),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vrni", "created", "reused", "trusted")
    assert [lines(requests) for requests in cut.values()] == [[CREATE, PROBE], [PROBE], []]
    for name, verified in (("reused", True), ("trusted", False)):
        assert (run[name]["changed"], run[name]["action"], run[name]["verified"]) == (False, "reused", verified)
        assert run[name]["token"] == run["created"]["token"]
        assert run[name]["expires_at"] == run["created"]["expires_at"]
    assert lab.counts("vrni")["tokens_minted"] == 1


def test_a_task_with_verify_max_age_sends_no_request_while_the_stored_proof_is_recent(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        vrni("created", token_file=FILE),
        vrni("young", token_file=FILE, verify_max_age=300),
        vrni("old", token_file=FILE, verify_max_age=0.0001),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vrni", "created", "young", "old")
    assert [lines(requests) for requests in cut.values()] == [[CREATE, PROBE], [], [PROBE]]
    assert [run[name]["verified"] for name in cut] == [True, True, True]
    assert run["young"]["verified_at"] == run["created"]["verified_at"]


def test_a_token_that_expires_too_soon_is_revoked_only_after_the_new_one_works(in_process: InProcess, lab: Lab) -> None:
    tasks = [
        vrni("created", token_file=FILE),
        change_settings("vrni", clock_offset=LIFETIME - 2000),
        vrni("enough", token_file=FILE, min_remaining=1000),
        vrni("renewed", token_file=FILE, min_remaining=3000, revoke_old=True),
        vrni("settled", token_file=FILE, min_remaining=3000),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vrni", "created", "enough", "renewed", "settled")
    assert lines(cut["enough"]) == [PROBE], "the clock of the server decides, not the local one"
    assert lines(cut["renewed"]) == [PROBE, CREATE, PROBE, REVOKE]
    old, new = signed(run["created"]), signed(run["renewed"])
    assert [entry.header("Authorization") for entry in cut["renewed"]] == [old, None, new, old]
    assert [entry.status for entry in cut["renewed"]] == [200, 200, 200, 204]
    assert (run["enough"]["action"], run["renewed"]["action"], run["settled"]["action"]) == (
        "reused",
        "renewed",
        "reused",
    )
    assert run["settled"]["token"] == run["renewed"]["token"]
    assert lab.counts("vrni")["tokens_valid"] == 1
    assert lab.counts("vrni")["tokens_revoked"] == 1


def test_renew_always_replaces_a_valid_token_and_renew_never_fails_where_one_is_needed(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        failing(vrni("nothing", token_file=FILE, renew="never")),
        vrni("created", token_file=FILE),
        vrni("kept", token_file=FILE, renew="never"),
        vrni("always", token_file=FILE, renew="always"),
        vrni("unrevoked", token_file=FILE, renew="always", revoke_old=False),
        change_settings("vrni", clock_offset=LIFETIME - 200),
        failing(vrni("never", token_file=FILE, renew="never")),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vrni", "nothing", "created", "kept", "always", "unrevoked", "never")
    assert lines(cut["nothing"]) == []
    assert (run["kept"]["action"], run["kept"]["changed"]) == ("reused", False)
    assert lines(cut["always"]) == [CREATE, PROBE, REVOKE]
    assert lines(cut["unrevoked"]) == [CREATE, PROBE]
    assert lines(cut["never"]) == [PROBE]
    assert run["never"]["failed"]
    assert "renew: auto" in run["never"]["msg"]
    assert "it expires at" in run["never"]["msg"]
    assert "renew: auto" in run["nothing"]["msg"]
    assert lab.counts("vrni")["tokens_valid"] == 2, "the last one, and the one that must not be revoked"


def test_a_token_that_is_given_is_used_if_valid_and_replaced_otherwise(in_process: InProcess, lab: Lab) -> None:
    given = "{{ created.token }}"
    tasks = [
        vrni("created"),
        vrni("reused", token=given),
        vrni("trusted", token=given, verify=False),
        end_tokens("revoked", "vrni"),
        failing(vrni("never", token=given, renew="never")),
        checked(vrni("predicted", token=given)),
        vrni("replaced", token=given),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vrni", "created", "reused", "trusted", "never", "predicted", "replaced")
    assert [lines(requests) for requests in cut.values()] == [
        [CREATE, PROBE],
        [PROBE],
        [],
        [PROBE],
        [PROBE],
        [PROBE, CREATE, PROBE],
    ]
    assert run["reused"]["token"] == run["trusted"]["token"] == run["created"]["token"]
    assert (run["reused"]["changed"], run["reused"]["action"]) == (False, "reused")
    assert "the server does not accept it" in run["never"]["msg"]
    assert run["predicted"]["action"] == run["replaced"]["action"] == "renewed"
    assert "token" not in run["predicted"]
    assert run["replaced"]["token"] != run["created"]["token"]
    assert lab.counts("vrni")["tokens_valid"] == 1


def test_absent_revokes_by_token_and_by_file_verifies_it_and_is_idempotent(in_process: InProcess, lab: Lab) -> None:
    tasks = [
        vrni("held"),
        vrni("stored", token_file=FILE),
        vrni("by_token", token="{{ held.token }}", state="absent"),
        vrni("by_token_again", token="{{ held.token }}", state="absent"),
        vrni("by_file", token_file=FILE, state="absent"),
        vrni("by_file_again", token_file=FILE, state="absent"),
        failing(vrni("by_nothing", state="absent")),
    ]

    run = succeeded(in_process.play(tasks))

    ended = ["by_token", "by_token_again", "by_file", "by_file_again"]
    cut = by_task(run, lab, "vrni", "held", "stored", *ended)
    assert [lines(cut[name]) for name in ended] == [[REVOKE, PROBE], [REVOKE], [REVOKE, PROBE], []]
    assert [entry.status for name in ended for entry in cut[name]] == [204, 401, 401, 204, 401]
    assert [run[name]["changed"] for name in ended] == [True, False, True, False]
    assert [run[name]["action"] for name in ended] == ["revoked", "none", "revoked", "none"]
    assert run["by_token"]["verified"]
    assert run["by_file"]["verified"]
    assert not (in_process.folder / "token.json").exists()
    assert "token, token_file" in run["by_nothing"]["msg"]
    assert lab.counts("vrni")["tokens_valid"] == 0


def test_a_replaced_token_that_cannot_be_revoked_does_not_change_the_result_until_it_is(
    in_process: InProcess, lab: Lab
) -> None:
    lab.fault("vrni", "status", method="DELETE", times=2, status=500)
    names = ["renewed", "unrevoked", "revoked", "reused"]
    tasks = [
        vrni("created", token_file=FILE),
        vrni("renewed", token_file=FILE, renew="always"),
        *(vrni(name, token_file=FILE) for name in names[1:]),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vrni", "created", *names)
    assert [lines(cut[name])[-1] for name in names] == [REVOKE, REVOKE, REVOKE, PROBE]
    assert [cut[name][-1].status for name in names] == [500, 500, 204, 200]
    assert [(run[name]["changed"], run[name]["action"]) for name in names] == [
        (True, "renewed"),
        (False, "reused"),
        (True, "reused"),
        (False, "reused"),
    ]
    assert lab.counts("vrni")["tokens_valid"] == 1


def test_a_token_that_was_revoked_on_the_server_leads_to_one_renewal_without_a_loop(
    in_process: InProcess, lab: Lab
) -> None:
    lab.fault("vrni", "status", method="GET", path="/info/version", skip=3, times=0, status=401)
    tasks = [
        vrni("created", token_file=FILE),
        end_tokens("revoked", "vrni"),
        vrni("renewed", token_file=FILE),
        failing(vrni("refused", token_file=FILE)),
        vrni("trusted", token_file=FILE, verify=False),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vrni", "created", "renewed", "refused", "trusted")
    assert lines(cut["renewed"]) == [PROBE, CREATE, PROBE], "an invalid token is not revoked again"
    assert run["renewed"]["action"] == "renewed"
    assert lines(cut["refused"]) == [PROBE, CREATE, PROBE, REVOKE], (
        "a token that does not work is not left on the server"
    )
    assert "does not accept the token that it has just created" in run["refused"]["msg"]
    assert run["trusted"]["token"] == run["renewed"]["token"], "the old one stays"
    assert lab.counts("vrni")["tokens_valid"] == 1


def test_check_mode_predicts_the_next_action_and_creates_revokes_and_writes_nothing(
    in_process: InProcess, lab: Lab
) -> None:
    situations: dict[str, tuple[list[Any], dict[str, Any]]] = {
        "new": ([], {"token_file": FILE}),
        "good": ([], {"token_file": FILE}),
        "always": ([], {"token_file": FILE, "renew": "always"}),
        "revoked": ([end_tokens("revoked", "vrni")], {"token_file": FILE}),
        "expiring": ([change_settings("vrni", clock_offset=LIFETIME - 200)], {"token_file": FILE}),
        "without_file": ([], {}),
        "absent_file": ([], {"token_file": FILE, "state": "absent"}),
        "absent_file_again": ([], {"token_file": FILE, "state": "absent"}),
        "absent_token": ([], {"token": "{{ without_file.token }}", "state": "absent"}),
        "absent_token_again": ([], {"token": "{{ without_file.token }}", "state": "absent"}),
    }
    tasks, names = [], []
    for name, (before, options) in situations.items():
        tasks += [*before, checked(vrni(f"{name}_predicted", **options)), vrni(name, **options)]
        names += [f"{name}_predicted", name]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "vrni", *names)
    for name in situations:
        predicted, done = run[f"{name}_predicted"], run[name]
        assert (predicted["action"], predicted["changed"]) == (done["action"], done["changed"]), name
        assert set(lines(cut[f"{name}_predicted"])) <= {PROBE}, name
        assert predicted.get("token") == (done["token"] if done["action"] == "reused" else None), name
    assert [run[name]["action"] for name in situations] == [
        "created",
        "reused",
        "renewed",
        "renewed",
        "renewed",
        "created",
        "revoked",
        "none",
        "revoked",
        "none",
    ]


def test_a_diff_shows_fingerprint_and_expiry_and_no_token(in_process: InProcess, lab: Lab) -> None:
    tasks = [
        checked(vrni("predicted", token_file=FILE)),
        vrni("created", token_file=FILE),
        vrni("reused", token_file=FILE),
        vrni("renewed", token_file=FILE, renew="always"),
        vrni("revoked", token_file=FILE, state="absent"),
    ]

    run = succeeded(in_process.play(tasks, diff=True))

    def shown(name: str) -> dict[str, Any]:
        return {key: run[name][key] for key in ("fingerprint", "expires_at")}

    unknown = dict.fromkeys(("fingerprint", "expires_at"), "known after the run")
    assert run["predicted"]["diff"] == {"before": {}, "after": unknown}
    assert run["created"]["diff"] == {"before": {}, "after": shown("created")}
    assert run["reused"]["diff"] == {"before": shown("created"), "after": shown("created")}
    assert run["renewed"]["diff"] == {"before": shown("created"), "after": shown("renewed")}
    assert run["revoked"]["diff"] == {"before": shown("renewed"), "after": {}}


def test_a_refused_login_names_wrong_password_and_token_limit_as_causes_and_revokes_nothing(
    in_process: InProcess, lab: Lab
) -> None:
    lab.change_settings("vrni", token_limit=2)
    tasks = [
        failing(vrni("wrong", password="wrong-{{ lab.vrni.password }}")),
        vrni("first", token_file=FILE),
        vrni("second"),
        failing(vrni("third")),
        vrni("reused", token_file=FILE),
    ]

    run = succeeded(in_process.play(tasks))

    for name in ("wrong", "third"):
        message = run[name]["msg"]
        assert message.startswith("Could not create an auth token on 127.0.0.1:")
        assert "returned status 401" in message
        assert "password" in message
        assert "100 valid tokens" in message
        assert lab["vrni"]["password"] not in message
        assert run[name]["request_count"] == 1
    assert lab.counts("vrni")["refused_for_limit"] == 1
    assert lab.counts("vrni")["tokens_valid"] == 2
    assert run["reused"]["action"] == "reused"


def test_the_vidm_client_is_read_without_signing_in_and_a_missing_one_is_named(ansible: Ansible, lab: Lab) -> None:
    tasks = [
        checked(vidm_client("found")),
        change_settings("vrni", vidm="not_configured"),
        failing(vidm_client("absent")),
    ]

    run = succeeded(ansible.play(tasks))

    asked = lab.requests("vrni")
    assert lines(asked) == ["GET /api/ni/auth/vidm/client-id"] * 2
    assert {entry.header("Authorization") for entry in asked} == {None}
    assert run["found"]["changed"] is False
    assert run["found"]["client_id"].startswith("vrni-")
    assert run["found"]["vidm_appliance"] == lab["vrni"]["url"].removeprefix("https://")
    assert "returned status 403" in run["absent"]["msg"]
    assert "Check that vIDM is configured and enabled" in run["absent"]["msg"]
