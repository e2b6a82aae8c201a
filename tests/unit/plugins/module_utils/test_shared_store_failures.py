# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A document that machines share, with lost responses, nodes that are behind, and a store that is down."""

from __future__ import annotations

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    StoreUnavailable,
    WriteConflict,
    WriteUnknown,
)
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import Fields
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.shared_store import Version
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    SharedWorld,
)
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.shared_runs import (
    ENDING,
    before_the_write,
    current,
    fast_world,
)


@pytest.fixture
def world() -> SharedWorld:
    return fast_world()


# --- lost responses, and nodes that are behind -----------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_write_whose_response_was_lost_is_recognized(world: SharedWorld, count: int) -> None:
    world.documents.loses_responses = count

    run = world.run()

    assert run.result == (True, "created")
    assert len(world.server.working()) == 1
    assert world.documents.writes == 3


def test_writes_that_never_arrive_are_not_taken_for_those_of_another_task(world: SharedWorld) -> None:
    def lose(_fields: Fields) -> None:
        raise WriteUnknown("the connection was closed")

    world.documents.before_write = lose

    run = world.run()

    assert isinstance(run.error, StoreUnavailable)
    assert "connection was closed" in str(run.error)
    assert run.calls == []


def test_a_write_that_never_arrived_is_repeated_however_long_the_wait_for_its_response_was(world: SharedWorld) -> None:
    def lose_late() -> None:
        world.clock.sleep(30)
        raise WriteUnknown("no complete response within 30 s")

    before_the_write(world, 2, lose_late)

    assert world.run().result == (True, "created")
    assert len(world.server.minted) == 1
    assert world.server.accepts(current(world))


def test_a_write_that_a_stale_node_refuses_is_repeated(world: SharedWorld) -> None:
    before = world.documents.version
    world.keep(current=world.server.mint(age=ENDING))
    world.documents.read()
    before_the_write(world, 1, lambda: world.documents.stale.extend([before, before]))

    assert world.run().result == (True, "renewed")
    assert len(world.server.working()) == 1


def test_an_emptied_document_whose_versions_began_again_is_not_waited_for_without_end(world: SharedWorld) -> None:
    world.keep(current=world.server.mint(age=ENDING))
    world.documents.put(world.documents.version.fields)

    def begin_again() -> None:
        world.documents.version = type(world.documents.version)({}, 0, 0.0, 0.0, 0.0)

    before_the_write(world, 2, begin_again)

    assert isinstance(world.run().error, WriteConflict)


# --- a store that is down --------------------------------------------------------------------------------------------


def go_down(world: SharedWorld) -> None:
    def fail(_fields: Fields) -> None:
        raise StoreUnavailable("the store is sealed")

    world.documents.before_write = fail


def come_back(world: SharedWorld) -> None:
    """The store works again, and the lease of the failed task is over."""
    world.documents.before_write = lambda _fields: None
    world.let_the_lease_end()


def test_a_store_that_is_down_fails_before_a_token_is_requested(world: SharedWorld) -> None:
    go_down(world)

    run = world.run()

    assert isinstance(run.error, StoreUnavailable)
    assert run.calls == []


@pytest.mark.parametrize("write", [2, 3], ids=["pending", "promotion"])
def test_a_token_that_cannot_be_stored_any_more_is_used_by_this_task(world: SharedWorld, write: int) -> None:
    before_the_write(world, write, lambda: go_down(world) or world.documents.before_write({}))

    run = world.run()

    assert run.result == (True, "created")
    assert run.outcome is not None
    assert world.server.accepts(run.outcome.token)
    assert len(run.warnings) == 1


def test_a_renewal_is_done_although_the_revocation_of_the_old_token_cannot_be_noted(world: SharedWorld) -> None:
    old = world.server.mint()
    world.keep(current=old)
    before_the_write(world, 4, lambda: go_down(world) or world.documents.before_write({}))

    run = world.run(renew="always")

    assert run.result == (True, "renewed")
    assert run.outcome is not None
    assert run.outcome.token == current(world)
    assert world.server.accepts(current(world))
    assert not world.server.accepts(old)


@pytest.mark.parametrize("write", [2, 3], ids=["pending", "promotion"])
def test_a_token_that_nobody_would_hold_is_revoked_when_the_store_goes_down(world: SharedWorld, write: int) -> None:
    before_the_write(world, write, lambda: go_down(world) or world.documents.before_write({}))

    run = world.run(return_token=False)

    assert isinstance(run.error, StoreUnavailable)
    assert world.server.working() == set()
    come_back(world)
    assert world.run(return_token=False).result == (True, "created")
    assert world.server.working() == {current(world).secret.reveal()}


def test_a_pending_token_stays_if_the_next_run_would_not_notice_that_it_was_revoked(world: SharedWorld) -> None:
    before_the_write(world, 3, lambda: go_down(world) or world.documents.before_write({}))

    run = world.run(return_token=False, verify=False)

    assert isinstance(run.error, StoreUnavailable)
    come_back(world)
    assert world.run(return_token=False, verify=False).result == (True, "created")
    assert world.server.accepts(current(world))
    assert len(world.server.minted) == 1


def test_a_token_that_others_may_use_by_now_is_not_revoked_when_the_store_goes_down(
    world: SharedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Version:
        raise StoreUnavailable("the store is sealed")

    def lose_the_response() -> None:
        world.documents.loses_responses = 1
        monkeypatch.setattr(world.documents, "read", fail)

    before_the_write(world, 3, lose_the_response)

    run = world.run(return_token=False)

    assert isinstance(run.error, StoreUnavailable)
    assert world.server.accepts(current(world))
