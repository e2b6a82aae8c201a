# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease in a document that machines share: taken, waited for, and lost."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    StoreBusy,
    WriteConflict,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import iso8601
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.shared_store import SharedStore, SharedWriter
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    SharedWorld,
    is_unfinished,
)
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.shared_runs import (
    ENDING,
    LEASE,
    FastClock,
    before_the_write,
    current,
    fast_world,
    lease,
)


@pytest.fixture
def world() -> SharedWorld:
    return fast_world()


# --- leases ----------------------------------------------------------------------------------------------------------


def test_a_task_that_waited_for_another_uses_its_token_without_taking_the_lease(world: SharedWorld) -> None:
    world.keep(current=world.server.mint(age=ENDING))
    lease(world)
    new = world.server.mint()
    clock = world.clock
    assert isinstance(clock, FastClock)
    original = clock.sleep

    def sleep(seconds: float) -> None:
        original(seconds)
        if len(clock.pauses) == 3:
            world.keep(current=new)

    clock.sleep = sleep  # type: ignore[method-assign]
    run = world.run()

    assert run.result == (False, "reused")
    assert current(world) == new
    assert "create" not in run.calls
    # One read before each of the three pauses, and one after them.
    assert (world.documents.reads, world.documents.writes) == (4, 0)


def test_by_default_a_task_outwaits_the_lease_of_one_that_was_killed(world: SharedWorld) -> None:
    world.keep(current=world.server.mint(age=ENDING))
    lease(world)

    assert world.run().result == (True, "renewed")
    assert isinstance(world.clock, FastClock)
    assert sum(world.clock.pauses) > float(LEASE["lease_seconds"])


@pytest.mark.parametrize(("duration", "wait"), [(30.0, 120.0), (240.0, 270.0)])
def test_the_default_wait_is_longer_than_any_lease(world: SharedWorld, duration: float, wait: float) -> None:
    store = SharedStore(world.documents, Runtime(), lease=duration, needed=0, local_lock=lambda _timeout: nullcontext())

    assert store.longest_wait == wait


def test_the_lease_of_a_task_that_died_ends_by_the_clock_of_the_server(world: SharedWorld) -> None:
    world.keep(current=world.server.mint(age=ENDING))
    lease(world, lease_seconds="20")

    run = world.run(lock_timeout=60)

    assert run.result == (True, "renewed")
    assert isinstance(world.clock, FastClock)
    # Not much longer than the lease and its margin.
    assert 20 <= sum(world.clock.pauses) <= 22.5


def test_a_lease_that_outlasts_lock_timeout_fails_before_anything_is_created(world: SharedWorld) -> None:
    lease(world)

    run = world.run(lock_timeout=10)

    assert isinstance(run.error, StoreBusy)
    assert run.calls == []
    begun, left = world.documents.version.created_at, float(LEASE["lease_seconds"])
    assert str(iso8601(begun + left + 2)) in str(run.error)


def test_a_wait_for_the_lease_is_reported_with_its_end(world: SharedWorld) -> None:
    lease(world)
    notices: list[str] = []
    runtime = Runtime(clock=world.clock, notify=notices.append)
    store = SharedStore(world.documents, runtime, lease=120, needed=0, local_lock=lambda _timeout: nullcontext())

    with store.exclusive(500):
        pass

    waiting, ended = notices
    assert waiting.startswith("memory: waiting at most 49")
    assert ended == "memory: the other task has ended"


def test_a_lease_is_not_waited_for_while_the_token_is_valid(world: SharedWorld) -> None:
    world.keep(current=world.server.mint(age=3000.0))
    lease(world)

    assert world.run(renew_before=1200).result == (False, "reused")
    assert isinstance(world.clock, FastClock)
    assert world.clock.pauses == []


def test_a_failed_renewal_leaves_no_lease(world: SharedWorld) -> None:
    world.server.is_down = True

    assert world.run().error is not None
    assert "lease_holder" not in world.documents.version.fields


def writer(world: SharedWorld) -> SharedWriter:
    return SharedWriter(world.documents, world.documents.read(), world.clock, lease=120.0, needed=60.0)


@pytest.mark.parametrize(("passed", "is_renewed"), [(50.0, False), (70.0, True)])
def test_a_request_begins_only_with_a_lease_that_outlasts_it(
    world: SharedWorld, passed: float, is_renewed: bool
) -> None:
    holder = writer(world)
    holder.take_lease()
    world.clock.sleep(passed)
    writes = world.documents.writes

    holder.reserve()

    assert (world.documents.writes > writes) is is_renewed


def test_a_writer_that_has_lost_its_lease_is_refused_even_what_would_succeed(world: SharedWorld) -> None:
    holder = writer(world)
    holder.take_lease()
    world.keep(current=world.server.mint())

    for _attempt in range(2):
        with pytest.raises(WriteConflict):
            holder.write(Record("memory", "host", "me", pending=world.server.mint()))


@pytest.mark.parametrize(("passed", "is_over"), [(120.0, False), (121.5, False), (123.0, True)])
def test_a_lease_is_over_two_seconds_late_since_dates_have_whole_seconds(
    world: SharedWorld, passed: float, is_over: bool
) -> None:
    lease(world)
    world.pass_time(passed)

    run = world.run(lock_timeout=0)

    assert isinstance(run.error, StoreBusy) is not is_over


# --- a lost lease ----------------------------------------------------------------------------------------------------


def test_a_task_that_lost_its_lease_revokes_its_token_and_uses_the_others(world: SharedWorld) -> None:
    world.keep(current=world.server.mint(age=ENDING))
    other = world.server.mint()
    before_the_write(world, 2, lambda: world.keep(current=other))

    run = world.run()

    assert run.result == (False, "reused")
    assert current(world) == other
    assert world.server.minted[-1] not in world.server.working()


def test_a_task_whose_pending_token_another_has_promoted_keeps_it(world: SharedWorld) -> None:
    world.keep(current=world.server.mint(age=ENDING))

    def promote() -> None:
        record = world.record()
        assert record is not None
        world.keep(current=record.pending)

    before_the_write(world, 3, promote)
    run = world.run()

    assert run.outcome is not None
    assert run.outcome.token == current(world)
    assert world.server.accepts(current(world))
    assert not is_unfinished(world.record() or Record("", "", ""))


def test_a_pending_token_that_another_task_continues_with_is_not_revoked(world: SharedWorld) -> None:
    """The other task has taken the lease, and has perhaps verified the token already."""
    world.keep(current=world.server.mint(age=ENDING))
    before_the_write(world, 3, lambda: lease(world))

    run = world.run(lock_timeout=300)

    assert run.result == (True, "renewed")
    assert len(world.server.minted) == 2
    assert world.server.accepts(current(world))
    assert run.warnings == []


def test_a_surplus_token_that_cannot_be_revoked_is_reported(world: SharedWorld) -> None:
    world.keep(current=world.server.mint(age=ENDING))
    other = world.server.mint()
    before_the_write(world, 2, lambda: world.keep(current=other))

    run = world.run(can_revoke=False)

    assert run.result == (False, "reused")
    (warning,) = run.warnings
    assert Secret(world.server.minted[-1]).fingerprint in warning


def test_a_store_that_was_emptied_meanwhile_stays_empty_and_the_task_fails(world: SharedWorld) -> None:
    world.keep(current=world.server.mint(age=ENDING))
    before_the_write(world, 2, lambda: world.documents.put({"schema": "1"}))

    run = world.run()

    assert isinstance(run.error, WriteConflict)
    assert not world.has_record()
    assert world.server.minted[-1] not in world.server.working()


def test_who_has_lost_the_lease_writes_nothing_more(world: SharedWorld) -> None:
    other = world.server.mint()
    world.keep(current=world.server.mint(age=ENDING))
    before_the_write(world, 2, lambda: world.keep(current=other))
    world.run()

    # The lease, the pending token that was refused, and nothing after that.
    assert world.documents.writes == 2
