# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token whose name is stored before it is created is found and revoked, wherever the task was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ResponseLost
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import fields_of
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import record_of as record_in
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import Crash, MemorySource
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    FileWorld,
    SharedWorld,
    World,
    record_of,
)

ENDING = 3400.0
_MOST_STEPS = 60


@pytest.fixture(params=[World, FileWorld, SharedWorld], ids=lambda kind: kind.__name__)
def new_world(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], World]:
    numbers = iter(range(1000))

    def new() -> World:
        if request.param is FileWorld:
            folder = tmp_path / str(next(numbers))
            folder.mkdir()
            world: World = FileWorld(folder)
        else:
            world = request.param()
        world.server.gives_names = True
        return world

    return new


@pytest.mark.parametrize("age", [None, ENDING], ids=["no token", "ending"])
def test_after_a_crash_at_any_step_the_next_run_leaves_one_token(new_world: Callable[[], World], age: float) -> None:
    steps = []
    for step in range(1, _MOST_STEPS):
        world = new_world()
        if age is not None:
            world.keep(current=world.server.mint(age=age))
        killed = world.run(crash_at=step)
        if not isinstance(killed.error, Crash):
            break
        steps += killed.steps.done
        world.let_the_lease_end()

        assert world.run().outcome is not None

        record = record_of(world)
        assert record.current is not None
        assert world.server.working() == {record.current.secret.reveal()}
        assert record.announced is None
    assert "create" in steps


def test_a_name_is_stored_before_the_token_is_created_and_stays_with_the_token(
    new_world: Callable[[], World],
) -> None:
    world, seen = new_world(), []

    def look(source: MemorySource) -> None:
        source.before_call = lambda call: seen.append((call, getattr(world.record(), "announced", None)))

    world.prepare = look
    world.run()

    assert seen[0] == ("create", "name-000")
    record = record_of(world)
    assert record.current is not None
    assert record.current.facts == {"token_name": "name-000"}


def test_the_write_of_a_name_keeps_the_lease_of_a_shared_store() -> None:
    world = SharedWorld()
    world.server.gives_names = True

    run = world.run()

    # One write for the name, one for the pending token, and one for the verified token.
    assert [step.split()[0] for step in run.steps.done] == ["lease", "write", "create", "write", "probe", "write"]


def test_a_token_whose_response_was_lost_is_revoked_in_the_same_run(new_world: Callable[[], World]) -> None:
    world = new_world()
    world.server.loses_responses = True

    lost = world.run()

    assert isinstance(lost.error, ResponseLost)
    assert lost.error.left_behind == ""
    assert lost.calls == ["create", "revoke named name-000"]
    assert world.server.working() == set()
    assert world.record() is None


@pytest.mark.parametrize("trouble", ["cannot_revoke_now", "is_slow"])
def test_a_lost_token_that_cannot_be_revoked_yet_is_revoked_by_the_next_run(
    new_world: Callable[[], World], trouble: str
) -> None:
    world = new_world()
    world.server.loses_responses = True
    setattr(world.server, trouble, True)
    lost = world.run()
    assert isinstance(lost.error, ResponseLost)
    assert "name-000" in lost.error.left_behind
    assert record_of(world).announced == "name-000"
    world.server.loses_responses = False
    setattr(world.server, trouble, False)

    run = world.run()

    assert run.result == (True, "created")
    assert run.calls[0] == "revoke named name-000"
    assert any("name-000" in warning for warning in run.warnings)
    record = record_of(world)
    assert record.current is not None
    assert world.server.working() == {record.current.secret.reveal()}
    assert record.announced is None


def test_a_valid_token_is_kept_while_a_lost_one_is_revoked(new_world: Callable[[], World]) -> None:
    world = new_world()
    kept = world.server.mint()
    world.keep(current=kept, announced="name-999")
    world.server.names["name-999"] = world.server.mint().secret.reveal()

    run = world.run()

    assert run.result == (True, "reused")
    assert world.server.working() == {kept.secret.reveal()}
    assert world.run().result == (False, "reused")


def test_a_lost_token_that_cannot_be_revoked_is_named_in_a_warning(new_world: Callable[[], World]) -> None:
    world = new_world()
    world.keep(current=world.server.mint(), announced="name-999")
    world.server.cannot_revoke_now = True

    run = world.run()

    assert run.result == (False, "reused")
    assert ["name-999" in warning for warning in run.warnings] == [True]
    assert record_of(world).announced == "name-999"


def test_absent_revokes_a_token_of_which_only_the_name_is_stored(new_world: Callable[[], World]) -> None:
    world = new_world()
    world.keep(announced="name-999")
    world.server.names["name-999"] = world.server.mint().secret.reveal()
    assert world.run(state="absent", check_mode=True).result == (True, "revoked")

    assert world.run(state="absent").result == (True, "revoked")

    assert world.server.working() == set()
    assert world.record() is None


def test_the_grace_of_a_replaced_token_is_at_most_what_its_source_allows() -> None:
    world = World()
    world.prepare = lambda source: setattr(source, "longest_grace", 60.0)
    world.keep(current=world.server.mint(age=ENDING))

    world.run(revoke_old=None, min_remaining=300)

    (superseded,) = record_of(world).superseded
    assert superseded.promised_until == pytest.approx(world.server.now() + 60, abs=5)


def test_a_document_has_facts_and_the_announced_name_as_fields_and_drops_old_ones() -> None:
    token = Token(Secret("value"), "api_token", facts={"token_id": "7"})
    record = Record("product", "host", "me", token, pending=token, announced="name")

    fields = fields_of(record, {})

    assert (fields["token_id"], fields["pending_token_id"], fields["announced"]) == ("7", "7", "name")
    assert record_in(fields) == record
    without = fields_of(Record("product", "host", "me", Token(Secret("value"), "api_token")), fields)
    assert {"token_id", "pending_token_id", "announced", "facts"}.isdisjoint(without)
