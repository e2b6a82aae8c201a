# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a token file: any record can be written and read back, and anything else is damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token, iso8601
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import (
    ClockReading,
    LaterVersion,
    Record,
    deserialized,
    serialized,
)
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.refusal import Refusal

TEXTS = st.text(min_size=1, max_size=20)
TIMES = st.none() | st.floats(0, 4e9)
TOKENS = st.builds(
    Token,
    secret=TEXTS.map(Secret),
    token_type=TEXTS,
    issued_at=TIMES,
    expires_at=TIMES,
    scope=st.none() | TEXTS,
    companions=st.dictionaries(TEXTS, TEXTS.map(Secret), max_size=2),
    promised_until=TIMES,
    verified_at=TIMES,
    facts=st.dictionaries(TEXTS, TEXTS, max_size=2),
)
RECORDS = st.builds(
    Record,
    product=TEXTS,
    host=TEXTS,
    principal=st.text(max_size=20),
    current=st.none() | TOKENS,
    pending=st.none() | TOKENS,
    superseded=st.lists(TOKENS, max_size=3).map(tuple),
    clock_offset=st.floats(-1e6, 1e6),
    clock=st.none() | st.builds(ClockReading, TEXTS, st.floats(0, 4e9), st.floats(0, 4e9)),
    announced=st.none() | TEXTS,
)
GOOD = Record("product", "sddc.example.com", "LOCAL/admin", Token(Secret("value"), "Bearer", 1.0, 2.0, "all"))
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())


def read_or_none(content: bytes) -> Record | None:
    """The content of the file, None if damaged. Anything else is an error of the test."""
    try:
        found = deserialized(content)
    except ValueError:
        return None
    assert isinstance(found, Record)
    return found


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(serialized(GOOD))
    return found


def assert_is_usable(record: Record) -> None:
    """Every accepted record can be judged, shown and written again."""
    for token in record.tokens:
        token.is_lasting(0.0, 300)
        assert len(token.fingerprint) == 12
        iso8601(token.issued_at)
        iso8601(token.expires_at)
        int(token.expires_in(record.clock_offset) or 0)
    assert deserialized(serialized(record)) == record


@given(record=RECORDS)
def test_any_record_can_be_written_and_read_back(record: Record) -> None:
    assert deserialized(serialized(record)) == record


@given(record=RECORDS)
def test_file_is_plain_json_that_people_can_read(record: Record) -> None:
    found = json.loads(serialized(record))
    assert (found["product"], found["host"], found["principal"]) == (record.product, record.host, record.principal)
    assert set(found) >= {"version", "clock_offset", "current", "pending", "superseded"}


@given(content=st.binary(max_size=200))
def test_any_bytes_are_a_record_or_reported_as_damaged(content: bytes) -> None:
    assert read_or_none(content) is None


@given(record=RECORDS, data=st.data())
def test_truncated_or_changed_file_is_a_record_or_reported_as_damaged(record: Record, data: st.DataObject) -> None:
    content = bytearray(serialized(record))
    position = data.draw(st.integers(0, len(content) - 1))
    assert read_or_none(bytes(content[:position])) is None
    content[position] = data.draw(st.integers(0, 255))
    found = read_or_none(bytes(content))
    if found is not None:
        assert_is_usable(found)


@given(path=st.sampled_from([*document(), *(f"current.{name}" for name in document()["current"])]), value=VALUES)
@example(path="current.expires_at", value=10**400)
@example(path="current.expires_at", value=float("nan"))
@example(path="current.issued_at", value=float("inf"))
@example(path="clock_offset", value=float("nan"))
@example(path="clock_offset", value=10**400)
@example(path="current.token", value="\ud800")
@example(path="superseded", value={"a": 1})
@example(path="superseded", value=[[]])
@example(path="version", value=2)
def test_field_with_any_other_value_is_a_usable_record_or_reported_as_damaged(path: str, value: object) -> None:
    changed = document()
    *outer, name = path.split(".")
    (changed[outer[0]] if outer else changed)[name] = value
    found = read_or_none(json.dumps(changed).encode())
    if found is not None:
        assert_is_usable(found)


# Older files do not have it.
OPTIONAL = ("clock",)


@pytest.mark.parametrize(
    "name",
    [*(name for name in document() if name not in OPTIONAL), *(f"current.{name}" for name in document()["current"])],
)
def test_record_without_one_of_its_fields_is_damaged(name: str) -> None:
    changed = document()
    *outer, last = name.split(".")
    del (changed[outer[0]] if outer else changed)[last]
    assert read_or_none(json.dumps(changed).encode()) is None


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"{}", b'"x"', b"[" * 100_000, b'{"version": 1' + b"0" * 5000 + b"}"]
)
def test_json_of_another_kind_is_damaged(content: bytes) -> None:
    assert read_or_none(content) is None


def test_file_of_a_later_version_is_refused() -> None:
    with pytest.raises(LaterVersion):
        deserialized(json.dumps({**document(), "version": 2}).encode())


@pytest.mark.parametrize("version", [0, -1, "1", None])
def test_file_of_an_unknown_version_is_damaged(version: object) -> None:
    assert read_or_none(json.dumps({**document(), "version": version}).encode()) is None


@pytest.mark.parametrize(
    ("product", "host", "principal", "ours"),
    [
        ("product", "sddc.example.com", "LOCAL/admin", True),
        ("product", "sddc.example.com", None, True),
        ("another", "sddc.example.com", "LOCAL/admin", False),
        ("product", "sddc.example.com:8443", "LOCAL/admin", False),
        ("product", "sddc.example.com", "LDAP/example.com/admin", False),
        ("product", "sddc.example.com", "", False),
    ],
)
def test_record_belongs_to_one_product_host_and_principal(
    product: str, host: str, principal: str | None, ours: bool
) -> None:
    assert GOOD.belongs_to(product, host, principal) is ours


def test_a_record_that_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        serialized(replace(GOOD, product="\ud800"))


@pytest.mark.parametrize(
    ("now", "due"), [(0.0, ["no promise"]), (99.0, ["no promise"]), (100.0, ["no promise", "first"])]
)
def test_a_superseded_token_is_due_as_soon_as_its_promise_is_over(now: float, due: list[str]) -> None:
    tokens = [
        Token(Secret("no promise"), "Bearer"),
        Token(Secret("first"), "Bearer", promised_until=100.0),
        Token(Secret("second"), "Bearer", promised_until=200.0),
    ]

    found = replace(GOOD, superseded=tuple(tokens)).due(now)

    assert [token.secret.reveal() for token in found] == due


def test_record_does_not_show_its_secrets() -> None:
    assert "value" not in repr(GOOD)


@pytest.mark.parametrize(("since", "is_concerned"), [(99.0, True), (100.0, True), (101.0, False)])
def test_a_refusal_counts_from_its_own_time_on(since: float, is_concerned: bool) -> None:
    refusal = Refusal.of(ApiError(401, doing="log in"), Secret("refused"), 100.0)

    assert refusal.concerns(Secret("refused"), since) is is_concerned
    assert not refusal.concerns(Secret("another"), since)
