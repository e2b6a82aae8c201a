# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role nsx_partner_service: find the instances with a JWT alarm, and re-authenticate them.

A new manager of the lab has two instances with such an alarm, and a third with another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
import trustme

from products.csp import csp
from support.playbooks import Ansible
from support.roles import mended, note, play, role, tally, task_file
from support.tasks import change_settings, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

NAME = "nsx_partner_service"
ABOVE = "/infra/tier-0s/T0-main/locale-services/"
COMPLAINING = [f"{ABOVE}default/service-instances/partner-fw-01", f"{ABOVE}edge-east/service-instances/partner-fw-02"]
MISSING = f"{ABOVE}default/service-instances/no-such-instance"
USER = {"username": "{{ lab.nsx.username }}", "password": "{{ lab.nsx.password }}"}
# The tokens of an earlier task.
GIVEN = {"csp_api_token": None, "access_token": "{{ csp.token }}", "open_id_token": "{{ csp.id_token }}"}


def reauthenticated(lab: Lab) -> list[str]:
    """The paths of the instances that were re-authenticated."""
    posts = [entry for entry in lab.requests("nsx") if entry.method == "POST"]
    return sorted(unquote(entry.path).split("/policy/api/v1")[1] for entry in posts)


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    """The reason of each change, by the instance's path."""
    return {entry["path"]: entry["reason"] for entry in result["instances"]}


def test_alarmed_instances_are_reauthenticated_with_one_exchange_and_again_nothing_changes(
    ansible: Ansible, lab: Lab
) -> None:
    tasks = [role(NAME), note("first", NAME), role(NAME)]

    run = succeeded(play(ansible, tasks, keep=["first"]))

    assert reauthenticated(lab) == COMPLAINING
    assert len(lab.requests("csp")) == 2, "one exchange for each inclusion"
    assert lab.counts("nsx")["alarms"] == 1, "it waited until both are cleared, and ignored the other alarm"
    assert len(outcomes(run["first"])) == lab.counts("nsx")["service_instances"]
    assert [path for path, reason in outcomes(run["first"]).items() if reason == "alarm"] == COMPLAINING
    assert "2 due for re-authentication (" + ", ".join(COMPLAINING) + "), 2 re-authenticated, 0 failed." in said(run)
    assert "0 due for re-authentication, 0 re-authenticated, 0 failed." in said(run)
    assert (run["first"]["changed"], run[f"{NAME}_result"]["changed"]) == (True, False)
    assert tally(run)["changed"] == 1


def test_explicit_instances_are_not_searched_and_a_failed_one_does_not_stop_the_others(
    ansible: Ansible, lab: Lab
) -> None:
    vmc = {
        "hostname": "{{ lab.nsx.proxy_url }}",
        "force": True,
        "csp_auth_token_header": True,
        "service_instances": [COMPLAINING[0], MISSING, COMPLAINING[1]],
    }
    tasks = [
        mended(role(NAME, **vmc)),
        note("forced", NAME),
        mended(role(NAME, csp_api_token="no such token")),
    ]

    run = succeeded(play(ansible, tasks, keep=["forced"]))

    log = lab.requests("nsx")
    assert {entry.method for entry in log} == {"POST"}, "nothing is searched, and no alarm is read"
    assert all(entry.header("csp-auth-token") for entry in log)
    assert lab.counts("nsx")["reauths"] == 2
    forced = run["forced"]
    assert (forced["failed"], forced["changed"]) == (True, True)
    assert {entry["path"] for entry in forced["instances"] if entry["error"]} == {MISSING}
    assert f"1 of 3 instances failed: {MISSING}" in said(run)
    assert "3 service instances: 3 due for re-authentication" in said(run)
    assert said(run).count("service instances: 3 due") == 1, "a failed inclusion does not repeat the report of another"
    assert run[f"{NAME}_result"] == {}, "nor does it keep the result of another"


def test_existing_tokens_are_used_from_a_variable_the_environment_or_a_file(ansible: Ansible, lab: Lab) -> None:
    file = "{{ playbook_dir }}/csp.json"
    here = {"service_instances": COMPLAINING[:1]}
    tasks = [
        csp("csp", token_file=str(ansible.folder / "by_module.json")),
        role(NAME, **here, **GIVEN),
        role(NAME, **here, csp_api_token=None, token_file="{{ playbook_dir }}/by_module.json"),
        role(NAME, **here, token_file=file),
        role(NAME, token_file=file),
    ]
    run = succeeded(play(ansible, tasks, keep=["csp"]))
    assert len(lab.requests("csp")) == 2, "one for the earlier task, one for the file"
    assert reauthenticated(lab) == COMPLAINING

    lab.clear_requests()
    environ = {"NSX_ACCESS_TOKEN": run["csp"]["token"], "NSX_OPEN_ID_TOKEN": run["csp"]["id_token"]}
    succeeded(play(ansible, [role(NAME, csp_api_token=None, csp_hostname=None)], environ=environ))
    assert lab.requests("csp") == []
    assert {entry.header("Authorization") for entry in lab.requests("nsx")} == {f"Bearer {run['csp']['token']}"}


def test_an_alarm_that_does_not_clear_in_time_fails_the_role_and_the_report_is_still_shown(
    ansible: Ansible, lab: Lab
) -> None:
    lab.change_settings("nsx", alarm_clear_delay=-1)

    run = play(ansible, [role(NAME, wait_timeout=0.5)])

    assert run.returncode != 0
    assert "the alarm is still raised 0.5 s after the re-authentication" in said(run)
    assert "2 re-authenticated, 2 failed." in said(run)
    result = run[f"{NAME}_result"]
    assert (result["failed"], result["changed"]) == (True, True)
    assert lab.counts("nsx")["reauths"] == 2


@pytest.mark.slow
def test_the_search_is_limited_by_ids_and_the_alarms_by_the_pattern(ansible: Ansible, lab: Lab) -> None:
    tasks = [
        role(NAME, tier0_id="T0-lab", alarm_pattern="VM .* is down", wait=False),
        note("by_gateway", NAME),
        role(NAME, tier0_id="T0-main", locale_service_id="default", service_instance_id="partner-fw-01", wait=False),
    ]

    run = succeeded(play(ansible, tasks, keep=["by_gateway"]))

    found = outcomes(run["by_gateway"])
    assert found
    assert all(path.startswith("/infra/tier-0s/T0-lab/") for path in found)
    assert outcomes(run[f"{NAME}_result"]) == {COMPLAINING[0]: "alarm"}
    assert len(reauthenticated(lab)) == 2


def test_check_mode_predicts_and_creates_nothing(ansible: Ansible, lab: Lab) -> None:
    tasks = [role(NAME, **USER), note("reading", NAME), role(NAME), note("blind", NAME)]
    tasks += [role(NAME, service_instances=COMPLAINING)]

    run = succeeded(play(ansible, tasks, keep=["reading", "blind"], arguments=["--check"]))

    assert lab.requests("csp") == []
    assert {entry.method for entry in lab.requests("nsx")} == {"GET"}
    assert (run["reading"]["changed"], run["blind"]["changed"]) == (True, False)
    assert [path for path, reason in outcomes(run["reading"]).items() if reason == "alarm"] == COMPLAINING
    assert "The service instances are unknown" in said(run)
    assert outcomes(run[f"{NAME}_result"]) == dict.fromkeys(COMPLAINING, "unknown_in_check_mode")


@pytest.mark.slow
def test_variables_of_the_play_with_the_same_names_do_not_change_the_report(ansible: Ansible, lab: Lab) -> None:
    """Registered variables of a play override the variables of a role's tasks."""
    names = ["found", "due", "names", "failed", "changed", "headline", "outcome", "token", "error", "result"]
    task_file(ansible, "nothing.yml", [{"name": "Nothing", "ansible.builtin.meta": "noop"}])
    refused = {"product": "csp", "name": "wrong", "token_file": "{{ playbook_dir }}/csp.json", "api_token": "wrong"}
    entry = {**refused, "hostname": "{{ lab.csp.url }}", "ca_path": "{{ ca_path }}"}
    tasks = [
        {"name": "Take the names", "ansible.builtin.set_fact": dict.fromkeys(names, "TAKEN")},
        change_settings("nsx", alarm_clear_delay=0),
        role(NAME),
        role("vrni_session", tasks="nothing.yml"),
        role("vcenter_overflow_token"),
        role("avi_service_engine_token", tasks="nothing.yml", engines=[{"name": "se-01"}]),
        role("token_rotation", tokens=[entry]),
    ]

    run = play(ansible, tasks)

    assert run.returncode != 0, "the failure of the rotation is reported"
    assert "TAKEN" not in run.output
    assert "2 re-authenticated, 0 failed." in said(run)
    assert "1 token: 0 changed, 1 failed, 0 unchanged." in said(run)


def test_the_ca_path_of_the_manager_is_not_used_for_the_cloud(ansible: Ansible, lab: Lab) -> None:
    (ansible.folder / "private.pem").write_bytes(trustme.CA().cert_pem.bytes())
    private = str(ansible.folder / "private.pem")

    run = play(ansible, [role(NAME, ca_path=private, csp_ca_path="{{ ca_path }}")])

    assert run.returncode == 2
    assert "certificate is not trusted" in run.output
    assert len(lab.requests("csp")) == 1, "the exchange used its own CA certificate"
    assert lab.requests("nsx") == [], "and the manager the private one"
