# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overflow tokens of the broker: expanded, registered with vCenter and verified, as recorded by the lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from products.vcenter import VIDB_BY_TASK, vcenter
from products.vidb import VIDB_CLIENT, vidb
from products.vrni import vrni
from support.canaries import leaks
from support.in_process_plays import InProcess
from support.playbooks import Ansible, Task
from support.tasks import by_task, change_settings, checked, end_tokens, failing, lines, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

GRANT = "POST /acs/t/CUSTOMER/token"
PROBE = "GET /api/vcenter/datacenter"
EXPAND = "GET /acs/t/CUSTOMER/expand-access-token?format=jwt"
REGISTER = "POST /api/vcenter/registered-tokens"
WHOLE = [PROBE, EXPAND, REGISTER, PROBE]
FILE = "{{ playbook_dir }}/token.json"


def test_an_overflow_token_is_expanded_registered_and_verified_and_again_is_one_request(
    ansible: Ansible, lab: Lab
) -> None:
    tasks = [
        vidb("plain", **VIDB_CLIENT),
        vcenter("no_overflow", access_token="{{ plain.token }}"),
        vidb("vidb"),
        checked(vcenter("predicted")),
        vcenter("registered"),
        vcenter("again"),
        checked(vcenter("predicted_again")),
        vcenter("sealed", return_token=False),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vvv", "--diff"]))

    names = ["plain", "no_overflow", "vidb", "predicted", "registered", "again", "predicted_again", "sealed"]
    cut = by_task(run, lab, None, *names)
    assert [lines(cut[name]) for name in names] == [[GRANT], [], [GRANT], [PROBE], WHOLE, [PROBE], [PROBE], [PROBE]]
    assert [entry.status for entry in cut["registered"]] == [401, 200, 204, 200]
    assert {entry.header("Authorization") for entry in cut["registered"]} == {f"Bearer {run['vidb']['token']}"}
    assert (run["no_overflow"]["changed"], run["no_overflow"]["action"]) == (False, "none")
    registered = run["registered"]
    assert (registered["changed"], registered["action"], registered["verified"]) == (True, "registered", True)
    assert (registered["token"], registered["token_type"]) == (run["vidb"]["token"], "Bearer")
    assert registered["headers"] == {"Authorization": f"Bearer {run['vidb']['token']}"}
    predicted = run["predicted"]
    assert (predicted["changed"], predicted["action"], predicted["verified"]) == (True, "registered", False)
    for name in ("again", "predicted_again"):
        assert (run[name]["changed"], run[name]["action"], run[name]["verified"]) == (False, "none", True)
    assert not {"token", "headers"} & set(run["sealed"])
    assert lab.counts("vcenter")["registrations"] == 1
    assert lab.counts("vidb")["expansions"] == 1
    assert lab.counts("vcenter")["tokens_minted"] == 0
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_an_overflow_link_to_another_host_is_refused_before_a_request_unless_it_is_trusted(
    in_process: InProcess, lab: Lab
) -> None:
    (foreign,) = lab.add_addresses(1)
    authority = f"{foreign}:{urlsplit(lab['vidb']['url']).port}"
    elsewhere = {"iss": "https://sso.example.com/acs/t/CUSTOMER"}
    issued_elsewhere = lab.act("vidb", "make_access_token", issuer=lab["vidb"]["url"], claims=elsewhere)
    here = lab["vidb"]["url"].removeprefix("https://")
    tasks = [
        change_settings("vidb", ovl_host=authority),
        vidb("vidb"),
        failing(vcenter("foreign")),
        failing(vcenter("other_port", trusted_issuers=[foreign])),
        failing(checked(vcenter("predicted"))),
        failing(vcenter("asked", trusted_issuers=[authority])),
        change_settings("vidb", ovl_host=f"{authority}\\@{here}"),
        vidb("two_hosts"),
        failing(vcenter("parsed_once", access_token="{{ two_hosts.token }}")),
        failing(vcenter("elsewhere", access_token=issued_elsewhere)),
        vcenter("trusted", access_token=issued_elsewhere, trusted_issuers=[here]),
    ]

    run = succeeded(in_process.play(tasks))

    names = ["vidb", "foreign", "other_port", "predicted", "asked", "two_hosts", "parsed_once", "elsewhere", "trusted"]
    cut = by_task(run, lab, None, *names)
    for name in ("foreign", "other_port", "predicted", "elsewhere"):
        assert lines(cut[name]) == [PROBE], name
    for name in ("foreign", "other_port", "predicted"):
        assert f"has an overflow link to {authority}, which is not its issuer" in run[name]["msg"]
        assert "to trusted_issuers" in run[name]["msg"]
    assert REGISTER not in lines([entry for name in names[:-1] for entry in cut[name]])
    (seen,) = lab.requests("vidb", host=foreign)
    assert seen in cut["asked"], "only the task that trusts the host sent it a request"
    assert seen.header("Authorization") == f"Bearer {run['vidb']['token']}"
    assert run["asked"]["msg"].startswith(f"Could not expand the access token on {authority}")
    assert "Get a new access token" in run["asked"]["msg"]
    assert "ovl" in run["parsed_once"]["msg"]
    assert lines(cut["trusted"]) == WHOLE
    assert run["trusted"]["action"] == "registered"


@pytest.mark.parametrize("status", [200, 403])
def test_the_page_of_a_proxy_never_proves_a_token(in_process: InProcess, lab: Lab, status: int) -> None:
    lab.fault("vcenter", "html", path="/datacenter", status=status)
    lab.fault("vcenter", "html", path="/datacenter", status=status, skip=1)

    run = succeeded(in_process.play([vidb("vidb"), failing(vcenter("before")), failing(vcenter("after"))]))

    cut = by_task(run, lab, None, "vidb", "before", "after")
    assert lines(cut["before"]) == [PROBE], "no page of a proxy leads to a registration"
    for name in ("before", "after"):
        assert run[name]["failed"]
        assert "check whether the access token is accepted" in run[name]["msg"]
        assert "HTML" in run[name]["msg"]


def test_a_403_of_vcenter_counts_as_accepted_and_missing_rights_and_releases_are_named(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        change_settings("vcenter", datacenter_status=403),
        vidb("vidb"),
        vcenter("registered"),
        vcenter("again"),
        change_settings("vcenter", system_read=False),
        vidb("vidb"),
        failing(vcenter("no_right")),
        change_settings("vcenter", system_read=True, registration_api=False),
        failing(vcenter("old_release")),
        failing(vcenter("wrong_probe", probe_path="/api/nowhere")),
        failing(vcenter("foreign_probe", probe_path="https://example.com/api")),
    ]

    run = succeeded(in_process.play(tasks))

    assert [run[name]["action"] for name in ("registered", "again")] == ["registered", "none"]
    assert run["again"]["verified"] is True
    assert run["again"]["request_count"] == 1
    for name, told in (("no_right", "403"), ("old_release", "404")):
        assert run[name]["msg"].startswith("Could not register the expanded access token on 127.0.0.1:")
        assert f"returned status {told}" in run[name]["msg"]
        assert run[name]["changed"] is False
    assert "code UNAUTHORIZED" in run["no_right"]["msg"]
    assert "the privilege System.Read" in run["no_right"]["msg"]
    assert "Registered tokens require vCenter 9.1" in run["old_release"]["msg"]
    assert "Check hostname and probe_path" in run["wrong_probe"]["msg"]
    assert "probe_path" in run["foreign_probe"]["msg"]
    assert lab.counts("vcenter")["registrations"] == 1


def expanded_by_hand(register: str) -> Task:
    """The expanded token, fetched without the module."""
    return {
        "name": "Expand",
        "ansible.builtin.uri": {
            "url": "{{ (vidb.token | sddc.tokens.jwt_claims).ovl }}?format=jwt",
            "headers": {"Authorization": "Bearer {{ vidb.token }}"},
            "return_content": True,
            "ca_path": "{{ ca_path }}",
        },
        "register": register,
    }


def test_an_expanded_token_that_is_given_is_not_fetched_and_the_query_of_a_link_is_kept(
    ansible: Ansible, lab: Lab
) -> None:
    tasks = [
        vidb("vidb"),
        expanded_by_hand("expanded"),
        vcenter("given", expanded_access_token="{{ expanded.content }}"),
        vidb("vidb"),
        failing(vcenter("of_another", expanded_access_token="{{ expanded.content }}")),
        change_settings("vidb", ovl_query="realm=lab%20one&node=2", jwt_form="json"),
        vidb("vidb"),
        vcenter("with_query"),
    ]

    run = succeeded(ansible.play(tasks))

    log = lines(lab.requests())
    assert run["given"]["request_count"] == 3
    assert log[:6] == [GRANT, EXPAND, PROBE, REGISTER, PROBE, GRANT]
    assert run["given"]["action"] == "registered"
    assert log[6:8] == [PROBE, REGISTER]
    assert "does not belong to the overflow token" in run["of_another"]["msg"]
    (asked,) = lab.requests("vidb")[-1:]
    assert asked.parameters == {"realm": "lab one", "node": "2", "format": "jwt"}
    assert run["with_query"]["action"] == "registered"
    assert lab.counts("vidb")["expansions"] == 2


def test_one_task_registers_with_credentials_or_a_token_file_and_returns_no_refresh_token(
    ansible: Ansible, lab: Lab
) -> None:
    by_file: dict[str, Any] = {"access_token": "{{ omit }}", "token_file": FILE}
    own_file = "{{ playbook_dir }}/own.json"
    tasks = [
        checked(vcenter("predicted", **VIDB_BY_TASK)),
        vcenter("by_task", **VIDB_BY_TASK),
        vidb("kept", token_file=FILE),
        vcenter("by_file", **by_file),
        vcenter("by_file_again", **by_file),
        vcenter("by_both", **VIDB_BY_TASK, token_file=own_file),
        vcenter("by_both_again", **VIDB_BY_TASK, token_file=own_file),
        failing(vcenter("no_file", **{**by_file, "token_file": "{{ playbook_dir }}/none.json"})),
        vrni("vrni", token_file="{{ playbook_dir }}/vrni.json"),
        failing(vcenter("other_file", **{**by_file, "token_file": "{{ playbook_dir }}/vrni.json"})),
        failing(vcenter("refused", **{**VIDB_BY_TASK, "vidb_api_token": "wrong-token-of-the-user"})),
        failing(vcenter("no_broker", **{**VIDB_BY_TASK, "vidb_hostname": "{{ omit }}"})),
        end_tokens("revoked", "vidb"),
        failing(vcenter("dead", **by_file)),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vvv"]))

    names = ["predicted", "by_task", "kept", "by_file", "by_file_again", "by_both", "by_both_again"]
    log = lines(lab.requests())
    counts = [run[name]["request_count"] for name in names]
    assert counts == [0, 5, 1, 4, 1, 5, 1]
    assert log[:17] == [GRANT, *WHOLE, GRANT, *WHOLE, PROBE, GRANT, *WHOLE, PROBE]
    assert (run["predicted"]["changed"], run["predicted"]["action"]) == (True, "registered")
    assert "Check mode creates no access token" in said(run)
    for name in ("by_task", "by_file", "by_both"):
        assert (run[name]["action"], run[name]["verified"]) == ("registered", True)
    assert run["by_file"]["token"] == run["kept"]["token"]
    assert [name for name in names if "refresh_token" in run[name]] == ["kept"]
    assert "There is no token in" in run["no_file"]["msg"]
    assert "First run the module that creates this token" in run["no_file"]["msg"]
    assert "holds a vrni token, but a vidb token is required" in run["other_file"]["msg"]
    assert "Check vidb_api_token" in run["refused"]["msg"]
    assert "vidb_hostname" in run["no_broker"]["msg"]
    assert run["dead"]["failed"]
    assert "Get a new access token" in run["dead"]["msg"]
    secrets = [secret["value"] for secret in lab.secrets()]
    assert leaks({"output": run.output}, ["wrong-token-of-the-user", *secrets]) == []


def test_a_response_proves_a_token_only_if_it_depends_on_the_token(in_process: InProcess, lab: Lab) -> None:
    nothing: dict[str, Any] = {"probe_path": "/api/vcenter/datacenter?names=none-of-this-name"}
    (mock,) = lab.add_addresses(1)
    lab.fault("vcenter", "status", host=mock, status=200, times=0, body=[])
    tasks = [
        vidb("vidb"),
        vcenter("registered"),
        vcenter("empty_list", **nothing),
        failing(vcenter("of_a_mock", hostname=lab.url("vcenter", mock), **nothing)),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, None, "vidb", "registered", "empty_list", "of_a_mock")
    for name in ("empty_list", "of_a_mock"):
        signed, unsigned = cut[name]
        assert (signed.line, unsigned.line) == (f"{PROBE}?names=none-of-this-name",) * 2
        assert signed.header("Authorization") == f"Bearer {run['vidb']['token']}"
        assert unsigned.header("Authorization") is None
    assert [entry.status for entry in cut["empty_list"]] == [200, 401]
    assert (run["empty_list"]["action"], run["empty_list"]["verified"]) == ("none", True)
    assert run["of_a_mock"]["failed"]
