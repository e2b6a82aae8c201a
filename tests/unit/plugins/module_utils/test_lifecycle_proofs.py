# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof that a token is valid: when a task repeats it, and when that of another task is enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import StoreError
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import MemorySource
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    Run,
    World,
)

MAX_AGE = 300.0


def proven(world: World, age: float) -> Token:
    """Store a token that was verified `age` seconds ago."""
    token = replace(world.server.mint(age=400.0), verified_at=world.server.now() - age)
    world.keep(current=token)
    return token


def current(world: World) -> Token:
    record = world.record()
    assert record is not None
    assert record.current is not None
    return record.current


def stored_proof(world: World) -> Optional[int]:
    return in_seconds(current(world))


def in_seconds(token: Token) -> Optional[int]:
    return None if token.verified_at is None else int(token.verified_at)


def reported_proof(run: Run) -> Optional[int]:
    assert run.outcome is not None
    assert run.outcome.verified
    assert run.outcome.token is not None
    return in_seconds(run.outcome.token)


def test_a_proof_of_another_task_is_not_repeated_while_it_is_recent_enough(world: World) -> None:
    token = proven(world, age=100.0)

    run = world.run(verify_max_age=MAX_AGE)

    assert (run.result, run.calls) == ((False, "reused"), [])
    assert reported_proof(run) == in_seconds(token)


@pytest.mark.parametrize("age", [MAX_AGE + 60, -60.0], ids=["too old", "of the future"])
def test_a_proof_is_repeated_when_it_is_too_old_or_in_the_future(world: World, age: float) -> None:
    token = proven(world, age)

    run = world.run(verify_max_age=MAX_AGE)

    assert run.calls == [f"probe {token.secret.reveal()}"]
    assert reported_proof(run) == stored_proof(world) != in_seconds(token)


def test_by_default_every_task_verifies_the_token_and_does_not_write_to_the_store(world: World) -> None:
    token = proven(world, age=1.0)

    run = world.run()

    assert run.calls == [f"probe {token.secret.reveal()}"]
    assert "write" not in run.steps.done
    assert reported_proof(run) != stored_proof(world) == in_seconds(token)


def test_an_unverified_token_is_verified_once_for_all_tasks(world: World) -> None:
    world.keep(current=world.server.mint())

    assert len(world.run(verify_max_age=MAX_AGE).calls) == 1
    assert world.run(verify_max_age=MAX_AGE).calls == []


def test_a_proof_is_stored_even_if_it_is_accepted_for_one_second_only(world: World) -> None:
    world.keep(current=world.server.mint())

    run = world.run(verify_max_age=1.0)

    assert stored_proof(world) == reported_proof(run)


@pytest.mark.parametrize("renew", ["auto", "always"])
def test_the_proof_of_a_new_token_is_stored_with_it(world: World, renew: str) -> None:
    created = world.run(renew=renew)

    assert stored_proof(world) is not None
    assert reported_proof(created) == stored_proof(world)
    assert world.run(verify_max_age=MAX_AGE).calls == []


def test_a_promoted_token_has_the_time_of_its_proof(world: World) -> None:
    world.keep(pending=world.server.mint())

    run = world.run()

    assert run.result == (True, "created")
    assert stored_proof(world) is not None
    assert reported_proof(run) == stored_proof(world)


def test_a_new_token_that_was_not_verified_has_no_proof(world: World) -> None:
    world.run(verify=False)

    assert stored_proof(world) is None


def test_a_recent_proof_does_not_keep_a_token_that_expires_too_soon(world: World) -> None:
    proven(world, age=1.0)

    assert world.run(verify_max_age=MAX_AGE, min_remaining=3300).result == (True, "renewed")


def test_check_mode_stores_no_proof(world: World) -> None:
    token = proven(world, age=MAX_AGE + 60)

    world.run(verify_max_age=MAX_AGE, check_mode=True)

    assert stored_proof(world) == in_seconds(token)


def test_a_proof_that_cannot_be_stored_does_not_fail_the_task() -> None:
    world = World()
    proven(world, age=MAX_AGE + 60)
    world.store.write_error = StoreError("the disk is full")

    run = world.run(verify_max_age=MAX_AGE)

    assert (run.result, run.warnings) == ((False, "reused"), [])


def test_a_proof_is_not_stored_with_a_token_that_has_replaced_the_verified_one() -> None:
    world = World()
    proven(world, age=MAX_AGE + 60)
    other = world.server.mint()
    world.store.before_exclusive = lambda: world.keep(current=other)

    world.run(verify_max_age=MAX_AGE)

    assert (current(world).secret, current(world).verified_at) == (other.secret, None)


def test_a_product_with_offline_verification_always_verifies_and_stores_no_proof(world: World) -> None:
    class OfflineSource(MemorySource):
        verifies_offline = True

    world.source_type = OfflineSource
    token = proven(world, age=1.0)

    run = world.run(verify_max_age=MAX_AGE)

    assert run.calls == [f"probe {token.secret.reveal()}"]
    assert "write" not in run.steps.done
    assert stored_proof(world) == in_seconds(token)
