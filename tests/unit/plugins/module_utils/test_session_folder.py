# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session records its token before it is used, and revokes only those of sessions that have ended."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import StoreError, TokenRejected, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Clock
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Run as PlaybookRun
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import MemorySource
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    Run,
    World,
)


class Machine(Clock):
    """A machine with its own name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def machine(self) -> str:
        return self._name


class Playbook:
    """A run of ansible-playbook with any number of plays, which holds files open until it ends."""

    def __init__(self, number: int) -> None:
        self._id = f"{number:016x}"
        self._held: list[int] = []

    def play(self, number: int = 1) -> PlaybookRun:
        return PlaybookRun(self._id, f"{number:08x}", self.hold)

    def hold(self, descriptor: int) -> bool:
        self._held.append(os.dup(descriptor))
        return True

    def end(self) -> None:
        for descriptor in self._held:
            os.close(descriptor)
        self._held.clear()


class Sessions(World):
    """Runs that record their tokens in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def session(self, run: PlaybookRun | None, **options: Any) -> Run:
        self.playbook_run = run
        return self.run(in_store=False, **{"record_folder": str(self.folder), **options})

    def cut_off(self, run: PlaybookRun | None, **options: Any) -> str:
        """A session that does not reach its end, and its token."""
        done = self.session(run, **options)
        assert done.result == (True, "created"), done.error
        assert done.outcome is not None
        assert done.outcome.token is not None
        return done.outcome.token.secret.reveal()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def records(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"))


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path / "sessions")


@pytest.fixture
def killed() -> Playbook:
    return Playbook(1)


@pytest.fixture
def later() -> Playbook:
    return Playbook(2)


def test_a_token_is_recorded_before_it_is_verified_and_until_it_is_revoked(
    sessions: Sessions, killed: Playbook
) -> None:
    seen: list[int] = []

    def look(call: str) -> None:
        if call.startswith("probe"):
            seen.append(len(sessions.records()))

    sessions.prepare = lambda source: setattr(source, "before_call", look)
    token = sessions.cut_off(killed.play())
    (record,) = sessions.records()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (sessions.folder, record)]
    ended = sessions.session(killed.play(), state="absent", token=Secret(token))

    assert (seen[0], modes) == (1, [0o700, 0o600])
    assert ended.result == (True, "revoked")
    assert sessions.records() == []
    assert [name for name in sessions.names() if name.endswith(".json.lock")] == []


def test_the_next_session_revokes_tokens_of_a_run_that_has_ended(
    sessions: Sessions, killed: Playbook, later: Playbook
) -> None:
    left = [sessions.cut_off(killed.play(number)) for number in (1, 1)]
    killed.end()

    new = sessions.session(later.play())

    assert set(left).isdisjoint(sessions.server.alive)
    assert new.result == (True, "created")
    assert len([warning for warning in new.warnings if "A session was interrupted." in warning]) == 2
    assert len(sessions.records()) == 1


def test_a_running_session_is_left_alone_and_so_are_other_sessions_of_the_same_play(
    sessions: Sessions, killed: Playbook, later: Playbook
) -> None:
    at_work = sessions.cut_off(killed.play())
    mine = [sessions.cut_off(later.play(), max_duration=0) for _host in range(2)]

    assert {at_work, *mine} == sessions.server.working()

    later.end()
    killed.end()


def test_a_session_of_an_earlier_play_of_the_same_run_is_over(sessions: Sessions, killed: Playbook) -> None:
    first = sessions.cut_off(killed.play(1))
    second = sessions.cut_off(killed.play(2))

    assert sessions.server.working() == {second} != {first}


@pytest.mark.parametrize("run", [None, Playbook(1)], ids=["without a lock", "on another machine"])
def test_where_a_lock_proves_nothing_the_recorded_time_decides(
    sessions: Sessions, later: Playbook, run: Playbook | None
) -> None:
    sessions.clock = Machine("one")
    token = sessions.cut_off(run.play() if run else None, max_duration=600)
    if run:
        run.end()
    sessions.clock = Machine("another")

    other = sessions.cut_off(later.play())
    assert sessions.server.working() == {token, other}
    sessions.clock = PassingTime("another", 601)
    sessions.cut_off(later.play())

    assert token not in sessions.server.alive


def test_a_session_is_not_over_while_others_extend_its_token_past_the_recorded_expiry(
    sessions: Sessions, later: Playbook
) -> None:
    class SlidingSource(MemorySource):
        sliding_lifetime = 3600.0

    sessions.source_type = SlidingSource
    sessions.clock = Machine("one")
    token = sessions.cut_off(None)
    sessions.server.alive[token] = sessions.server.now() + 2 * 3600
    sessions.clock = PassingTime("another", 4000)

    sessions.cut_off(later.play())

    assert token in sessions.server.working()


class PassingTime(Machine):
    """A machine whose clock is ahead."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name)
        self._seconds = seconds

    def time(self) -> float:
        return super().time() + self._seconds


@pytest.mark.parametrize("principal", ["somebody else", None])
def test_the_token_of_another_or_unknown_user_is_left_alone(
    sessions: Sessions, killed: Playbook, later: Playbook, principal: str | None
) -> None:
    token = sessions.cut_off(killed.play())
    killed.end()
    sessions.prepare = lambda source: setattr(source, "principal_of_options", principal)

    sessions.cut_off(later.play())

    assert token in sessions.server.alive


def test_a_token_that_cannot_be_revoked_now_stays_recorded_with_a_warning(
    sessions: Sessions, killed: Playbook, later: Playbook
) -> None:
    token = sessions.cut_off(killed.play())
    killed.end()
    sessions.server.cannot_revoke_now = True

    run = sessions.session(later.play())

    assert any("still valid" in warning for warning in run.warnings)
    assert token in sessions.server.alive
    sessions.server.cannot_revoke_now = False
    sessions.cut_off(later.play())
    assert token not in sessions.server.alive


def test_an_expired_token_takes_no_request(sessions: Sessions, killed: Playbook, later: Playbook) -> None:
    sessions.server.lifetime = -1.0
    sessions.session(killed.play(), verify=False)
    killed.end()
    sessions.server.lifetime = 3600.0

    run = sessions.session(later.play())

    assert [call for call in run.calls if call.startswith("revoke")] == []
    assert len(sessions.records()) == 1, "the new one"


def test_a_task_with_a_token_file_revokes_leftover_tokens_and_reports_the_change(
    sessions: Sessions, killed: Playbook, later: Playbook
) -> None:
    token = sessions.cut_off(killed.play())
    sessions.run(record_folder=str(sessions.folder))
    assert token in sessions.server.alive
    killed.end()
    sessions.playbook_run = later.play()

    predicted = sessions.run(record_folder=str(sessions.folder), check_mode=True)
    assert token in sessions.server.alive
    run = sessions.run(record_folder=str(sessions.folder))
    settled = sessions.run(record_folder=str(sessions.folder))

    assert predicted.result == run.result == (True, "reused")
    assert settled.result == (False, "reused")
    assert token not in sessions.server.alive


@pytest.mark.parametrize("obstacle", ["a file", "a folder for all", "a full disk"])
def test_a_token_that_cannot_be_recorded_is_not_created(
    sessions: Sessions, killed: Playbook, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    if obstacle == "a file":
        sessions.folder.write_text("")
    elif obstacle == "a folder for all":
        sessions.folder.mkdir()
        sessions.folder.chmod(0o777)
    else:
        monkeypatch.setattr(FileStore, "exclusive", refuse)

    run = sessions.session(killed.play())

    assert isinstance(run.error, StoreError)
    if obstacle == "a file":
        assert "record_folder" in run.error.advice
    assert sessions.server.minted == []


def refuse(_store: object, _timeout: float) -> Any:
    raise StoreError("no space left on the device")


def test_a_failed_creation_leaves_no_record_and_a_refused_token_one_that_is_removed_later(
    sessions: Sessions, killed: Playbook, later: Playbook
) -> None:
    sessions.server.is_down = True
    assert isinstance(sessions.session(killed.play()).error, TokensError)
    assert [name for name in sessions.names() if ".json" in name] == []
    sessions.server.is_down = False
    sessions.server.refuses_new_tokens = True
    assert isinstance(sessions.session(killed.play()).error, TokenRejected)
    killed.end()
    sessions.server.refuses_new_tokens = False

    sessions.cut_off(later.play())

    assert len(sessions.records()) == 1


def test_one_lock_serves_a_run_and_is_removed_a_day_after_its_end(
    sessions: Sessions, killed: Playbook, later: Playbook
) -> None:
    tokens = [sessions.cut_off(killed.play()) for _session in range(3)]
    (lock,) = set(sessions.folder.glob("*.lock")) - set(sessions.folder.glob("*.json.lock"))
    killed.end()
    (sessions.folder / "session-0123456789abcdef.json.lock").touch(0o600)
    (sessions.folder / "notes.lock").touch()
    sessions.cut_off(later.play())
    assert set(tokens).isdisjoint(sessions.server.alive)
    assert lock.exists()
    old = lock.stat().st_mtime - 2 * 86400
    os.utime(lock, (old, old))

    sessions.cut_off(later.play())

    assert not lock.exists()
    assert "notes.lock" in sessions.names()
    assert "session-0123456789abcdef.json.lock" not in sessions.names()


@pytest.mark.parametrize("obstacle", ["nothing holds it", "no lock"])
def test_a_session_of_a_run_that_cannot_hold_a_lock_is_judged_by_its_time(
    sessions: Sessions, later: Playbook, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    if obstacle == "no lock":
        monkeypatch.setattr(fcntl, "flock", cannot_lock)
    token = sessions.cut_off(PlaybookRun(f"{9:016x}", f"{1:08x}", lambda descriptor: False))
    monkeypatch.undo()
    assert [name for name in sessions.names() if name.endswith(".lock") and ".json" not in name] == []

    sessions.cut_off(later.play())

    assert token in sessions.server.alive


def cannot_lock(_descriptor: int, operation: int) -> None:
    if operation & fcntl.LOCK_NB:
        raise OSError(95, "not supported")


def test_a_damaged_record_is_left_alone(sessions: Sessions, killed: Playbook, later: Playbook) -> None:
    sessions.cut_off(killed.play())
    killed.end()
    (record,) = sessions.records()
    record.write_bytes(b'{"version": 1, ')

    sessions.cut_off(later.play())

    assert record in sessions.records()


def test_the_product_decides_what_can_be_revoked(sessions: Sessions, killed: Playbook, later: Playbook) -> None:
    class Irrevocable(MemorySource):
        def is_revocable(self, token: Any, kept: Any = None) -> bool:
            return False

    sessions.source_type = Irrevocable
    token = sessions.cut_off(killed.play())
    killed.end()

    run = sessions.session(later.play())

    assert token in sessions.server.alive
    assert [call for call in run.calls if call.startswith("revoke")] == []
    assert len(sessions.records()) == 1
