# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Further tries: never more than allowed, never a wait over a minute, and as the server asks."""

from __future__ import annotations

import email.utils
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ConnectionFailed
from ansible_collections.sddc.tokens.plugins.module_utils._http.retry import LONGEST_WAIT, Retries

ERROR = ConnectionFailed("no connection")
DATES = st.floats(-1e9, 1e9).map(lambda seconds: email.utils.formatdate(time.time() + seconds, usegmt=True))
HEADERS = (
    st.none()
    | st.text(max_size=40)
    | st.integers().map(str)
    | st.from_regex(r"[0-9]{1,6}000000000000", fullmatch=True)
    | DATES
    | st.builds(lambda date, junk: date[:-junk], DATES, st.integers(1, 28))
)


@given(limit=st.integers(0, 12), headers=st.lists(HEADERS, min_size=13, max_size=13))
def test_never_more_further_tries_than_allowed_and_no_wait_over_a_minute(limit: int, headers: list[str | None]) -> None:
    retries = Retries(limit)
    waits = [retries.next_wait("GET", ERROR, header) for header in headers]
    assert [wait is not None for wait in waits] == [True] * limit + [False] * (13 - limit)
    assert all(0 <= wait <= 60 for wait in waits if wait is not None)


@given(limit=st.integers(0, 5), method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]))
def test_budget_is_the_same_for_every_method(limit: int, method: str) -> None:
    retries = Retries(limit)
    assert [retries.next_wait(method, ERROR) is not None for _try in range(limit + 1)] == [True] * limit + [False]


@given(seconds=st.integers(0, 10**30))
@example(seconds=60)
@example(seconds=61)
@example(seconds=10**400)
def test_seconds_that_the_server_asks_for_are_waited_up_to_a_minute(seconds: int) -> None:
    assert Retries(1).next_wait("GET", ERROR, str(seconds)) == min(seconds, LONGEST_WAIT)


@pytest.mark.parametrize(("seconds", "expected"), [(30, 30), (3600, 60), (-3600, 0)])
def test_date_that_the_server_asks_for_is_waited_for_up_to_a_minute(seconds: int, expected: float) -> None:
    date = email.utils.formatdate(time.time() + seconds, usegmt=True)
    assert Retries(1).next_wait("GET", ERROR, date) == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("header", ["soon", "-5", "1.5", "1e3", "NaN", "Thu, 32 Foo 2026", "9" * 5000, "\x00", ""])
def test_header_that_makes_no_sense_is_as_good_as_none(header: str) -> None:
    assert Retries(1).next_wait("GET", ERROR, header) == Retries(1).next_wait("GET", ERROR)


def test_waits_grow_where_the_server_asks_for_none() -> None:
    retries = Retries(9)
    waits = [retries.next_wait("GET", ERROR) or 0 for _try in range(9)]
    assert waits[0] > 0
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
