# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two windows before the expiry, and the grace period of a replaced token."""

from __future__ import annotations

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import TokenRejected, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    World,
    is_unfinished,
)

# Ages of a token of an hour: within renew_before, and within min_remaining.
STALE, DUE = 3000.0, 3400.0
WINDOW = 1200.0


@pytest.fixture
def world() -> World:
    return World()


def kept(world: World) -> Record:
    record = world.record()
    assert record is not None
    return record


def aged(world: World, age: float) -> Token:
    """Store a token of an age as the current one."""
    token = world.server.mint(age=age)
    world.keep(current=token)
    return token


# --- two windows -----------------------------------------------------------------------------------------------------


def test_a_token_within_renew_before_is_renewed(world: World) -> None:
    aged(world, STALE)
    assert world.run(renew_before=WINDOW).result == (True, "renewed")
    assert world.run(renew_before=WINDOW).result == (False, "reused")


def test_a_pending_token_within_renew_before_is_not_promoted_but_replaced(world: World) -> None:
    pending = world.server.mint(age=STALE)
    world.keep(pending=pending)

    assert world.run(renew_before=WINDOW).result == (True, "created")

    record = kept(world)
    assert record.current is not None
    assert record.current.secret != pending.secret
    assert record.pending is None
    assert not world.server.accepts(pending)


def test_without_renew_before_it_is_kept_until_min_remaining(world: World) -> None:
    aged(world, STALE)
    assert world.run().result == (False, "reused")


def fail_to_create(call: str) -> None:
    if call == "create":
        raise TokensError("no more tokens")


def test_a_renewal_that_fails_within_renew_before_warns_and_keeps_the_token(world: World) -> None:
    old = aged(world, STALE)
    world.prepare = lambda source: setattr(source, "before_call", fail_to_create)
    run = world.run(renew_before=WINDOW)
    assert run.result == (False, "reused")
    assert run.outcome is not None
    assert (run.outcome.token, run.outcome.verified) == (old, True)
    assert ["No more tokens" in warning for warning in run.warnings] == [True]


def test_a_renewal_that_fails_within_min_remaining_fails_the_task(world: World) -> None:
    aged(world, DUE)
    world.prepare = lambda source: setattr(source, "before_call", fail_to_create)
    error = world.run(renew_before=WINDOW).error
    assert isinstance(error, TokensError)
    assert error.cause == "no more tokens"


def test_a_new_token_that_does_not_work_does_not_fail_the_task_within_renew_before(world: World) -> None:
    old = aged(world, STALE)
    world.server.refuses_new_tokens = True
    assert world.run(renew_before=WINDOW).result == (False, "reused")
    assert (kept(world).current, is_unfinished(kept(world))) == (old, False)


@pytest.mark.parametrize(("age", "result"), [(STALE, (False, "reused")), (DUE, None)])
def test_a_token_of_the_user_is_kept_when_its_renewal_fails_within_renew_before(
    world: World, age: float, result: tuple[bool, str] | None
) -> None:
    given = world.server.mint(age=age)

    def prepare(source: object) -> None:
        source.from_user = lambda secret: given  # type: ignore[attr-defined]
        source.before_call = fail_to_create  # type: ignore[attr-defined]

    world.prepare = prepare
    run = world.run(in_store=False, token=given.secret, renew_before=WINDOW)
    assert (run.result if run.outcome else None) == result


def test_renew_never_uses_a_token_within_renew_before(world: World) -> None:
    aged(world, STALE)
    assert world.run(renew_before=WINDOW, renew="never").result == (False, "reused")
    world.pass_time(500)
    assert isinstance(world.run(renew_before=WINDOW, renew="never").error, TokenRejected)


def test_a_task_with_a_usable_token_does_not_wait_for_the_one_that_renews_it(world: World) -> None:
    aged(world, STALE)
    with world.store.exclusive(5):
        run = world.run(renew_before=WINDOW, lock_timeout=60)
    assert (run.result, run.warnings) == ((False, "reused"), [])
    assert world.store.timeouts == [5, 0]


@pytest.mark.parametrize(("left", "action"), [(60.0, "reused"), (40.0, "renewed")])
def test_half_of_a_short_lifetime_applies_to_both_windows(world: World, left: float, action: str) -> None:
    world.server.lifetime = 100.0
    aged(world, 100.0 - left)
    run = world.run(min_remaining=0, renew_before=WINDOW)
    assert run.outcome is not None
    assert run.outcome.action == action


# --- grace -----------------------------------------------------------------------------------------------------------


def test_a_replaced_token_works_for_others_until_its_grace_period_ends(world: World) -> None:
    """Another task has just been promised a little more than min_remaining."""
    old = aged(world, STALE)
    assert world.run(min_remaining=700.0, revoke_old=None).result == (True, "renewed")
    assert world.server.accepts(old)
    assert [token.secret for token in kept(world).superseded] == [old.secret]
    for _run in range(2):
        converged = world.run(min_remaining=700.0, revoke_old=None)
        assert (converged.result, len(converged.calls)) == ((False, "reused"), 1)
    world.pass_time(601)
    assert world.run(min_remaining=700.0, revoke_old=None).result == (False, "reused"), "it has expired by itself"
    assert world.run(renew="always").result == (True, "renewed")
    assert old.secret not in [token.secret for token in kept(world).superseded]


def test_the_next_task_after_the_grace_period_revokes_what_has_not_expired(world: World) -> None:
    old = aged(world, 0.0)
    world.server.gives_companions = True
    assert world.run(revoke_old=None).result == (True, "renewed")
    world.pass_time(299)
    assert world.run(revoke_old=None).result == (False, "reused")
    assert world.server.accepts(old)
    world.pass_time(2)
    assert world.run(revoke_old=None).result == (True, "reused")
    assert not world.server.accepts(old)
    assert kept(world).superseded == ()


@pytest.mark.parametrize("options", [{"renew": "always", "revoke_old": None}, {"revoke_old": True}], ids=str)
def test_renew_always_and_revoke_old_revoke_at_once(world: World, options: dict[str, object]) -> None:
    old = aged(world, STALE)
    world.run(min_remaining=900.0, **options)
    assert not world.server.accepts(old)
    assert kept(world).superseded == ()


def test_a_task_that_revokes_at_once_also_revokes_what_another_left_in_its_grace_period(world: World) -> None:
    old = aged(world, STALE)
    world.run(min_remaining=900.0, revoke_old=None)
    assert world.server.accepts(old)
    assert world.run(revoke_old=True).result == (True, "reused")
    assert not world.server.accepts(old)
    assert kept(world).superseded == ()


def test_revoke_old_false_never_revokes(world: World) -> None:
    old = aged(world, STALE)
    world.run(min_remaining=900.0, revoke_old=False)
    assert kept(world).superseded == ()
    world.pass_time(599)
    world.run(min_remaining=900.0, revoke_old=False)
    assert world.server.accepts(old)


def test_absent_revokes_a_token_within_its_grace_period(world: World) -> None:
    old = aged(world, STALE)
    world.run(min_remaining=900.0, revoke_old=None)
    assert world.server.accepts(old)
    world.run(state="absent")
    assert world.server.working() == set()
