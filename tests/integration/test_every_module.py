# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every module: groups of module_defaults, equal results by every route, no async."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.canaries import leaks
from support.playbooks import AS_MODULE, IN_PROCESS, OVER_SSH, Ansible, Route, Run, Task, module
from support.tasks import (
    VIDB_BY_TASK,
    VIDB_CLIENT,
    avi,
    checked,
    failing,
    nsx,
    sddc_manager,
    succeeded,
    vcenter,
    vidb,
)

if TYPE_CHECKING:
    from lab.client import Lab

MODULES = Path(__file__).resolve().parents[2] / "plugins" / "modules"
IDS: dict[str, Any] = {"tier0_id": "T0-main", "locale_service_id": "default"}
ONE: dict[str, Any] = {**IDS, "service_instance_id": "partner-fw-01"}
CSP: dict[str, Any] = {"csp_hostname": "{{ lab.csp.url }}", "csp_api_token": "{{ lab.csp.api_token }}"}
NO_TOKENS: dict[str, Any] = {"access_token": "{{ omit }}", "open_id_token": "{{ omit }}"}
FILE = "{{ playbook_dir }}/token.json"
USER: dict[str, Any] = {"username": "{{ lab.nsx.username }}", "password": "{{ lab.nsx.password }}"}
LOCAL = pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)
# What differs from run to run, and from lab to lab.
VOLATILE = {
    *("token", "id_token", "refresh_token", "headers", "fingerprint", "issued_at", "expires_at", "expires_in"),
    *("uuid", "url", "ova_properties", "cluster_uuid", "exception", "principal"),
}


def signed_in_as(product: str) -> dict[str, str]:
    """Server, user and password."""
    keys = {"hostname": "url", "username": "username", "password": "password"}
    return {option: f"{{{{ lab.{product}.{key} }}}}" for option, key in keys.items()}


@LOCAL
def test_defaults_for_the_groups_of_all_products_reach_every_module_and_break_none(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    defaults = {
        "group/sddc.tokens.all": {"ca_path": "{{ ca_path }}", "timeout": 20, "retries": 1},
        "group/sddc.tokens.csp": {"hostname": "{{ lab.csp.url }}", "api_token": "{{ lab.csp.api_token }}"},
        "group/sddc.tokens.nsx": {**signed_in_as("nsx"), **ONE},
        "group/sddc.tokens.vrni": {"hostname": "{{ lab.vrni.url }}"},
        "group/sddc.tokens.sddc_manager": signed_in_as("sddc_manager"),
        "group/sddc.tokens.vidb": {"hostname": "{{ lab.vidb.url }}", "api_token": "{{ lab.vidb.api_token }}"},
        "group/sddc.tokens.vcenter": {"hostname": "{{ lab.vcenter.url }}"},
        "group/sddc.tokens.avi": {**signed_in_as("avi"), "tenant": "lab"},
    }
    user = {option: value for option, value in signed_in_as("vrni").items() if option != "hostname"}
    tokens: dict[str, Any] = {"access_token": "{{ csp.token }}", "open_id_token": "{{ csp.id_token }}"}
    tasks = [
        module("csp_access_token", "csp"),
        module("nsx_service_instance_info", "nsx_info"),
        module("nsx_service_reauth", "nsx", **tokens, wait=False),
        module("vrni_auth_token", "vrni", **user),
        module("vrni_vidm_client_info", "vrni_info"),
        module("sddc_manager_token", "sddc_manager"),
        module("vidb_access_token", "vidb"),
        module("vcenter_registered_token", "vcenter", access_token="{{ vidb.token }}"),
        {"name": "Create", "sddc.tokens.avi_securechanneltoken": {"name": "se-01"}, "register": "avi"},
        module("avi_securechanneltoken_info", "avi_info"),
        module("avi_se_auth_token", "engine", cloud="Default-Cloud"),
    ]

    run = succeeded(ansible.play(tasks, route=route, keywords={"module_defaults": defaults}, arguments=["-vvv"]))

    actions = {name: result["action"] for name, result in run.by_host["sddc"].items()}
    assert actions == {
        **dict.fromkeys(("csp", "vrni", "sddc_manager", "vidb", "avi", "engine"), "created"),
        **dict.fromkeys(("nsx_info", "vrni_info", "avi_info"), "none"),
        "nsx": "reauthenticated",
        "vcenter": "registered",
    }
    assert {entry.header("X-Avi-Tenant") for entry in lab.requests("avi") if entry.path.startswith("/api/")} == {"lab"}
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_the_credentials_of_a_product_may_stand_in_the_defaults_for_its_group(ansible: Ansible, lab: Lab) -> None:
    defaults = {"group/sddc.tokens.vrni": {**signed_in_as("vrni"), "ca_path": "{{ ca_path }}"}}
    tasks = [module("vrni_auth_token", "vrni"), module("vrni_vidm_client_info", "vrni_info")]

    run = succeeded(ansible.play(tasks, keywords={"module_defaults": defaults}))

    assert run["vrni"]["action"] == "created"
    assert run["vrni_info"]["client_id"]


def every_kind_of_result() -> list[Task]:
    """Each newer module in success, failure and check mode."""
    base: dict[str, Any] = {"ca_path": "{{ ca_path }}"}
    manager: dict[str, Any] = {**base, "hostname": "{{ lab.nsx.url }}"}
    return [
        vidb("vidb", token_file=FILE),
        checked(vidb("vidb_predicted", token_file=FILE, renew="always")),
        vidb("vidb_client", **VIDB_CLIENT, return_token=False),
        failing(vidb("vidb_refused", api_token="a-wrong-api-token")),
        failing(vidb("vidb_misplaced", tenant="CUSTOMER", client_secret="a-secret-for-nothing")),
        checked(vcenter("vcenter_predicted")),
        vcenter("vcenter"),
        vcenter("vcenter_again", access_token="{{ omit }}", token_file=FILE),
        checked(vcenter("vcenter_unminted", **VIDB_BY_TASK)),
        failing(vcenter("vcenter_refused", probe_path="/api/nowhere")),
        vidb("vidb_gone", state="absent", token_file=FILE),
        checked(sddc_manager("sddc_predicted", token_file=FILE)),
        sddc_manager("sddc", token_file=FILE),
        sddc_manager("sddc_again", token_file=FILE),
        sddc_manager("sddc_refreshed", token_file=FILE, renew="always", return_token=False),
        checked(sddc_manager("sddc_gone_predicted", token_file=FILE, state="absent")),
        sddc_manager("sddc_gone", token_file=FILE, state="absent"),
        failing(sddc_manager("sddc_refused", password="a-wrong-password")),
        failing(sddc_manager("sddc_misplaced", refresh_token="a-secret-for-nothing")),
        checked(avi("avi_predicted", name="se-01", lifetime=3600)),
        avi("avi", name="se-01", lifetime=3600, metadata={"rack": "4"}),
        avi("avi_updated", name="se-01", metadata={"rack": "5"}, return_token=False),
        failing(avi("avi_refused", name="se-01", password="a-wrong-password")),
        failing(avi("avi_misplaced", name="se-01", lifetime="soon")),
        avi("avi_info", of="avi_securechanneltoken_info"),
        avi("avi_info_shown", of="avi_securechanneltoken_info", return_token=True),
        avi("engine", of="avi_se_auth_token", cloud="Default-Cloud"),
        checked(avi("engine_predicted", of="avi_se_auth_token", cloud="Default-Cloud")),
        failing(avi("engine_refused", of="avi_se_auth_token", cloud="No-Cloud")),
        avi("avi_deleted", name="se-01", state="absent"),
        module("nsx_service_instance_info", "nsx_info", **manager, **USER, **ONE),
        failing(
            module("nsx_service_instance_info", "nsx_refused", **manager, **{**USER, "password": "wrong-password"})
        ),
        nsx("nsx_by_credentials", **NO_TOKENS, **CSP, **ONE, wait=False),
        failing(nsx("nsx_no_file", **NO_TOKENS, token_file="/no/such/file.json", **ONE)),
        module("vrni_vidm_client_info", "vrni_info", **base, hostname="{{ lab.vrni.url }}"),
        failing(module("vrni_vidm_client_info", "vrni_refused", **base, hostname="{{ lab.vrni.url }}")),
        vidb("vidb_kept", token_file=FILE),
        module("token_file_info", "files", paths=[FILE, "/no/such/file.json"]),
        failing(module("token_file_info", "files_misplaced")),
    ]


def steady(value: Any) -> Any:
    """A result without what differs from run to run; that it is there is kept."""
    if isinstance(value, dict):
        return {key: "volatile" if key in VOLATILE else steady(item) for key, item in value.items()}
    if isinstance(value, list):
        return [steady(item) for item in value]
    return value


def results_of(run: Run) -> dict[str, Any]:
    results = {}
    for name, result in run.by_host["sddc"].items():
        results[name] = steady(result)
        # Newer cores tell where in the playbook a warning came from.
        texts = [re.sub(r".*msg=(['\"])(.*?)\1, .*", r"\2", text) for text in result.get("warnings", ())]
        results[name]["warnings"] = [re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z|\b[0-9a-f]{12}\b", "...", text) for text in texts]
    return results


@pytest.mark.parametrize(
    "route", [AS_MODULE, pytest.param(OVER_SSH, marks=pytest.mark.slow)], ids=lambda route: route.name
)
def test_every_newer_module_gives_the_same_results_by_every_route_and_none_shows_a_secret(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    told, logged = {}, {}
    for route_taken in (IN_PROCESS, route):
        lab.reset()
        (ansible.folder / "token.json").unlink(missing_ok=True)
        lab.fault("vrni", "status", path="/client-id", skip=1, status=403, body={"code": 403, "message": "No vIDM"})
        run = succeeded(ansible.play(every_kind_of_result(), route=route_taken, arguments=["-vvv"]))
        told[route_taken.name] = results_of(run)
        logged[route_taken.name] = [
            (entry.product, entry.method, re.sub(r"[0-9a-f-]{36}$", "", entry.path)) for entry in lab.requests()
        ]
        assert ("EXEC" in run.output) != route_taken.in_process
        mine = ["a-wrong-api-token", "a-secret-for-nothing", "a-wrong-password"]
        assert leaks({"output": run.output}, [*mine, *(value["value"] for value in lab.secrets())]) == []

    for name, result in told[IN_PROCESS.name].items():
        assert told[route.name][name] == result, name
        assert bool(result.get("failed")) == name.endswith(("refused", "misplaced", "no_file")), name
    assert logged[route.name] == logged[IN_PROCESS.name]


def test_no_module_runs_with_async(ansible: Ansible, lab: Lab) -> None:
    names = sorted(path.stem for path in MODULES.glob("*.py"))
    tasks = [{**failing(module(name, name)), "async": 30, "poll": 0} for name in names]

    run = succeeded(ansible.play(tasks))

    assert len(names) > 10
    for name in names:
        assert "cannot run with async" in run[name]["msg"], name
    assert lab.requests() == []
