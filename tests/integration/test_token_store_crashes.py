# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that share a token on a real OpenBao and no disk: many at once, killed ones, and paused ones.

Each process has a home of its own, so that the local lock keeps no other from the store.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE
from support.bao import Bao
from support.journal import Journal
from support.shared_token import KEEP, MINTS, PATIENCE, RENEW, REVOKE, SharedToken

if TYPE_CHECKING:
    from lab.client import Lab

FORK = multiprocessing.get_context("fork")
FORKS = 50
_MOST_STEPS = 50
# Seconds. A lease ends 2 s late, at a whole second of the server's clock; the rest is for a busy machine.
LEASE, LATENESS = 6.0, 5.0


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def token(lab: Lab, bao: Bao, tmp_path: Path) -> SharedToken:
    token = SharedToken(lab, bao, f"sddc/{tmp_path.name}")
    token.keep_history()
    return token


def _reported(token: SharedToken, home: Path, start: Barrier | None, job: str, options: dict[str, Any]) -> None:
    """In a separate process, as on another machine: run the job and report its result."""
    home.mkdir()
    os.environ["HOME"] = str(home)
    if start:
        start.wait(PATIENCE)
    started = time.monotonic()
    run = token.run(job, **options)
    shown = {name: run.result.get(name) for name in ("action", "fingerprint", "msg", "request_count")}
    shown.update(said=run.said, seconds=time.monotonic() - started, failed=bool(run.result.get("failed")))
    (home / "report").write_text(json.dumps(shown))


def _machine(
    token: SharedToken, home: Path, job: str = KEEP, start: Barrier | None = None, **options: Any
) -> BaseProcess:
    return FORK.Process(target=_reported, args=(token, home, start, job, options))


def _report(process: BaseProcess, home: Path) -> dict[str, Any]:
    process.join(PATIENCE)
    assert process.exitcode == 0
    report: dict[str, Any] = json.loads((home / "report").read_text())
    return report


@pytest.mark.parametrize("count", [8, pytest.param(FORKS, marks=pytest.mark.slow)])
def test_processes_without_a_common_disk_sign_in_once(token: SharedToken, tmp_path: Path, count: int) -> None:
    # The others wait for this sign-in.
    token.lab.fault(EXAMPLE.name, "delay", method="POST", seconds=count / 25)
    start = FORK.Barrier(count)
    homes = [tmp_path / f"home-{number}" for number in range(count)]
    processes = [_machine(token, home, start=start) for home in homes]
    for process in processes:
        process.start()

    reports = [_report(process, home) for process, home in zip(processes, homes, strict=True)]

    assert sorted(str(report["action"]) for report in reports) == ["created"] + ["reused"] * (count - 1)
    assert len({report["fingerprint"] for report in reports}) == 1
    assert token.minted() == 1
    token.assert_settled()
    token.assert_history()
    token.assert_private(said=" ".join(report["said"] for report in reports))
    requests, slowest = sum(each["request_count"] for each in reports), max(each["seconds"] for each in reports)
    print(f"{count} processes: {requests} requests, slowest {slowest:.1f} s")


# --- kill -9 ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Killed:
    """A process that was killed, with its steps up to that one, and the token that it worked on."""

    token: SharedToken
    steps: list[str]

    @property
    def orphans(self) -> int:
        """One token if the process was killed between its response and its storage: it cannot be known."""
        created = [index for index, step in enumerate(self.steps) if step.startswith("after") and MINTS.search(step)]
        if not created:
            return 0
        written = f"after POST /v1/secret/data/{self.token.path}"
        return int(written not in self.steps[created[-1] :])


def _run_until(
    step: int, journal_path: Path, token: SharedToken, job: str, number: signal.Signals = signal.SIGKILL
) -> None:
    """In a separate process: run the job, and kill or pause the process at a step."""
    os.environ["HOME"] = str(journal_path.parent / "killed")
    Path(os.environ["HOME"]).mkdir(exist_ok=True)
    Journal(journal_path, step, number).watch_requests()
    run = token.run(job, lease=LEASE)
    assert not run.result.get("failed"), run.message


def _killed_at(step: int, token: SharedToken, job: str, folder: Path) -> Killed | None:
    """A run that is killed at a step; None when it has fewer steps."""
    journal = folder / "journal"
    process = FORK.Process(target=_run_until, args=(step, journal, token, job))
    process.start()
    process.join(PATIENCE)
    steps = journal.read_text().splitlines()
    assert process.exitcode in (0, -signal.SIGKILL), steps
    return Killed(token, steps) if process.exitcode else None


def _killed_at_each_step(lab: Lab, bao: Bao, job: str, folder: Path) -> Iterator[Killed]:
    """The job killed at each step in turn, each time with a document and a host of its own."""
    for step, host in enumerate(lab.add_addresses(_MOST_STEPS), 1):
        token = SharedToken(lab, bao, f"sddc/{folder.name}-{step}", host)
        if job != KEEP:
            token.keep_history()
            assert token.run().result["action"] == "created"
        killed = _killed_at(step, token, job, folder)
        if killed is None:
            return
        assert len(killed.steps) == step
        yield killed
    pytest.fail("the run never finishes")


@pytest.mark.slow
@pytest.mark.parametrize("job", [KEEP, RENEW, REVOKE])
def test_after_a_kill_before_or_after_any_request_the_next_machine_leaves_one_valid_token(
    lab: Lab, bao: Bao, tmp_path: Path, job: str
) -> None:
    # All are killed first, and all leases are over when the next machine comes: before that, a task with a token that
    # is still valid leaves what the killed one has begun.
    deaths = list(_killed_at_each_step(lab, bao, job, tmp_path))
    time.sleep(LEASE + LATENESS)

    for killed in deaths:
        token, last = killed.token, killed.steps[-1]
        fields = token.fields()
        known = sum(f"{prefix}token" in fields for prefix in ("", "pending_", "superseded_"))
        assert token.valid() <= known + killed.orphans, (last, "a token is lost")
        run = token.run(REVOKE if job == REVOKE else KEEP, lease=LEASE)
        assert not run.result.get("failed"), (last, run.message)
        if job == REVOKE:
            assert token.valid() == 0, last
            assert "token" not in token.fields()
            token.assert_private(run)
            continue
        token.assert_settled(killed.orphans, last)
        renewed = token.run(RENEW, lease=LEASE)
        assert renewed.result["action"] == "renewed", (last, renewed.message)
        assert token.valid() == 1 + killed.orphans, last
        assert "lease_holder" not in token.fields(), last
        if job != KEEP:
            token.assert_history()
    assert len(deaths) > (8 if job == REVOKE else 14)
    assert job == REVOKE or any(killed.orphans for killed in deaths), "the one exception occurred"
    print(f"{job}: {len(deaths)} kills, {sum(killed.orphans for killed in deaths)} orphans")


def _step_of(job: str, token: SharedToken, folder: Path, wanted: str) -> int:
    """The number of the step after the request that is wanted, such as the second write."""
    probe = SharedToken(token.lab, token.bao, f"{token.path}-probe", token.host)
    probe.keep_history()
    journal = folder / "probe"
    process = FORK.Process(target=_run_until, args=(0, journal, probe, job))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0
    token.lab.reset()
    steps = [step.replace(f"/{probe.path}", "") for step in journal.read_text().splitlines()]
    writes = [index for index, step in enumerate(steps, 1) if step == "after POST /v1/secret/data"]
    minted = [index for index, step in enumerate(steps, 1) if step.startswith("after") and MINTS.search(step)]
    return {"lease": writes[0], "sign-in": minted[0], "pending": writes[1]}[wanted]


def test_a_pending_token_of_a_killed_process_is_used_by_the_next_machine(token: SharedToken, tmp_path: Path) -> None:
    killed = _killed_at(_step_of(KEEP, token, tmp_path, "pending"), token, KEEP, tmp_path)
    assert killed is not None
    fields = token.fields()
    token.end_lease()

    assert token.run().result["action"] == "created"

    assert token.fields()["token"] == fields["pending_token"]
    assert token.minted() == 1
    token.assert_settled()


@pytest.mark.slow
@pytest.mark.parametrize("wanted", ["lease", "sign-in", "pending"])
def test_the_lease_of_a_killed_process_is_taken_over_when_it_is_over(
    token: SharedToken, tmp_path: Path, wanted: str
) -> None:
    killed = _killed_at(_step_of(KEEP, token, tmp_path, wanted), token, KEEP, tmp_path)
    assert killed is not None
    died_at = time.monotonic()
    assert "lease_holder" in token.fields()
    assert ("pending_token" in token.fields()) is (wanted == "pending")

    home = tmp_path / "next"
    process = _machine(token, home, lease=LEASE)
    process.start()
    report = _report(process, home)
    taken_over_after = time.monotonic() - died_at

    assert report["action"] == "created"
    assert LEASE - 2 <= taken_over_after <= LEASE + LATENESS, taken_over_after
    assert token.minted() == (1 if wanted in ("lease", "pending") else 2)
    token.assert_settled(orphans=int(wanted == "sign-in"))
    token.assert_history()
    print(f"killed after {wanted}: taken over {taken_over_after:.1f} s after the kill, lease {LEASE:g} s")


# --- a process that is paused for longer than its lease --------------------------------------------------------------


def _paused_at(step: int, token: SharedToken, job: str, folder: Path) -> BaseProcess | None:
    """A process that has stopped itself at a step; None when it has fewer steps."""
    process = FORK.Process(target=_run_until, args=(step, folder / f"journal-{step}", token, job, signal.SIGSTOP))
    process.start()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.exitcode is not None:
            assert process.exitcode == 0
            return None
        if Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2].startswith("T"):
            return process
        time.sleep(0.01)
    raise AssertionError("the process neither stops nor ends")


def _continued(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)
    process.join(PATIENCE)
    assert process.exitcode == 0


@pytest.mark.slow
@pytest.mark.parametrize("job", [KEEP, RENEW])
def test_of_two_machines_one_is_paused_at_any_request_beyond_its_lease_and_one_token_is_left(
    lab: Lab, bao: Bao, tmp_path: Path, job: str
) -> None:
    paused: list[tuple[BaseProcess, SharedToken]] = []
    for step, host in enumerate(lab.add_addresses(_MOST_STEPS), 1):
        token = SharedToken(lab, bao, f"sddc/{tmp_path.name}-{step}", host)
        token.keep_history()
        if job == RENEW:
            token.run()
        process = _paused_at(step, token, job, tmp_path)
        if process is None:
            break
        paused.append((process, token))
    before = sum(token.minted() for _process, token in paused)

    others = [token.run(job, lease=LEASE) for _process, token in paused]
    for process, _token in paused:
        _continued(process)

    for (_process, token), other in zip(paused, others, strict=True):
        step = paused.index((_process, token)) + 1
        assert not other.result.get("failed"), (step, other.message)
        token.assert_settled(about=step)
        token.assert_history()
        assert "lease_holder" not in token.fields(), step
    after = sum(token.minted() for _process, token in paused)
    assert len(paused) > 10
    print(f"{job}: paused at {len(paused)} steps, {after - before} sign-ins after that, no surplus token")


def test_a_machine_that_is_paused_after_its_sign_in_revokes_its_token_and_uses_the_others(
    token: SharedToken, tmp_path: Path
) -> None:
    process = _paused_at(_step_of(KEEP, token, tmp_path, "sign-in"), token, KEEP, tmp_path)
    assert process is not None
    assert token.minted() == 1
    token.end_lease()

    other = token.run()
    assert (other.result["action"], token.valid()) == ("created", 2)
    _continued(process)

    token.assert_settled()
    assert token.run().result["fingerprint"] == other.result["fingerprint"]
