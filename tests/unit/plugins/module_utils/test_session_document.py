# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of many machines record their tokens in one document, and revoke only those of sessions that are over."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    ForeignRecord,
    StoreUnavailable,
    WriteConflict,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Run as PlaybookRun
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import Fields
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_documents import MemoryDocuments
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import MemorySource
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import Run, World

EMPTY = {"sessions": "1"}


class Sessions(World):
    """Runs on any machine that record their tokens in one document."""

    def __init__(self) -> None:
        super().__init__()
        self.session_documents = self.documents = MemoryDocuments(self.server)

    def session(self, run: int, play: int = 1, **options: Any) -> Run:
        self.playbook_run = PlaybookRun(f"{run:016x}", f"{play:08x}", lambda descriptor: False)
        return self.run(in_store=False, **options)

    def begin(self, run: int, play: int = 1, **options: Any) -> str:
        """A session that has begun, and its token."""
        done = self.session(run, play, **options)
        assert done.result == (True, "created"), done.error
        assert done.outcome is not None
        assert done.outcome.token is not None
        return done.outcome.token.secret.reveal()

    def end(self, run: int, token: str, **options: Any) -> Run:
        return self.session(run, state="absent", token=Secret(token), **options)

    @property
    def fields(self) -> Fields:
        return self.documents.version.fields


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


def test_a_token_is_recorded_before_it_is_verified_and_until_it_is_revoked(sessions: Sessions) -> None:
    seen: list[int] = []

    def look(call: str) -> None:
        if call.startswith("probe"):
            seen.append(len(sessions.fields))

    sessions.prepare = lambda source: setattr(source, "before_call", look)
    token = sessions.begin(1)
    recorded = dict(sessions.fields)
    ended = sessions.end(1, token)

    assert (seen[0], len(recorded)) == (2, 2), "the format, and the record"
    assert all(isinstance(value, str) for value in recorded.values())
    assert ended.result == (True, "revoked")
    assert sessions.fields == EMPTY


def test_sessions_at_the_same_time_leave_each_other_alone_and_each_removes_its_own_record(sessions: Sessions) -> None:
    tokens = [sessions.begin(number) for number in range(5)]
    assert sessions.server.working() == set(tokens)

    for number, token in enumerate(tokens):
        sessions.end(number, token)
        left = set(tokens[number + 1 :])
        assert (sessions.server.working(), len(sessions.fields)) == (left, 1 + len(left))


def test_the_next_session_after_the_maximum_duration_revokes_what_a_killed_one_left(sessions: Sessions) -> None:
    left = sessions.begin(1, max_duration=60)
    sessions.pass_time(59)
    early = sessions.begin(2, max_duration=3600)
    assert sessions.server.working() == {left, early}
    sessions.pass_time(2)

    late = sessions.session(3, max_duration=3600)

    assert left not in sessions.server.working()
    assert early in sessions.server.working()
    assert len([warning for warning in late.warnings if "A session was interrupted." in warning]) == 1
    assert len(sessions.fields) == 3, "the format, and the two running sessions"


def test_the_clock_of_the_store_decides_and_not_that_of_the_machine(sessions: Sessions) -> None:
    sessions.server.offset = 7200
    token = sessions.begin(1, max_duration=60)

    other = sessions.begin(2)

    assert sessions.server.working() == {token, other}


def test_a_session_of_an_earlier_play_of_the_same_run_is_over_and_one_of_the_same_play_is_not(
    sessions: Sessions,
) -> None:
    first = sessions.begin(1, play=1)
    hosts = [sessions.begin(1, play=2, max_duration=0) for _host in range(2)]

    assert sessions.server.working() == set(hosts) != {first}


def test_tokens_of_other_users_in_the_document_stay(sessions: Sessions) -> None:
    token = sessions.begin(1, max_duration=0)

    sessions.prepare = lambda source: setattr(source, "principal_of_options", "another user")
    sessions.begin(2)

    assert token in sessions.server.working()
    assert len(sessions.fields) == 3


def test_without_the_right_to_write_no_token_is_created(sessions: Sessions) -> None:
    def refuse(_fields: Fields) -> None:
        raise StoreUnavailable("permission denied")

    sessions.documents.before_write = refuse

    run = sessions.session(1)

    assert isinstance(run.error, StoreUnavailable)
    assert sessions.server.working() == set()
    assert not [call for call in run.calls if call.startswith("create")]


def test_a_token_that_cannot_be_recorded_is_revoked(sessions: Sessions) -> None:
    writes: list[Fields] = []

    def refuse_the_second(fields: Fields) -> None:
        writes.append(fields)
        if len(writes) > 1:
            raise StoreUnavailable("sealed")

    sessions.documents.before_write = refuse_the_second

    run = sessions.session(1)

    assert isinstance(run.error, StoreUnavailable)
    assert [call.partition(" ")[0] for call in run.calls] == ["create", "revoke"]
    assert sessions.server.working() == set()


def test_the_writes_of_other_sessions_are_kept(sessions: Sessions) -> None:
    others = [3]

    def write_first(_fields: Fields) -> None:
        if others[0]:
            others[0] -= 1
            sessions.documents.put({**EMPTY, **sessions.fields, f"session_{others[0]:016x}": "of another machine"})

    sessions.documents.before_write = write_first

    sessions.begin(1)

    assert len(sessions.fields) == 5, "the format, and four sessions"


def test_a_lost_response_and_a_node_that_is_behind_lose_no_record(sessions: Sessions) -> None:
    sessions.documents.loses_responses = 2

    token = sessions.begin(1)
    sessions.documents.stale = [sessions.documents.version] * 2
    sessions.end(1, token)

    assert sessions.fields == EMPTY
    assert sessions.server.working() == set()


def test_a_session_ends_while_the_store_is_not_available_with_a_warning(sessions: Sessions) -> None:
    token = sessions.begin(1)

    def fail() -> None:
        raise StoreUnavailable("sealed")

    sessions.documents.read = fail  # type: ignore[method-assign, assignment]
    ended = sessions.end(1, token)

    assert ended.result == (True, "revoked")
    assert sessions.server.working() == set()
    assert len([warning for warning in ended.warnings if "Sealed." in warning]) == 2


@pytest.mark.parametrize(
    "fields", [{"schema": "1", "token": "t"}, {"password": "of another program"}, {"sessions": "2"}]
)
def test_a_document_of_anything_else_is_refused_and_not_changed(sessions: Sessions, fields: Fields) -> None:
    sessions.documents.put(fields)

    run = sessions.session(1)

    assert isinstance(run.error, ForeignRecord)
    assert sessions.fields == fields
    assert sessions.server.working() == set()


def test_a_record_that_cannot_be_read_is_kept_and_stops_no_session(sessions: Sessions) -> None:
    sessions.documents.put({**EMPTY, f"session_{1:016x}": "not JSON"})

    sessions.end(1, sessions.begin(1))

    assert sessions.fields == {**EMPTY, f"session_{1:016x}": "not JSON"}


def test_check_mode_predicts_the_end_of_strays_and_writes_nothing(sessions: Sessions) -> None:
    sessions.begin(1, max_duration=0)
    before = sessions.documents.version

    predicted = sessions.session(2, check_mode=True)

    assert predicted.result[0]
    assert sessions.documents.version == before


def test_others_that_write_without_end_fail_the_session_within_a_bound(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(sessions.clock), "sleep", lambda clock, seconds: sessions.pass_time(seconds))
    ticks = iter(range(0, 10**6, 5))
    monkeypatch.setattr(type(sessions.clock), "monotonic", lambda clock: float(next(ticks)))
    sessions.documents.before_write = lambda _fields: sessions.documents.put({**EMPTY, **sessions.fields})

    run = sessions.session(1)

    assert isinstance(run.error, WriteConflict)
    assert sessions.documents.writes < 50


def test_a_session_costs_one_read_and_two_writes_and_its_end_one_of_each(sessions: Sessions) -> None:
    sessions.source_type = MemorySource
    token = sessions.begin(1)
    begun = (sessions.documents.reads, sessions.documents.writes)
    sessions.end(1, token)

    # The memory server reads once more for each write.
    assert begun == (1 + 2, 2)
    assert (sessions.documents.reads - begun[0], sessions.documents.writes - begun[1]) == (1 + 1, 1)
