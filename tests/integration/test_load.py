# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand hosts in one play, and ten thousand tasks in one process: no failure, no growth."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.client import Lab
from products import EXAMPLE
from support.cores import DEFAULT
from support.in_process import done, prepared

if TYPE_CHECKING:
    from support.playbooks import Task

FEW, MANY, FORKS = 100, 1000, 20
TASKS_IN_ONE_PROCESS, WARM_UP = 10_000, 1000
# Seconds of one play, on a busy machine, and between two measurements.
PATIENCE, PAUSE = 600, 0.05
# KiB by which ansible-playbook may grow for each host more than with a task of debug, and MiB over all those tasks.
MOST_FOR_A_HOST, MOST_GROWTH = 8, 16


@dataclass(frozen=True)
class Held:
    """The peak values of a process: file descriptors, and memory in KiB."""

    descriptors: int
    memory: int


def _memory(pid: int | str, field: str) -> int:
    """VmRSS (current) or VmHWM (peak) in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)


def _descriptors(pid: int | str) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


class _Watcher(threading.Thread):
    """Measures a process repeatedly until it is stopped."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.held = Held(0, 0)

    def run(self) -> None:
        while not self._over.wait(PAUSE):
            try:
                descriptors, memory = _descriptors(self._pid), _memory(self._pid, "VmHWM")
            except OSError:
                return
            self.held = Held(max(self.held.descriptors, descriptors), max(self.held.memory, memory))

    def stopped(self) -> Held:
        self._over.set()
        self.join()
        return self.held


class Controller:
    """Runs one task on this number of hosts, each an address of the lab."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab = lab
        self._folder = folder
        self._environ = {
            "PATH": f"{DEFAULT.folder}:{os.environ['PATH']}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(DEFAULT.collections),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_NOCOWS": "1",
        }

    def play(self, task: Task, hosts: int) -> tuple[Held, str]:
        """Run it. Return the peak values of ansible-playbook and its output."""
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": DEFAULT.python,
            "port": urllib.parse.urlsplit(self._lab[EXAMPLE.name]["url"]).port,
            "lab": {EXAMPLE.name: self._lab[EXAMPLE.name]},
            "ca_path": self._lab.ca_path,
        }
        addresses = self._lab.addresses()[:hosts]
        inventory = {f"host{number:04}": {"address": address} for number, address in enumerate(addresses)}
        self._write("inventory.json", {"all": {"hosts": inventory, "vars": variables}})
        self._write("play.json", [{"name": "Load", "hosts": "all", "gather_facts": False, "tasks": [task]}])
        command = [DEFAULT.ansible_playbook, "-i", "inventory.json", "play.json", f"--forks={FORKS}"]
        with (self._folder / "output").open("wb") as output:
            process = subprocess.Popen(
                command, cwd=self._folder, env=self._environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            watcher = _Watcher(process.pid)
            watcher.start()
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()
                held = watcher.stopped()
        text = (self._folder / "output").read_text()
        assert process.returncode == 0, text[-3000:]
        return held, text

    def _write(self, name: str, document: Any) -> None:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(document))


@pytest.fixture
def large_lab() -> Iterator[Lab]:
    with Lab.start(addresses=MANY) as lab:
        # Thousands of tokens of one user, which the product would not allow.
        lab.change_settings(EXAMPLE.name, token_limit=0)
        yield lab


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_play_with_a_thousand_hosts_fails_on_none_and_needs_little_memory_for_each(
    large_lab: Lab, tmp_path: Path
) -> None:
    controller = Controller(large_lab, tmp_path)
    token = EXAMPLE.task(hostname="{{ address }}:{{ port }}")
    debug = {"name": "Debug", "ansible.builtin.debug": {"msg": "{{ address }}"}}

    held = {(name, hosts): controller.play(task, hosts) for name, task in (("debug", debug), ("token", token))
            for hosts in (FEW, MANY)}  # fmt: skip

    for (name, hosts), (found, _text) in held.items():
        print(f"{name}, {hosts} hosts: {found.descriptors} descriptors, {found.memory / 1024:.1f} MiB")
    text = held["token", MANY][1]
    assert text.count("changed: [host") == MANY
    assert text.count(" failed=0 ") == MANY
    state = large_lab.state(EXAMPLE.name)[EXAMPLE.name]
    assert sum(counts["tokens_minted"] for counts in state.values()) == FEW + MANY
    growth = {
        name: (held[name, MANY][0].memory - held[name, FEW][0].memory) / (MANY - FEW) for name in ("debug", "token")
    }
    print(f"KiB for each host: {growth}")
    assert growth["token"] <= growth["debug"] + MOST_FOR_A_HOST
    # One measurement may be between two forks of more.
    assert held["token", MANY][0].descriptors <= held["token", FEW][0].descriptors + FORKS
    assert held["token", MANY][0].descriptors <= held["debug", MANY][0].descriptors + FORKS


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_tasks_in_one_process_leak_neither_descriptors_nor_memory(lab: Lab, tmp_path: Path) -> None:
    job, file = EXAMPLE.jobs["reuses"], str(tmp_path / "token.json")
    prepared(job, lab, file)
    descriptors = memory = 0
    for number in range(TASKS_IN_ONE_PROCESS):
        if number == WARM_UP:
            descriptors, memory = _descriptors("self"), _memory("self", "VmRSS")
        assert done(job, lab.details, file).result.get("action") == "reused", number

    grown = (_memory("self", "VmRSS") - memory) / 1024
    print(f"{descriptors} descriptors, {grown:.1f} MiB more after {TASKS_IN_ONE_PROCESS - WARM_UP} further tasks")
    assert _descriptors("self") == descriptors
    assert grown < MOST_GROWTH
