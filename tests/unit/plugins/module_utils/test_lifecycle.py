# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token in a file: created, reused, renewed make-before-break, and never lost."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    ForeignRecord,
    StoreError,
    TokenRejected,
    TokensError,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Clock, Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore, FileWriter
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.lifecycle import Lifecycle
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.options import LifecycleOptions
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.store import Writer
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import (
    FileWorld,
    MemorySource,
    MemoryWriter,
    Server,
    Steps,
    World,
    is_unfinished,
)

ENDING = 3400.0  # the age at which a token of an hour expires too soon for the default of min_remaining


@pytest.fixture(params=["memory", "file"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """A world with each store."""
    return World() if request.param == "memory" else FileWorld(tmp_path)


@pytest.fixture
def file_world(tmp_path: Path) -> FileWorld:
    return FileWorld(tmp_path)


def value(token: Token | None) -> str:
    return token.secret.reveal() if token else ""


def record_of(world: World) -> Record:
    found = world.record()
    assert found is not None
    return found


def test_first_run_creates_and_verifies_a_token_and_the_second_changes_nothing(world: World) -> None:
    first, second = world.run(), world.run()
    assert (first.result, second.result) == ((True, "created"), (False, "reused"))
    assert [call.split()[0] for call in first.calls] == ["create", "probe"]
    assert [call.split()[0] for call in second.calls] == ["probe"]
    assert first.outcome is not None
    assert second.outcome is not None
    assert second.outcome.token == first.outcome.token == record_of(world).current
    assert (first.outcome.verified, second.outcome.verified) == (True, True)
    assert second.warnings == []


def test_without_verify_the_expiry_is_trusted_and_a_second_run_sends_no_request(world: World) -> None:
    first, second = world.run(verify=False), world.run(verify=False)
    assert (first.calls, second.calls) == (["create"], [])
    assert first.outcome is not None
    assert first.outcome.verified is False


def test_renewal_revokes_the_old_token_only_after_the_new_one_works(world: World) -> None:
    old = world.server.mint(age=ENDING)
    world.keep(current=old)
    found: list[tuple[str, str, str, list[str]]] = []

    def note(call: str) -> None:
        record = record_of(world)
        superseded = [value(token) for token in record.superseded]
        found.append((call, value(record.current), value(record.pending), superseded))

    world.prepare = lambda source: setattr(source, "before_call", note)
    run = world.run()
    new = world.server.minted[-1]
    assert run.result == (True, "renewed")
    assert found == [
        ("create", value(old), "", []),
        (f"probe {new}", value(old), new, []),
        (f"revoke {value(old)}", new, "", [value(old)]),
    ]
    assert world.server.working() == {new}
    assert (value(record_of(world).current), is_unfinished(record_of(world))) == (new, False)


def test_token_that_the_server_no_longer_knows_is_renewed_once_and_not_revoked(world: World) -> None:
    old = world.server.mint()
    world.keep(current=old)
    del world.server.alive[value(old)]
    run = world.run()
    assert run.result == (True, "renewed")
    assert [call.split()[0] for call in run.calls] == ["probe", "create", "probe"]


def test_expired_token_is_renewed_without_a_request_about_it(world: World) -> None:
    world.keep(current=world.server.mint(age=4000))
    assert [call.split()[0] for call in world.run().calls] == ["create", "probe"]


def test_token_without_what_the_user_requires_is_renewed(world: World) -> None:
    world.keep(current=world.server.mint())
    world.server.gives_companions = True
    assert world.run().result == (True, "renewed")
    second = world.run()
    assert second.result == (False, "reused")
    assert second.outcome is not None
    assert second.outcome.token is not None
    assert value(second.outcome.token) in second.outcome.token.companions["id_token"].reveal()


# Options.


def test_renew_always_renews_a_valid_token(world: World) -> None:
    world.run()
    assert world.run(renew="always").result == (True, "renewed")
    assert len(world.server.working()) == 1


@pytest.mark.parametrize("age", [None, ENDING, 4000.0])
def test_renew_never_fails_where_no_valid_token_exists_and_creates_none(world: World, age: float | None) -> None:
    if age is not None:
        world.keep(current=world.server.mint(age=age))
    before = world.record()
    run = world.run(renew="never")
    assert isinstance(run.error, TokenRejected)
    assert "renew: auto" in str(run.error)
    assert "create" not in run.calls
    assert world.record() == before


def test_renew_never_uses_a_valid_token(world: World) -> None:
    world.keep(current=world.server.mint())
    assert world.run(renew="never").result == (False, "reused")


def test_old_token_is_kept_if_it_must_not_be_revoked(world: World) -> None:
    old = world.server.mint(age=ENDING)
    world.keep(current=old)
    assert world.run(revoke_old=False).result == (True, "renewed")
    assert world.server.accepts(old)
    assert not is_unfinished(record_of(world))


def test_product_without_revocation_gets_no_revocation_request(world: World) -> None:
    world.keep(current=world.server.mint(age=ENDING))
    run = world.run(can_revoke=False)
    assert run.result == (True, "renewed")
    assert not any(call.startswith("revoke") for call in run.calls)


# The clock.


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
    world: World, clock: SteppedClock, is_trusted: bool
) -> None:
    """The file is from a machine whose clock is wrong, or the clock has been corrected since."""
    world.clock = SteppedClock()
    world.server.offset = -7200.0
    world.run()
    world.clock = clock
    run = world.run(verify=False, check_mode=True)
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
    assert record_of(world).clock_offset == offset
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


# Failures.


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
    assert len([call for call in renewal.calls if call.startswith("revoke")]) == 1, "the current one of before"
    assert not is_unfinished(record_of(world))


@pytest.mark.parametrize("revocable", [True, False])
def test_token_that_cannot_be_stored_is_revoked_or_named(
    world: World, monkeypatch: pytest.MonkeyPatch, revocable: bool
) -> None:
    def write(writer: Writer, record: Record) -> None:
        raise StoreError("the disk is full")

    for writer_type in (FileWriter, MemoryWriter):
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


# Files with other content.


FOREIGN = pytest.mark.parametrize(
    "other", [{"product": "another"}, {"host": "other.example.com"}, {"principal": "somebody else"}], ids=str
)


@FOREIGN
@pytest.mark.parametrize(
    "options", [{}, {"renew": "always"}, {"check_mode": True}, {"state": "absent"}, {"verify": False}], ids=str
)
def test_the_token_of_another_product_server_or_user_is_refused_unchanged(
    world: World, other: dict[str, str], options: dict[str, Any]
) -> None:
    before = world.keep(current=world.server.mint(), **other)
    run = world.run(**options)
    assert isinstance(run.error, ForeignRecord)
    assert next(iter(other.values())) in run.error.cause
    assert "replace_foreign" in run.error.advice
    assert (run.calls, world.record()) == ([], before)


@FOREIGN
def test_a_token_of_another_user_is_replaced_with_consent_and_never_sent(world: World, other: dict[str, str]) -> None:
    foreign = world.server.mint()
    world.keep(current=foreign, **other)
    assert world.run(replace_foreign=True, state="absent").result == (False, "none")
    assert world.run(replace_foreign=True, check_mode=True).result == (True, "created")
    run = world.run(replace_foreign=True)
    assert run.result == (True, "created")
    assert len(run.warnings) == 1
    assert not any(value(foreign) in call for call in run.calls)
    assert record_of(world).belongs_to("memory", "memory.example.com", "me")
    assert value(record_of(world).current) == world.server.minted[-1]


@pytest.mark.parametrize("options", [{}, {"state": "absent"}, {"check_mode": True}, {"replace_foreign": True}], ids=str)
@pytest.mark.parametrize(
    "content", [b"a shopping list", b"{}", b'{"a": 1}', b'{"current": null, "version": 1}', b'{"version": 2}', b"\x00"]
)
def test_a_file_of_another_kind_is_refused_before_any_request_and_left_unchanged(
    file_world: FileWorld, content: bytes, options: dict[str, Any]
) -> None:
    file_world.path.write_bytes(content)
    file_world.path.chmod(0o644)
    run = file_world.run(**options)
    assert isinstance(run.error, ForeignRecord)
    assert run.calls == []
    assert (file_world.path.read_bytes(), file_world.path.stat().st_mode & 0o777) == (content, 0o644)
    assert not list(file_world.path.parent.glob("*damaged*"))


@pytest.mark.parametrize("content", [b"", b" \n", b'{"version": 1', b'{"version": 1, "product": 5}'])
def test_a_damaged_file_of_ours_is_moved_aside(file_world: FileWorld, content: bytes) -> None:
    file_world.path.write_bytes(content)
    assert file_world.run().result == (True, "created")
    assert [path.read_bytes() for path in file_world.path.parent.glob("*damaged*")] == [content]


def test_damaged_file_is_reported_moved_aside_and_replaced(file_world: FileWorld) -> None:
    file_world.path.write_bytes(b'{"version": 1, ')
    file_world.path.chmod(0o600)
    run = file_world.run()
    aside = [path for path in file_world.path.parent.iterdir() if "damaged" in path.name]
    assert run.result == (True, "created")
    assert [path.read_bytes() for path in aside] == [b'{"version": 1, ']
    assert any(aside[0].name in warning for warning in run.warnings)
    assert file_world.run().result == (False, "reused")


# Many tasks, one file.


def test_many_tasks_that_share_a_file_create_one_token(tmp_path: Path) -> None:
    server, path = Server(), str(tmp_path / "token.json")
    options = LifecycleOptions(lock_timeout=60)
    tokens: list[str] = []

    def work() -> None:
        source = MemorySource(server, Steps())
        outcome = Lifecycle(source, options, FileStore(path, Runtime()), Runtime()).run()
        tokens.append(value(outcome.token))

    threads = [threading.Thread(target=work) for _number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.minted) == 1
    assert tokens == server.minted * 12


def test_task_that_waited_for_the_lock_uses_the_token_of_the_other_one() -> None:
    world = World()
    made: list[Token] = []

    def make_one() -> None:
        if not made:
            made.append(world.server.mint())
            world.keep(current=made[0])

    world.store.before_exclusive = make_one
    run = world.run()
    assert run.result == (False, "reused")
    assert run.outcome is not None
    assert run.outcome.token == made[0]
    assert "create" not in run.calls


def test_probe_of_a_valid_token_does_not_wait_for_the_lock(file_world: FileWorld) -> None:
    file_world.keep(current=file_world.server.mint())
    with FileStore(str(file_world.path), Runtime()).exclusive(0):
        assert file_world.run(lock_timeout=0).result == (False, "reused")


def test_lock_timeout_fails_before_anything_is_created(file_world: FileWorld) -> None:
    with FileStore(str(file_world.path), Runtime()).exclusive(0):
        run = file_world.run(lock_timeout=0.1)
    assert isinstance(run.error, StoreError)
    assert run.calls == []


def test_unrelated_files_of_the_folder_stay(file_world: FileWorld) -> None:
    neighbour = file_world.path.with_name("token.json.backup")
    neighbour.write_text("mine")
    file_world.run()
    file_world.run(state="absent")
    assert neighbour.read_text() == "mine"
    assert sorted(os.listdir(file_world.path.parent)) == ["token.json.backup", "token.json.lock"]
