# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many tasks that share a token file log in once, also if one of them is killed, but not without file locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE
from support.in_process import done, prepared, record_of
from support.playbooks import Ansible
from support.tasks import said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

FORK = multiprocessing.get_context("fork")
FORKS = 50
# Timeout of a child process, in seconds.
PATIENCE = 240
CREATE = "POST /api/ni/auth/token"

NO_LOCKS = """\
import errno, fcntl, os

def flock(descriptor, operation):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

fcntl.flock = flock
"""


def _keep(details: Any, file: str, report: str, locks: bool) -> None:
    """In a separate process: keep the token valid, and report the result. Without `locks` the file system has none."""
    if not locks:
        fcntl.flock = _unable  # type: ignore[assignment]
    result = done(EXAMPLE.jobs["creates and keeps"], details, file, lock_timeout=PATIENCE).result
    shown = {name: result.get(name) for name in ("action", "fingerprint", "msg", "warnings")}
    Path(report).write_text(json.dumps(shown))


def _unable(descriptor: int, operation: int) -> None:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


@contextlib.contextmanager
def _processes(count: int, lab: Lab, file: str, *, locks: bool = True) -> Iterator[Sequence[BaseProcess]]:
    started = [
        FORK.Process(target=_keep, args=(lab.details, file, f"{file}.report-{number}", locks))
        for number in range(count)
    ]
    try:
        for process in started:
            process.start()
        yield started
    finally:
        for process in started:
            process.kill()
            process.join()


def _reports(file: str, processes: Sequence[BaseProcess]) -> list[dict[str, Any]]:
    """The results of the processes that were not killed."""
    for process in processes:
        process.join(PATIENCE)
    assert {process.exitcode for process in processes} <= {0, -signal.SIGKILL}
    folder = Path(file).parent
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.report-*"))]


def _creations(lab: Lab) -> int:
    return sum(entry.line == CREATE for entry in lab.requests(EXAMPLE.name))


@pytest.fixture
def file(lab: Lab, tmp_path: Path) -> str:
    file = str(tmp_path / "token.json")
    prepared(EXAMPLE.jobs["creates and keeps"], lab, file)
    return file


def test_fifty_processes_that_share_a_file_create_one_token(lab: Lab, file: str) -> None:
    lab.fault(EXAMPLE.name, "delay", method="POST", path="/auth/token", seconds=PATIENCE)

    with _processes(FORKS, lab, file) as processes:
        lab.wait_for_requests(1, EXAMPLE.name, finished=False)
        lab.clear_faults()
        reports = _reports(file, processes)

    assert sorted(report["action"] for report in reports) == ["created"] + ["reused"] * (FORKS - 1)
    assert len({report["fingerprint"] for report in reports}) == 1
    assert _creations(lab) == lab.counts(EXAMPLE.name)["tokens_minted"] == 1


@pytest.mark.slow
def test_fifty_forks_of_ansible_that_share_a_file_create_one_token(ansible: Ansible, lab: Lab) -> None:
    lab.fault(EXAMPLE.name, "delay", method="POST", path="/auth/token", seconds=2)
    hosts: dict[str, dict[str, Any]] = {f"host{number}": {} for number in range(FORKS)}
    tasks = [EXAMPLE.task("kept", token_file="{{ playbook_dir }}/token.json")]

    run = succeeded(ansible.play(tasks, hosts=hosts, arguments=[f"--forks={FORKS}"]))

    actions = sorted(run.by_host[name]["kept"]["action"] for name in hosts)
    assert actions == ["created"] + ["reused"] * (FORKS - 1)
    assert len({run.by_host[name]["kept"]["token"] for name in hosts}) == 1
    assert _creations(lab) == 1


@pytest.mark.slow
def test_two_playbooks_of_twenty_five_forks_each_create_one_token(ansible: Ansible, lab: Lab) -> None:
    lab.fault(EXAMPLE.name, "delay", method="POST", path="/auth/token", seconds=4)
    hosts: dict[str, dict[str, Any]] = {f"host{number}": {} for number in range(FORKS // 2)}
    other = Ansible(ansible.folder / "other", ansible.variables)
    other.folder.mkdir()
    tasks = [EXAMPLE.task("kept", token_file=str(ansible.folder / "token.json"))]

    def play(one: Ansible) -> list[str]:
        run = succeeded(one.play(tasks, hosts=hosts, arguments=[f"--forks={FORKS // 2}"]))
        return [run.by_host[name]["kept"]["action"] for name in hosts]

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(play, (ansible, other))

    assert sorted([*first, *second]) == ["created"] + ["reused"] * (FORKS - 1)
    assert _creations(lab) == 1


@pytest.mark.parametrize("work", [False, True])
def test_when_the_process_that_logs_in_is_killed_another_one_logs_in_at_once(lab: Lab, file: str, work: bool) -> None:
    """With `work`, the token of the killed process was created and cannot be known."""
    lab.fault(EXAMPLE.name, "delay", method="POST", path="/auth/token", seconds=PATIENCE, work=work)

    with _processes(12, lab, file) as processes:
        (held,) = lab.wait_for_requests(1, EXAMPLE.name, finished=False)
        (holder,) = [process for process in processes if _port_of(process, held.peer)]
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGKILL)
        holder.join()
        # The fault delays one request only, whose client is dead.
        reports = _reports(file, processes)

    assert sorted(report["action"] for report in reports) == ["created"] + ["reused"] * 10
    assert _creations(lab) == 2
    assert len({report["fingerprint"] for report in reports}) == 1
    lab.clear_faults()
    assert lab.counts(EXAMPLE.name)["tokens_valid"] == 1 + int(work)


def _port_of(process: BaseProcess, peer: str) -> bool:
    """Whether the connection from this peer, an address with its port, belongs to the process."""
    port = f":{int(peer.rpartition(':')[2]):04X} "
    inodes = {
        line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if f"{port}" in line[:20] + " "
    }
    links = []
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(os.readlink(descriptor))
    return any(f"socket:[{inode}]" in links for inode in inodes)


def test_without_file_locks_each_process_may_log_in_with_a_warning_and_the_file_stays_valid(
    lab: Lab, file: str
) -> None:
    lab.fault(EXAMPLE.name, "delay", method="POST", path="/auth/token", seconds=PATIENCE, times=0)

    with _processes(4, lab, file, locks=False) as processes:
        # All four run at the same time: they have no lock to wait for.
        lab.wait_for_requests(4, EXAMPLE.name, finished=False, timeout=PATIENCE)
        lab.clear_faults()
        reports = _reports(file, processes)

    assert [report["action"] for report in reports] == ["created"] * 4
    assert all("cannot lock files" in " ".join(report["warnings"]) for report in reports)
    record = record_of(file)
    assert record is not None
    assert record.current is not None
    assert record.current.fingerprint in {report["fingerprint"] for report in reports}
    assert done(EXAMPLE.jobs["creates and keeps"], lab.details, file).result["action"] == "reused"


def test_a_playbook_on_a_file_system_without_locks_warns_and_continues(ansible: Ansible, lab: Lab) -> None:
    (ansible.folder / "sitecustomize.py").write_text(NO_LOCKS)
    tasks = [EXAMPLE.task(name, token_file="{{ playbook_dir }}/token.json") for name in ("created", "reused")]

    run = succeeded(ansible.play(tasks, environ={"PYTHONPATH": str(ansible.folder)}))

    assert [run[name]["action"] for name in ("created", "reused")] == ["created", "reused"]
    assert "cannot lock files. Tasks that use the file at the same time may each create a token." in said(run)
