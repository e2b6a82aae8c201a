# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors are one readable sentence: what was done, where, why it failed, what to do next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    ApiError,
    BadResponse,
    ConnectionFailed,
    InvalidOption,
    ResponseLost,
    TimedOut,
    TlsFailed,
    TokensError,
    TransportError,
)

TEXTS = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=20).map(str.strip)


def test_error_says_what_was_done_where_why_and_what_to_do_next() -> None:
    error = TokensError(
        "the server is full",
        doing="create a token",
        host="sddc.example.com:8443",
        left_behind="A token may be left",
        advice="Try later",
    )
    assert str(error) == (
        "Could not create a token on sddc.example.com:8443: the server is full. A token may be left. Try later."
    )


def test_error_without_an_action_begins_with_its_cause() -> None:
    assert str(TokensError("the file is damaged", advice="Remove it.")) == "The file is damaged. Remove it."


def test_refusal_contains_status_code_and_message_of_the_product() -> None:
    error = ApiError(403, code="98", message="Bad XSRF token", doing="read the alarms", host="sddc", advice="Sign in")
    assert str(error) == (
        "Could not read the alarms on sddc: the server returned status 403, code 98, 'Bad XSRF token'. Sign in."
    )


def test_invalid_option_is_named() -> None:
    assert str(InvalidOption("timeout", "must be more than 0")) == "The option timeout must be more than 0."


def test_the_source_of_an_invalid_option_is_named_if_it_is_not_the_task() -> None:
    error = InvalidOption("proxy_url", "is not an HTTP proxy", source="the environment variable https_proxy")

    assert str(error) == ("The option proxy_url (from the environment variable https_proxy) is not an HTTP proxy.")
    assert (error.option, error.source) == ("proxy_url", "the environment variable https_proxy")


@given(cause=TEXTS.filter(bool), doing=TEXTS, host=TEXTS, advice=TEXTS, left_behind=TEXTS)
def test_error_is_always_one_line_that_holds_every_fact(
    cause: str, doing: str, host: str, advice: str, left_behind: str
) -> None:
    shown = str(TokensError(cause, doing=doing, host=host, advice=advice, left_behind=left_behind))
    facts = [cause[1:], doing, advice, left_behind, host if doing else ""]
    assert all(fact in shown for fact in facts)
    assert shown.rstrip("'").endswith((".", "?", "!"))
    assert "\n" not in shown
    assert ".." not in shown or any(".." in fact or fact.startswith(".") for fact in facts)


@pytest.mark.parametrize(
    ("kind", "sent", "is_transient"),
    [
        (ConnectionFailed, False, True),
        (TlsFailed, False, False),
        (ResponseLost, True, True),
        (TimedOut, True, False),
    ],
)
def test_error_knows_whether_the_request_was_sent_and_whether_to_retry(
    kind: type[TransportError], sent: bool, is_transient: bool
) -> None:
    assert (kind("x").sent, kind("x").is_transient) == (sent, is_transient)


def test_bad_response_has_its_status_and_knows_that_the_request_was_sent() -> None:
    error = BadResponse("an HTML page", status=200)
    assert (error.status, error.sent) == (200, True)
