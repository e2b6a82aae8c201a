# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks with the real ansible-playbook, and their output."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cores import DEFAULT, Core

SSH = Path(__file__).with_name("ssh")
ACTION_PLUGINS = Path(__file__).with_name("action_plugins")
CALLBACK_PLUGINS = Path(__file__).with_name("callback_plugins")
# Only catches hangs.
_SECONDS = 500

Task = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One run of ansible-playbook: its exit code, its output, and the results that its tasks registered."""

    returncode: int
    stdout: str
    stderr: str
    by_host: dict[str, dict[str, Any]]
    written: dict[str, str]

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    def __getitem__(self, name: str) -> Any:
        return self.by_host["sddc"][name]


@dataclass(frozen=True)
class Route:
    """A route on which a task runs."""

    name: str
    variables: Mapping[str, Any]
    in_process: bool = False


IN_PROCESS = Route("in process", {"ansible_connection": "local"}, in_process=True)
AS_MODULE = Route("as a module", {"ansible_connection": "local", "sddc_tokens_in_process": False})
OVER_SSH = Route(
    "over ssh",
    {
        "ansible_connection": "ssh",
        "ansible_ssh_executable": str(SSH),
        "ansible_ssh_transfer_method": "piped",
        "ansible_host": "remote.example.com",
    },
)
ROUTES = (IN_PROCESS, AS_MODULE, OVER_SSH)
# For tests of each route. A module runs alike on both of its routes, so one of these is enough for the fast tests.
EACH_ROUTE = [
    pytest.param(route, id=route.name, marks=[pytest.mark.slow] if route is AS_MODULE else []) for route in ROUTES
]


class Ansible:
    """Runs plays in its own folder."""

    def __init__(self, folder: Path, variables: Mapping[str, Any]) -> None:
        self.folder = folder
        self.variables = dict(variables)

    def play(
        self,
        tasks: Sequence[Task],
        *,
        route: Route = IN_PROCESS,
        core: Core = DEFAULT,
        arguments: Iterable[str] = (),
        environ: Mapping[str, str] | None = None,
        hosts: Mapping[str, Mapping[str, Any]] | None = None,
        keywords: Mapping[str, Any] | None = None,
        records: bool = True,
    ) -> Run:
        """Run the tasks as one play. Registered results are recorded, also after a failure, unless `records` is false.

        `hosts` are names with their variables; by default there is one. `keywords` are further keywords of the play.
        """
        names = sorted({task["register"] for task in tasks if "register" in task})
        record = self.folder / "registered"
        record.mkdir(exist_ok=True)
        body: list[Task] = [{"name": "The test", "block": list(tasks), "always": _recording(names, record)}]
        play = {
            "name": "Test",
            "hosts": "all",
            "gather_facts": False,
            **(keywords or {}),
            "tasks": body if records else list(tasks),
        }
        inventory = {"all": {"hosts": dict(hosts or {"sddc": {}}), "vars": {**self.variables, **route.variables}}}
        _write(self.folder / "play.yml", [play])
        _write(self.folder / "inventory.yml", inventory)
        return self._run(core, ["play.yml", *arguments], environ or {}, record)

    def playbook(
        self, path: Path | str, *, core: Core = DEFAULT, arguments: Iterable[str] = (), environ: Mapping[str, str]
    ) -> Run:
        """Run an existing playbook."""
        _write(self.folder / "inventory.yml", {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}})
        return self._run(core, [str(path), *arguments], environ, self.folder / "registered")

    def _run(self, core: Core, arguments: list[str], environ: Mapping[str, str], record: Path) -> Run:
        for old in record.glob("*"):
            old.unlink()
        done = finished([core.ansible_playbook, "-i", "inventory.yml", *arguments], self.folder, core, environ)
        by_host = {path.stem: json.loads(path.read_text()) for path in record.glob("*.json")}
        return Run(done.returncode, done.stdout, done.stderr, by_host, _text_files(self.folder / "written"))


def module(name: str, register: str = "", **options: Any) -> Task:
    """A task of this collection."""
    task: Task = {"name": f"Task {register or name}", f"sddc.tokens.{name}": options}
    return {**task, "register": register} if register else task


def _recording(names: Iterable[str], record: Path) -> list[Task]:
    dest = f"{record}/{{{{ inventory_hostname }}}}.json"
    return [{"name": "Record", "record_results": {"names": list(names), "dest": dest}}]


def finished(
    command: Sequence[str], folder: Path, core: Core, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command of a core to its end, in the folder."""
    return subprocess.run(
        command,
        cwd=folder,
        env={**_environment(core, folder), **environ},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _environment(core: Core, folder: Path) -> dict[str, str]:
    """A minimal environment: no variable of AWX, no proxy, no configuration of the caller."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": f"{core.folder}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "ANSIBLE_ACTION_PLUGINS": str(ACTION_PLUGINS),
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACK_PLUGINS),
        "ANSIBLE_COLLECTIONS_PATH": str(core.collections),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_NOCOWS": "1",
        "ANSIBLE_HOST_KEY_CHECKING": "false",
        "ANSIBLE_PYTHON_INTERPRETER": core.python,
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
    }


def _text_files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()
    }


def _write(path: Path, document: Any) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False))
