# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role avi_service_engine_token: each engine of a list is deployed with a token of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.playbooks import Ansible, Task
from support.roles import mended, play, role, tally, task_file
from support.tasks import act, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab, LoggedRequest

NAME = "avi_service_engine_token"
HOST = "127.0.0.1"
DEPLOYED = "/api/initial-data"
GENERATED = "/api/securetoken-generate"
TOKEN = f"{{{{ {NAME}_ova_properties.AVICNTRL_AUTHTOKEN }}}}"
ENGINE = f"{{{{ {NAME}_engine.name }}}}"
JOIN = act("avi", "join", host=HOST, token=TOKEN)


def deploy() -> Task:
    """Replaces the caller's module: the lab records when it ran, for which engine."""
    url = "{{ lab.avi.url }}" + f"{DEPLOYED}?engine={ENGINE}&esxi={{{{ {NAME}_engine.esxi | default('none') }}}}"
    return {"name": "Deploy", "ansible.builtin.uri": {"url": url, "ca_path": "{{ ca_path }}"}, "register": "deployed"}


def fail_for(name: str) -> Task:
    return {"name": "Fail", "ansible.builtin.fail": {"msg": "on purpose"}, "when": f"{NAME}_engine.name == '{name}'"}


def steps(lab: Lab) -> list[LoggedRequest]:
    """When a token was created, and when an engine was deployed."""
    return [entry for entry in lab.requests("avi") if entry.path in (GENERATED, DEPLOYED) and entry.query]


def engines(*names: str, **further: Any) -> list[dict[str, Any]]:
    return [{"name": name, **further} for name in names]


def test_each_engine_gets_a_token_in_its_own_tenant_and_cloud_just_before_its_tasks(ansible: Ansible, lab: Lab) -> None:
    uuids = {name: lab.act("avi", "add_cloud", host=HOST, name=name) for name in ("East", "West")}
    # The role has a file with this name, too.
    task_file(ansible, "engine.yml", [deploy(), JOIN])
    listed = [
        {"name": "se-01", "tenant": "lab", "cloud": "East", "esxi": "esxi-01"},
        {"name": "se-02", "cloud_uuid": uuids["West"], "root_password": "of the caller"},
        {"name": "se-03"},
    ]

    run = succeeded(play(ansible, [role(NAME, tasks="engine.yml", engines=listed, cloud="East")]))

    log = steps(lab)
    assert [entry.path for entry in log] == [GENERATED, DEPLOYED] * 3
    assert [entry.parameters.get("engine") for entry in log[1::2]] == ["se-01", "se-02", "se-03"]
    assert log[1].parameters["esxi"] == "esxi-01", "the tasks get the further keys of the engine"
    assert [entry.header("X-Avi-Tenant") for entry in log[::2]] == ["lab", None, None]
    assert [entry.parameters["cloud_uuid"] for entry in log[::2]] == [uuids["East"], uuids["West"], uuids["East"]]
    counts = lab.counts("avi")
    assert (counts["engine_tokens"], counts["objects"], counts["sessions_open"]) == (3, 3, 0)
    assert tally(run)["changed"] == 3
    assert "(item=se-01)" in run.output
    assert "of the caller" not in run.output


def test_if_the_tasks_fail_the_token_is_deleted_and_no_further_engine_is_deployed(ansible: Ansible, lab: Lab) -> None:
    task_file(ansible, "deploy.yml", [deploy(), fail_for("se-02")])

    run = play(ansible, [role(NAME, tasks="deploy.yml", engines=engines("se-01", "se-02", "se-03"))])

    assert run.returncode != 0
    assert [entry.parameters["engine"] for entry in steps(lab)[1::2]] == ["se-01", "se-02"]
    assert lab.counts("avi")["engine_tokens"] == 2
    assert lab.counts("avi")["objects"] == 1, "the token of the first engine stays, that of the second is gone"
    assert lab.counts("avi")["tokens_revoked"] == 1
    assert lab.counts("avi")["sessions_open"] == 0


def test_a_token_in_use_is_not_deleted_and_the_next_inclusion_works(ansible: Ansible, lab: Lab) -> None:
    task_file(ansible, "late.yml", [deploy(), JOIN, fail_for("se-01")])
    task_file(ansible, "early.yml", [deploy(), fail_for("se-01"), JOIN])
    tasks = [
        mended(role(NAME, tasks="late.yml", engines=engines("se-01"))),
        mended(role(NAME, tasks="early.yml", engines=engines("se-01", tenant="lab"))),
        role(NAME, tasks="early.yml", engines=engines("se-02", tenant="lab")),
    ]

    run = succeeded(play(ansible, tasks))

    assert tally(run)["rescued"] == 2
    counts = lab.counts("avi")
    assert (counts["engine_tokens"], counts["objects"], counts["tokens_revoked"]) == (3, 2, 1)
    (deleted,) = [entry for entry in lab.requests("avi") if entry.method == "DELETE"]
    assert deleted.header("X-Avi-Tenant") == "lab"


@pytest.mark.slow
def test_an_invalid_task_file_ends_the_role_before_a_token_is_created(ansible: Ansible, lab: Lab) -> None:
    task_file(ansible, "unknown.yml", [{"name": "Misspelt", "ansible.builtin.no_such_module": {}}])

    for name in ("missing.yml", "unknown.yml"):
        run = play(ansible, [role(NAME, tasks=name, engines=engines("se-01"))])
        assert run.returncode != 0, name

    assert lab.requests("avi") == []


def test_check_mode_creates_no_token_and_runs_no_tasks(ansible: Ansible, lab: Lab) -> None:
    task_file(ansible, "deploy.yml", [{**deploy(), "check_mode": False}])

    run = succeeded(
        play(ansible, [role(NAME, tasks="deploy.yml", engines=engines("se-01", "se-02"))], arguments=["--check"])
    )

    assert steps(lab) == []
    assert lab.counts("avi").get("engine_tokens", 0) == 0
    assert tally(run)["changed"] == 2
    assert "TASK [Deploy]" not in said(run)
