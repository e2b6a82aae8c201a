# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation shows works as it is written: names, options and all, through the lab's proxy."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from products import EXAMPLE
from support.canaries import leaks
from support.checkout import CHECKOUT
from support.surroundings import documented, surroundings

if TYPE_CHECKING:
    from lab.client import Lab
    from support.playbooks import Ansible

README = (CHECKOUT / "README.md").read_text()
ROLES = sorted(path.name for path in (CHECKOUT / "roles").iterdir())
PLUGINS = [path for kind in ("modules", "lookup", "filter") for path in sorted(CHECKOUT.glob(f"plugins/{kind}/*.py"))]


def readme_playbooks() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def documentation(plugin: Path, name: str) -> str:
    """The value of DOCUMENTATION, EXAMPLES or RETURN."""
    for node in ast.parse(plugin.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{plugin.name} has no {name}")


def run(ansible: Ansible, lab: Lab, plays: str) -> str:
    environ, arguments = documented(lab, ansible.folder)
    (ansible.folder / "example.yml").write_text(plays)
    done = ansible.playbook("example.yml", arguments=[*arguments, "-v"], environ=environ)
    assert done.returncode == 0, done.output
    assert leaks({"output": done.output}, [secret["value"] for secret in lab.secrets()]) == []
    return done.stdout


@pytest.mark.parametrize("number", range(len(readme_playbooks())))
def test_a_playbook_of_the_readme_runs_as_written(ansible: Ansible, lab: Lab, number: int) -> None:
    run(ansible, lab, readme_playbooks()[number])

    assert lab.requests()


def test_the_first_playbook_of_the_readme_is_idempotent(ansible: Ansible, lab: Lab) -> None:
    first = readme_playbooks()[0]
    run(ansible, lab, first)
    minted = lab.counts(EXAMPLE.name, EXAMPLE.host)["tokens_minted"]

    (ansible.folder / "example.yml").write_text(first)
    again = ansible.playbook("example.yml", environ=surroundings(lab))

    assert "changed=0" in again.stdout
    assert lab.counts(EXAMPLE.name, EXAMPLE.host)["tokens_minted"] == minted == 1


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: f"{plugin.parent.name}/{plugin.stem}")
def test_the_examples_of_a_plugin_run_as_written(ansible: Ansible, lab: Lab, plugin: Path) -> None:
    run(ansible, lab, documentation(plugin, "EXAMPLES"))

    assert lab.requests()


def test_every_module_lookup_and_filter_is_in_the_readme_with_its_own_description() -> None:
    rows = re.findall(r"^\| `(\w+)`(?: \((lookup|filter)\))? \| (.+?) \|$", README, re.MULTILINE)
    described = [
        (
            plugin.stem,
            "" if plugin.parent.name == "modules" else plugin.parent.name,
            yaml.safe_load(documentation(plugin, "DOCUMENTATION"))["short_description"],
        )
        for plugin in PLUGINS
    ]

    assert rows == described


def test_every_role_is_in_the_readme_with_its_own_description_and_its_playbook() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(\S+/roles/(\w+)/README.md\) \| `(\w+)` \| (.+) \|$", README, re.MULTILINE)

    assert sorted(role for role, _link, _playbook, _description in rows) == ROLES
    for role, link, playbook, description in rows:
        spec = yaml.safe_load((CHECKOUT / "roles" / role / "meta" / "argument_specs.yml").read_text())
        assert link == role
        assert description == spec["argument_specs"]["main"]["short_description"]
        assert f"role: sddc.tokens.{role}\n" in (CHECKOUT / "playbooks" / f"{playbook}.yml").read_text()


def test_every_guide_is_in_the_readme() -> None:
    assert sorted(set(re.findall(r"/docs/guides/(\w+)\.md", README))) == sorted(
        path.stem for path in (CHECKOUT / "docs" / "guides").glob("*.md")
    )
