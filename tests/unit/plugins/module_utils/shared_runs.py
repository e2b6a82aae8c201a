# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs with a document that machines share, whose pauses take no time, and what others do to it meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Clock
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import Fields
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    SharedWorld,
)

ENDING = 3500.0
LEASE = {"lease_holder": "another machine", "lease_seconds": "120"}


class FastClock(Clock):
    """Its pauses take no time here, and pass on the server."""

    def __init__(self, world: SharedWorld) -> None:
        self._world = world
        self._slept = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return super().monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds
        self.pauses.append(seconds)
        self._world.pass_time(seconds)


def fast_world() -> SharedWorld:
    """A world with a fast clock."""
    world = SharedWorld()
    world.clock = FastClock(world)
    return world


def current(world: SharedWorld) -> Token:
    record = world.record()
    assert record is not None
    assert record.current is not None
    return record.current


def lease(world: SharedWorld, **more: str) -> None:
    """Let another machine hold the lease."""
    world.documents.put({"schema": "1", **world.documents.version.fields, **LEASE, **more})


def before_the_write(world: SharedWorld, number: int, act: Callable[[], object]) -> None:
    """Do something before one of the next writes reaches the server."""
    left = [number]

    def before(_fields: Fields) -> None:
        left[0] -= 1
        if left[0] == 0:
            act()

    world.documents.before_write = before
