# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of authentication of both NSX modules, and the listing of service instances."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from products.csp import csp
from products.nsx import nsx
from support.canaries import leaks
from support.playbooks import Ansible, Task, module
from support.tasks import by_task, change_settings, checked, end_tokens, failing, lines, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

POLICY = "/policy/api/v1"
ALARMS = f"GET {POLICY}/infra/realized-state/alarms?page_size=1000"
T0_MAIN = f"{POLICY}/infra/tier-0s/T0-main/locale-services"
INSTANCES = f"GET {T0_MAIN}/default/service-instances?page_size=1000"
EXCHANGE = "POST /csp/gateway/am/api/auth/api-tokens/authorize"
JWT_ALARM = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"
IDS: dict[str, Any] = {"tier0_id": "T0-main", "locale_service_id": "default"}
ONE: dict[str, Any] = {**IDS, "service_instance_id": "partner-fw-01"}
USER: dict[str, Any] = {"username": "{{ lab.nsx.username }}", "password": "{{ lab.nsx.password }}"}
CERTIFICATE: dict[str, Any] = {"client_cert": "{{ lab.nsx.client_cert }}", "client_key": "{{ lab.nsx.client_key }}"}
CSP: dict[str, Any] = {"csp_hostname": "{{ lab.csp.url }}", "csp_api_token": "{{ lab.csp.api_token }}"}
CSP_APP: dict[str, Any] = {
    "csp_hostname": "{{ lab.csp.url }}",
    "csp_client_id": "{{ lab.csp.client_id }}",
    "csp_client_secret": "{{ lab.csp.client_secret }}",
}
NO_TOKENS: dict[str, Any] = {"access_token": "{{ omit }}", "open_id_token": "{{ omit }}"}
FOLDER = "{{ playbook_dir }}/tokens"
FILE = f"{FOLDER}/csp.json"


def instances(register: str, **options: Any) -> Task:
    """The module nsx_service_instance_info."""
    base: dict[str, Any] = {"hostname": "{{ lab.nsx.url }}", "ca_path": "{{ ca_path }}"}
    return module("nsx_service_instance_info", register, **base, **options)


def test_instances_are_read_with_each_kind_of_credentials_and_the_session_is_closed(ansible: Ansible, lab: Lab) -> None:
    ways = {
        "by_password": USER,
        "by_session": {**USER, "use_session": True},
        "by_certificate": CERTIFICATE,
        "by_token": {"access_token": "{{ csp.token }}"},
        "by_credentials": CSP,
        "by_app": CSP_APP,
        "by_file": {"token_file": FILE},
    }
    tasks = [
        csp("csp", token_file=FILE),
        *(instances(name, **IDS, **way) for name, way in ways.items()),
        failing(instances("session_refused", **USER, use_session=True, tier0_id="no-such-gateway")),
        failing(instances("wrong", username="{{ lab.nsx.username }}", password="a-wrong-password", use_session=True)),
        failing(instances("nobody")),
        checked(instances("unminted", **CSP)),
    ]
    (ansible.folder / "tokens").mkdir()

    run = succeeded(ansible.play(tasks, arguments=["-vvv"]))

    cut = by_task(run, lab, None, "csp", *ways, "session_refused", "wrong")
    reading = [ALARMS, INSTANCES]
    assert {name: lines(cut[name]) for name in ways} == {
        "by_password": reading,
        "by_session": ["POST /api/session/create", *reading, "POST /api/session/destroy"],
        "by_certificate": reading,
        "by_token": reading,
        "by_credentials": [EXCHANGE, *reading],
        "by_app": ["POST /csp/gateway/am/api/auth/authorize", *reading],
        "by_file": reading,
    }
    schemes = {name: str(cut[name][-2].header("Authorization")).split()[0] for name in ways}
    assert schemes == {
        **dict.fromkeys(("by_session", "by_certificate"), "None"),
        **dict.fromkeys(("by_token", "by_credentials", "by_app", "by_file"), "Bearer"),
        "by_password": "Basic",
    }
    assert cut["by_session"][1].header("X-XSRF-TOKEN")
    for name in ways:
        assert run[name]["service_instances"] == run["by_password"]["service_instances"]
        assert run[name]["changed"] is False
    assert cut["session_refused"][-1].line == "POST /api/session/destroy", "closed after a failure, too"
    assert lab.counts("nsx")["sessions_opened"] == 2
    assert lab.counts("nsx")["sessions_open"] == 0
    assert "Check username and password" in run["wrong"]["msg"]
    assert "set username and password, access_token and open_id_token, token_file, " in run["nobody"]["msg"]
    assert "csp_client_id and csp_client_secret, or client_cert" in run["nobody"]["msg"]
    assert run["unminted"]["service_instances"] == []
    assert "check mode creates no access token" in run["unminted"]["warnings"][0]
    assert leaks({"output": run.output}, ["a-wrong-password", *(value["value"] for value in lab.secrets())]) == []


def test_instances_of_all_gateways_and_pages_are_listed_with_alarms_and_without_passwords(
    ansible: Ansible, lab: Lab
) -> None:
    ids = [f"many-{number:04d}" for number in range(1001)]
    tasks = [
        instances("every", **USER),
        instances("one", **USER, **ONE),
        instances("without_alarms", **USER, **ONE, alarms=False),
        change_settings("nsx", alarm_api=False),
        instances("no_alarm_api", **USER, **ONE),
        change_settings("nsx", last_cursor="zeros"),
        instances("paged", **USER, tier0_id="T0-big", locale_service_id="default", alarms=False),
    ]
    lab.act("nsx", "add_service_instances", host="127.0.0.1", ids=ids, tier0_id="T0-big", locale_service_id="default")

    run = succeeded(ansible.play(tasks, arguments=["-vvv"]))

    cut = by_task(run, lab, "nsx", "every", "one", "without_alarms", "no_alarm_api", "paged")
    every = run["every"]["service_instances"]
    assert len(every) == lab.counts("nsx")["service_instances"]
    assert len({item["path"] for item in every}) == len(every)
    first = [f"GET {POLICY}/infra/tier-0s?page_size=1000", f"GET {T0_MAIN}?page_size=1000", INSTANCES]
    assert set(first) < set(lines(cut["every"]))
    assert [lines(cut[name]) for name in ("one", "without_alarms")] == [[ALARMS, INSTANCES], [INSTANCES]]
    (one,) = run["one"]["service_instances"]
    assert (one["id"], one["path"]) == ("partner-fw-01", JWT_ALARM)
    assert "JWT" in one["alarms"][0]
    assert [item["alarms"] for item in every if item["id"] == "partner-fw-04"] == [[]]
    values = {entry["attribute_type"]: entry["value"] for entry in one["attributes"]}
    assert values["STRING"] == "trial"
    passwords = [secret["value"] for secret in lab.secrets() if "PASSWORD" in secret["kind"]]
    assert passwords
    assert values["PASSWORD"] not in passwords
    assert leaks({"registered": json.dumps(run.by_host), "output": run.output}, passwords) == []
    for name in ("without_alarms", "no_alarm_api"):
        assert "alarms" not in run[name]["service_instances"][0]
    assert "This manager has no alarm API" in said(run)
    assert [item["id"] for item in run["paged"]["service_instances"]] == ids
    assert [entry.parameters.get("cursor") is None for entry in cut["paged"]] == [True, False]


def test_reauthentication_gets_tokens_or_reads_them_from_a_file_and_renews_refused_ones_once(
    ansible: Ansible, lab: Lab
) -> None:
    force: dict[str, Any] = {**ONE, "force": True, **NO_TOKENS}
    app_file = f"{FOLDER}/app.json"
    tasks = [
        checked(nsx("predicted", **ONE, **NO_TOKENS, **CSP)),
        nsx("by_credentials", **ONE, **NO_TOKENS, **CSP, wait=False),
        nsx("kept", **force, **CSP, token_file=FILE),
        nsx("kept_again", **force, **CSP, token_file=FILE),
        nsx("by_file", **force, token_file=FILE),
        end_tokens("revoked", "csp"),
        failing(nsx("dead_file", **force, token_file=FILE)),
        nsx("renewed", **force, **CSP, token_file=FILE),
        csp("app", api_token="{{ omit }}", client_id="{{ lab.csp.client_id }}", token_file=app_file)
        | {"environment": {"CSP_CLIENT_SECRET": "{{ lab.csp.client_secret }}"}},
        failing(nsx("no_id_token", **force, token_file=app_file)),
        failing(nsx("no_file", **force, token_file=f"{FOLDER}/none.json")),
        failing(nsx("refused", **force, **{**CSP, "csp_api_token": "a-wrong-token"})),
        failing(nsx("two_ways", **ONE, access_token="an-access-token", open_id_token="{{ omit }}", token_file=FILE)),
    ]
    (ansible.folder / "tokens").mkdir()

    run = succeeded(ansible.play(tasks, arguments=["-vvv"]))

    names = ["predicted", "by_credentials", "kept", "kept_again", "by_file", "dead_file", "renewed"]
    cut = by_task(run, lab, None, *names, "app", "no_id_token", "no_file", "refused")
    post = f"POST {POLICY}{JWT_ALARM}?action=reauth"
    assert {name: lines(cut[name]) for name in names} == {
        "predicted": [],
        "by_credentials": [EXCHANGE, ALARMS, post],
        "kept": [EXCHANGE, post],
        "kept_again": [post],
        "by_file": [post],
        "dead_file": [post],
        "renewed": [post, EXCHANGE, post],
    }
    assert [run[name]["action"] for name in names[:5]] == ["reauthenticated"] * 5
    assert "check mode creates no access token" in said(run)
    assert run["predicted"]["changed"] is True
    assert cut["kept"][1].header("X-NSX-OpenId") == cut["by_file"][0].header("X-NSX-OpenId")
    assert cut["renewed"][2].header("Authorization") != cut["renewed"][0].header("Authorization")
    assert [entry.status for entry in cut["renewed"]] == [401, 200, 200]
    assert "Get a new access token" in run["dead_file"]["msg"]
    assert "contains no OpenID token" in run["no_id_token"]["msg"]
    assert "There is no token in" in run["no_file"]["msg"]
    assert "Check csp_api_token" in run["refused"]["msg"]
    assert "mutually exclusive: access_token|token_file" in run["two_ways"]["msg"]
    for name in names:
        assert not {"token", "id_token", "headers"} & set(run[name]), "csp_access_token creates the tokens"
    assert lab.counts("nsx")["reauths"] == 5
    assert leaks({"output": run.output}, ["a-wrong-token", *(value["value"] for value in lab.secrets())]) == []
