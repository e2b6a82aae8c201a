# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token: its lifetime, when it expires too soon, and its claims."""

from __future__ import annotations

import base64
import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import (
    Token,
    claimed_time,
    iso8601,
    jwt_claims,
    needed_lifetime,
)

NOW = 1_800_000_000.0
LIVES = st.floats(1, 1e6)
NEEDS = st.floats(0, 1e6)


def token(issued_at: float | None = NOW, expires_at: float | None = None) -> Token:
    return Token(Secret("x" * 10), "Bearer", issued_at, expires_at)


def encoded(claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{part}.c2ln"


@given(life=LIVES, needed=NEEDS, age=st.floats(0, 1.5))
def test_token_is_kept_while_it_has_the_required_lifetime_or_half_of_its_own(
    life: float, needed: float, age: float
) -> None:
    life, now = float(int(life)), NOW + int(age * life)
    left = NOW + life - now
    enough = life / 2 if life <= needed else needed
    assert token(expires_at=NOW + life).is_lasting(now, needed) == (left >= enough)


@given(life=LIVES, needed=NEEDS)
def test_new_token_always_has_enough_lifetime(life: float, needed: float) -> None:
    assert token(expires_at=NOW + life).is_lasting(NOW, needed)


@given(needed=NEEDS, now=st.floats(0, 4e9))
def test_unknown_expiry_neither_renews_nor_keeps_a_token(needed: float, now: float) -> None:
    unknown = token(expires_at=None)
    assert unknown.is_lasting(now, needed)
    assert not unknown.has_expired(now)
    assert (unknown.expires_in(now), unknown.lifetime) == (None, None)


@given(left=st.floats(-1e6, 1e6))
def test_token_has_expired_when_no_lifetime_is_left(left: float) -> None:
    assert token(expires_at=NOW + left).has_expired(NOW) == (NOW + left <= NOW)


@given(needed=NEEDS, life=LIVES)
def test_required_lifetime_is_unchanged_if_the_issue_time_is_unknown(needed: float, life: float) -> None:
    assert needed_lifetime(token(None, NOW + life).lifetime, needed) == needed


# Claims of a JWT.


@given(claims=st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4))
def test_claims_of_a_jwt_are_read(claims: dict[str, object]) -> None:
    assert jwt_claims(encoded(claims)) == claims


@given(text=st.text(max_size=40) | st.from_regex(r"[\w+/=-]*\.[\w+/=-]*\.[\w+/=-]*") | st.builds(encoded, st.text()))
def test_no_token_raises_an_unexpected_exception_when_its_claims_are_read(text: str) -> None:
    assert isinstance(jwt_claims(text), dict)


@pytest.mark.parametrize("text", ["", "opaque", "a.b", "a.!!!.c", "a.b.c.d", "ä.ö.ü", encoded([1]), encoded(None)])
def test_a_token_that_is_not_a_jwt_has_no_claims(text: str) -> None:
    assert jwt_claims(text) == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_800_000_000, 1.8e9),
        (1.5, 1.5),
        (0, None),
        (-1, None),
        (True, None),
        ("1800000000", None),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        (1e300, None),
    ],
)
def test_claimed_time_is_a_number_of_seconds_in_the_range_of_dates(value: object, expected: float | None) -> None:
    assert claimed_time({"exp": value}, "exp") == expected


@given(seconds=st.integers(0, 16_000_000_000).map(lambda quarters: quarters / 4))
def test_time_is_shown_in_utc_to_the_second(seconds: float) -> None:
    shown = iso8601(seconds)
    assert shown is not None
    moment = datetime.datetime.strptime(shown, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    assert moment.timestamp() == int(seconds)


@given(seconds=st.floats(allow_nan=False) | st.integers())
def test_any_time_can_be_shown(seconds: float) -> None:
    assert (iso8601(seconds) or "").endswith("Z")


def test_unknown_time_is_shown_as_none() -> None:
    assert iso8601(None) is None
