# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks by their names, and the examples of the roles' documentation as written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from products import EXAMPLE
from support.canaries import leaks
from support.checkout import CHECKOUT
from support.playbooks import Ansible
from support.roles import NAMES, OF_KITS, PLAYBOOKS, every_playbook, tally, task_file
from support.surroundings import documented, surroundings

if TYPE_CHECKING:
    from pathlib import Path

    from lab.client import Lab


def test_every_playbook_runs_by_its_name_on_localhost_or_on_the_chosen_hosts(ansible: Ansible, lab: Lab) -> None:
    assert sorted(PLAYBOOKS) == list(NAMES)
    (ansible.folder / "chosen.yml").write_text(
        yaml.safe_dump({"chosen": {"hosts": {host: {"ansible_connection": "local"} for host in ("east", "west")}}})
    )

    run = every_playbook(ansible, lab, "-i", "chosen.yml", "-e", "sddc_tokens_hosts=chosen")

    assert run.returncode == 0, run.output
    assert "localhost" not in run.stdout.split("PLAY RECAP")[1]
    for kit, role in OF_KITS.values():
        name, number = role.made
        made = lab.counts(kit.name, kit.host)[name]
        assert made >= number if role.as_needed else made == 2 * number, kit.name
    assert lab.counts(EXAMPLE.name, EXAMPLE.host)["tokens_valid"] == 0
    for host in ("east", "west"):
        assert (tally(run, host)["failed"], tally(run, host)["unreachable"]) == (0, 0)
    assert (ansible.folder / "home" / "report.json").exists()
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_a_playbook_runs_on_localhost_by_default(ansible: Ansible, lab: Lab) -> None:
    (ansible.folder / "home" / ".sddc").mkdir(parents=True)

    run = ansible.playbook(
        PLAYBOOKS["token_report"], arguments=["-e", '{"token_report_paths": ["~/.sddc"]}'], environ=surroundings(lab)
    )

    assert run.returncode == 0, run.output
    assert tally(run, "localhost")["failed"] == 0


def blocks(role: str) -> list[tuple[str, str]]:
    """The examples of a role's README: the paragraph before each, and its text."""
    text = (CHECKOUT / "roles" / role / "README.md").read_text()
    return re.findall(r"(?:^|\n\n)((?:(?!```)[^\n]+\n)*)\n?```yaml\n(.*?)```", text, re.DOTALL)


def write_examples(ansible: Ansible, role: str) -> list[Path]:
    """Write the caller's task files to the paths in the README, and return the playbooks."""
    playbooks = []
    for number, (told, shown) in enumerate(blocks(role)):
        if "hosts" in yaml.safe_load(shown)[0]:
            playbooks.append(ansible.folder / f"example_{number}.yml")
            playbooks[-1].write_text(shown)
        else:
            (name,) = re.findall(r"`(tasks/\w+\.yml)`", told)
            task_file(ansible, name, yaml.safe_load(shown))
    return playbooks


@pytest.mark.parametrize("role", NAMES)
def test_the_examples_of_a_role_run_as_written_and_print_no_secret(ansible: Ansible, lab: Lab, role: str) -> None:
    environ, arguments = documented(lab, ansible.folder)
    first, *others = write_examples(ansible, role)

    run = ansible.playbook(first, arguments=[*map(str, others), *arguments, "-v"], environ=environ)

    assert run.returncode == 0, run.output
    assert tally(run, "localhost")["ok"] > len(others)
    assert bool(lab.requests()) == (role != "token_report")
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


@pytest.mark.slow
def test_the_examples_of_the_session_role_use_its_token(ansible: Ansible, lab: Lab) -> None:
    (session,) = EXAMPLE.roles
    first, lasting = write_examples(ansible, session)

    for playbook in (first, lasting, lasting):
        run = ansible.playbook(playbook, environ=surroundings(lab))
        assert run.returncode == 0, run.output

    assert "changed=0" in run.stdout
    counts = lab.counts(EXAMPLE.name, EXAMPLE.host)
    assert (counts["tokens_minted"], counts["tokens_valid"]) == (2, 1)
