# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other paths of the lifecycle: tokens of the user, absent, and check mode."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ForeignRecord, TokenRejected, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token, iso8601
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    FileWorld,
    World,
)

ENDING = 3400.0


def value(token: Token) -> str:
    return token.secret.reveal()


def kinds(calls: list[str]) -> list[str]:
    return [call.split()[0] for call in calls]


# Tokens of the user.


def test_without_token_and_file_every_run_creates_a_token(file_world: FileWorld) -> None:
    assert [file_world.run(in_store=False).result for _run in range(2)] == [(True, "created")] * 2
    assert os.listdir(file_world.path.parent) == []


def test_valid_token_of_the_user_is_returned_unchanged(world: World) -> None:
    given = world.server.mint()
    run = world.run(in_store=False, token=given.secret)
    assert run.result == (False, "reused")
    assert kinds(run.calls) == ["probe"]
    assert run.outcome is not None
    assert run.outcome.token is not None
    assert run.outcome.token.secret == given.secret


def test_invalid_token_of_the_user_is_replaced(world: World) -> None:
    run = world.run(in_store=False, token=Secret("nobody knows it"))
    assert run.result == (True, "renewed")
    assert kinds(run.calls) == ["probe", "create", "probe"]


@pytest.mark.parametrize("revoke_old", [True, False])
def test_valid_token_of_the_user_is_revoked_after_a_renewal_only_on_request(world: World, revoke_old: bool) -> None:
    given = world.server.mint()
    run = world.run(in_store=False, token=given.secret, renew="always", revoke_old=revoke_old)
    assert run.result == (True, "renewed")
    assert kinds(run.calls) == ["create", "probe", *(["revoke"] if revoke_old else [])]
    assert world.server.accepts(given) is not revoke_old


def test_invalid_token_of_the_user_fails_with_renew_never(world: World) -> None:
    run = world.run(in_store=False, token=Secret("nobody knows it"), renew="never")
    assert isinstance(run.error, TokenRejected)
    assert kinds(run.calls) == ["probe"]
    assert "nobody knows it" not in str(run.error)


def test_new_token_without_a_file_that_does_not_work_is_revoked(world: World) -> None:
    world.server.refuses_new_tokens = True
    run = world.run(in_store=False)
    assert isinstance(run.error, TokenRejected)
    assert kinds(run.calls) == ["create", "probe", "revoke"]


# Absent.


@pytest.mark.parametrize("verify", [True, False])
def test_absent_revokes_every_token_of_the_file_and_verifies_it(world: World, verify: bool) -> None:
    server = world.server
    world.keep(current=server.mint(), pending=server.mint(), superseded=(server.mint(),))
    run = world.run(state="absent", verify=verify)
    assert run.result == (True, "revoked")
    assert run.outcome is not None
    assert run.outcome.verified is verify
    assert server.working() == set()
    assert kinds(run.calls) == (["revoke", "probe"] if verify else ["revoke"]) * 3
    assert not world.has_record()
    assert world.run(state="absent").result == (False, "none")


def test_absent_of_invalid_tokens_still_removes_the_file(world: World) -> None:
    world.keep(current=world.server.mint(age=4000))
    assert world.run(state="absent").result == (True, "forgotten")
    assert not world.has_record()


def test_absent_fails_and_keeps_the_file_if_the_token_still_works(world: World) -> None:
    before = world.keep(current=world.server.mint())
    world.server.does_not_revoke = True
    assert isinstance(world.run(state="absent").error, TokenRejected)
    assert world.record() == before


@pytest.mark.parametrize("problem", ["cannot_revoke_now", "is_down"])
def test_failed_absent_keeps_the_file_and_the_next_run_completes_it(world: World, problem: str) -> None:
    world.keep(current=world.server.mint(), superseded=(world.server.mint(),))
    setattr(world.server, problem, True)
    assert isinstance(world.run(state="absent").error, TokensError)
    assert world.has_record()
    setattr(world.server, problem, False)
    assert world.run(state="absent").result == (True, "revoked")
    assert world.server.working() == set()


def test_absent_without_revocation_removes_the_file_and_warns_until_when_the_token_is_valid(world: World) -> None:
    token = world.server.mint()
    world.keep(current=token)
    run = world.run(state="absent", can_revoke=False)
    assert run.result == (True, "forgotten")
    assert run.outcome is not None
    assert run.outcome.verified is False
    assert run.calls == []
    assert any(str(iso8601(token.expires_at)) in warning for warning in run.warnings)
    assert not any(value(token) in warning for warning in run.warnings)
    assert not world.has_record()


def test_absent_without_a_file_does_nothing_and_creates_none(file_world: FileWorld) -> None:
    run = file_world.run(state="absent")
    assert (run.result, run.calls) == ((False, "none"), [])
    assert os.listdir(file_world.path.parent) == []


def test_absent_refuses_a_file_that_is_replaced_by_another_kind_while_it_waits_for_the_lock() -> None:
    world = World()
    world.keep(current=world.server.mint())
    foreign = world.server.mint()
    world.store.before_exclusive = lambda: world.keep(current=foreign, host="other.example.com")
    run = world.run(state="absent")
    assert isinstance(run.error, ForeignRecord)
    assert run.calls == []
    assert world.has_record()


def test_absent_with_an_unknown_principal_revokes_the_existing_token(world: World) -> None:
    world.keep(current=world.server.mint())
    world.prepare = lambda source: setattr(source, "principal_of_options", None)
    assert world.run(state="absent").result == (True, "revoked")


def test_absent_moves_a_damaged_file_aside(file_world: FileWorld) -> None:
    file_world.path.write_bytes(b'{"version": 1')
    file_world.path.chmod(0o600)
    assert file_world.run(state="absent").result == (True, "forgotten")
    assert [path.read_bytes() for path in file_world.path.parent.glob("*damaged*")] == [b'{"version": 1']
    assert file_world.run(state="absent").result == (False, "none")


@pytest.mark.parametrize("alive", [True, False])
def test_absent_of_a_token_of_the_user_reports_whether_it_was_revoked(file_world: FileWorld, alive: bool) -> None:
    given = file_world.server.mint()
    if not alive:
        file_world.server.alive.clear()
    run = file_world.run(in_store=False, state="absent", token=given.secret)
    assert run.result == ((True, "revoked") if alive else (False, "none"))
    assert not file_world.server.accepts(given)
    assert file_world.run(in_store=False, state="absent", token=given.secret).result == (False, "none")


# Check mode.

Setup = Callable[[World], object]
SITUATIONS: dict[str, Setup] = {
    "no file": lambda world: None,
    "a good token": lambda world: world.keep(current=world.server.mint()),
    "an ending token": lambda world: world.keep(current=world.server.mint(age=ENDING)),
    "an expired token": lambda world: world.keep(current=world.server.mint(age=4000)),
    "an unknown token": lambda world: world.keep(current=Token(Secret("nobody knows it"), "Bearer")),
    "a pending token": lambda world: world.keep(current=world.server.mint(age=ENDING), pending=world.server.mint()),
    "a pending token alone": lambda world: world.keep(pending=world.server.mint()),
    "a good and a pending token": lambda world: world.keep(current=world.server.mint(), pending=world.server.mint()),
    "a superseded token": lambda world: world.keep(current=world.server.mint(), superseded=(world.server.mint(),)),
    "a damaged file": World.damage,
}


@pytest.mark.parametrize("options", [{}, {"renew": "always"}, {"verify": False}, {"state": "absent"}], ids=str)
@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_check_mode_predicts_and_neither_writes_nor_creates_nor_revokes(
    file_world: FileWorld, situation: Setup, options: dict[str, Any]
) -> None:
    situation(file_world)
    file_world.path.parent.chmod(0o700)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in file_world.path.parent.iterdir()}
    predicted = file_world.run(check_mode=True, **options)
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in file_world.path.parent.iterdir()}
    assert after == before
    assert predicted.steps.done == predicted.calls
    assert set(kinds(predicted.calls)) <= {"probe"}
    real = file_world.run(**options)
    assert predicted.outcome is not None
    assert predicted.result[0] == real.result[0]
    if options.get("state") != "absent":
        assert predicted.result == real.result


@pytest.mark.parametrize("situation", ["no file", "an ending token"])
def test_check_mode_fails_where_the_run_would(world: World, situation: str) -> None:
    SITUATIONS[situation](world)
    assert isinstance(world.run(check_mode=True, renew="never").error, TokenRejected)


def test_check_mode_warns_about_an_open_file_mode_and_leaves_it(file_world: FileWorld) -> None:
    file_world.keep(current=file_world.server.mint())
    file_world.path.chmod(0o644)
    assert len(file_world.run(check_mode=True).warnings) == 1
    assert stat.S_IMODE(file_world.path.stat().st_mode) == 0o644


@pytest.mark.parametrize("alive", [True, False])
def test_check_mode_of_absent_checks_whether_the_token_of_the_user_is_valid(world: World, alive: bool) -> None:
    given = world.server.mint()
    if not alive:
        world.server.alive.clear()
    run = world.run(in_store=False, state="absent", token=given.secret, check_mode=True)
    assert run.result == ((True, "revoked") if alive else (False, "none"))
    assert kinds(run.calls) == ["probe"]


def test_a_pending_token_does_not_replace_a_valid_one_without_verification(world: World) -> None:
    good, pending = world.server.mint(), world.server.mint()
    del world.server.alive[value(pending)]
    world.keep(current=good, pending=pending)

    run = world.run(verify=False)

    assert run.result[1] == "reused"
    record = world.record()
    assert record is not None
    assert record.current is not None
    assert record.current.secret == good.secret
    assert record.pending is None


@pytest.mark.parametrize("check_mode", [False, True])
def test_renew_never_creates_no_token_in_place_of_a_pending_one_that_does_not_work(
    world: World, check_mode: bool
) -> None:
    current, pending = world.server.mint(), world.server.mint()
    world.server.alive.clear()
    world.keep(current=current, pending=pending)

    run = world.run(renew="never", check_mode=check_mode)

    assert isinstance(run.error, TokenRejected)
    assert "create" not in kinds(run.calls)


def test_renew_never_fails_at_once_while_another_task_holds_the_lock(file_world: FileWorld) -> None:
    file_world.keep(current=file_world.server.mint())
    file_world.server.alive.clear()

    with FileStore(str(file_world.path), Runtime()).exclusive(0):
        run = file_world.run(renew="never", lock_timeout=0)

    assert isinstance(run.error, TokenRejected)


def test_a_record_that_others_keep_changing_is_renewed_with_the_lock_held_in_the_end() -> None:
    world = World()
    ending = world.server.mint(age=ENDING)
    world.keep(current=ending)
    # Each change is one that leaves the token due for renewal.
    world.store.before_exclusive = lambda: world.store.put(world.store.record)

    assert world.run().result == (True, "renewed")

    assert 1 < len(world.store.timeouts) < 20
    assert [world.server.accepts(ending), len(world.server.working())] == [False, 1]
