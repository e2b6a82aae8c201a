# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an operation runs: its environment variables, its clock, its secrets, and who receives warnings and notices."""

from __future__ import annotations

import functools
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Optional

from .redaction import Redactor


class Clock:
    """The time of this machine. Another one plays a year in seconds."""

    def time(self) -> float:
        """Epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, unaffected by changes of the system's clock."""
        return time.monotonic()

    def steady(self) -> float:
        """Seconds since this machine was started, its sleep included, unaffected by changes of the system's clock."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    def machine(self) -> str:
        """What tells this start of this machine from all others."""
        return _boot_id()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@functools.cache
def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return platform.node()


SYSTEM_CLOCK = Clock()


def ignore(_message: object) -> None:
    """Where nobody reads warnings or notices."""


class _Redacted:
    """Hands messages over without the secrets of a task."""

    def __init__(self, receive: Callable[[str], None], redactor: Redactor) -> None:
        self._receive = receive
        self._redactor = redactor

    def __call__(self, message: str) -> None:
        self._receive(self._redactor.line(message))


@dataclass(frozen=True)
class Run:
    """The run of which a task is part. It outlives the task's process, and its parts follow one another.

    `hold` keeps an open file open until the run ends, however it ends; false where it cannot.
    """

    id: str
    part: str
    hold: Callable[[int], bool]


@dataclass(frozen=True)
class Runtime:
    """`warn` receives what the user should know, `notify` what happens while a task waits; both without the secrets
    that `redactor` knows by then. `run` is None where nothing on this machine lasts longer than the task."""

    check_mode: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    warn: Callable[[str], None] = ignore
    notify: Callable[[str], None] = ignore
    clock: Clock = SYSTEM_CLOCK
    run: Optional[Run] = None
    redactor: Redactor = field(default_factory=Redactor, compare=False)

    def __post_init__(self) -> None:
        for name in ("warn", "notify"):
            receive = getattr(self, name)
            if not isinstance(receive, _Redacted):
                object.__setattr__(self, name, _Redacted(receive, self.redactor))
