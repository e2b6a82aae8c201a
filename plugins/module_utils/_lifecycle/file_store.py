# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Store a token in a private file that is replaced atomically and written by one task at a time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Hashable, Iterator
from dataclasses import asdict
from typing import Optional

from .._core.errors import DamagedRecord, ForeignRecord, StoreError, WriteConflict
from .._core.runtime import Runtime
from .file_lock import ADVICE, PRIVATE, FileLock, check_owner, unusable
from .record import LONGEST_DOCUMENT, LaterVersion, Record, deserialized, is_recognizable, serialized
from .refusal import Refusal
from .store import ANY_VERSION, Store, Stored, Writer

# Bytes: enough for three of the longest known tokens with their companions.
_RESERVED = 256 * 1024
_LONGEST_REFUSAL = 64 * 1024


class FileStore(Store):
    """A token file. With `read_only`, and in check mode, nothing on disk is changed, not even the mode of the file.

    Without `keeps_lock_file`, the lock file is removed together with the token file, for a path that is used once.
    """

    def __init__(self, path: str, runtime: Runtime, *, read_only: bool = False, keeps_lock_file: bool = True) -> None:
        self.path = os.path.abspath(path)
        self.keeps_lock_file = keeps_lock_file
        self._runtime = runtime
        self._read_only = read_only or runtime.check_mode
        # It is not the token file: a lock on a file that is replaced protects nothing.
        self.lock = FileLock(f"{self.path}.lock", f"the token file {self.path}", os.path.basename(self.path), runtime)

    @property
    def location(self) -> str:
        return self.path

    def is_empty(self) -> bool:
        return not os.path.lexists(self.path)

    def read(self) -> Stored:
        """Raises DamagedRecord, ForeignRecord, and StoreError for a file that is not safe to use."""
        self._check_folder()
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return Stored(None, None)
        except OSError as error:
            raise unusable(self.path, error) from None
        try:
            status = os.fstat(descriptor)
            check_owner(status, self.path)
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                content = stream.read(LONGEST_DOCUMENT + 1)
            record = self._parsed(content)
            self._make_private(descriptor, stat.S_IMODE(status.st_mode))
        except DamagedRecord:
            self._make_private(descriptor, stat.S_IMODE(status.st_mode))
            raise
        except OSError as error:
            raise unusable(self.path, error) from None
        finally:
            os.close(descriptor)
        self._runtime.redactor.hide(*record.secrets)
        return Stored(record, hashlib.sha256(content).hexdigest())

    @contextlib.contextmanager
    def exclusive(self, timeout: float, version: Hashable = ANY_VERSION) -> Iterator[FileWriter]:
        """Warns, and does not lock, on a file system without locks. Raises StoreError."""
        self._check_folder()
        with self.lock.held(timeout) as descriptor:
            self._sweep()
            writer = FileWriter(self, descriptor)
            try:
                yield writer
            finally:
                writer.close()

    def _sweep(self) -> None:
        """Remove partial files of crashed tasks. Only the holder of the lock writes such files."""
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
                advice=ADVICE.get(error.errno or 0, f"Create {folder} with mode 0700 first."),
            ) from None
        mode = status.st_mode
        if os.geteuid() == 0 and status.st_uid != 0:
            raise StoreError(
                f"the folder of the token file {self.path} belongs to another user, who could replace the file",
                advice=f"Use a folder that root owns, or run the task as the owner of {folder}.",
            )
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise StoreError(
                f"any user can replace files in the folder of the token file {self.path}",
                advice=f"Remove write access for others: chmod o-w {folder}",
            )

    def _make_private(self, descriptor: int, mode: int) -> None:
        if not mode & 0o077:
            return
        is_private = False
        if not self._read_only:
            # Impossible on some shares and on read-only file systems.
            with contextlib.suppress(OSError):
                os.fchmod(descriptor, PRIVATE)
                is_private = True
        end = "Its mode is 0600 now." if is_private else f"Run chmod 0600 {self.path} to end this warning."
        self._runtime.warn(
            f"Other users could read the token file {self.path}: its mode was {mode:04o} instead of 0600. {end} Set "
            "renew: always once to replace the token."
        )

    def _parsed(self, content: bytes) -> Record:
        if not is_recognizable(content):
            # A mistyped path may be any file of the user.
            raise ForeignRecord(
                f"{self.path} is not a token file",
                advice="Check the path. The file was not changed. If nothing needs it, delete it: the next run creates "
                "a new one.",
            )
        try:
            return deserialized(content)
        except LaterVersion:
            raise ForeignRecord(
                f"the token file {self.path} was written by a later release of this collection",
                advice="Update the collection, or set another path. The file was not changed.",
            ) from None
        except ValueError:
            raise DamagedRecord(
                f"the token file {self.path} is damaged",
                advice="Delete it, or run the task with state: present, which moves it aside and creates a new one. A "
                "token in it is not revoked.",
            ) from None


class FileWriter(Writer):
    """Writes a token file while its lock is held."""

    def __init__(self, store: FileStore, lock: int) -> None:
        self._store = store
        self._path = store.path
        self._lock = lock
        # The path of the new file, which replaces the token file.
        self._new: Optional[str] = None

    def reserve(self) -> None:
        """Allocates and syncs the space for the next write."""
        self._check_lock()
        try:
            self._write_new(bytes(_RESERVED))
        except OSError as error:
            raise unusable(self._path, error) from None

    def write(self, record: Record) -> None:
        """A crash leaves either the old file or the new one."""
        self._check_lock()
        try:
            content = serialized(record)
        except ValueError as error:
            raise StoreError(
                f"the token cannot be stored in {self._path}: {error}",
                advice="Check the token that the server issued, or run the task without token_file.",
            ) from None
        try:
            os.replace(self._write_new(content), self._path)
            self._new = None
            _sync_folder(os.path.dirname(self._path))
        except OSError as error:
            self.close()
            raise unusable(self._path, error) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove reserved space that was not used."""
        if self._new is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._new)
            self._new = None

    def _write_new(self, content: bytes) -> str:
        """Write the new file, into reserved space if there is any, and return its path."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        if self._new is None:
            folder, name = os.path.split(self._path)
            self._new = os.path.join(folder, f".{name}.{os.getpid()}.{time.monotonic_ns()}.new")
            flags |= os.O_EXCL
        with os.fdopen(os.open(self._new, flags, PRIVATE), "wb") as stream:
            stream.write(content)
            stream.truncate()
            stream.flush()
            os.fsync(stream.fileno())
        return self._new

    def refusal(self) -> Optional[Refusal]:
        """Read from the lock file."""
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
        """Delete the token file."""
        self._check_lock()
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise unusable(self._path, error) from None
        else:
            _sync_folder(os.path.dirname(self._path))
        if not self._store.keeps_lock_file:
            with contextlib.suppress(OSError):
                os.unlink(self._store.lock.path)

    def move_aside(self) -> str:
        self._check_lock()
        aside = f"{self._path}.damaged-{time.strftime('%Y%m%dT%H%M%S')}-{time.time_ns()}"
        try:
            os.rename(self._path, aside)
        except OSError as error:
            raise unusable(self._path, error) from None
        _sync_folder(os.path.dirname(self._path))
        return f"It was moved to {aside}."

    def _check_lock(self) -> None:
        if not self._store.lock.is_held_by(self._lock):
            raise WriteConflict(
                f"the lock file {self._store.lock.path} was deleted while this task held it",
                advice="Run the task again, and do not delete lock files.",
            )


def _sync_folder(folder: str) -> None:
    """Make a rename durable on file systems that support it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
