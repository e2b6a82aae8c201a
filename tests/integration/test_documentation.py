# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the documentation run as written: those of the README with `make lab`, others with its proxy."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from lab.client import Lab
from products import EXAMPLE
from support.canaries import leaks
from support.checkout import CHECKOUT
from support.surroundings import documented

if TYPE_CHECKING:
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


@dataclass(frozen=True)
class Shell:
    """A shell in which a user has sourced the file that `make lab` writes."""

    ansible: Ansible
    lab: Lab
    environ: dict[str, str]

    def run(self, plays: str) -> str:
        """Run a playbook without other variables, inventory or preparation."""
        return run(self.ansible, self.lab, plays, self.environ)


@pytest.fixture
def shell(ansible: Ansible, tmp_path: Path) -> Iterator[Shell]:
    state = tmp_path / ".lab.json"
    with Lab.start(state_file=state, arguments=["--explain"]) as lab:
        command = ["sh", "-c", '. "$0"; env -0', state.with_suffix(".env")]
        told = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True)
        yield Shell(ansible, lab, dict(line.split("=", 1) for line in told.stdout.split("\0") if line))


def run(ansible: Ansible, lab: Lab, plays: str, environ: dict[str, str], arguments: tuple[str, ...] = ()) -> str:
    (ansible.folder / "example.yml").write_text(plays)
    done = ansible.playbook("example.yml", arguments=[*arguments, "-v"], environ=environ)
    assert done.returncode == 0, done.output
    assert leaks({"output": done.output}, [secret["value"] for secret in lab.secrets()]) == []
    return done.stdout


@pytest.mark.parametrize("number", range(len(readme_playbooks())))
def test_a_playbook_of_the_readme_runs_as_written_in_a_shell_for_the_lab(shell: Shell, number: int) -> None:
    shell.run(readme_playbooks()[number])

    assert shell.lab.requests()


@pytest.mark.slow
def test_the_playbooks_of_the_readme_run_one_after_the_other(shell: Shell) -> None:
    """They share token files."""
    for plays in readme_playbooks():
        shell.run(plays)


def test_the_lab_exports_each_variable_of_the_readme(shell: Shell) -> None:
    exported = {name for line in re.findall(r"`export ([^`]+)`", README) for name in re.findall(r"(\w+)=", line)}
    read = set(re.findall(r"ansible\.builtin\.env', '(\w+)'", README))

    assert exported >= read > set()
    assert exported - set(shell.environ) == set()


def test_the_first_playbook_of_the_readme_is_idempotent(shell: Shell) -> None:
    first = readme_playbooks()[0]
    shell.run(first)

    assert "changed=0" in shell.run(first)
    assert shell.lab.counts(EXAMPLE.name)["tokens_minted"] == 1


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: f"{plugin.parent.name}/{plugin.stem}")
def test_the_examples_of_a_plugin_run_as_written(
    ansible: Ansible, lab: Lab, plugin: Path, request: pytest.FixtureRequest
) -> None:
    environ, arguments = documented(lab, ansible.folder)
    examples = documentation(plugin, "EXAMPLES")
    if "token_store" in examples:
        environ = {**environ, **request.getfixturevalue("bao").environment}
    run(ansible, lab, examples, environ, tuple(arguments))

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
