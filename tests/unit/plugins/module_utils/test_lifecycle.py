# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token in a file: created, reused, renewed make-before-break, and never lost."""

from __future__ import annotations

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import TokenRejected
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    World,
    is_unfinished,
    record_of,
)

ENDING = 3400.0  # the age at which a token of an hour expires too soon for the default of min_remaining


def value(token: Token | None) -> str:
    return token.secret.reveal() if token else ""


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
