# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback gets the arguments and the environment of each task besides its result. They contain no secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from products import ENTRIES, EXAMPLE, ISSUER, KITS
from support.canaries import leaks
from support.canary_plays import GENERATED, WRONG, refusals, successes
from support.cores import Core
from support.entries import entry, token_set
from support.playbooks import AS_MODULE, IN_PROCESS, Ansible, Route, Run, Task
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

PASSWORD = "{{ example.password }}"
# What a play may set for all its tasks: the credentials of all products.
CREDENTIALS = {
    variable: f"{{{{ lab.{kit.name}.{detail} }}}}"
    for kit in KITS.values()
    for variable, detail in kit.environment.items()
    if detail in kit.server.credentials
}
# Cores before 2.19 render them for callbacks, too.
DEFAULTS = {f"group/sddc.tokens.{EXAMPLE.name}": {"password": PASSWORD}}


def recorded(ansible: Ansible, tasks: list[Task], **keywords: Any) -> tuple[Run, list[list[dict[str, Any]]]]:
    """A run, and the fields of the tasks of this collection that the callback got."""
    file = ansible.folder / "fields.jsonl"
    environ = {"ANSIBLE_CALLBACKS_ENABLED": "record_tasks", "TASK_FIELDS": str(file), **keywords.pop("environ", {})}
    run = ansible.play(tasks, environ=environ, **keywords)
    fields = [json.loads(line) for line in file.read_text().splitlines()]
    return run, [both for both in fields if both[0]["action"].startswith("sddc.tokens.")]


@pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)
def test_a_callback_gets_no_secret_in_the_arguments_or_the_environment_of_a_task(
    ansible: Ansible, lab: Lab, core: Core, route: Route
) -> None:
    lab.fault(EXAMPLE.name, "status", path="/auth/token", status=400, body={"message": "not now"})
    tasks = [
        {**EXAMPLE.task("retried"), "until": "retried is succeeded", "retries": 3, "delay": 0},
        {**EXAMPLE.task("looped", password="{{ item }}"), "loop": [PASSWORD, PASSWORD]},
        EXAMPLE.task("handed_in", token="{{ retried.token }}"),
        failing(EXAMPLE.task("misplaced", timeout=PASSWORD)),
        failing(EXAMPLE.task("mistyped", passwort=PASSWORD)),
        failing(EXAMPLE.task("nested", password={"value": [PASSWORD]})),
        failing({**EXAMPLE.task("in_background"), "async": 30, "poll": 1}),
        failing(ISSUER.task("refused", api_token="wrong-{{ issuer.api_token }}")),
        token_set("listed", *map(entry, ENTRIES)),
    ]

    run, fields = recorded(
        ansible,
        tasks,
        core=core,
        route=route,
        keywords={"environment": {**CREDENTIALS, "KEPT": "kept"}, "module_defaults": DEFAULTS},
    )

    assert succeeded(run)["retried"]["attempts"] == 2, "a retry has the credentials again"
    assert [one["action"] for one in run["looped"]["results"]] == ["created", "created"]
    assert run["handed_in"]["action"] == "reused"
    assert len(fields) >= len(tasks) + 3
    assert all(both[0]["environment"][0]["KEPT"] == "kept" for both in fields if "loop" not in both[0])
    assert all("hostname" in str(both[0]["args"]) for both in fields), "the rest stays readable"
    secrets = [secret["value"] for secret in lab.secrets()]
    assert leaks({str(number): json.dumps(both) for number, both in enumerate(fields)}, secrets) == []


@pytest.mark.slow
def test_a_callback_gets_no_secret_in_the_arguments_of_any_module(ansible: Ansible, lab: Lab) -> None:
    ansible.variables.update(wrong=WRONG, generated_name=GENERATED)
    tasks = [*successes(), *refusals()]

    run, fields = recorded(ansible, tasks)

    assert run.returncode == 0, run.output[-3000:]
    secrets = [*(secret["value"] for secret in lab.secrets()), *WRONG.values()]
    assert leaks({both[0]["name"]: json.dumps(both) for both in fields}, secrets) == []
