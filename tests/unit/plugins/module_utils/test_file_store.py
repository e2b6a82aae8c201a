# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token file is private, replaced atomically, and used only where no other user could have put it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import DamagedRecord, ForeignRecord, StoreError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK, Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import (
    FileStore,
    FileWriter,
)
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import LONGEST_DOCUMENT, Record, serialized

RECORD = Record("product", "sddc.example.com", "LOCAL/admin", Token(Secret("first"), "Bearer", 1.0, 2.0))
LATER = Record("product", "sddc.example.com", "LOCAL/admin", Token(Secret("second"), "Bearer", 3.0, 4.0))


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


@pytest.fixture
def file(path: Path, warnings: list[str]) -> FileStore:
    return FileStore(str(path), Runtime(warn=warnings.append, notify=warnings.append))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def give_away(path: Path) -> None:
    """Let the file belong to another user."""
    if os.geteuid() != 0:
        pytest.skip("only root can change the owner of a file")
    os.chown(path, 12345, 12345)


def lock(file: FileStore, timeout: float = 0) -> None:
    with file.exclusive(timeout):
        pass


def write(file: FileStore, record: Record) -> None:
    with file.exclusive(10) as writer:
        writer.write(record)


def remove(file: FileStore) -> None:
    with file.exclusive(10) as writer:
        writer.remove()


def move_aside(file: FileStore) -> str:
    with file.exclusive(10) as writer:
        return writer.move_aside().removeprefix("It was moved to ").removesuffix(".")


# Writing.


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_file_and_lock_have_mode_0600_whatever_the_umask(file: FileStore, path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(file, RECORD)
    finally:
        os.umask(before)
    assert (mode(path), mode(Path(file.lock.path))) == (0o600, 0o600)


def test_written_record_is_read_back_and_no_other_file_is_left_in_the_folder(file: FileStore, tmp_path: Path) -> None:
    assert file.read().record is None
    write(file, RECORD)
    write(file, LATER)
    assert file.read().record == LATER
    assert sorted(os.listdir(tmp_path)) == ["token.json", "token.json.lock"]


def test_file_is_replaced_and_never_written_in_place(file: FileStore, path: Path) -> None:
    write(file, RECORD)
    with path.open("rb") as held:
        write(file, LATER)
        assert held.read() == serialized(RECORD)
    assert path.read_bytes() == serialized(LATER)


def test_reader_gets_an_old_or_a_new_record_during_writes(file: FileStore) -> None:
    write(file, RECORD)
    done = threading.Event()
    found = []

    def read() -> None:
        while not done.is_set():
            found.append(file.read().record)

    reader = threading.Thread(target=read)
    reader.start()
    for _round in range(50):
        write(file, LATER)
        write(file, RECORD)
    done.set()
    reader.join()
    assert found
    assert all(record in (RECORD, LATER) for record in found)


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("problem", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO])
def test_failed_write_leaves_the_old_file_and_no_other(
    file: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, problem: int
) -> None:
    write(file, RECORD)

    def fail(*args: object) -> None:
        raise OSError(problem, os.strerror(problem))

    with monkeypatch.context() as patched:
        patched.setattr(os, step, fail)
        with pytest.raises(StoreError, match=os.strerror(problem)) as caught:
            write(file, LATER)
    assert "second" not in str(caught.value)
    assert (file.read().record, sorted(os.listdir(tmp_path))) == (RECORD, ["token.json", "token.json.lock"])


def test_content_is_on_disk_before_it_replaces_the_old_one(file: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    sizes: list[int] = []

    def noted(name: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: Any) -> object:
            steps.append(name)
            if name == "fsync" and stat.S_ISREG(os.fstat(args[0]).st_mode):
                sizes.append(os.fstat(args[0]).st_size)
            return function(*args)

        return call

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
    write(file, RECORD)
    assert steps == ["fsync", "replace", "fsync"]
    assert sizes == [os.path.getsize(file.path)]


def test_partial_files_of_crashed_tasks_are_removed_and_others_are_kept(file: FileStore, tmp_path: Path) -> None:
    for name in (".token.json.4711.123.new", ".token.json.new", ".other.json.4711.123.new"):
        tmp_path.joinpath(name).touch()
    lock(file)
    assert {entry for entry in os.listdir(tmp_path) if entry.endswith(".new")} == {
        ".token.json.new",
        ".other.json.4711.123.new",
    }


def test_no_file_stays_open_after_a_read_a_write_or_a_removal(file: FileStore) -> None:
    listed = Path("/proc/self/fd")
    if not listed.is_dir():
        pytest.skip("this system does not list open files in /proc")
    write(file, RECORD)
    file.read()
    remove(file)
    opened = []
    for number in os.listdir(listed):
        # The listing itself is closed by now.
        with contextlib.suppress(FileNotFoundError):
            opened.append(os.readlink(listed / number))
    assert [path for path in opened if path.startswith(os.path.dirname(file.path))] == []


def test_a_stored_token_is_redacted_once_it_was_read(path: Path, file: FileStore) -> None:
    write(file, RECORD)
    runtime = Runtime()
    FileStore(str(path), runtime).read()
    (secret, *_others) = RECORD.secrets
    assert runtime.redactor.quote(secret.reveal()) == MASK


def test_removal_is_idempotent(file: FileStore, path: Path) -> None:
    lock(file)
    write(file, RECORD)
    remove(file)
    remove(file)
    assert not path.exists()
    assert Path(file.lock.path).exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG])
def test_a_failed_write_is_named_with_a_next_step(
    file: FileStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StoreError) as caught:
        write(file, RECORD)
    assert os.strerror(number) in caught.value.cause
    assert caught.value.advice


# Ownership and modes.


def test_symbolic_link_as_file_is_refused_and_its_target_left_alone(
    file: FileStore, path: Path, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.write_bytes(serialized(RECORD))
    path.symlink_to(target)
    with pytest.raises(StoreError, match="symbolic link"):
        file.read()
    assert target.read_bytes() == serialized(RECORD)


def test_symbolic_link_as_lock_is_refused_and_creates_no_file(file: FileStore, tmp_path: Path) -> None:
    target = tmp_path / "target"
    Path(file.lock.path).symlink_to(target)
    with pytest.raises(StoreError, match="symbolic link"):
        lock(file)
    assert not target.exists()


def test_file_of_another_user_is_refused(file: FileStore, path: Path) -> None:
    write(file, RECORD)
    give_away(path)
    with pytest.raises(StoreError, match="belongs to another user"):
        file.read()


def test_lock_of_another_user_is_refused(file: FileStore) -> None:
    lock(file)
    give_away(Path(file.lock.path))
    with pytest.raises(StoreError, match="belongs to another user"):
        lock(file)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=lambda make: make.__name__)
def test_special_files_are_refused_without_waiting(file: FileStore, path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    with pytest.raises(StoreError, match="not a regular file"):
        file.read()


@pytest.mark.parametrize("use", [FileStore.read, lock], ids=["read", "lock"])
def test_folder_that_anybody_can_write_to_is_refused(
    file: FileStore, tmp_path: Path, use: Callable[[FileStore], object]
) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(StoreError, match="chmod o-w"):
        use(file)
    tmp_path.chmod(0o1777)
    use(file)


@pytest.mark.parametrize("use", [FileStore.read, lock], ids=["read", "lock"])
def test_missing_folder_is_named(tmp_path: Path, use: Callable[[FileStore], object]) -> None:
    file = FileStore(str(tmp_path / "none" / "token.json"), Runtime())
    with pytest.raises(StoreError, match=r"Create .*none with mode 0700 first"):
        use(file)


@pytest.mark.parametrize("open_mode", [0o644, 0o640, 0o604, 0o666, 0o610])
def test_file_that_others_can_read_is_made_private_with_a_warning(
    file: FileStore, path: Path, warnings: list[str], open_mode: int
) -> None:
    write(file, RECORD)
    path.chmod(open_mode)
    assert file.read().record == RECORD
    assert mode(path) == 0o600
    assert len(warnings) == 1
    assert str(path) in warnings[0]
    assert f"{open_mode:04o}" in warnings[0]
    file.read()
    assert len(warnings) == 1


def test_file_that_others_can_read_is_used_with_a_warning_if_its_mode_cannot_be_changed(
    file: FileStore, path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(descriptor: int, mode: int) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    write(file, RECORD)
    path.chmod(0o644)
    monkeypatch.setattr(os, "fchmod", refused)

    assert file.read().record == RECORD
    assert len(warnings) == 1


def test_reading_changes_nothing_on_disk(path: Path, file: FileStore, warnings: list[str]) -> None:
    write(file, RECORD)
    path.chmod(0o644)
    assert FileStore(str(path), Runtime(warn=warnings.append, notify=str), read_only=True).read().record == RECORD
    assert mode(path) == 0o644
    assert len(warnings) == 1


# Damage.


@pytest.mark.parametrize(
    "content",
    [b"", b'{"version": 1', serialized(RECORD)[:-1], b'{"version":' + b"[" * 100_000, b" " * (LONGEST_DOCUMENT + 9)],
)
def test_damaged_file_is_named_and_its_content_is_not(file: FileStore, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(DamagedRecord, match="is damaged") as caught:
        file.read()
    assert str(path) in str(caught.value)
    assert "first" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "error", "cost"),
    [(b"[defaults]", ForeignRecord, "nothing needs it"), (b'{"version": 1', DamagedRecord, "is not revoked")],
    ids=["another file", "damaged"],
)
def test_the_error_about_an_unusable_file_says_what_deleting_it_costs(
    file: FileStore, path: Path, content: bytes, error: type[StoreError], cost: str
) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(error, match=f"(?i)delete it.*{cost}|{cost}.*delete it"):
        file.read()

    path.unlink()
    write(file, RECORD)

    assert file.read().record == RECORD


def test_damaged_file_is_moved_aside_unchanged(file: FileStore, path: Path) -> None:
    path.write_bytes(b"damage")
    path.chmod(0o600)
    aside = Path(move_aside(file))
    assert aside.read_bytes() == b"damage"
    assert aside.parent == path.parent
    assert mode(aside) == 0o600
    assert file.read().record is None


def test_two_files_damaged_in_the_same_second_are_both_kept(file: FileStore, path: Path) -> None:
    kept = {}
    for content in (b"one", b"two"):
        path.write_bytes(content)
        kept[move_aside(file)] = content
    assert {Path(aside).read_bytes() for aside in kept} == {b"one", b"two"}


def test_oversized_file_is_not_read_to_its_end(file: FileStore, path: Path) -> None:
    with path.open("wb") as sparse:
        sparse.truncate(1 << 40)
    path.chmod(0o600)
    with pytest.raises(ForeignRecord):
        file.read()


@pytest.mark.parametrize("change", [FileWriter.remove, FileWriter.move_aside], ids=["remove", "move aside"])
def test_the_folder_is_synced_after_a_file_is_removed_or_moved(
    file: FileStore, path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[FileWriter], object]
) -> None:
    write(file, RECORD)
    synced: list[bool] = []

    def note(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))

    monkeypatch.setattr(os, "fsync", note)

    with file.exclusive(10) as writer:
        change(writer)

    assert synced == [True]
    assert not path.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of a folder")
def test_folder_of_another_user_is_refused_as_root(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, 54321, 54321)

    with pytest.raises(StoreError) as refused:
        FileStore(str(folder / "token.json"), Runtime()).read()

    assert "another user" in refused.value.cause
    assert list(folder.iterdir()) == []
