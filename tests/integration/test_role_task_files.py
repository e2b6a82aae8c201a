# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task files of the caller: a role runs those of the playbook, and neither runs nor prints any other file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.playbooks import Ansible
from support.roles import NAMES, mended, options_of, play, role, tally, task_file
from support.tasks import succeeded

if TYPE_CHECKING:
    from lab.client import Lab

WITH_TASKS = [name for name in NAMES if f"{name}_tasks" in options_of(name)]
# Not YAML: every core that reads it prints the lines around the error.
ENVIRONMENT = "HOME=/root\nPASSWORD=canary-of-the-job\nSHELL: none\n"
NOTE = [{"name": "Note", "ansible.builtin.copy": {"content": "", "dest": "{{ playbook_dir }}/ran-{{ item }}"}}]

each_role = pytest.mark.parametrize("name", WITH_TASKS)


def included(name: str, tasks: str) -> dict[str, Any]:
    engines = {"engines": [{"name": "se-01"}]} if f"{name}_engines" in options_of(name) else {}
    return role(name, tasks=tasks, **engines)


def in_a_project(ansible: Ansible) -> Path:
    """Run plays in a folder of a job, next to the job's secrets, and return the file with these."""
    secrets = ansible.folder / "env" / "envvars"
    secrets.parent.mkdir()
    secrets.write_text(ENVIRONMENT)
    ansible.folder = ansible.folder / "project"
    (ansible.folder / "tasks").mkdir(parents=True)
    return secrets


@each_role
def test_a_task_file_outside_the_project_is_neither_run_nor_printed(ansible: Ansible, lab: Lab, name: str) -> None:
    secrets = in_a_project(ansible)
    (ansible.folder / "tasks" / "link.yml").symlink_to(secrets)
    (ansible.folder / "tasks" / "linked").symlink_to(secrets.parent)
    paths = [
        *(str(secrets), "tasks/../../env/envvars", "tasks/link.yml", "tasks/linked/envvars", "../env/none"),
        *("/proc/self/environ", f"{ansible.folder}-of-another/tasks.yml"),
    ]

    run = play(ansible, [mended(included(name, path)) for path in paths])

    assert tally(run)["rescued"] == run.stdout.count('"evaluated_to": false') == len(paths), run.output
    assert "canary-of-the-job" not in run.output
    assert lab.requests() == []


@each_role
def test_a_task_file_of_the_project_runs_with_each_form_of_its_path(ansible: Ansible, lab: Lab, name: str) -> None:
    in_a_project(ansible)
    folder = "{{ playbook_dir }}/tasks"
    paths = [f"{folder}/whole.yml", "tasks/relative.yml", f"{folder}/../tasks/back.yml"]
    caller = ansible.folder / "roles" / "caller" / "tasks"
    caller.mkdir(parents=True)
    task_file(ansible, "roles/caller/tasks/own.yml", [{**NOTE[0], "vars": {"item": "own"}}])
    own = included(name, "{{ ansible_parent_role_paths | first }}/tasks/own.yml")
    (caller / "main.yml").write_text(yaml.safe_dump([own]))
    # A role that is installed elsewhere has its own task files.
    (ansible.folder / "roles").rename(ansible.folder.parent / "roles")
    for path in paths:
        stem = path.rpartition("/")[2].removesuffix(".yml")
        task_file(ansible, f"tasks/{stem}.yml", [{**NOTE[0], "vars": {"item": stem}}])
    caller_role = {"name": "Caller", "ansible.builtin.include_role": {"name": "caller"}}

    succeeded(
        play(
            ansible,
            [*(included(name, path) for path in paths), caller_role],
            environ={"ANSIBLE_ROLES_PATH": str(ansible.folder.parent / "roles")},
        )
    )

    ran = {path.name for path in ansible.folder.glob("ran-*")}
    assert ran == {"ran-whole", "ran-relative", "ran-back", "ran-own"}
