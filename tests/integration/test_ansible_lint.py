# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule `args` of the real ansible-lint finds wrong arguments of this collection's modules, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import yaml

from support.canary_plays import successes
from support.checkout import CHECKOUT
from support.collection import COLLECTION, MODULES
from support.cores import DEFAULT
from support.in_process import operation_of
from support.playbooks import Task

pytestmark = pytest.mark.slow

CONFIGURATION = {"profile": "min", "enable_list": ["args"], "offline": True}
PAGES = [
    CHECKOUT / "README.md",
    *sorted((CHECKOUT / "docs").rglob("*.md")),
    *sorted(CHECKOUT.glob("roles/*/README.md")),
]


def findings(folder: Path, files: Iterable[str]) -> list[tuple[str, str]]:
    """The file and the message of each finding of the rule."""
    (folder / ".ansible-lint").write_text(yaml.safe_dump(CONFIGURATION))
    environ = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(DEFAULT.collections), "HOME": str(folder)}
    environ["PATH"] = f"{DEFAULT.folder}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(
        [str(DEFAULT.folder / "ansible-lint"), "--nocolor", "--format", "codeclimate", *files],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    assert {finding["check_name"] for finding in found} <= {"args[module]"}, done.stdout
    return [(finding["location"]["path"], finding["description"]) for finding in found]


def play(tasks: Sequence[Task]) -> str:
    return yaml.safe_dump([{"name": "Lint", "hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}])


def documented() -> dict[str, str]:
    """The playbooks and task lists of the documentation as playbooks, by file name."""
    found = {}
    for page in PAGES:
        for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)):
            content = yaml.safe_load(block)
            if isinstance(content, list) and COLLECTION in block and not any("sources" in entry for entry in content):
                name = f"{page.parent.name}_{page.stem}_{number}.yml".lower()
                found[name] = block if "hosts" in content[0] else play(content)
    return found


def test_correct_tasks_of_the_documentation_and_of_every_module_have_no_finding(tmp_path: Path) -> None:
    files = {**documented(), "successes.yml": play(successes())}
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    assert len(files) > 5
    assert findings(tmp_path, files) == []


def with_option(**option: str) -> list[Task]:
    """A correct task of each module that has the option, or of each module for an option that none has."""
    known = {name for module in MODULES for name in operation_of(module).argument_spec.options}
    found = {}
    for task in successes():
        key = next(key for key in task if key.startswith(COLLECTION))
        options = operation_of(key.removeprefix(f"{COLLECTION}.")).argument_spec.options
        if option.keys().isdisjoint(known) or option.keys() <= options.keys():
            found.setdefault(key, {"name": f"Task {key}", key: {**task[key], **option}})
    return list(found.values())


def test_a_wrong_option_and_a_wrong_choice_of_any_module_are_found(tmp_path: Path) -> None:
    tasks = {"options.yml": with_option(token_fiel="~/t.json"), "choices.yml": with_option(state="gone")}
    for name, wrong in tasks.items():
        (tmp_path / name).write_text(play(wrong))

    found = findings(tmp_path, tasks)

    assert len(tasks["options.yml"]) == len(MODULES)
    assert len(tasks["choices.yml"]) > 3
    assert Counter(file for file, _message in found) == {name: len(wrong) for name, wrong in tasks.items()}
    words = {"options.yml": "token_fiel", "choices.yml": "value of state must be one of"}
    assert [message for file, message in found if words[file] not in message] == []
