# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A document that machines share: what a task reads and writes, and what is stored."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    ApiError,
    ForeignRecord,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK, Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import Fields, fields_of
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import MemorySource, Steps
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    Run,
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


# --- cost and form ---------------------------------------------------------------------------------------------------


def test_a_converged_task_reads_once_and_writes_nothing(world: SharedWorld) -> None:
    world.run()
    reads, writes = world.documents.reads, world.documents.writes

    assert world.run().result == (False, "reused")
    assert (world.documents.reads - reads, world.documents.writes - writes) == (1, 0)


def test_a_stored_token_is_redacted_once_it_was_read(world: SharedWorld) -> None:
    world.run()
    runtime = Runtime()

    world.store_of(runtime, Steps()).read()

    assert runtime.redactor.quote(current(world).secret.reveal()) == MASK


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
