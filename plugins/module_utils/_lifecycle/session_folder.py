# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder with one token file for each session, so that the next session can revoke what a killed one left."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Optional

from .._core.errors import StoreBusy, StoreError
from .._core.runtime import Run, Runtime
from .._core.token import Token
from .file_store import FileStore
from .record import ClockReading, Record
from .session_records import SessionRecords, Stray
from .source import TokenSource

_RUN = r"(?P<run>(?P<machine>[0-9a-f]{8})-[0-9a-f]{16})"
# Without a run in its name, only the recorded time decides whether a session is over.
_SESSION = re.compile(rf"session-({_RUN}-(?P<part>[0-9a-f]{{8}})-)?[0-9a-f]{{16}}\.json")
_RUN_LOCK = re.compile(rf"session-{_RUN}\.lock(\.[0-9]+)?")
_LOCK_SUFFIX = ".lock"
_PRIVATE_FOLDER = 0o700
# Seconds after which a lock file without a session is removed.
_UNUSED_FOR = 86400


class SessionFolder(SessionRecords):
    """The sessions of one source in a folder. `longest` is the maximum duration of a session in seconds.

    A run holds a lock until it ends; the kernel releases it even when the run is killed. For sessions of other machines
    and of modules on managed nodes there is no lock to check: there the recorded time decides.
    """

    def __init__(self, path: str, source: TokenSource, runtime: Runtime, longest: float) -> None:
        super().__init__(source)
        self._path = os.path.abspath(path)
        self._runtime = runtime
        self._longest = longest
        self._machine = hashlib.sha256(runtime.clock.machine().encode()).hexdigest()[:8]

    @contextlib.contextmanager
    def recording(self, now: Callable[[], float]) -> Iterator[Callable[[Token], None]]:
        try:
            os.makedirs(self._path, _PRIVATE_FOLDER, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the folder {self._path} cannot be created: {error.strerror}",
                advice="Set record_folder to a folder in which the user who runs the task can write.",
            ) from None
        store = self._store(self._new_path())
        with store.exclusive(0) as writer:
            is_recorded = False

            def record(token: Token) -> None:
                nonlocal is_recorded
                writer.write(self._record(token, now()))
                is_recorded = True

            try:
                writer.reserve()
                yield record
            finally:
                if not is_recorded:
                    writer.remove()

    def strays(self) -> Iterator[Stray]:
        """As SessionRecords.strays(). Unreadable and foreign records are skipped."""
        for name in self._names():
            match = _SESSION.fullmatch(name)
            path = os.path.join(self._path, name)
            record = self._read(path) if match else None
            if match and record and record.current and self._is_own(record) and self._is_over(match, record):
                yield Stray(record.current, path)

    def forget(self, token: Token) -> None:
        for name in self._names():
            path = os.path.join(self._path, name)
            record = self._read(path) if _SESSION.fullmatch(name) else None
            if record and record.current and record.current.secret == token.secret:
                self.remove(path)

    def remove(self, place: str) -> None:
        """Remove a record, unless it is locked. Raises StoreError."""
        with contextlib.suppress(StoreBusy), self._store(place).exclusive(0) as writer:
            writer.remove()

    def sweep(self) -> None:
        """Remove the lock files of ended runs, and those of crashed tasks that recorded no token."""
        names = self._names()
        in_use = {match["run"] for match in map(_SESSION.fullmatch, names) if match}
        for name in names:
            session = name[: -len(_LOCK_SUFFIX)] if name.endswith(_LOCK_SUFFIX) else ""
            lock = _RUN_LOCK.fullmatch(name)
            with contextlib.suppress(OSError, StoreError):
                if _SESSION.fullmatch(session) and session not in names:
                    self.remove(os.path.join(self._path, session))
                elif lock and lock["run"] not in in_use and self._is_unused(name):
                    os.unlink(os.path.join(self._path, name))

    def _is_unused(self, name: str) -> bool:
        path = os.path.join(self._path, name)
        return self._is_held(path) is not True and time.time() - os.stat(path).st_mtime > _UNUSED_FOR

    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self._path))
        except OSError:
            return []

    def _store(self, path: str) -> FileStore:
        return FileStore(path, self._runtime, keeps_lock_file=False)

    def _read(self, path: str) -> Optional[Record]:
        with contextlib.suppress(StoreError):
            return FileStore(path, self._runtime, read_only=True).read().record
        return None

    def _record(self, token: Token, now: float) -> Record:
        source, clock = self._source, self._runtime.clock
        promised = replace(token, promised_until=now + self._longest)
        reading = None if source.clock_offset is None else ClockReading.of(clock)
        owner = (source.product, source.host, source.principal or "")
        return Record(*owner, promised, clock_offset=source.clock_offset or 0.0, clock=reading)

    def _is_over(self, match: re.Match[str], record: Record) -> bool:
        run, own = match["run"], self._runtime.run
        if own and run == self._name_of(own):
            # The plays of a run are sequential.
            return match["part"] != own.part
        if run and match["machine"] == self._machine:
            is_held = self._is_held(self._lock_path(run))
            if is_held is not None:
                return not is_held
        now = self._runtime.clock.time() + record.offset_of(self._runtime.clock)
        return record.current is not None and (record.current.promised_until or 0) <= now

    def _new_path(self) -> str:
        run = self._held_run()
        of_run = f"{self._name_of(run)}-{run.part}-" if run else ""
        return os.path.join(self._path, f"session-{of_run}{secrets.token_hex(8)}.json")

    def _name_of(self, run: Run) -> str:
        return f"{self._machine}-{run.id}"

    def _lock_path(self, run: str) -> str:
        return os.path.join(self._path, f"session-{run}{_LOCK_SUFFIX}")

    def _held_run(self) -> Optional[Run]:
        """The run of this task, after acquiring its lock; None when that is impossible."""
        run = self._runtime.run
        if run is None:
            return None
        path = self._lock_path(self._name_of(run))
        if os.path.lexists(path):
            return run
        new = f"{path}.{os.getpid()}"
        try:
            descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not run.hold(descriptor):
                return None
            # It gets its name after it is locked: other tasks take an unlocked file for an ended run.
            os.link(new, path)
        except FileExistsError:
            # Another task of the run has created it.
            pass
        except OSError:
            return None
        finally:
            os.close(descriptor)
            os.unlink(new)
        return run

    def _is_held(self, path: str) -> Optional[bool]:
        """Whether a run still holds its lock; None when that is unknown."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            # Shared, so that several tasks can check at the same time.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return False
