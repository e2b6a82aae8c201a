# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which a token lives between tasks: private, replaced atomically, written by one at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Optional

from .._core.errors import DamagedRecord, ForeignRecord, StoreBusy, StoreError
from .._core.runtime import Runtime
from .record import LONGEST_DOCUMENT, LaterVersion, Record, deserialized, is_recognizable, serialized
from .refusal import Refusal
from .store import Store, Stored, Writer

# For the longest tokens that anybody has seen, three of them and what comes with each.
_RESERVED = 256 * 1024
_LONGEST_REFUSAL = 64 * 1024
_PRIVATE = 0o600
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
_ADVICE = {
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM),
        "Check that the user who runs the task owns the file and its folder, and may write there.",
    ),
    errno.EROFS: "Its file system is mounted read-only: choose another path.",
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Make room on its file system, or raise the quota."),
    errno.ENAMETOOLONG: "Choose a shorter path.",
}
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25
_NOTIFY_AFTER = 2.0


class FileStore(Store):
    """A token file at a path. With `read_only`, or in check mode, nothing on the disk is touched, not even a mode.

    Without `keeps_lock_file` the lock file goes with the file, for a path that is used once.
    """

    def __init__(self, path: str, runtime: Runtime, *, read_only: bool = False, keeps_lock_file: bool = True) -> None:
        self.path = os.path.abspath(path)
        self.keeps_lock_file = keeps_lock_file
        self._runtime = runtime
        self._read_only = read_only or runtime.check_mode

    @property
    def location(self) -> str:
        return self.path

    @property
    def lock_path(self) -> str:
        """The file that is locked. It is not the token file: a lock on a file that is replaced protects nothing."""
        return self.path + ".lock"

    def is_empty(self) -> bool:
        return not os.path.lexists(self.path)

    def read(self) -> Stored:
        """Raises DamagedRecord, and StoreError for a file that is not safe to use."""
        self._check_folder()
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return Stored(None, None)
        except OSError as error:
            raise _unusable(self.path, error) from None
        try:
            status = os.fstat(descriptor)
            self._check_owner(status, self.path)
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                content = stream.read(LONGEST_DOCUMENT + 1)
            record = self._parsed(content)
            self._make_private(descriptor, stat.S_IMODE(status.st_mode))
        except DamagedRecord:
            self._make_private(descriptor, stat.S_IMODE(status.st_mode))
            raise
        except OSError as error:
            raise _unusable(self.path, error) from None
        finally:
            os.close(descriptor)
        for token in record.tokens:
            # A server may quote those that are not sent to it any more.
            self._runtime.redactor.hide(token.secret, *token.companions.values())
        return Stored(record, hashlib.sha256(content).hexdigest())

    @contextlib.contextmanager
    def exclusive(self, timeout: float) -> Iterator[FileWriter]:
        """Where the file system cannot lock, a warning, and no protection. Raises StoreError."""
        self._check_folder()
        descriptor = self._locked(timeout)
        try:
            self._sweep()
            writer = FileWriter(self, descriptor)
            try:
                yield writer
            finally:
                writer.close()
        finally:
            # Closing releases the lock, also when the process is killed.
            os.close(descriptor)

    def is_locked_by(self, descriptor: int) -> bool:
        """Whether the file that somebody has locked is still the lock file."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.lock_path, follow_symlinks=False))
        except OSError:
            return False

    def _locked(self, timeout: float) -> int:
        """The descriptor of the lock file, locked."""
        end = self._runtime.clock.monotonic() + timeout
        while True:
            try:
                descriptor = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE)
            except OSError as error:
                raise _unusable(self.lock_path, error) from None
            try:
                self._check_owner(os.fstat(descriptor), self.lock_path)
                self._acquire(descriptor, end, timeout)
                if self.is_locked_by(descriptor):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            # It was deleted meanwhile: others lock another one by now.
            os.close(descriptor)

    def _acquire(self, descriptor: int, end: float, timeout: float) -> None:
        clock = self._runtime.clock
        pause, was_reported = _FIRST_PAUSE, False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise _unusable(self.lock_path, error) from None
                self._runtime.warn(
                    f"The file system of {self.path} cannot lock files: tasks that share the file at the same "
                    "time may each create a token."
                )
                return
            left = end - clock.monotonic()
            if left <= 0:
                raise StoreBusy(
                    f"another task has held the lock of the token file {self.path} for more than {timeout:g} s",
                    advice="Wait for it to end, or raise lock_timeout.",
                )
            if timeout - left > _NOTIFY_AFTER and not was_reported:
                self._runtime.notify(f"waiting for another task to release {self.path}, at most {timeout:g} s")
                was_reported = True
            clock.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _sweep(self) -> None:
        """Remove what a crash left half written; only the holder of the lock writes."""
        folder, name = os.path.split(self.path)
        ours = re.compile(rf"\.{re.escape(name)}\.\d+\.\d+\.new")
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                if ours.fullmatch(entry.name):
                    os.unlink(entry.path)

    def _check_folder(self) -> None:
        folder = os.path.dirname(self.path)
        try:
            status = os.stat(folder)
        except OSError as error:
            raise StoreError(
                f"the folder of the token file {self.path} cannot be used: {error.strerror}",
                advice=_ADVICE.get(error.errno or 0, f"Create {folder} first, with mode 0700."),
            ) from None
        mode = status.st_mode
        if os.geteuid() == 0 and status.st_uid != 0:
            raise StoreError(
                f"the folder of the token file {self.path} belongs to another user, who may replace files of root",
                advice=f"Use a folder of root, or run as the owner of {folder}.",
            )
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise StoreError(
                f"anybody may replace files in the folder of the token file {self.path}",
                advice=f"Take the write permission from others: chmod o-w {folder}",
            )

    def _check_owner(self, status: os.stat_result, path: str) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"the token file {path} is not a regular file")
        if status.st_uid != os.geteuid():
            raise StoreError(
                f"the token file {path} belongs to another user",
                advice="Choose a path of your own, or run as its owner.",
            )

    def _make_private(self, descriptor: int, mode: int) -> None:
        if not mode & 0o077:
            return
        self._runtime.warn(
            f"Others could read the token file {self.path}: its mode was {mode:04o} instead of 0600. "
            "Renew the token if you do not trust them (renew: always)."
        )
        if not self._read_only:
            # Where it cannot be, as on a share or a file system that is mounted for reading, the warning must do.
            with contextlib.suppress(OSError):
                os.fchmod(descriptor, _PRIVATE)

    def _parsed(self, content: bytes) -> Record:
        if not is_recognizable(content):
            # A mistyped path leads to a file of somebody.
            raise ForeignRecord(
                f"{self.path} is not a token file", advice="Check the path. The file was left as it is."
            )
        try:
            return deserialized(content)
        except LaterVersion:
            raise ForeignRecord(
                f"the token file {self.path} was written by a later release of this collection",
                advice="Update the collection, or give another path. The file was left as it is.",
            ) from None
        except ValueError:
            raise DamagedRecord(
                f"the token file {self.path} is damaged",
                advice="Remove it, or run the task with state: present, which keeps it aside and makes a new one.",
            ) from None


class FileWriter(Writer):
    """The holder of the lock of a token file, who alone writes it."""

    def __init__(self, store: FileStore, lock: int) -> None:
        self._store = store
        self._path = store.path
        self._lock = lock
        # What is written next to the file, and takes its place.
        self._new: Optional[str] = None

    def reserve(self) -> None:
        """The space for the next write is allocated and synced."""
        self._check_lock()
        try:
            self._write_new(bytes(_RESERVED))
        except OSError as error:
            raise _unusable(self._path, error) from None

    def write(self, record: Record) -> None:
        """A crash leaves the old file or the new one."""
        self._check_lock()
        try:
            content = serialized(record)
        except ValueError as error:
            raise StoreError(f"the token cannot be stored in {self._path}: {error}") from None
        try:
            os.replace(self._write_new(content), self._path)
            self._new = None
            _sync_folder(os.path.dirname(self._path))
        except OSError as error:
            self.close()
            raise _unusable(self._path, error) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove what was reserved and not used."""
        if self._new is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._new)
            self._new = None

    def _write_new(self, content: bytes) -> str:
        """Write the file that takes the place of the old one, where it was reserved into that space."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        if self._new is None:
            folder, name = os.path.split(self._path)
            self._new = os.path.join(folder, f".{name}.{os.getpid()}.{time.monotonic_ns()}.new")
            flags |= os.O_EXCL
        with os.fdopen(os.open(self._new, flags, _PRIVATE), "wb") as stream:
            stream.write(content)
            stream.truncate()
            stream.flush()
            os.fsync(stream.fileno())
        return self._new

    def refusal(self) -> Optional[Refusal]:
        """It is kept in the lock file."""
        try:
            content = os.pread(self._lock, _LONGEST_REFUSAL, 0)
            return Refusal.from_document(json.loads(content)) if content else None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def note_refusal(self, refusal: Refusal) -> None:
        content = json.dumps(asdict(refusal)).encode()
        with contextlib.suppress(OSError):
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, content, 0)

    def remove(self) -> None:
        """Delete the file."""
        self._check_lock()
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _unusable(self._path, error) from None
        else:
            _sync_folder(os.path.dirname(self._path))
        if not self._store.keeps_lock_file:
            with contextlib.suppress(OSError):
                os.unlink(self._store.lock_path)

    def move_aside(self) -> str:
        self._check_lock()
        aside = f"{self._path}.damaged-{time.strftime('%Y%m%dT%H%M%S')}-{time.time_ns()}"
        try:
            os.rename(self._path, aside)
        except OSError as error:
            raise _unusable(self._path, error) from None
        return aside

    def _check_lock(self) -> None:
        if not self._store.is_locked_by(self._lock):
            raise StoreError(
                f"the lock file {self._store.lock_path} was deleted while this task held it",
                advice="Run the task again, and do not delete lock files.",
            )


def _unusable(path: str, error: OSError) -> StoreError:
    if error.errno == errno.ELOOP:
        return StoreError(f"the token file {path} is a symbolic link", advice="Give the path it leads to.")
    advice = _ADVICE.get(error.errno or 0, "")
    return StoreError(f"the token file {path} cannot be used: {error.strerror}", advice=advice)


def _sync_folder(folder: str) -> None:
    """Make a rename durable, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
