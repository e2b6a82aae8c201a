# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of a token that is renewed with its refresh token, and of which only that can be revoked."""

from __future__ import annotations

import dataclasses
from typing import Optional

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import StoreError, TokenRejected, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import (
    Crash,
    MemorySource,
)
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    World,
    is_unfinished,
)

REFRESH = "refresh_token"
_MOST_STEPS = 60


def refresh_of(token: Optional[Token]) -> str:
    """The refresh token; empty if there is none."""
    return token.companions[REFRESH].reveal() if token and REFRESH in token.companions else ""


class RefreshingSource(MemorySource):
    """The server returns pairs. Refresh tokens do not expire, and are stored by their access token."""

    revokes_access = False

    def create(self) -> Token:
        token = super().create()
        refresh = f"refresh-of-{token.secret.reveal()}"
        self._server.alive[refresh] = None
        return dataclasses.replace(token, companions={REFRESH: Secret(refresh)})

    def replace(self, old: Token) -> Token:
        if refresh_of(old) not in self._server.alive:
            return self.create()
        with self._call("refresh"):
            token = self._server.mint()
            if self._server.refuses_new_tokens:
                del self._server.alive[token.secret.reveal()]
            return dataclasses.replace(token, companions=old.companions)

    def is_revocable(self, token: Token, kept: Optional[Token] = None) -> bool:
        return refresh_of(token) not in ("", refresh_of(kept))

    def is_revoked(self, token: Token, now: float) -> bool:
        with self._call(f"prove {refresh_of(token)}"):
            return refresh_of(token) not in self._server.alive

    def revoke(self, token: Token) -> bool:
        with self._call(f"revoke {refresh_of(token)}"):
            if self._server.gateway_blocks_revocations:
                return False
            was_alive = refresh_of(token) in self._server.alive
            if not self._server.does_not_revoke:
                self._server.alive.pop(refresh_of(token), None)
            return was_alive


def new_world() -> World:
    world = World()
    world.source_type = RefreshingSource
    return world


@pytest.fixture
def world() -> World:
    return new_world()


def kept(world: World) -> Record:
    record = world.record()
    assert record is not None
    return record


def pair(world: World, age: float = 0.0) -> Token:
    """A token with a refresh token, as the server returned them `age` seconds ago."""
    token = world.server.mint(age)
    refresh = f"refresh-of-{token.secret.reveal()}"
    world.server.alive[refresh] = None
    return dataclasses.replace(token, companions={REFRESH: Secret(refresh)})


def test_a_renewal_refreshes_and_does_not_revoke_what_the_new_token_depends_on(world: World) -> None:
    world.run()
    first = kept(world).current
    run = world.run(renew="always")

    assert (run.result, run.calls) == ((True, "renewed"), ["refresh", "probe token-001-" + "x" * 12])
    assert kept(world).current != first
    assert refresh_of(kept(world).current) == refresh_of(first) != ""
    assert refresh_of(first) in world.server.alive
    assert not is_unfinished(kept(world))


def test_a_refused_refresh_token_leads_to_a_new_pair(world: World) -> None:
    world.run()
    first = kept(world).current
    del world.server.alive[refresh_of(first)]
    run = world.run(renew="always")

    assert run.result == (True, "renewed")
    assert run.calls[0] == "create"
    assert refresh_of(kept(world).current) not in ("", refresh_of(first))


def test_absent_revokes_the_refresh_token_verifies_it_and_reports_the_expiry_of_the_token(world: World) -> None:
    world.run()
    refresh = refresh_of(kept(world).current)
    run = world.run(state="absent")

    assert (run.result, run.calls) == ((True, "revoked"), [f"revoke {refresh}", f"prove {refresh}"])
    assert run.outcome is not None
    assert run.outcome.verified
    assert ["It is valid until" in warning for warning in run.warnings] == [True]
    assert not world.has_record()


def test_a_failed_revocation_is_an_error_and_the_file_stays(world: World) -> None:
    world.run()
    world.server.does_not_revoke = True
    run = world.run(state="absent")

    assert isinstance(run.error, TokenRejected)
    assert world.has_record()


def test_a_refused_revocation_is_an_error_while_the_refresh_token_is_valid_and_the_file_stays(world: World) -> None:
    world.run()
    refresh = refresh_of(kept(world).current)
    world.server.gateway_blocks_revocations = True
    run = world.run(state="absent")

    assert isinstance(run.error, TokenRejected)
    assert run.calls == [f"revoke {refresh}", f"prove {refresh}"]
    assert refresh_of(kept(world).current) == refresh


def test_a_refused_revocation_counts_as_done_when_the_refresh_token_is_proven_invalid(world: World) -> None:
    world.run()
    refresh = refresh_of(kept(world).current)
    del world.server.alive[refresh]
    run = world.run(state="absent")

    assert (run.result, run.calls) == ((True, "forgotten"), [f"revoke {refresh}", f"prove {refresh}"])
    assert run.outcome is not None
    assert run.outcome.verified
    assert not world.has_record()


def test_a_replaced_refresh_token_stays_in_the_file_while_its_revocation_is_refused(world: World) -> None:
    old, new = pair(world), pair(world)
    world.keep(current=new, superseded=(old,))
    world.server.gateway_blocks_revocations = True
    run = world.run()

    assert kept(world).superseded == (old,)
    assert ["is still valid" in warning for warning in run.warnings] == [True]


def test_a_token_without_its_refresh_token_cannot_be_revoked_and_the_user_is_warned(world: World) -> None:
    given = pair(world)
    run = world.run(state="absent", token=given.secret, in_store=False)

    assert (run.result, run.calls) == ((False, "none"), [])
    assert ["cannot revoke" in warning for warning in run.warnings] == [True]


class HeldPairs(RefreshingSource):
    """The user has the refresh token, too."""

    def from_user(self, secret: Secret) -> Token:
        return dataclasses.replace(
            super().from_user(secret), companions={REFRESH: Secret(f"refresh-of-{secret.reveal()}")}
        )


@pytest.mark.parametrize("dead", ["token", "refresh token"])
def test_check_mode_of_absent_does_not_use_a_refresh_token_and_says_so(world: World, dead: str) -> None:
    given = pair(world)
    del world.server.alive[given.secret.reveal() if dead == "token" else refresh_of(given)]
    world.source_type = HeldPairs
    run = world.run(state="absent", token=given.secret, in_store=False, check_mode=True)

    assert (run.result, run.calls) == ((True, "revoked"), [])
    assert ["Check mode cannot check the refresh token" in warning for warning in run.warnings] == [True]


def test_a_refreshed_token_that_does_not_work_keeps_the_refresh_token_of_the_old_one(world: World) -> None:
    world.run()
    refresh = refresh_of(kept(world).current)
    world.server.refuses_new_tokens = True
    run = world.run(renew="always")

    assert isinstance(run.error, TokenRejected)
    assert "is left on the server" in str(run.error)
    assert refresh in world.server.alive
    assert refresh_of(kept(world).current) == refresh


def test_a_new_pair_that_does_not_work_is_revoked_and_remaining_tokens_are_reported(world: World) -> None:
    world.server.refuses_new_tokens = True
    run = world.run()

    assert run.calls[-1].startswith("revoke refresh-of-")
    assert "is left on the server" in str(run.error)
    assert world.server.alive == {}


def test_a_refresh_token_is_revoked_also_after_its_access_token_has_expired(world: World) -> None:
    old, new = pair(world, age=7200), pair(world)
    world.keep(current=new, superseded=(old,))
    run = world.run()

    assert run.calls[-1] == f"revoke {refresh_of(old)}"
    assert kept(world).superseded == ()
    assert refresh_of(new) in world.server.alive


def test_a_crash_at_any_step_of_a_refresh_loses_no_refresh_token() -> None:
    for crash_at in range(1, _MOST_STEPS):
        world = new_world()
        world.run()
        refresh = refresh_of(kept(world).current)
        died = world.run(renew="always", crash_at=crash_at)
        assert refresh in world.server.alive, died.steps.done
        if died.error is None:
            break
        assert isinstance(died.error, Crash)

        run = world.run()

        assert run.error is None
        assert world.server.accepts(kept(world).current)
        assert refresh_of(kept(world).current) == refresh
        assert refresh in world.server.alive
        assert not is_unfinished(kept(world))
    assert 8 < crash_at < _MOST_STEPS - 1


def test_a_pending_refreshed_token_that_no_longer_works_is_dropped_without_harm(world: World) -> None:
    current = pair(world)
    pending = dataclasses.replace(world.server.mint(), companions=current.companions)
    del world.server.alive[pending.secret.reveal()]
    world.keep(current=current, pending=pending)
    run = world.run(renew="always")

    assert not any(call.startswith("revoke") for call in run.calls)
    assert refresh_of(kept(world).current) == refresh_of(current)
    assert refresh_of(current) in world.server.alive
    assert not is_unfinished(kept(world))


class RotatingSource(RefreshingSource):
    """Each refresh token works once, returns the next one, and cannot be revoked; the user cannot sign in."""

    renewed_by = REFRESH
    # In place of the new token, although the refresh token was used.
    errors: tuple[TokensError, ...] = ()

    def replace(self, old: Token) -> Token:
        if refresh_of(old) not in self._server.alive:
            raise TokenRejected("the refresh token was used already")
        new = self.create()
        del self._server.alive[refresh_of(old)]
        for error in self.errors:
            error.companions = new.companions
            raise error
        return new

    def is_revocable(self, token: Token, kept: Optional[Token] = None) -> bool:
        return False


@pytest.mark.parametrize("age", [0.0, 7200.0])
def test_a_pending_token_is_replaced_with_its_own_refresh_token_the_only_one_that_works(
    world: World, age: float
) -> None:
    world.source_type = RotatingSource
    current, pending = pair(world, age=7200), pair(world, age=age)
    del world.server.alive[refresh_of(current)]
    world.keep(current=current, pending=pending)
    world.server.is_down = True
    world.run(renew="always")
    world.server.is_down = False
    run = world.run(renew="always")

    assert run.result == (True, "renewed")
    assert refresh_of(kept(world).current) in world.server.alive
    assert not is_unfinished(kept(world))


@pytest.fixture
def rotating(world: World) -> World:
    """A world in which a first run has stored a token."""
    world.source_type = RotatingSource
    world.run(can_revoke=False)
    return world


def assert_still_renews(world: World) -> None:
    """The refresh token that the server accepts is stored, whatever happened to the access token."""
    world.prepare = lambda source: None
    world.server.refuses_new_tokens = False
    run = world.run(renew="always", can_revoke=False)
    assert run.result == (True, "renewed"), run.error
    assert world.server.accepts(kept(world).current)


def test_the_refresh_token_of_a_new_token_that_does_not_work_is_kept(rotating: World) -> None:
    rotating.server.refuses_new_tokens = True
    assert isinstance(rotating.run(renew="always", can_revoke=False).error, TokenRejected)
    assert kept(rotating).pending is None
    assert_still_renews(rotating)


def test_the_refresh_token_of_an_unusable_response_is_kept(rotating: World) -> None:
    error = TokensError("the response has no usable 'id_token'")
    rotating.prepare = lambda source: setattr(source, "errors", (error,))
    assert rotating.run(renew="always", can_revoke=False).error is error
    assert_still_renews(rotating)


@pytest.mark.parametrize("verify", [True, False])
def test_the_refresh_token_of_a_pending_token_is_kept(rotating: World, verify: bool) -> None:
    """A failed promotion leaves it pending. The current token is still valid."""
    record = kept(rotating)
    assert record.current is not None
    rotating.server.alive.pop(refresh_of(record.current))
    pending = dataclasses.replace(rotating.server.mint(), companions={REFRESH: Secret("refresh-of-the-pending-one")})
    rotating.server.alive["refresh-of-the-pending-one"] = None
    rotating.keep(current=record.current, pending=pending)
    if verify:
        rotating.server.alive.pop(pending.secret.reveal())
    rotating.run(verify=verify, can_revoke=False)
    assert not is_unfinished(kept(rotating))
    assert_still_renews(rotating)


def test_a_refresh_token_that_could_not_be_stored_is_reported_as_lost(rotating: World) -> None:
    rotating.store.write_error = StoreError("the disk is full")
    error = rotating.run(renew="always", can_revoke=False).error
    assert isinstance(error, StoreError)
    assert "refresh_token" in error.left_behind
