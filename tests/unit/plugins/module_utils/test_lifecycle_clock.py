# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expiry: the required lifetime of a token, and the clock by which it is judged."""

from __future__ import annotations

import time

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Clock
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    World,
)

ENDING = 3400.0  # the age at which a token of an hour expires too soon for the default of min_remaining


@pytest.mark.parametrize(("left", "min_remaining", "kept"), [(301, 300, True), (299, 300, False), (1, 0, True)])
def test_token_is_kept_while_it_has_min_remaining_seconds(
    world: World, left: float, min_remaining: float, kept: bool
) -> None:
    world.keep(current=world.server.mint(age=3600.0 - left))
    assert world.run(min_remaining=min_remaining).result == ((False, "reused") if kept else (True, "renewed"))


@pytest.mark.parametrize(("left", "kept"), [(55, True), (45, False)])
def test_token_with_a_lifetime_below_min_remaining_is_kept_for_half_of_it_with_a_warning(
    world: World, left: float, kept: bool
) -> None:
    world.server.lifetime = 100.0
    world.keep(current=world.server.mint(age=100.0 - left))
    run = world.run()
    assert run.result == ((False, "reused") if kept else (True, "renewed"))
    assert ("half its life" in " ".join(run.warnings)) is not kept


class SteppedClock(Clock):
    """A settable clock on a machine with a name. `steady` continues as before."""

    def __init__(self, step: float = 0.0, machine: str = "one") -> None:
        self.step = step
        self.name = machine

    def time(self) -> float:
        return super().time() + self.step

    def machine(self) -> str:
        return self.name


@pytest.mark.parametrize(
    ("clock", "is_trusted"),
    [
        (SteppedClock(), True),
        (SteppedClock(5.0), True),
        (SteppedClock(5400.0), False),
        (SteppedClock(-5400.0), False),
        (SteppedClock(machine="another"), False),
    ],
)
def test_a_clock_offset_is_used_only_with_the_clock_that_it_was_measured_with(
    local_world: World, clock: SteppedClock, is_trusted: bool
) -> None:
    """The file is from a machine whose clock is wrong, or the clock has been corrected since."""
    local_world.clock = SteppedClock()
    local_world.server.offset = -7200.0
    local_world.run()
    local_world.clock = clock
    run = local_world.run(verify=False, check_mode=True)
    assert run.outcome is not None
    assert run.outcome.now == pytest.approx(clock.time() - (7200.0 if is_trusted else 0.0), abs=30)


def test_a_clock_offset_of_another_machine_does_not_make_an_expired_token_valid(world: World) -> None:
    world.clock = SteppedClock(7200.0)
    world.server.offset = 0.0
    world.prepare = lambda source: setattr(source, "before_call", lambda call: setattr(source, "_offset", -7200.0))
    world.run(verify=False)
    world.clock = SteppedClock(5400.0, machine="another")
    assert world.run(verify=False, check_mode=True).result == (True, "renewed")


@pytest.mark.parametrize("offset", [-7200.0, 7200.0])
def test_expiry_is_judged_by_the_servers_clock(world: World, offset: float) -> None:
    world.server.offset = offset
    world.run()
    assert world.run().result == (False, "reused")
    assert world.run(verify=False).result == (False, "reused")
    world.pass_time(ENDING)
    assert world.run().result == (True, "renewed")
    run = world.run()
    assert run.outcome is not None
    assert run.outcome.now == pytest.approx(time.time() + offset + ENDING, abs=60)


def test_token_with_unknown_expiry_is_kept_while_it_works_with_one_warning(world: World) -> None:
    world.server.lifetime = None
    first, second = world.run(), world.run()
    assert (first.result, second.result) == ((True, "created"), (False, "reused"))
    assert (len(first.warnings), len(second.warnings)) == (1, 0)
    assert "verify" in first.warnings[0]
    world.server.alive.clear()
    assert world.run().result == (True, "renewed")
