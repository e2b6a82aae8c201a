# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operation needs to run: environment variables, a clock, a redactor, receivers of warnings and notices, and
what it closes at the end."""

from __future__ import annotations

import functools
import platform
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, Protocol, TypeVar

from .errors import TokensError, internal_error
from .redaction import Redactor


class Clock:
    """The clock of this machine. Tests replace it."""

    def time(self) -> float:
        """Epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, unaffected by changes of the system's clock."""
        return time.monotonic()

    def steady(self) -> float:
        """Seconds since this machine started, including suspend, unaffected by changes of the system's clock."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    def machine(self) -> str:
        """An identifier of this boot of this machine."""
        return _boot_id()

    def sleep(self, seconds: float) -> None:
        """Block for so many seconds."""
        time.sleep(seconds)


@functools.cache
def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return platform.node()


SYSTEM_CLOCK = Clock()
SharedT = TypeVar("SharedT")


def ignore(_message: object) -> None:
    """The receiver where nobody reads warnings or notices."""


class _Redacted:
    """Redacts messages before it hands them on."""

    def __init__(self, receive: Callable[[str], None], redactor: Redactor) -> None:
        self._receive = receive
        self._redactor = redactor

    def __call__(self, message: str) -> None:
        self._receive(self._redactor.line(message))


@dataclass(frozen=True)
class Run:
    """The playbook run that a task belongs to. It outlives the task's process. `part` identifies the play.

    `hold` keeps a file descriptor open until the run ends, even when it is killed; it returns false when it cannot.
    """

    id: str
    part: str
    hold: Callable[[int], bool]


@dataclass(frozen=True)
class Runtime:
    """The environment of one operation.

    `warn` receives warnings, `notify` lines of progress; both are redacted. `run` is None for a module on a managed
    node, where no process outlives the task. `resources` are those of the task of which this operation is a part;
    None for an operation that is a task.
    """

    check_mode: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    warn: Callable[[str], None] = ignore
    notify: Callable[[str], None] = ignore
    clock: Clock = SYSTEM_CLOCK
    run: Optional[Run] = None
    redactor: Redactor = field(default_factory=Redactor, compare=False)
    resources: Optional[Resources] = None

    def __post_init__(self) -> None:
        for name in ("warn", "notify"):
            receive = getattr(self, name)
            if not isinstance(receive, _Redacted):
                object.__setattr__(self, name, _Redacted(receive, self.redactor))


class OpenSession(Protocol):
    """A session with a server."""

    request_count: int

    def close(self) -> None:
        """Close the connections."""


class Resources:
    """Sessions and endings of a task with this runtime. Safe to use from several threads.

    `connections` is how many threads may use a session at once.
    """

    def __init__(self, runtime: Runtime, connections: int = 1) -> None:
        self.runtime = runtime
        self.connections = connections
        self._sessions: list[OpenSession] = []
        self._endings: list[Callable[[], None]] = []
        self._shared: dict[Hashable, Any] = {}
        self._lock = threading.RLock()

    @property
    def request_count(self) -> int:
        """The number of HTTP requests so far."""
        return sum(session.request_count for session in self._sessions)

    def add_session(self, session: OpenSession) -> None:
        """Close the session at the end."""
        with self._lock:
            self._sessions.append(session)

    def at_end(self, ending: Callable[[], None]) -> None:
        """Call a function at the end, even after a failure, such as a sign-out."""
        with self._lock:
            self._endings.append(ending)

    def shared(self, key: Hashable, make: Callable[[], SharedT]) -> SharedT:
        """What `make` returned for this key. The key contains everything on which that depends, such as credentials."""
        with self._lock:
            found: Optional[SharedT] = self._shared.get(key)
            if found is None:
                found = self._shared[key] = make()
            return found

    def close(self) -> None:
        """Sign out and close all connections. A failure is a warning, because the work is already done."""
        for ending in reversed(self._endings):
            try:
                ending()
            except Exception as error:  # pylint: disable=broad-exception-caught
                self.runtime.warn(str(error if isinstance(error, TokensError) else internal_error(error)))
        for session in self._sessions:
            session.close()
