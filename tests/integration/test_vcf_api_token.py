# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of an API token of the VCF SSO, and the list of all of them, as recorded by the lab."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from products.vcf_api import API, FILE, REALMS, deletion, info, vcf_api
from products.vidb import VIDB_CLIENT, vidb
from support.canaries import leaks
from support.in_process_plays import InProcess
from support.playbooks import AS_MODULE, IN_PROCESS, Ansible, Route
from support.tasks import by_task, change_settings, checked, failing, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab, LoggedRequest

DAY = 86400
SIGN_IN, SIGN_OUT = f"POST {API}/auth/token/acquire", f"POST {API}/auth/token/release"
LIST, CLIENTS = f"GET {REALMS}", f"POST {REALMS}/REALM/api-clients/query"
GENERATE, FIND = f"POST {REALMS}/REALM/api-tokens", f"POST {REALMS}/REALM/api-tokens/query"
READ, DELETE = f"GET {REALMS}/REALM/api-tokens/ID", f"DELETE {REALMS}/REALM/api-tokens/ID"
EXCHANGE = "POST /acs/t/CUSTOMER/token"
CREATES = [SIGN_IN, LIST, CLIENTS, GENERATE, EXCHANGE, SIGN_OUT]
NO_USER: dict[str, Any] = {"username": "{{ omit }}", "password": "{{ omit }}"}
ROUTES = [pytest.param(IN_PROCESS, id="in process"), pytest.param(AS_MODULE, id="as a module", marks=pytest.mark.slow)]


def lines(requests: list[LoggedRequest]) -> list[str]:
    """Method and path of each, without the ids."""
    found = [re.sub("/ssorealms/[0-9a-f-]{36}", "/ssorealms/REALM", f"{each.method} {each.path}") for each in requests]
    return [re.sub("/api-tokens/[0-9a-f-]{36}", "/api-tokens/ID", line) for line in found]


def stored(folder: Path) -> Any:
    return json.loads((folder / "vcf_api.json").read_text())


@pytest.mark.parametrize("route", ROUTES)
def test_an_api_token_is_created_reused_renewed_and_deleted_with_the_documented_requests(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    of_others = lab.act("vcf_api", "make_api_token")
    options = {"lifetime": "90d", "access_token_lifetime": "1h", "description": "root of all tokens"}
    tasks = [
        vcf_api("created", **options),
        vcf_api("reused", **NO_USER),
        vcf_api("renewed", renew="always", token_name="night"),
        vcf_api("deleted", state="absent"),
        vcf_api("gone", state="absent"),
    ]

    run = succeeded(ansible.play(tasks, route=route, arguments=["-vvv", "--diff"]))

    names = [task["register"] for task in tasks]
    cut = by_task(run, lab, None, *names)
    assert [lines(cut[name]) for name in names] == [
        CREATES,
        [EXCHANGE],
        [*CREATES[:5], DELETE, SIGN_OUT],
        [SIGN_IN, DELETE, EXCHANGE, SIGN_OUT],
        [],
    ]
    created, renewed = run["created"], run["renewed"]
    assert [(run[name]["changed"], run[name]["action"], run[name]["verified"]) for name in names] == [
        (True, "created", True),
        (False, "reused", True),
        (True, "renewed", True),
        (True, "revoked", True),
        (False, "none", False),
    ]
    assert json.loads(cut["created"][3].body) == {
        "tokenName": created["token_name"],
        "apiClientId": lab["vcf_api"]["api_client_id"],
        "tokenDescription": "root of all tokens",
        "apiTokenTtl": 90 * 24 * 60,
        "accessTokenTtl": 60,
    }
    assert dict(parse_qsl(cut["created"][4].body))["api_token"] == created["token"]
    assert re.fullmatch(r"sddc\.tokens-[0-9a-f]{16}", created["token_name"])
    assert renewed["token_name"].startswith("night-")
    assert created["token_type"] == "api_token"
    assert "headers" not in created
    assert 90 * DAY - 60 < created["expires_in"] <= 90 * DAY
    # The old one is deleted by its id after the new one was exchanged, and nobody else's.
    assert cut["renewed"][5].path.endswith(created["token_id"])
    assert cut["deleted"][1].path.endswith(renewed["token_id"])
    assert lab.counts("vcf_api")["api_tokens_valid"] == 1
    assert of_others not in {created["token_id"], renewed["token_id"]}
    assert not [entry for entry in lab.requests() if "regenerate" in entry.path]
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_an_api_token_that_expires_soon_is_replaced_and_its_predecessor_deleted_after_a_day(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        vcf_api("created"),
        *(change_settings(product, clock_offset=17 * DAY) for product in ("vcf_api", "vidb")),
        vcf_api("renewed"),
        vcf_api("kept"),
        *(change_settings(product, clock_offset=18 * DAY + 60) for product in ("vcf_api", "vidb")),
        vcf_api("cleaned"),
        vcf_api("settled"),
    ]

    run = succeeded(in_process.play(tasks))

    names = ["created", "renewed", "kept", "cleaned", "settled"]
    cut = by_task(run, lab, None, *names)
    assert [lines(cut[name]) for name in names] == [
        CREATES,
        [EXCHANGE, *CREATES],
        [EXCHANGE],
        [EXCHANGE, SIGN_IN, DELETE, SIGN_OUT],
        [EXCHANGE],
    ]
    assert [run[name]["action"] for name in names] == ["created", "renewed", "reused", "reused", "reused"]
    assert cut["cleaned"][2].path.endswith(run["created"]["token_id"])
    assert stored(in_process.folder)["superseded"] == []


@pytest.mark.parametrize("fault", ["drop_after", "truncate", "html", "empty"])
def test_an_api_token_whose_response_is_lost_is_found_by_its_name_and_deleted(
    in_process: InProcess, lab: Lab, fault: str
) -> None:
    lab.act("vcf_api", "make_api_token")
    lab.fault("vcf_api", fault, path="/api-tokens$", **({"work": True} if fault in ("html", "empty") else {}))

    run = in_process.play([failing(vcf_api("lost")), vcf_api("created")])

    cut = by_task(run, lab, None, "lost", "created")
    assert lines(cut["lost"]) == [*CREATES[:4], FIND, DELETE, SIGN_OUT]
    name = json.loads(cut["lost"][3].body)["tokenName"]
    (term,) = json.loads(cut["lost"][4].body)["searchTerms"]["allOf"]
    assert term == {"field": "TOKEN_NAME", "operator": "EQUALS", "terms": [name]}
    assert "may exist" not in run["lost"]["msg"]
    assert lines(cut["created"]) == CREATES
    assert lab.counts("vcf_api")["api_tokens_valid"] == 2


def test_a_lost_api_token_that_cannot_be_found_at_once_is_deleted_by_the_next_task(
    in_process: InProcess, lab: Lab
) -> None:
    lab.fault("vcf_api", "drop_after", path="/api-tokens$")
    lab.fault("vcf_api", "status", path="/api-tokens/query", status=403, times=1)

    run = in_process.play([failing(vcf_api("lost")), vcf_api("created")])

    name = stored(in_process.folder)["current"]["facts"]["token_name"]
    lost = re.search(r"with the name (\S+) may exist", run["lost"]["msg"])
    assert lost
    assert lost[1] != name
    cut = by_task(run, lab, None, "lost", "created")
    assert lines(cut["created"]) == [SIGN_IN, LIST, FIND, DELETE, CLIENTS, GENERATE, EXCHANGE, SIGN_OUT]
    assert lost[1] in said(run)
    assert lab.counts("vcf_api")["api_tokens_valid"] == 1


def test_a_new_api_token_that_the_broker_refuses_is_deleted_and_the_old_one_stays(
    in_process: InProcess, lab: Lab
) -> None:
    refusal = {"status": 400, "body": '{"error": "invalid_grant"}', "headers": {"Content-Type": "application/json"}}
    succeeded(in_process.play([vcf_api("created")]))
    lab.fault("vidb", "status", path="/token$", **refusal)

    run = in_process.play([failing(vcf_api("refused", renew="always")), vcf_api("reused")])

    assert (run["refused"]["failed"], run["refused"]["action"]) == (True, "none")
    assert run["reused"]["action"] == "reused"
    assert lab.counts("vcf_api")["api_tokens_valid"] == 1
    assert lab.counts("vcf_api")["deletions"] == 1


def test_a_stored_api_token_is_not_sent_to_another_broker(in_process: InProcess, lab: Lab) -> None:
    other = lab["vidb"]["url"].replace("127.0.0.1", "localhost")
    tasks = [vcf_api("created"), failing(vcf_api("elsewhere", vidb_hostname=other))]

    run = succeeded(in_process.play(tasks))

    assert by_task(run, lab, None, "created", "elsewhere")["elsewhere"] == []
    assert "vidb_hostname" in run["elsewhere"]["msg"]


def test_realm_and_client_are_compared_by_id_or_name_if_they_are_set(in_process: InProcess, lab: Lab) -> None:
    lab.change_settings("vcf_api", realms=2)
    details = lab["vcf_api"]
    realm, client_id = details["realm"], details["api_client_id"]
    tasks = [
        failing(vcf_api("several")),
        failing(vcf_api("unknown", realm="Elsewhere")),
        vcf_api("created", realm=realm),
        vcf_api("by_id", api_client=client_id),
        vcf_api("unnamed", api_client="{{ omit }}"),
        failing(vcf_api("other_realm", realm="Laboratory")),
        failing(vcf_api("other_client", api_client="Backup")),
        failing(vcf_api("no_client", realm=realm, api_client="{{ omit }}", token_file="{{ playbook_dir }}/new.json")),
    ]

    run = succeeded(in_process.play(tasks))

    actions = [run[task["register"]]["action"] for task in tasks]
    assert actions == ["none", "none", "created", "reused", "reused", "none", "none", "none"]
    assert "Corporate, Laboratory" in run["several"]["msg"]
    assert "option realm" in run["unknown"]["msg"]
    assert "not a vcf_api token of realm Laboratory" in run["other_realm"]["msg"]
    assert "option api_client" in run["no_client"]["msg"]
    assert lab.counts("vcf_api")["generated"] == 1


def test_a_token_id_deletes_the_api_token_of_anybody_and_check_mode_deletes_nothing(
    in_process: InProcess, lab: Lab
) -> None:
    number = lab.act("vcf_api", "make_api_token", name="forgotten script", user=True)
    tasks = [
        checked(deletion("predicted", token_id=number)),
        deletion("deleted", token_id=number),
        deletion("gone", token_id=number),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, None, "predicted", "deleted", "gone")
    assert lines(cut["predicted"]) == [SIGN_IN, LIST, READ, SIGN_OUT]
    assert lines(cut["deleted"]) == [SIGN_IN, LIST, READ, DELETE, READ, SIGN_OUT]
    assert [(run[name]["changed"], run[name]["action"]) for name in ("predicted", "deleted", "gone")] == [
        (True, "revoked"),
        (True, "revoked"),
        (False, "none"),
    ]
    assert (run["deleted"]["token_name"], run["deleted"]["verified"]) == ("forgotten script", True)
    assert lab.counts("vcf_api")["api_tokens_valid"] == 0


def test_a_deletion_that_did_not_happen_is_a_failure(in_process: InProcess, lab: Lab) -> None:
    number = lab.act("vcf_api", "make_api_token")
    lab.change_settings("vcf_api", deletes=False)
    tasks = [
        failing(deletion("by_id", token_id=number)),
        vcf_api("created"),
        failing(vcf_api("stored", state="absent")),
    ]

    run = succeeded(in_process.play(tasks))

    assert [run[name]["failed"] for name in ("by_id", "stored")] == [True, True]
    assert stored(in_process.folder)["current"]["facts"]["token_id"] == run["created"]["token_id"]


def test_an_access_token_signs_requests_without_a_sign_in(in_process: InProcess, lab: Lab) -> None:
    access = {**NO_USER, "access_token": "{{ vidb.token }}"}

    run = succeeded(in_process.play([vidb("vidb", **VIDB_CLIENT), info("listed", **access)]))

    log = by_task(run, lab, None, "vidb", "listed")["listed"]
    assert lines(log) == [LIST, FIND]
    assert log[0].header("Authorization") == f"Bearer {run['vidb']['token']}"


@pytest.mark.parametrize(
    ("option", "value"),
    [("lifetime", "29d"), ("lifetime", "181d"), ("access_token_lifetime", "29m"), ("access_token_lifetime", "9h")],
)
def test_a_lifetime_outside_of_the_limits_is_refused_before_any_request(
    in_process: InProcess, lab: Lab, option: str, value: str
) -> None:
    run = in_process.play([failing(vcf_api("refused", **{option: value}))])

    assert f"option {option}" in run["refused"]["msg"]
    assert lab.requests() == []


MADE = {
    "fresh": {},
    "used": {"age_days": 60, "used_days_ago": 1},
    "forgotten": {"age_days": 60, "used_days_ago": 50},
    "never used": {"age_days": 40},
    "ending": {"age_days": 85, "used_days_ago": 0},
    "expired": {"age_days": 91, "used_days_ago": 2},
    "personal": {"age_days": 60, "user": True},
}


@pytest.mark.parametrize("times", ["ms", "s"])
@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, list(MADE)),
        ({"status": "active"}, [name for name in MADE if name != "expired"]),
        ({"status": "expired"}, ["expired"]),
        ({"unused_for": "30d"}, ["forgotten", "never used", "personal"]),
        ({"unused_for": "30d", "api_client": "Backup"}, ["forgotten", "never used"]),
        ({"expiring_within": "7d"}, ["ending"]),
        ({"api_client": "Automation"}, []),
    ],
    ids=str,
)
def test_the_list_has_the_api_tokens_that_meet_all_options_from_all_pages(
    in_process: InProcess, lab: Lab, times: str, options: dict[str, Any], names: list[str]
) -> None:
    lab.change_settings("vcf_api", longest_page=2, times=times)
    for name, values in MADE.items():
        lab.act("vcf_api", "make_api_token", name=name, **values)

    run = succeeded(in_process.play([info("listed", **options)]))

    found = run["listed"]["api_tokens"]
    assert sorted(entry["name"] for entry in found) == sorted(names)
    assert [entry["expires_at"] for entry in found] == sorted(entry["expires_at"] for entry in found)
    assert not leaks({"result": json.dumps(run["listed"])}, [secret["value"] for secret in lab.secrets()])


def test_an_entry_of_the_list_has_the_facts_of_its_api_token(in_process: InProcess, lab: Lab) -> None:
    number = lab.act("vcf_api", "make_api_token", name="personal", age_days=60, user=True)
    lab.change_settings("vcf_api", times="absent")

    run = succeeded(in_process.play([info("listed")]))

    (entry,) = run["listed"]["api_tokens"]
    assert len(entry.pop("last_characters")) == 4
    assert entry == {
        "id": number,
        "name": "personal",
        "status": "active",
        "type": "user",
        "principal": "user@example.com",
        "api_client": None,
        "created_at": None,
        "expires_at": None,
        "last_used_at": None,
    }


def test_a_run_without_a_stored_name_or_pending_token_looks_for_no_stray(in_process: InProcess, lab: Lab) -> None:
    run = succeeded(in_process.play([vcf_api("created"), info("listed")]))

    (entry,) = run["listed"]["api_tokens"]
    assert (entry["id"], entry["status"]) == (run["created"]["token_id"], "active")
    assert entry["last_used_at"] is not None
    assert FIND not in lines(by_task(run, lab, None, "created", "listed")["created"])
    assert stored(in_process.folder)["current"]["facts"]["broker"] == lab["vidb"]["url"].removeprefix("https://")
    assert FILE["token_file"].endswith("vcf_api.json")


PLAYBOOK = "sddc.tokens.revoke_unused_api_tokens"


def revoke_unused(ansible: Ansible, lab: Lab, *arguments: str) -> str:
    """Run the playbook, and return its output."""
    details = lab["vcf_api"]
    user = {f"VCF_OPERATIONS_{name.upper()}": details[name] for name in ("username", "password")}
    environ = {**user, "VCF_OPERATIONS_HOST": details["url"], "SSL_CERT_FILE": lab.ca_path}
    done = ansible.playbook(PLAYBOOK, arguments=list(arguments), environ=environ)
    assert done.returncode == 0, done.output
    return done.stdout


def test_the_playbook_deletes_unused_api_tokens_only_on_request(ansible: Ansible, lab: Lab) -> None:
    for name, values in MADE.items():
        lab.act("vcf_api", "make_api_token", name=name, **values)

    told = revoke_unused(ansible, lab, "-e", "revoke_unused_api_tokens_unused_for=30d")

    assert lab.counts("vcf_api")["deletions"] == 0
    assert sorted(re.findall("[0-9a-f]{12} (.+) of ", told)) == ["forgotten", "never used", "personal"]
    arguments = ("-e", "revoke_unused_api_tokens_unused_for=30d", "-e", "revoke_unused_api_tokens_delete=true")

    assert "changed=1" in revoke_unused(ansible, lab, *arguments)

    assert lab.counts("vcf_api")["deletions"] == 3
    assert lab.counts("vcf_api")["api_tokens_valid"] == len(MADE) - 3 - 1


@pytest.mark.slow
def test_the_playbook_deletes_nothing_by_default_or_in_check_mode(ansible: Ansible, lab: Lab) -> None:
    lab.act("vcf_api", "make_api_token", age_days=91 - 1, lifetime_days=180)
    lab.act("vcf_api", "make_api_token", age_days=91, lifetime_days=180)

    told = revoke_unused(ansible, lab, "--check", "-e", "revoke_unused_api_tokens_delete=true")

    assert "changed=1" in told
    assert lab.counts("vcf_api")["deletions"] == 0
    assert not [entry for entry in lab.requests() if entry.method == "DELETE"]
