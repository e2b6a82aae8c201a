# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol of a document that machines share: leases, versions, lost responses and nodes that are behind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    ApiError,
    ForeignRecord,
    StoreBusy,
    StoreUnavailable,
    WriteConflict,
    WriteUnknown,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Clock, Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import Fields, fields_of
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.shared_store import SharedStore, SharedWriter
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import MemorySource
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    Run,
    SharedWorld,
    is_unfinished,
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


@pytest.fixture
def world() -> SharedWorld:
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


# --- cost and form ---------------------------------------------------------------------------------------------------


def test_a_converged_task_reads_once_and_writes_nothing(world: SharedWorld) -> None:
    world.run()
    reads, writes = world.documents.reads, world.documents.writes

    assert world.run().result == (False, "reused")
    assert (world.documents.reads - reads, world.documents.writes - writes) == (1, 0)


def test_a_renewal_writes_the_lease_the_pending_token_and_the_promotion(world: SharedWorld) -> None:
    world.keep(current=world.server.mint(age=ENDING))
    written: list[Fields] = []
    world.documents.before_write = written.append

    assert world.run(revoke_old=None).result == (True, "renewed")

    taken, pending, promoted = written
    assert "lease_holder" in taken
    assert "pending_token" in pending
    assert "pending_token" not in promoted
    assert "lease_holder" not in promoted
    assert promoted["superseded_token"] == taken["token"]
    assert promoted["token"] == pending["pending_token"]


def test_all_values_are_strings_and_none_has_a_name_that_lookups_cannot_read(world: SharedWorld) -> None:
    world.server.gives_companions = True
    world.run()

    fields = world.documents.version.fields
    assert all(isinstance(value, str) for value in fields.values())
    assert not {"data", "metadata"} & set(fields)
    assert fields["id_token"] == f"companion-of-{fields['token']}"
    assert fields["fingerprint"] == current(world).fingerprint


def test_fields_that_mean_nothing_to_us_are_kept(world: SharedWorld) -> None:
    world.documents.put({"schema": "1", "owner_team": "network"})
    world.run()
    world.run(renew="always")

    assert world.documents.version.fields["owner_team"] == "network"


# --- leases ----------------------------------------------------------------------------------------------------------


def test_a_task_waits_for_the_lease_of_another_and_uses_its_token(world: SharedWorld) -> None:
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


def test_a_token_that_nobody_would_hold_is_revoked_when_the_store_goes_down(world: SharedWorld) -> None:
    before_the_write(world, 2, lambda: go_down(world) or world.documents.before_write({}))

    run = world.run(return_token=False)

    assert isinstance(run.error, StoreUnavailable)
    assert world.server.working() == set()


# --- what is stored --------------------------------------------------------------------------------------------------


def test_a_second_renewal_within_the_grace_revokes_the_elder(world: SharedWorld) -> None:
    elder, old = world.server.mint(), world.server.mint(age=ENDING)
    promised = Token(**{**elder.__dict__, "promised_until": world.server.now() + 200})
    world.keep(current=old, superseded=(promised,))

    world.run(revoke_old=None)

    record = world.record()
    assert record is not None
    assert [token.secret for token in record.superseded] == [old.secret]
    assert not world.server.accepts(elder)


def test_no_later_revocation_is_promised_for_an_elder_that_the_document_has_no_place_for(world: SharedWorld) -> None:
    elder, old = world.server.mint(), world.server.mint(age=ENDING)
    promised = Token(**{**elder.__dict__, "promised_until": world.server.now() + 200})
    world.keep(current=old, superseded=(promised,))
    world.server.cannot_revoke_now = True

    (warning,) = world.run(revoke_old=None).warnings

    assert elder.fingerprint in warning
    assert "next run" not in warning


def test_absent_leaves_a_document_without_a_token_so_that_versions_go_on(world: SharedWorld) -> None:
    world.run()
    number = world.documents.version.number

    assert world.run(state="absent").result == (True, "revoked")
    assert dict(world.documents.version.fields) == {
        "schema": "1",
        "product": "memory",
        "host": "memory.example.com",
        "principal": "me",
    }
    assert world.documents.version.number > number
    assert world.run(state="absent").result == (False, "none")


@pytest.mark.parametrize(
    "fields", [{"password": "somebody's"}, {"schema": "2", "token": "x"}], ids=["not ours", "later"]
)
@pytest.mark.parametrize("options", [{}, {"state": "absent"}, {"replace_foreign": True}])
def test_what_is_not_ours_is_refused_untouched(
    world: SharedWorld, fields: dict[str, str], options: dict[str, Any]
) -> None:
    world.documents.put(fields)

    run = world.run(**options)

    assert isinstance(run.error, ForeignRecord)
    assert world.documents.writes == 0


def test_the_refusal_of_a_credential_is_shared_with_those_who_wait(world: SharedWorld) -> None:
    password = Secret("a wrong password")
    attempts: list[str] = []

    class RefusingSource(MemorySource):
        credential = password  # type: ignore[assignment]

        def create(self) -> Token:
            attempts.append("create")
            raise ApiError(401, message="wrong password", doing="sign in")

    world.source_type = RefusingSource
    refused: list[Run] = []
    # While one task waits for the lease, the holder is refused.
    before_the_write(world, 1, lambda: refused.append(world.run()))

    waiting = world.run()

    assert attempts == ["create"]
    assert isinstance(refused[0].error, ApiError)
    assert isinstance(waiting.error, ApiError)
    assert waiting.error.status == 401
    # Who comes later tries.
    world.pass_time(600)
    world.run()


def test_a_record_with_two_replaced_tokens_has_no_document() -> None:
    token = Token(Secret("x" * 20), "Bearer")

    with pytest.raises(ValueError, match="one replaced token"):
        fields_of(Record("memory", "host", "me", current=token, superseded=(token, token)), {})
