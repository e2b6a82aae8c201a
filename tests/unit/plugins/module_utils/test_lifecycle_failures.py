# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures of a renewal: no token is lost, and what could not be revoked is named or revoked later."""

from __future__ import annotations

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    StoreError,
    TokenRejected,
    TokensError,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileWriter
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.shared_store import SharedWriter
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.store import Writer
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import (
    MemorySource,
    MemoryWriter,
)
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    FileWorld,
    World,
    is_unfinished,
    record_of,
)

ENDING = 3400.0  # the age at which a token of an hour expires too soon for the default of min_remaining


def value(token: Token | None) -> str:
    return token.secret.reveal() if token else ""


def test_new_token_that_does_not_work_is_revoked_and_the_old_one_is_kept(world: World) -> None:
    old = world.server.mint(age=ENDING)
    world.keep(current=old)
    world.server.refuses_new_tokens = True
    run = world.run()
    new = world.server.minted[-1]
    assert isinstance(run.error, TokenRejected)
    assert run.calls[-1] == f"revoke {new}"
    assert world.server.working() == {value(old)}
    assert (record_of(world).current, is_unfinished(record_of(world))) == (old, False)


def test_new_token_that_neither_works_nor_can_be_revoked_is_named(world: World) -> None:
    world.server.refuses_new_tokens = True
    run = world.run(can_revoke=False)
    new = Secret(world.server.minted[-1])
    assert new.fingerprint in str(run.error)
    assert new.reveal() not in str(run.error)


def test_failed_revocation_is_a_warning_and_the_next_run_completes_it(world: World) -> None:
    old = world.server.mint(age=ENDING)
    world.keep(current=old)
    world.server.cannot_revoke_now = True
    run = world.run()
    assert run.result == (True, "renewed")
    assert len(run.warnings) == 1
    assert old.fingerprint in run.warnings[0]
    assert value(old) not in run.warnings[0]
    assert record_of(world).superseded == (old,)
    world.server.cannot_revoke_now = False
    assert world.run().error is None
    assert not world.server.accepts(old)
    assert not is_unfinished(record_of(world))


def test_superseded_token_that_cannot_be_revoked_changes_neither_the_file_nor_the_result(file_world: FileWorld) -> None:
    file_world.keep(current=file_world.server.mint(), superseded=(file_world.server.mint(),))
    file_world.server.cannot_revoke_now = True
    before = file_world.path.stat().st_ino
    run = file_world.run()
    assert run.result == (False, "reused")
    assert len(run.warnings) == 1
    assert file_world.path.stat().st_ino == before


def test_superseded_token_that_has_expired_is_removed_with_the_next_change(world: World) -> None:
    world.keep(current=world.server.mint(), superseded=(world.server.mint(age=4000),))
    unchanged, renewal = world.run(), world.run(renew="always")
    assert (unchanged.result, renewal.result) == ((False, "reused"), (True, "renewed"))
    assert len([call for call in renewal.calls if call.startswith("revoke")]) == 1, "the previous current one"
    assert not is_unfinished(record_of(world))


@pytest.mark.parametrize("revocable", [True, False])
def test_token_that_cannot_be_stored_is_revoked_or_named(
    world: World, monkeypatch: pytest.MonkeyPatch, revocable: bool
) -> None:
    def write(writer: Writer, record: Record) -> None:
        raise StoreError("the disk is full")

    for writer_type in (FileWriter, MemoryWriter, SharedWriter):
        monkeypatch.setattr(writer_type, "write", write)
    world.server.cannot_revoke_now = not revocable
    run = world.run()
    new = Secret(world.server.minted[-1])
    assert isinstance(run.error, StoreError)
    assert "disk is full" in str(run.error)
    assert (new.reveal() in world.server.working()) is not revocable
    assert (new.fingerprint in str(run.error)) is not revocable


def test_an_unwritable_store_fails_before_a_token_is_requested() -> None:
    world = World()
    world.store.reserve_error = StoreError("the disk is full")
    run = world.run()
    assert (run.error, run.calls) == (world.store.reserve_error, [])


class SameTokenAgain(MemorySource):
    """A server that returns the same token to the same user again."""

    def create(self) -> Token:
        with self._call("create"):
            value = self._server.minted[-1] if self._server.minted else ""
            if value in self._server.alive:
                now = self._server.now()
                self._server.alive[value] = now + 3600
                return Token(Secret(value), "Bearer", now, now + 3600)
            return self._server.mint()


@pytest.mark.parametrize("renew", ["auto", "always"])
@pytest.mark.parametrize("given", [False, True])
def test_a_token_that_the_server_returns_again_is_never_revoked(world: World, renew: str, given: bool) -> None:
    world.source_type = SameTokenAgain
    world.run()
    world.pass_time(ENDING)
    options = {"token": Secret(world.server.minted[-1]), "in_store": False, "revoke_old": True} if given else {}
    run = world.run(renew=renew, **options)
    assert run.outcome is not None
    assert world.server.accepts(run.outcome.token)
    assert not any(call.startswith("revoke") for call in run.calls)
    assert given or not is_unfinished(record_of(world))


@pytest.mark.parametrize("place", ["pending", "superseded"])
def test_a_token_left_by_a_crash_is_not_revoked_if_it_is_the_current_one(world: World, place: str) -> None:
    token = world.server.mint()
    world.keep(current=token, **{place: token if place == "pending" else (token,)})
    run = world.run()
    assert not any(call.startswith("revoke") for call in run.calls)
    assert world.server.accepts(token)
    assert not is_unfinished(record_of(world))


def test_new_token_whose_verification_was_interrupted_is_used_by_the_next_run(world: World) -> None:
    old = world.server.mint(age=ENDING)
    world.keep(current=old)
    world.server.is_down_for_probes = True
    assert world.run().error is not None
    assert record_of(world).current == old
    world.server.is_down_for_probes = False
    assert world.run().result == (True, "renewed")
    assert len(world.server.minted) == 2
    assert world.server.working() == {world.server.minted[-1]}


def test_refused_creation_leaves_the_file_unchanged(world: World) -> None:
    old = world.server.mint(age=ENDING)
    before = world.keep(current=old)
    world.server.is_down = True
    assert isinstance(world.run(verify=False).error, TokensError)
    assert world.record() == before
