# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which a token lives between tasks: private, replaced atomically, written by one at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from typing import Optional

from .._core.errors import TokenFileError
from .record import Record, deserialized, serialized

LONGEST_FILE = 4 * 1024 * 1024
_PRIVATE = 0o600
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25
_TELL_AFTER = 2.0


class DamagedFile(TokenFileError):
    """A token file whose content cannot be understood."""


class TokenFile:
    """A token file at a path. `warn` is told of what the user should know, `notify` of waits.

    With read_only nothing on the disk is touched, not even a mode that is too open.
    """

    def __init__(
        self, path: str, *, warn: Callable[[str], None], notify: Callable[[str], None], read_only: bool = False
    ) -> None:
        self.path = os.path.abspath(path)
        self._read_only = read_only
        self._warn = warn
        self._notify = notify

    @property
    def lock_path(self) -> str:
        """The file that is locked. It is never deleted: a lock on a file that is replaced protects nothing."""
        return self.path + ".lock"

    def exists(self) -> bool:
        """Whether there is anything at the path."""
        return os.path.lexists(self.path)

    def read(self) -> Optional[Record]:
        """What the file holds; None where there is no file.

        Raises DamagedFile, and TokenFileError for a file that is not safe to use.
        """
        self._check_folder()
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from None
        try:
            status = os.fstat(descriptor)
            self._check_owner(status, self.path)
            self._make_private(descriptor, stat.S_IMODE(status.st_mode))
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                content = stream.read(LONGEST_FILE + 1)
        finally:
            os.close(descriptor)
        return self._parsed(content)

    def write(self, record: Record) -> None:
        """Replace the file as a whole; a crash leaves the old one or the new one. Raises TokenFileError."""
        content = serialized(record)
        folder, name = os.path.split(self.path)
        new = os.path.join(folder, f".{name}.{os.getpid()}.{time.monotonic_ns()}.new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE)
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                os.replace(new, self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(new)
                raise
            _sync_folder(folder)
        except OSError as error:
            raise self._unusable(error) from None

    def remove(self) -> None:
        """Delete the file; the lock file stays. Raises TokenFileError."""
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unusable(error) from None
        _sync_folder(os.path.dirname(self.path))

    def set_aside(self) -> str:
        """Rename a file that cannot be understood, and return its new path. Raises TokenFileError."""
        aside = f"{self.path}.damaged-{time.strftime('%Y%m%dT%H%M%S')}-{time.time_ns()}"
        try:
            os.rename(self.path, aside)
        except OSError as error:
            raise self._unusable(error) from None
        return aside

    @contextlib.contextmanager
    def locked(self, timeout: float) -> Iterator[None]:
        """Be the only writer. Waits at most `timeout` seconds.

        Where the file system cannot lock, a warning, and no protection. Raises TokenFileError.
        """
        self._check_folder()
        try:
            descriptor = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE)
        except OSError as error:
            raise self._unusable(error, self.lock_path) from None
        try:
            self._check_owner(os.fstat(descriptor), self.lock_path)
            self._acquire(descriptor, timeout)
            self._sweep()
            yield
        finally:
            # Closing releases the lock, also when the process is killed.
            os.close(descriptor)

    def _acquire(self, descriptor: int, timeout: float) -> None:
        started = time.monotonic()
        pause, told = _FIRST_PAUSE, False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise self._unusable(error, self.lock_path) from None
                self._warn(
                    f"The file system of {self.path} cannot lock files: tasks that share the file at the same "
                    "time may each create a token."
                )
                return
            waited = time.monotonic() - started
            if waited >= timeout:
                raise TokenFileError(
                    f"another task has held the lock of the token file {self.path} for more than {timeout:g} s",
                    advice="Wait for it to end, or raise lock_timeout.",
                )
            if waited > _TELL_AFTER and not told:
                self._notify(f"waiting for another task to release {self.path}, at most {timeout:g} s")
                told = True
            time.sleep(pause)
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
            mode = os.stat(folder).st_mode
        except OSError as error:
            raise TokenFileError(
                f"the folder of the token file {self.path} cannot be used: {error.strerror}",
                advice=f"Create {folder} first, with mode 0700.",
            ) from None
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise TokenFileError(
                f"anybody may replace files in the folder of the token file {self.path}",
                advice=f"Take the write permission from others: chmod o-w {folder}",
            )

    def _check_owner(self, status: os.stat_result, path: str) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise TokenFileError(f"the token file {path} is not a regular file")
        if status.st_uid != os.geteuid():
            raise TokenFileError(
                f"the token file {path} belongs to another user",
                advice="Choose a path of your own, or run as its owner.",
            )

    def _make_private(self, descriptor: int, mode: int) -> None:
        if not mode & 0o077:
            return
        self._warn(
            f"Others could read the token file {self.path}: its mode was {mode:04o} instead of 0600. "
            "Renew the token if you do not trust them (renew: always)."
        )
        if not self._read_only:
            # Where it cannot be, as on a share or a file system that is mounted for reading, the warning must do.
            with contextlib.suppress(OSError):
                os.fchmod(descriptor, _PRIVATE)

    def _parsed(self, content: bytes) -> Record:
        try:
            return deserialized(content)
        except ValueError:
            raise DamagedFile(
                f"the token file {self.path} is damaged",
                advice="Remove it, or run the task with state: present, which keeps it aside and makes a new one.",
            ) from None

    def _unusable(self, error: OSError, path: str = "") -> TokenFileError:
        path = path or self.path
        if error.errno == errno.ELOOP:
            return TokenFileError(f"the token file {path} is a symbolic link", advice="Give the path it leads to.")
        return TokenFileError(f"the token file {path} cannot be used: {error.strerror}")


def _sync_folder(folder: str) -> None:
    """Make a rename durable, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
