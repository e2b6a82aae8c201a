# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Retries: never more than allowed, never a wait over a minute, and as the server asks."""

from __future__ import annotations

import email.utils
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ConnectionFailed
from ansible_collections.sddc.tokens.plugins.module_utils._http.retry import (
    LONGEST_WAIT,
    SHORTEST_WAIT,
    Retries,
    asked_wait,
)

ERROR = ConnectionFailed("no connection")
FRACTIONS = st.floats(0, 1)
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
def test_retries_are_limited_and_no_wait_exceeds_a_minute(limit: int, headers: list[str | None]) -> None:
    retries = Retries(limit)
    waits = [retries.next_wait("GET", ERROR, asked_wait(header, time.time())) for header in headers]
    assert [wait is not None for wait in waits] == [True] * limit + [False] * (13 - limit)
    assert all(0 <= wait <= 60 for wait in waits if wait is not None)


@given(limit=st.integers(0, 5), method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]))
def test_budget_is_the_same_for_every_method(limit: int, method: str) -> None:
    retries = Retries(limit)
    assert [retries.next_wait(method, ERROR) is not None for _try in range(limit + 1)] == [True] * limit + [False]


@given(seconds=st.integers(0, 10**30), fraction=FRACTIONS)
@example(seconds=60, fraction=1)
@example(seconds=61, fraction=0)
@example(seconds=10**400, fraction=1)
def test_retry_after_is_respected_up_to_a_minute(seconds: int, fraction: float) -> None:
    wait = Retries(1, lambda: fraction).next_wait("GET", ERROR, asked_wait(str(seconds), 0))
    asked = min(seconds, LONGEST_WAIT)
    assert wait is not None
    assert asked <= wait <= min(LONGEST_WAIT, asked + max(SHORTEST_WAIT, asked / 10))


@given(now=st.integers(10**9, 2 * 10**9), seconds=st.integers(1, 10**6), fraction=FRACTIONS)
def test_retry_after_date_is_compared_with_the_clock_of_the_server(now: int, seconds: int, fraction: float) -> None:
    date = email.utils.formatdate(now + seconds, usegmt=True)
    assert asked_wait(date, now) == seconds
    wait = Retries(1, lambda: fraction).next_wait("GET", ERROR, asked_wait(date, now))
    assert wait is not None
    assert min(seconds, LONGEST_WAIT) <= wait <= LONGEST_WAIT


@pytest.mark.parametrize("seconds", [0, -1, -7200])
def test_retry_after_date_in_the_past_is_ignored(seconds: int) -> None:
    now = 1_700_000_000
    assert asked_wait(email.utils.formatdate(now + seconds, usegmt=True), now) is None


@pytest.mark.parametrize(
    "header",
    ["soon", "-5", "+5", "1.5", "1e3", "NaN", "٣", "Thu, 32 Foo 2026", "1700000000 GMT", "\x00", "", " ", None],
)
def test_invalid_retry_after_is_ignored(header: str | None) -> None:
    assert asked_wait(header, 1_700_000_000) is None


@pytest.mark.parametrize("header", ["9" * 5000, "61", "9999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_wait_that_is_too_long_is_shortened(header: str) -> None:
    assert Retries(1, lambda: 0).next_wait("GET", ERROR, asked_wait(header, 0)) == LONGEST_WAIT


@given(fraction=FRACTIONS)
@settings(max_examples=5)
def test_waits_grow_with_each_attempt_up_to_a_minute(fraction: float) -> None:
    retries = Retries(1100, lambda: fraction)
    waits = [retries.next_wait("GET", ERROR) or 0 for _try in range(1100)]
    for number, wait in enumerate(waits[:6]):
        assert SHORTEST_WAIT * 2**number <= wait <= SHORTEST_WAIT * 2 ** (number + 1)
    assert all(LONGEST_WAIT / 2 <= wait <= LONGEST_WAIT for wait in waits[6:])


@pytest.mark.parametrize("asked", [None, 0, 7])
def test_clients_that_fail_at_the_same_time_retry_at_different_times(asked: float | None) -> None:
    waits = {Retries(1).next_wait("GET", ERROR, asked) for _client in range(20)}
    assert len(waits) > 1
