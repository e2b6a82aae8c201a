# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A crash at any point loses no working token, and the next run repairs the state.

Every run is killed before and after each of its calls and each of its changes on disk, in turn.
"""

from __future__ import annotations

import itertools
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import TokenRejected
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import Crash
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    FileWorld,
    Run,
    SharedWorld,
    World,
    is_unfinished,
)

ENDING, OVER = 3400.0, 4000.0
FOREIGN = "somebody else"
_MOST_STEPS = 200


def revoked(world: World) -> Token:
    """A token that has not expired and no longer works."""
    token = world.server.mint()
    world.server.alive.pop(token.secret.reveal())
    return token


SITUATIONS: dict[str, Callable[[World], object]] = {
    "no file": lambda world: None,
    "good": lambda world: world.keep(current=world.server.mint()),
    "ending": lambda world: world.keep(current=world.server.mint(age=ENDING)),
    "expired": lambda world: world.keep(current=world.server.mint(age=OVER)),
    "revoked": lambda world: world.keep(current=revoked(world)),
    "pending alone": lambda world: world.keep(pending=world.server.mint()),
    "good, pending": lambda world: world.keep(current=world.server.mint(), pending=world.server.mint()),
    "ending, pending": lambda world: world.keep(current=world.server.mint(age=ENDING), pending=world.server.mint()),
    "ending, pending revoked": lambda world: world.keep(current=world.server.mint(age=ENDING), pending=revoked(world)),
    "good, superseded": lambda world: world.keep(current=world.server.mint(), superseded=(world.server.mint(),)),
    "good, two superseded": lambda world: world.keep(
        current=world.server.mint(), superseded=(world.server.mint(), world.server.mint(age=ENDING))
    ),
    "ending, pending, superseded": lambda world: world.keep(
        current=world.server.mint(age=ENDING), pending=world.server.mint(), superseded=(world.server.mint(),)
    ),
    "foreign": lambda world: world.keep(current=world.server.mint(), principal=FOREIGN),
    "damaged": World.damage,
}


@dataclass
class Killed:
    """A run that was killed, and the state before it."""

    world: World
    before: Record | None
    worked: bool
    run: Run

    @property
    def lost_on_the_way(self) -> set[str]:
        """The token that was created and not yet written when the process was killed: it cannot be known."""
        done = self.run.steps.done
        if "create" not in done or "write" in done[done.index("create") :]:
            return set()
        return {self.world.server.minted[-1]}


def values(*tokens: Token | None) -> set[str]:
    return {token.secret.reveal() for token in tokens if token}


def every_crash(situation: str, new_world: Callable[[], World] = World, **options: Any) -> Iterator[Killed]:
    """The same run from the same start, killed at each of its steps in turn, until it finishes."""
    for step in range(1, _MOST_STEPS):
        world = new_world()
        SITUATIONS[situation](world)
        before = world.record()
        worked = before is not None and world.server.accepts(before.current)
        run = world.run(crash_at=step, **options)
        if not isinstance(run.error, Crash):
            return
        world.let_the_lease_end()
        yield Killed(world, before, worked, run)
    pytest.fail("the run never finishes")


def may_live_on(record: Record | None, *, revoke_old: bool, can_revoke: bool) -> set[str]:
    """The tokens of a record that need not be revoked: those returned to a user, if revocation is disabled.

    A token that was never returned is of no use, and is revoked wherever that is possible.
    """
    if record is None:
        return set()
    if record.principal == FOREIGN or not can_revoke:
        return values(*record.tokens)
    return set() if revoke_old else values(record.current, *record.superseded)


def assert_nothing_is_lost(killed: Killed, **options: bool) -> None:
    record, server = killed.world.record(), killed.world.server
    if killed.worked and killed.before and killed.before.principal != FOREIGN:
        assert record is not None
        assert server.accepts(record.current), "a working token was lost"
    kept = values(*record.tokens) if record else set()
    assert server.working() - kept <= killed.lost_on_the_way | may_live_on(
        killed.before, revoke_old=options["revoke_old"], can_revoke=options["can_revoke"]
    )


def assert_all_is_well(world: World, run: Run, excused: set[str]) -> None:
    assert run.outcome is not None, run.error
    record = world.record()
    assert record is not None
    assert record.current == run.outcome.token
    assert world.server.accepts(record.current)
    assert not is_unfinished(record)
    assert world.server.working() <= values(record.current) | excused
    if isinstance(world, FileWorld):
        assert stat.S_IMODE(world.path.stat().st_mode) == 0o600
        assert not [name for name in os.listdir(world.path.parent) if name.endswith(".new")]


RENEWALS = [
    pytest.param(
        situation,
        {"renew": renew, "verify": verify, "revoke_old": revoke_old, "can_revoke": can_revoke},
        id=f"{situation}; renew {renew}; {verify=}; {revoke_old=}; {can_revoke=}",
    )
    for situation, renew, verify, (revoke_old, can_revoke) in itertools.product(
        SITUATIONS, ["auto", "always"], [True, False], [(True, True), (False, True), (False, False)]
    )
    # Without verify a revoked token cannot be detected.
    if verify or "revoked" not in situation
]
# The steps of other stores are those of the store in memory, so a few options are enough.
IN_ANOTHER_STORE = [
    pytest.param(situation, {"renew": renew, "verify": True, "revoke_old": True, "can_revoke": True}, id=situation)
    for situation in SITUATIONS
    for renew in ("auto", "always")
]


@pytest.mark.parametrize(("situation", "options"), IN_ANOTHER_STORE)
def test_no_crash_loses_the_working_token_of_a_file(tmp_path: Path, situation: str, options: dict[str, Any]) -> None:
    assert_crashes_are_put_right(situation, lambda: FileWorld(Path(tempfile.mkdtemp(dir=tmp_path))), options)


@pytest.mark.parametrize(("situation", "options"), [case for case in IN_ANOTHER_STORE if "two" not in str(case.id)])
def test_no_crash_loses_the_working_token_of_a_shared_store(situation: str, options: dict[str, Any]) -> None:
    assert_crashes_are_put_right(situation, SharedWorld, options)


@pytest.mark.parametrize(("situation", "options"), RENEWALS)
def test_no_crash_loses_a_working_token_and_the_next_run_repairs_the_state(
    situation: str, options: dict[str, Any]
) -> None:
    assert_crashes_are_put_right(situation, World, options)


def assert_crashes_are_put_right(situation: str, new_world: Callable[[], World], options: dict[str, Any]) -> None:
    revocation = {name: options[name] for name in ("revoke_old", "can_revoke")}
    for killed in every_crash(situation, new_world, **options):
        assert_nothing_is_lost(killed, **revocation)
        excused = killed.lost_on_the_way
        for record in (killed.before, killed.world.record()):
            excused |= may_live_on(record, **revocation)
        assert_all_is_well(killed.world, killed.world.run(**options), excused)
        if options["renew"] == "auto":
            assert killed.world.run(**options).result == (False, "reused")


@pytest.mark.parametrize("situation", ["good", "ending, pending", "good, superseded", "no file", "ending"])
def test_with_renew_never_a_run_repairs_or_leaves_the_state_after_a_crash(situation: str) -> None:
    for killed in every_crash(situation):
        minted = len(killed.world.server.minted)
        excused = killed.lost_on_the_way
        healed = killed.world.run(renew="never")
        assert len(killed.world.server.minted) == minted
        if not isinstance(healed.error, TokenRejected):
            assert_all_is_well(killed.world, healed, excused)


@pytest.mark.parametrize("can_revoke", [True, False])
@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_absent_that_was_killed_is_completed_by_the_next_run(situation: str, verify: bool, can_revoke: bool) -> None:
    options = {"state": "absent", "verify": verify, "can_revoke": can_revoke}
    for killed in every_crash(situation, **options):
        world = killed.world
        found = world.record()
        assert not can_revoke or world.server.working() <= (values(*found.tokens) if found else set())
        assert world.run(**options).error is None
        assert world.has_record() is (situation == "foreign")
        assert not can_revoke or situation == "foreign" or world.server.working() == set()


@pytest.mark.parametrize("situation", ["no file", "ending", "ending, pending"])
@pytest.mark.parametrize("revocable", [True, False])
def test_crash_during_the_revocation_of_a_token_that_does_not_work_is_repaired(situation: str, revocable: bool) -> None:
    def with_faults(world: World) -> None:
        SITUATIONS[situation](world)
        world.server.refuses_new_tokens, world.server.cannot_revoke_now = True, not revocable

    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(SITUATIONS, "faults", with_faults)
        for killed in every_crash("faults", renew="always"):
            assert_nothing_is_lost(killed, revoke_old=True, can_revoke=True)
            server, excused = killed.world.server, killed.lost_on_the_way
            server.refuses_new_tokens = server.cannot_revoke_now = False
            assert_all_is_well(killed.world, killed.world.run(), excused)
