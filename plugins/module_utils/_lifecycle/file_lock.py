# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock file, which one task of a machine locks at a time, and the errors of files that cannot be used."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator

from .._core.errors import StoreBusy, StoreError
from .._core.runtime import Runtime

PRIVATE = 0o600
ADVICE = {
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM),
        "Check that the user who runs the task owns the file and can write to its folder.",
    ),
    errno.EROFS: "The file system is mounted read-only. Set another path.",
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Free space on the file system, or raise the quota."),
    errno.ENAMETOOLONG: "Set a shorter path.",
}
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25
_NOTIFY_AFTER = 2.0


class FileLock:
    """A lock file. Messages name what it protects by `subject`, and lines of progress by `name`."""

    def __init__(self, path: str, subject: str, name: str, runtime: Runtime) -> None:
        self.path = path
        self._name = name
        self._subject = subject
        self._runtime = runtime

    @contextlib.contextmanager
    def held(self, timeout: float) -> Iterator[int]:
        """Hold the lock, and provide the descriptor of its file.

        Warns, and does not lock, on a file system without locks. Raises StoreError.
        """
        descriptor = self._locked(timeout)
        try:
            yield descriptor
        finally:
            # Closing releases the lock. The kernel does so, too, when the process is killed.
            os.close(descriptor)

    def is_held_by(self, descriptor: int) -> bool:
        """Whether a locked file is still the lock file, which may have been deleted."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path, follow_symlinks=False))
        except OSError:
            return False

    def _locked(self, timeout: float) -> int:
        """Lock the lock file, and return its descriptor."""
        end = self._runtime.clock.monotonic() + timeout
        while True:
            try:
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
            except OSError as error:
                raise unusable(self.path, error) from None
            try:
                check_owner(os.fstat(descriptor), self.path)
                self._acquire(descriptor, end, timeout)
                if self.is_held_by(descriptor):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            # The lock file was deleted meanwhile. Other tasks lock its successor.
            os.close(descriptor)

    def _acquire(self, descriptor: int, end: float, timeout: float) -> None:
        clock = self._runtime.clock
        pause, was_reported = _FIRST_PAUSE, False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if was_reported:
                    self._runtime.notify(f"{self._name}: another task has released the lock")
                return
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise unusable(self.path, error) from None
                self._runtime.warn(
                    f"The file system of {self.path} cannot lock files. Tasks that use the file at the same time may "
                    "each create a token. Move the file to a local file system to end this warning."
                )
                return
            left = end - clock.monotonic()
            if left <= 0:
                raise StoreBusy(
                    f"another task has held the lock of {self._subject} for more than {timeout:g} s",
                    advice="Wait for that task to end, or raise lock_timeout.",
                )
            if timeout - left > _NOTIFY_AFTER and not was_reported:
                self._runtime.notify(f"{self._name}: waiting at most {left:.0f} s for another task to release the lock")
                was_reported = True
            clock.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def check_owner(status: os.stat_result, path: str) -> None:
    """Raises StoreError if this is not a regular file of the user."""
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"the token file {path} is not a regular file", advice="Set the path of a file.")
    if status.st_uid != os.geteuid():
        raise StoreError(
            f"the token file {path} belongs to another user",
            advice="Set another path, or run the task as the owner of the file.",
        )


def unusable(path: str, error: OSError) -> StoreError:
    """The error for a file that the operating system refuses."""
    if error.errno == errno.ELOOP:
        return StoreError(f"the token file {path} is a symbolic link", advice="Set the path of its target.")
    advice = ADVICE.get(error.errno or 0, "Check the path and its file system.")
    return StoreError(f"the token file {path} cannot be used: {error.strerror}", advice=advice)
