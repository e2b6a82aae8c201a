# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of an Avi controller's tokens in output, their listing, and the tokens with which engines register."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests

from products.avi import SERVER, avi
from support.canaries import leaks
from support.cores import DEFAULT, OTHERS, Core
from support.playbooks import AS_MODULE, IN_PROCESS, Ansible, Route, Task, module
from support.tasks import act, by_task, checked, failing, lines, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

OBJECTS = "/api/securechanneltoken"
GENERATE = "/api/securetoken-generate"
CORES = (DEFAULT, *OTHERS[-1:])


def info(register: str, **options: Any) -> Task:
    return avi(register, of="avi_securechanneltoken_info", **options)


def engine(register: str, **options: Any) -> Task:
    return avi(register, of="avi_se_auth_token", **options)


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.version, indirect=True)
def test_names_that_look_generated_are_never_shown_and_readable_labels_are(
    ansible: Ansible, lab: Lab, core: Core
) -> None:
    named, long = str(uuid.uuid4()), secrets.token_urlsafe(24)
    ansible.variables.update(named=named, long=long)
    silent: dict[str, Any] = {"return_token": False}
    lab.fault("avi", "status", method="DELETE", path=named, status=500, body={"error": f"cannot delete {named}"})
    tasks = [
        avi("by_uuid", name="{{ named }}", lifetime=3600),
        avi("by_long_name", name="{{ long }}", metadata={"rack": "4"}),
        avi("sealed", name="{{ named }}", metadata={"rack": "5"}, **silent),
        failing(avi("refused", name="{{ named }}", state="absent", **silent)),
        failing(avi("in_the_path", uuid="{{ long }}", state="present", **silent)),
        avi("label", name="se-01", metadata={"rack": "4"}, **silent),
        failing(avi("label_refused", name="se-01", api_version="99.0.0", **silent)),
        {"name": "Talk of se-01", "ansible.builtin.debug": {"msg": "the engine se-01 in {{ sealed.metadata }}"}},
        info("listed"),
        info("named", name="{{ named }}"),
        avi("deleted", name="{{ long }}", state="absent"),
    ]

    run = succeeded(ansible.play(tasks, core=core, arguments=["-vvv", "--diff"]))

    generated = [named, long, *(secret["value"] for secret in lab.secrets() if secret["value"] != "se-01")]
    assert leaks({"output": run.output}, generated) == []
    assert "the engine se-01 in" in run.output
    assert "TASK [Talk of se-01]" in run.output
    assert run["by_uuid"]["token"] == run["by_uuid"]["name"] == run["by_uuid"]["uuid"] == named
    assert run["by_uuid"]["fingerprint"] == hashlib.sha256(named.encode()).hexdigest()[:12]
    assert run["by_long_name"]["token"] == long
    assert not {"token", "name", "uuid", "url", "headers"} & set(run["sealed"])
    assert run["sealed"]["metadata"] == {"rack": "5"}
    assert "returned status 500" in run["refused"]["msg"]
    assert "no token has this uuid" in run["in_the_path"]["msg"]
    for name in ("refused", "in_the_path"):
        assert named not in run[name]["msg"]
        assert long not in run[name]["msg"]
    assert len(run["listed"]["securechanneltokens"]) == 3
    assert run["deleted"]["action"] == "deleted"
    assert lab.counts("avi")["sessions_open"] == 0


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.version, indirect=True)
def test_a_uuid_that_a_person_chose_is_shown_as_a_label(ansible: Ansible, lab: Lab, core: Core) -> None:
    tasks = [
        avi("label", name="se-01", uuid="engine-01"),
        {"name": "Talk of it", "ansible.builtin.debug": {"msg": "the engine engine-01 in {{ label.action }}"}},
    ]

    run = succeeded(ansible.play(tasks, core=core))

    assert (run["label"]["name"], run["label"]["uuid"]) == ("se-01", "engine-01")
    assert not {"token", "fingerprint", "headers"} & set(run["label"]), "a chosen name is not a token"
    assert "the engine engine-01 in created" in run.output


def make_tokens(lab: Lab, count: int) -> None:
    """This number of tokens, created by another client whose session stays open."""
    details = lab["avi"]
    with requests.Session() as session:
        session.trust_env, session.verify = False, lab.ca_path
        user = {"username": details["username"], "password": details["password"]}
        session.post(f"{details['url']}/login", data=user).raise_for_status()
        headers = {"X-Avi-Version": details["api_version"]}
        clouds = session.get(f"{details['url']}/api/cloud", headers=headers).json()["results"]
        for _number in range(count):
            query = {"cloud_uuid": clouds[0]["uuid"]}
            session.get(f"{details['url']}{GENERATE}", params=query, headers=headers).raise_for_status()
    lab.act("avi", "end_sessions", host="127.0.0.1")
    lab.clear_requests()


def test_the_listing_follows_pages_on_the_same_host_only_and_shows_tokens_only_on_request(
    ansible: Ansible, lab: Lab
) -> None:
    make_tokens(lab, 201)
    lab.change_settings("avi", next_host="elsewhere.example.com")
    tasks = [
        avi("created", name="se-01", lifetime=3600, metadata={"rack": "4"}),
        info("every"),
        info("labelled", name="se-01"),
        info("shown", name="se-01", return_token=True),
        info("by_uuid", uuid="{{ created.uuid }}"),
        info("unknown", uuid="no-such-token"),
        failing(info("both", name="se-01", uuid="se-01")),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vvv"]))

    names = ["created", "every", "labelled", "shown", "by_uuid", "unknown"]
    cut = by_task(run, lab, "avi", *names)
    pages = [f"GET {OBJECTS}?page={page}&page_size=200" for page in (1, 2)]
    assert lines(cut["every"]) == ["POST /login", *pages, "POST /logout"]
    found = {name: run[name]["securechanneltokens"] for name in names[1:]}
    assert [len(entries) for entries in found.values()] == [202, 1, 1, 1, 0]
    assert len({entry["fingerprint"] for entry in found["every"]}) == 202
    (entry,) = found["labelled"]
    assert set(entry) == {"fingerprint", "expires_at", "expires_in", "in_use", "metadata"}
    assert (entry["fingerprint"], entry["expires_at"]) == (run["created"]["fingerprint"], run["created"]["expires_at"])
    assert 3500 < entry["expires_in"] <= 3600
    assert (entry["in_use"], entry["metadata"]) == (False, {"rack": "4"})
    assert found["by_uuid"][0]["fingerprint"] == entry["fingerprint"]
    (shown,) = found["shown"]
    assert (shown["name"], shown["uuid"], shown["url"]) == tuple(run["created"][key] for key in ("name", "uuid", "url"))
    assert {run[name]["changed"] for name in names[1:]} == {False}
    assert "mutually exclusive: name|uuid" in run["both"]["msg"]
    assert lab.counts("avi")["sessions_open"] == 0
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_an_engine_token_is_created_on_every_run_for_a_cloud_by_name_or_uuid(ansible: Ansible, lab: Lab) -> None:
    twin: dict[str, Any] = {"cloud": "Twin-Cloud"}
    tasks = [
        checked(engine("predicted", cloud="Default-Cloud")),
        engine("first", cloud="Default-Cloud"),
        engine("second", cloud="Default-Cloud"),
        {**act("avi", "add_cloud", host="127.0.0.1", name="Twin-Cloud"), "register": "twin"},
        engine("by_uuid", cloud_uuid="{{ twin.json.result }}", tenant="lab"),
        act("avi", "add_cloud", host="127.0.0.1", name="Twin-Cloud"),
        failing(engine("two_of_one_name", **twin)),
        failing(engine("unknown", cloud="No-Cloud")),
        failing(engine("neither")),
        act("avi", "join", host="127.0.0.1", token="{{ first.token }}"),
    ]

    run = succeeded(ansible.play(tasks, arguments=["-vvv"]))

    names = ["predicted", "first", "second", "by_uuid", "two_of_one_name", "unknown"]
    cut = by_task(run, lab, "avi", *names)
    paths = {name: [entry.path for entry in cut[name]] for name in names}
    asked = ["/login", "/api/cloud", "/api/cluster", GENERATE, "/logout"]
    assert paths["first"] == paths["second"] == asked
    assert paths["predicted"] == [path for path in asked if path != GENERATE]
    assert paths["by_uuid"] == [path for path in asked if path != "/api/cloud"]
    assert paths["two_of_one_name"] == ["/login", "/api/cloud", "/logout"]
    assert paths["unknown"] == ["/login", "/api/cloud", "/api/cloud", "/logout"], (
        "a second time to name those that exist"
    )
    for name in ("predicted", "first", "second", "by_uuid"):
        assert (run[name]["changed"], run[name]["action"]) == (True, "created")
        assert re.fullmatch(r"cluster-[0-9a-f-]{36}", run[name]["cluster_uuid"])
    assert not {"token", "ova_properties"} & set(run["predicted"])
    for name in ("first", "second", "by_uuid"):
        assert run[name]["ova_properties"] == {
            "AVICNTRL": "127.0.0.1",
            "AVICNTRL_AUTHTOKEN": run[name]["token"],
            "AVICNTRL_CLUSTERUUID": run[name]["cluster_uuid"],
        }
    assert len({run[name]["token"] for name in ("first", "second", "by_uuid")}) == 3
    (generated,) = [entry for entry in cut["by_uuid"] if entry.path == GENERATE]
    assert generated.parameters == {"cloud_uuid": run["twin"]["json"]["result"]}
    assert generated.header("X-Avi-Tenant") == "lab"
    assert "2 clouds have the name 'Twin-Cloud'" in run["two_of_one_name"]["msg"]
    assert "no cloud has the name 'No-Cloud'" in run["unknown"]["msg"]
    assert "or set cloud_uuid" in run["unknown"]["msg"]
    assert "set cloud or cloud_uuid" in run["neither"]["msg"]
    assert lab.counts("avi")["engine_tokens"] == 3
    assert lab.counts("avi")["sessions_open"] == 0
    # The request and the response of the control API are the test's own.
    secret = [value["value"] for value in lab.secrets() if value["value"] != run["first"]["token"]]
    assert leaks({"output": run.output}, secret) == []


@pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)
def test_a_tenant_in_the_group_defaults_reaches_every_module(ansible: Ansible, lab: Lab, route: Route) -> None:
    defaults = {"group/sddc.tokens.avi": {**SERVER.templates(), "ca_path": "{{ ca_path }}", "tenant": "lab"}}
    tasks: list[Task] = [
        {"name": "Create", "sddc.tokens.avi_securechanneltoken": {"name": "se-01"}},
        module("avi_securechanneltoken_info"),
        module("avi_se_auth_token", cloud="Default-Cloud"),
    ]

    succeeded(ansible.play(tasks, route=route, keywords={"module_defaults": defaults}))

    assert {entry.header("X-Avi-Tenant") for entry in lab.requests("avi") if entry.path.startswith("/api/")} == {"lab"}
