# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One writer at a time, across processes, also after a kill."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import StoreError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record

FORK = multiprocessing.get_context("fork")
PROCESSES, SECTIONS = 4, 50


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "token.json")


def token_file(path: str, warnings: list[str] | None = None, notes: list[str] | None = None) -> FileStore:
    return FileStore(
        path,
        Runtime(
            warn=(warnings if warnings is not None else []).append, notify=(notes if notes is not None else []).append
        ),
    )


def record(number: int) -> Record:
    return Record("product", "sddc.example.com", "LOCAL/admin", Token(Secret(f"token-{number}"), "Bearer"))


def count_in_file(path: str, overlaps: str) -> None:
    """Increment the number in the file many times, each in a critical section without other writers."""
    file = token_file(path)
    for _section in range(SECTIONS):
        with file.exclusive(500) as writer:
            try:
                os.close(os.open(path + ".inside", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                Path(overlaps).touch()
            found = file.read().record
            number = int(found.clock_offset) if found else 0
            writer.write(replace(record(number), clock_offset=float(number + 1)))
            with suppress(FileNotFoundError):
                os.unlink(path + ".inside")


def hold(path: str, held: Connection) -> None:
    """Hold the lock until this process is killed."""
    with token_file(path).exclusive(10):
        held.send(True)
        signal.pause()


@contextmanager
def held_by_another_process(path: str) -> Iterator[int]:
    ours, theirs = FORK.Pipe()
    holder = FORK.Process(target=hold, args=(path, theirs))
    holder.start()
    try:
        assert ours.poll(20)
        yield holder.pid or 0
    finally:
        holder.kill()
        holder.join()


def test_two_hundred_critical_sections_of_four_processes_never_overlap(path: str, tmp_path: Path) -> None:
    overlaps = tmp_path / "overlaps"
    workers = [FORK.Process(target=count_in_file, args=(path, str(overlaps))) for _number in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert not overlaps.exists()
    found = token_file(path).read().record
    assert found is not None
    assert found.clock_offset == PROCESSES * SECTIONS


def test_threads_of_one_process_exclude_each_other(path: str) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        file = token_file(path)
        for _section in range(10):
            with file.exclusive(500):
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_lock_that_is_held_too_long_is_an_error(path: str) -> None:
    with held_by_another_process(path):
        start = time.monotonic()
        with pytest.raises(StoreError, match=r"more than 0\.3 s.*raise lock_timeout"), token_file(path).exclusive(0.3):
            pytest.fail("two hold the lock")
        assert time.monotonic() - start >= 0.3


def test_waiting_for_the_lock_is_reported_once(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_lock._NOTIFY_AFTER", 0.05)
    notes: list[str] = []
    with held_by_another_process(path), pytest.raises(StoreError), token_file(path, notes=notes).exclusive(0.5):
        pytest.fail("two hold the lock")
    assert notes == ["token.json: waiting at most 0 s for another task to release the lock"]


def test_end_of_a_reported_wait_for_the_lock_is_reported(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_lock._NOTIFY_AFTER", 0.05)
    notes: list[str] = []
    with held_by_another_process(path) as holder:
        timer = threading.Timer(0.5, os.kill, (holder, signal.SIGKILL))
        timer.start()
        with token_file(path, notes=notes).exclusive(500):
            timer.join()
    assert notes == [
        "token.json: waiting at most 500 s for another task to release the lock",
        "token.json: another task has released the lock",
    ]


def test_lock_of_a_killed_process_is_free_at_once(path: str) -> None:
    with held_by_another_process(path) as holder:
        os.kill(holder, signal.SIGKILL)
        with token_file(path).exclusive(5):
            pass


def test_lock_is_released_after_an_error_in_the_critical_section(path: str) -> None:
    with pytest.raises(KeyboardInterrupt), token_file(path).exclusive(0):
        raise KeyboardInterrupt
    with token_file(path).exclusive(0):
        pass


@pytest.mark.parametrize("problem", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_file_system_without_locks_is_a_warning_and_not_an_error(
    path: str, monkeypatch: pytest.MonkeyPatch, problem: int
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(problem, os.strerror(problem))

    monkeypatch.setattr(fcntl, "flock", flock)
    warnings: list[str] = []
    file = token_file(path, warnings)
    with file.exclusive(0) as writer:
        writer.write(record(1))
    assert file.read().record == record(1)
    assert len(warnings) == 1
    assert "cannot lock" in warnings[0]


def test_lock_that_cannot_be_requested_is_an_error(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(StoreError, match="cannot be used"), token_file(path).exclusive(0):
        pytest.fail("the lock is not held")


def test_lock_file_is_never_replaced(path: str) -> None:
    file = token_file(path)
    with file.exclusive(0) as writer:
        number = os.stat(file.lock.path).st_ino
        writer.write(record(1))
    with file.exclusive(0) as writer:
        writer.remove()
    with file.exclusive(0) as writer:
        writer.write(record(2))
    assert os.stat(file.lock.path).st_ino == number


def test_partial_files_of_a_crash_are_removed_by_the_next_writer(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process is killed here."""

    def stop(*args: object) -> None:
        raise Killed

    file = token_file(path)
    with file.exclusive(0) as writer:
        writer.write(record(1))

    def write() -> None:
        with monkeypatch.context() as patched, file.exclusive(0) as writer:
            patched.setattr(os, "replace", stop)
            patched.setattr(os, "unlink", stop)
            writer.write(record(2))

    with pytest.raises(Killed):
        write()
    assert len(list(tmp_path.glob(".token.json*"))) == 1
    assert file.read().record == record(1)
    with file.exclusive(0):
        assert not list(tmp_path.glob(".token.json*"))
    assert file.read().record == record(1)


def test_the_cleanup_leaves_temporary_files_of_other_writers_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, long = token_file(str(tmp_path / "token")), token_file(str(tmp_path / "token.json"))
    original = os.replace

    def replace_after_a_neighbour_swept(source: str, target: str) -> None:
        with short.exclusive(0):
            pass
        original(source, target)

    monkeypatch.setattr(os, "replace", replace_after_a_neighbour_swept)
    with long.exclusive(0) as writer:
        writer.write(record(1))
    assert long.read().record == record(1)


@pytest.mark.parametrize("name", ["a[b]*?.json", "ä ö.json", ".hidden", "-rf"])
def test_any_file_name_is_possible(tmp_path: Path, name: str) -> None:
    file = token_file(str(tmp_path / name))
    with file.exclusive(0) as writer:
        writer.write(record(1))
    assert file.read().record == record(1)
    assert sorted(os.listdir(tmp_path)) == sorted([name, name + ".lock"])


def test_a_deleted_lock_file_is_not_taken_for_the_lock(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is deleted between opening and locking: a lock on the old file would not be exclusive."""
    file = token_file(path)
    original = fcntl.flock
    deletions = 0

    def flock(descriptor: int, operation: int) -> None:
        nonlocal deletions
        original(descriptor, operation)
        if deletions < 2:
            deletions += 1
            os.unlink(file.lock.path)

    monkeypatch.setattr(fcntl, "flock", flock)
    with file.exclusive(5) as writer:
        with pytest.raises(StoreError, match="more than 0 s"), token_file(path).exclusive(0):
            pytest.fail("two writers at once")
        writer.write(record(1))
    assert deletions == 2


@pytest.mark.parametrize("change", ["write", "remove", "move_aside"])
def test_a_holder_that_has_lost_the_lock_changes_nothing(path: str, change: str) -> None:
    file = token_file(path)
    with file.exclusive(0) as writer:
        writer.write(record(1))
    with file.exclusive(0) as writer:
        os.unlink(file.lock.path)
        with pytest.raises(StoreError, match="was deleted while this task held it"):
            getattr(writer, change)(*([record(2)] if change == "write" else []))
    assert file.read().record == record(1)


def test_the_version_changes_with_every_write_and_is_none_without_a_file(path: str) -> None:
    file = token_file(path)
    versions = [file.read().version]
    for number in (1, 2):
        with file.exclusive(0) as writer:
            writer.write(record(number))
        versions.append(file.read().version)
    assert versions[0] is None
    assert len(set(versions)) == 3
    assert file.read().version == versions[2]


@pytest.mark.parametrize("problem", [errno.ENOSPC, errno.EROFS, errno.ENAMETOOLONG, errno.EDQUOT])
def test_an_unwritable_store_is_detected_before_anything_is_written(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: int
) -> None:
    def fail(*args: object) -> None:
        raise OSError(problem, os.strerror(problem))

    file = token_file(path)
    with file.exclusive(0) as writer:
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(StoreError, match=os.strerror(problem)):
            writer.reserve()
    assert sorted(os.listdir(tmp_path)) == ["token.json.lock"]


def test_reserved_space_is_used_by_the_next_write_or_released(path: str, tmp_path: Path) -> None:
    file = token_file(path)
    with file.exclusive(0) as writer:
        writer.reserve()
        (reserved,) = tmp_path.glob(".token.json*")
        number, blocks = reserved.stat().st_ino, reserved.stat().st_blocks
        writer.write(record(1))
    assert (os.stat(path).st_ino, blocks > 0) == (number, True)
    assert file.read().record == record(1)
    with file.exclusive(0) as writer:
        writer.reserve()
    assert sorted(os.listdir(tmp_path)) == ["token.json", "token.json.lock"]


@pytest.mark.parametrize(
    "token", [Token(Secret("t" * 5_000_000), "Bearer"), Token(Secret("t"), "Bearer", float("nan"))]
)
def test_a_token_that_cannot_be_read_back_is_not_written(path: str, token: Token) -> None:
    file = token_file(path)
    with file.exclusive(0) as writer:
        writer.write(record(1))
        with pytest.raises(StoreError, match="cannot be stored"):
            writer.write(replace(record(2), current=token))
    assert file.read().record == record(1)
