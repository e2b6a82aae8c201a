# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token whose expiry slides with each request: the server decides whether it is valid, not the stored expiry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import TokenRejected
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import MemorySource
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import Run, World, record_of

LIFETIME = 3600.0


class SlidingSource(MemorySource):
    """The server extends a token with each request that it accepts."""

    sliding_lifetime = LIFETIME

    def is_accepted(self, token: Token, now: float) -> bool:
        accepted = super().is_accepted(token, now)
        if accepted:
            self._server.alive[token.secret.reveal()] = self._server.now() + LIFETIME
        return accepted


@pytest.fixture
def sliding(world: World) -> World:
    """Runs with such a server, with the memory, the file and the shared store."""
    world.source_type = SlidingSource
    return world


def kept(world: World, age: float) -> Token:
    """Store a token of this age that others have just used."""
    token = world.server.mint(age)
    world.server.alive[token.secret.reveal()] = world.server.now() + LIFETIME
    world.keep(current=token)
    return token


def left(world: World, token: Token | None) -> float:
    assert token is not None
    assert token.expires_at is not None
    return token.expires_at - world.server.now()


def reported(run: Run) -> Token:
    assert run.outcome is not None
    assert run.outcome.token is not None
    return run.outcome.token


@pytest.mark.parametrize("age", [3400.0, 4000.0, 90000.0])
def test_a_token_that_others_have_extended_is_reused_when_its_stored_expiry_is_near_or_past(
    sliding: World, age: float
) -> None:
    token = kept(sliding, age)

    run = sliding.run()

    assert (run.result, run.calls) == ((False, "reused"), [f"probe {token.secret.reveal()}"])
    assert left(sliding, reported(run)) == pytest.approx(LIFETIME, abs=5)
    assert left(sliding, record_of(sliding).current) == pytest.approx(LIFETIME, abs=5)
    assert reported(run).issued_at == token.issued_at


def test_an_extended_expiry_is_stored_only_after_half_of_the_lifetime(sliding: World) -> None:
    token = kept(sliding, age=1700.0)

    first = sliding.run()

    assert "write" not in first.steps.done
    assert left(sliding, reported(first)) == pytest.approx(LIFETIME, abs=5)
    assert record_of(sliding).current == token
    sliding.pass_time(200.0)
    sliding.run()
    assert left(sliding, record_of(sliding).current) == pytest.approx(LIFETIME, abs=5)


def test_an_extended_expiry_is_stored_when_it_is_within_the_window_of_renewal(sliding: World) -> None:
    kept(sliding, age=600.0)

    run = sliding.run(renew_before=3300)

    assert run.result == (False, "reused")
    assert left(sliding, record_of(sliding).current) == pytest.approx(LIFETIME, abs=5)


def test_an_extended_token_is_kept_with_a_min_remaining_longer_than_its_lifetime(sliding: World) -> None:
    token = kept(sliding, age=90000.0)

    assert [sliding.run(min_remaining=7200).result for _run in range(2)] == [(False, "reused")] * 2
    assert sliding.server.minted == [token.secret.reveal()]


def test_without_verify_the_stored_expiry_decides(sliding: World) -> None:
    kept(sliding, age=4000.0)

    assert sliding.run(verify=False).result == (True, "renewed")


def test_a_token_that_the_server_refuses_is_renewed_although_its_stored_expiry_is_not_over(sliding: World) -> None:
    token = kept(sliding, age=0.0)
    del sliding.server.alive[token.secret.reveal()]

    assert sliding.run().result == (True, "renewed")


def test_renew_never_fails_only_if_the_server_refuses_the_token(sliding: World) -> None:
    token = kept(sliding, age=4000.0)
    assert sliding.run(renew="never").result == (False, "reused")

    del sliding.server.alive[token.secret.reveal()]

    assert isinstance(sliding.run(renew="never").error, TokenRejected)


def test_a_recent_proof_is_repeated_if_the_stored_expiry_is_too_near(sliding: World) -> None:
    token = kept(sliding, age=3400.0)
    sliding.keep(current=replace(token, verified_at=sliding.server.now() - 1))

    first, second = (sliding.run(verify_max_age=300) for _run in range(2))

    assert (first.result, len(first.calls)) == ((False, "reused"), 1)
    assert (second.result, second.calls) == ((False, "reused"), [])


def test_a_replaced_token_is_revoked_even_if_its_stored_expiry_is_past(sliding: World) -> None:
    old, new = sliding.server.mint(age=4000.0), sliding.server.mint()
    sliding.server.alive[old.secret.reveal()] = sliding.server.now() + LIFETIME
    sliding.keep(current=new, superseded=(replace(old, promised_until=sliding.server.now() - 1),))

    run = sliding.run()

    assert f"revoke {old.secret.reveal()}" in run.calls
    assert sliding.server.working() == {new.secret.reveal()}
    assert record_of(sliding).superseded == ()


def test_the_expiry_of_a_token_of_the_user_is_known_after_its_verification(sliding: World) -> None:
    token = sliding.server.mint(age=1000.0)

    run = sliding.run(token=token.secret, in_store=False)

    assert run.result == (False, "reused")
    assert left(sliding, reported(run)) == pytest.approx(LIFETIME, abs=5)


def test_check_mode_reports_the_extended_expiry_and_stores_nothing(sliding: World) -> None:
    token = kept(sliding, age=4000.0)

    run = sliding.run(check_mode=True)

    assert run.result == (False, "reused")
    assert left(sliding, reported(run)) == pytest.approx(LIFETIME, abs=5)
    assert record_of(sliding).current == token


def test_a_new_token_that_the_server_neither_accepts_nor_revokes_is_reported_as_left(world: World) -> None:
    class AdvisingSource(MemorySource):
        rejection_advice = "Check the scheme"

    world.source_type = AdvisingSource
    world.server.refuses_new_tokens = True

    error = world.run().error

    assert isinstance(error, TokenRejected)
    assert "is left on the server" in error.left_behind
    assert error.advice.startswith("Check the scheme, or set verify: false")
