# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each ansible-core can seal and what it cannot: the table in docs/security.md, compared with real runs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from products import EXAMPLE, ISSUER
from support.canaries import leaks
from support.cores import ALL, Core
from support.playbooks import AS_MODULE, IN_PROCESS, Ansible, Route, Task
from support.tasks import failing

if TYPE_CHECKING:
    from lab.client import Lab

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
FILE = "{{ playbook_dir }}/token.json"
LOOKUP = "lookup('sddc.tokens.token_file', playbook_dir ~ '/token.json')"
REQUEST = {
    "url": "{{ example.url }}/api/ni/info/version",
    "headers": "{{ created.headers }}",
    "ca_path": "{{ ca_path }}",
}
CREATED = EXAMPLE.task("created")
KEPT = EXAMPLE.task("kept", token_file=FILE, return_token=False)


@dataclass(frozen=True)
class Situation:
    """Tasks, and whether their output is searched for secrets, or for what should be readable."""

    row: str
    tasks: list[Task]
    route: Route = IN_PROCESS
    readable: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    # The places to search besides the output.
    folder: str = ""


def later(name: str, arguments: object, **keywords: object) -> list[Task]:
    """A token is created and registered, and a later task prints something about it."""
    return [CREATED, failing({"name": "Later", name: arguments, **keywords})]


SITUATIONS = [
    Situation("the task's own result, and its loop", [CREATED, {**CREATED, "loop": [1, 2]}]),
    Situation("the same, by the route of a module", [CREATED, {**CREATED, "loop": [1, 2]}], route=AS_MODULE),
    Situation("a refused password, in every message", [failing(EXAMPLE.task(password="wrong-{{ example.password }}"))]),
    Situation("expiry and fingerprint of such a result", [CREATED], readable="fingerprint"),
    Situation("the same with `return_token: false`", [KEPT], readable="fingerprint"),
    Situation("`debug: var=` of a registered token", later("ansible.builtin.debug", {"var": "created"})),
    Situation("the same with the user's `no_log`", later("ansible.builtin.debug", {"var": "created"}, no_log=True)),
    Situation(
        "a template that fails and quotes it",
        later("ansible.builtin.debug", {"msg": "{{ lookup('ansible.builtin.file', created.token) }}"}),
    ),
    Situation("a command that echoes it", later("ansible.builtin.command", "echo {{ created.token }}")),
    Situation("the headers in the arguments of `uri`", later("ansible.builtin.uri", REQUEST)),
    Situation("`set_fact` of it", later("ansible.builtin.set_fact", {"fact": "{{ created.token }}"})),
    Situation(
        "`set_stats` of it, shown", later("ansible.builtin.set_stats", {"data": {"fact": "{{ created.token }}"}})
    ),
    Situation(
        "`debug` of the lookup `token_file`",
        [KEPT, {"name": "Later", "ansible.builtin.debug": {"msg": f"{{{{ {LOOKUP} }}}}"}}],
    ),
    Situation(
        "`debug` of a password that a task was given", later("ansible.builtin.debug", {"var": "example.password"})
    ),
    Situation(
        "the label of a loop over passwords that are refused",
        [failing({**ISSUER.task(api_token="{{ item }}"), "loop": ["wrong-{{ issuer.api_token }}"]})],
    ),
    Situation(
        "a cacheable fact, in the cache's file",
        later("ansible.builtin.set_fact", {"fact": "{{ created.token }}", "cacheable": True}, no_log=True),
        environ={"ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": "kept"},
        folder="kept",
    ),
    Situation(
        "`ANSIBLE_KEEP_REMOTE_FILES`, in the file of the module",
        [CREATED],
        route=AS_MODULE,
        environ={"ANSIBLE_KEEP_REMOTE_FILES": "1"},
        folder="remote",
    ),
    Situation("`ANSIBLE_DEBUG`, by the route of a module", [CREATED], route=AS_MODULE, environ={"ANSIBLE_DEBUG": "1"}),
]


def outcome(ansible: Ansible, lab: Lab, core: Core, situation: Situation) -> str:
    """One cell of the table."""
    (ansible.folder / "token.json").unlink(missing_ok=True)
    run = ansible.play(
        situation.tasks,
        core=core,
        route=situation.route,
        environ={
            "ANSIBLE_SHOW_CUSTOM_STATS": "1",
            "ANSIBLE_REMOTE_TMP": str(ansible.folder / "remote"),
            **situation.environ,
        },
        arguments=["-vvv"],
    )
    assert run.returncode == 0, run.output[-3000:]
    if situation.readable:
        (registered,) = run.by_host["sddc"].values()
        return "readable" if registered[situation.readable] in run.stdout else "hidden"
    files = [path for path in (ansible.folder / situation.folder).rglob("*") if situation.folder and path.is_file()]
    assert bool(files) == bool(situation.folder), "there is output to search"
    texts = {str(path): path.read_text(errors="replace") for path in files} or {"output": run.output}
    return "**shown**" if leaks(texts, [secret["value"] for secret in lab.secrets()]) else "sealed"


def table() -> dict[str, dict[str, str]]:
    """The table of the page: by row and core."""
    lines = re.findall(r"^\| (.+?) \|$", PAGE.read_text().split("<!-- cores -->")[1], re.MULTILINE)
    head, *rows = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def version(core: Core) -> str:
    """A core as the table names it."""
    command = [core.python, "-c", "from ansible.release import __version__; print(__version__)"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return ".".join(told.split(".")[:2])


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("core", ALL, ids=lambda core: f"core {core.version}", indirect=True)
def test_the_table_of_what_each_core_can_seal_is_true(ansible: Ansible, lab: Lab, core: Core) -> None:
    column = version(core)

    seen = {situation.row: outcome(ansible, lab, core, situation) for situation in SITUATIONS}

    assert seen == {row: cells[column] for row, cells in table().items()}
