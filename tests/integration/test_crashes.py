# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of a real process before and after each of its requests and each of its changes on disk.

The process writes a journal of its steps and kills itself at one of them. The lab's log proves that the requests before
it were carried out. Then one more run must repair everything. test_lifecycle_crashes.py does the same in memory for
every state.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, JOBS, KITS, jobs_of
from support.in_process import Done, done, prepared, record_of
from support.journal import Journal
from support.kit import Job

if TYPE_CHECKING:
    from lab.client import Lab

FORK = multiprocessing.get_context("fork")
# Timeouts in seconds: for a child process, and for the next run to get the lock.
PATIENCE, LOCK_TIMEOUT = 240, 60
_MOST_STEPS = 200
CREATE = "POST /api/ni/auth/token"


def _run_until(die_at: int, journal_path: Path, job: Job, details: Any, file: str) -> None:
    """In a separate process: run the job, and kill the process at a step."""
    journal = Journal(journal_path, die_at)
    journal.watch_requests()
    for name in ("fsync", "replace", "unlink"):
        journal.watch(os, name, lambda *_args, of=name: of)
    journal.watch(fcntl, "flock", lambda *_args: "flock")
    # A job may fail because of a fault of the lab, but not because of an error in our code or in this file.
    assert "internal error" not in done(job, details, file).message


@dataclass(frozen=True)
class Killed:
    """A run that was killed: its steps, up to the one at which it was killed."""

    steps: list[str]

    @property
    def orphans(self) -> int:
        """One token if the process was killed between its response and its storage: it cannot be known."""
        created = f"after {CREATE}"
        if created not in self.steps:
            return 0
        return int("after replace" not in self.steps[self.steps.index(created) :])


def _killed_at_each_step(job: Job, lab: Lab, folder: Path, before: Callable[[], object]) -> Iterator[Killed]:
    """The job from the same start, killed at each of its steps in turn, until it finishes."""
    file, journal = str(folder / "token.json"), folder / "journal"
    for step in range(1, _MOST_STEPS):
        prepared(job, lab, file)
        before()
        process = FORK.Process(target=_run_until, args=(step, journal, job, lab.details, file))
        process.start()
        process.join(PATIENCE)
        if process.exitcode == 0:
            return
        assert process.exitcode == -signal.SIGKILL
        killed = Killed(journal.read_text().splitlines())
        assert len(killed.steps) == step
        completed = [line.removeprefix("after ") for line in killed.steps if line.startswith("after ")]
        asked = [f"{entry.method} {entry.path}" for entry in lab.requests()]
        assert asked == [line for line in completed if " " in line], "the lab's log and the journal agree"
        lab.clear_faults()
        yield killed
    pytest.fail("the run never finishes")


def _next_run(job: Job, lab: Lab, file: str, killed: Killed) -> Done:
    """One more run. It must not wait for a lock of the killed process."""
    more = {"lock_timeout": LOCK_TIMEOUT} if job.keeps else {}
    run = done(job, lab.details, file, **more)
    assert not run.result.get("failed"), (killed.steps[-1], run.message)
    return run


def _assert_settled(lab: Lab, file: str, killed: Killed, orphans: int) -> None:
    """Exactly one working token exists, and it is stored in the file. A further run changes nothing.

    Partial files are removed when the file is next written.
    """
    record = record_of(file)
    assert record is not None
    assert record.current is not None
    assert record.pending is None, killed.steps[-1]
    counts = lab.counts(EXAMPLE.name)
    # A replaced token may be within its grace period.
    assert counts["tokens_valid"] == len(record.tokens) + orphans, (killed.steps[-1], counts)
    settled = _next_run(EXAMPLE.jobs["creates and keeps"], lab, file, killed)
    assert (settled.result["action"], settled.result["changed"]) == ("reused", False)
    _next_run(EXAMPLE.jobs["renews"], lab, file, killed)
    assert lab.counts(EXAMPLE.name)["tokens_valid"] == 1 + orphans, killed.steps[-1]
    assert list(Path(file).parent.glob(".token.json.*")) == []


def _refuse_new_tokens(lab: Lab) -> Callable[[], object]:
    """Let the server refuse what it has just created, once."""
    return lambda: lab.fault(EXAMPLE.name, "status", method="GET", path="/info/version", status=401)


@pytest.mark.parametrize(
    ("job_name", "refused"),
    [
        ("renews", False),
        pytest.param("creates and keeps", False, marks=pytest.mark.slow),
        pytest.param("renews", True, marks=pytest.mark.slow),
        pytest.param("renews in a set", False, marks=pytest.mark.slow),
    ],
)
def test_after_a_kill_at_any_step_of_a_renewal_the_next_run_leaves_one_valid_token(
    lab: Lab, tmp_path: Path, job_name: str, refused: bool
) -> None:
    file = str(tmp_path / "token.json")
    before = _refuse_new_tokens(lab) if refused else lambda: None
    deaths, orphaned = 0, 0
    for killed in _killed_at_each_step(JOBS[f"{EXAMPLE.name} {job_name}"], lab, tmp_path, before):
        deaths, orphaned = deaths + 1, orphaned + killed.orphans
        valid = lab.counts(EXAMPLE.name).get("tokens_valid", 0)
        record = record_of(file)
        assert valid - len(record.tokens if record else ()) <= killed.orphans, (killed.steps[-1], "a token is lost")
        _next_run(EXAMPLE.jobs["creates and keeps"], lab, file, killed)
        _assert_settled(lab, file, killed, killed.orphans)
    assert deaths > 15
    assert orphaned, "the one exception occurred"


@pytest.mark.slow
def test_after_a_kill_at_any_step_of_a_revocation_the_next_run_revokes_the_rest(lab: Lab, tmp_path: Path) -> None:
    job, file = EXAMPLE.jobs["revokes"], str(tmp_path / "token.json")
    deaths = 0
    for killed in _killed_at_each_step(job, lab, tmp_path, lambda: None):
        deaths += 1
        _next_run(job, lab, file, killed)
        assert lab.counts(EXAMPLE.name)["tokens_valid"] == 0, killed.steps[-1]
        assert not Path(file).exists()
    assert deaths >= 8


# The jobs that leave a known state, by product.
SETTLED = [(kit.name, name) for kit in KITS.values() for name, job in jobs_of(kit).items() if job.settled is not None]


@pytest.mark.slow
@pytest.mark.parametrize(("product", "job_name"), SETTLED, ids=[name for _product, name in SETTLED])
def test_after_a_kill_at_any_step_of_any_other_job_the_next_run_finishes_it(
    lab: Lab, tmp_path: Path, product: str, job_name: str
) -> None:
    job, file = JOBS[job_name], str(tmp_path / "token.json")
    expected = job.settled or {}
    ends = 0 in expected.values()
    for killed in _killed_at_each_step(job, lab, tmp_path, lambda: None):
        _next_run(job, lab, file, killed)
        counts = lab.counts(product)
        # Before the last step the job may have done its work already, so that it was done twice; but never more often.
        found = {name: counts[name] for name in expected}
        assert found == expected or job.may_run_twice, (killed.steps[-1], counts)
        assert all(found.values()) or ends
        if job.keeps and not ends:
            # A job that always renews has another one before it, which stores its token.
            keeping = job.before[-1] if job.before else job
            assert not _next_run(keeping, lab, file, killed).result["changed"]


@contextlib.contextmanager
def _running(job: Job, lab: Lab, file: str) -> Iterator[BaseProcess]:
    process = FORK.Process(target=done, args=(job, lab.details, file))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(PATIENCE)


def _worked(lab: Lab, method: str) -> bool:
    return any(entry.method == method and entry.work_status for entry in lab.requests(EXAMPLE.name))


@pytest.mark.parametrize("work", [False, True])
@pytest.mark.parametrize(("method", "path"), [("POST", "/auth/token"), ("GET", "/info/version"), ("DELETE", "/auth/")])
def test_after_a_kill_during_a_request_the_next_run_leaves_one_valid_token(
    lab: Lab, tmp_path: Path, method: str, path: str, work: bool
) -> None:
    job, file = EXAMPLE.jobs["renews"], str(tmp_path / "token.json")
    prepared(job, lab, file)
    lab.fault(EXAMPLE.name, "delay", method=method, path=path, seconds=PATIENCE, work=work)
    arrived = {"POST": 1, "GET": 2, "DELETE": 3}[method]

    with _running(job, lab, file) as process:
        lab.wait_for_requests(arrived, EXAMPLE.name, finished=False)
        end = time.monotonic() + PATIENCE
        while work and not _worked(lab, method):
            assert time.monotonic() < end, "the lab does not carry out the request"
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
    lab.clear_faults()

    killed = Killed([f"while waiting for {method}"])
    _next_run(EXAMPLE.jobs["creates and keeps"], lab, file, killed)
    _assert_settled(lab, file, killed, orphans=int(work and method == "POST"))
