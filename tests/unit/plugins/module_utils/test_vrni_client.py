# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of vRNI: units of time, unknown tokens, errors without a body."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._clients import vrni
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError, BadResponse, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK, Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.documents import JSON, answer

if TYPE_CHECKING:
    from lab.client import Lab

OpenSession = Callable[..., Session]
YEAR = 366 * 86400


@pytest.fixture
def create_vrni_token(lab: Lab, session: OpenSession) -> Callable[[], Token]:
    one = session("vrni")
    password = Secret(lab["vrni"]["password"])
    return lambda: vrni.VrniClient(one).create_auth_token(lab["vrni"]["username"], password, "LOCAL")


@pytest.mark.parametrize(("form", "known"), [("s", True), ("ms", True), ("absent", False), ("past", False)])
def test_expiry_of_vrni_is_read_in_seconds_and_milliseconds(
    lab: Lab, create_vrni_token: Callable[[], Token], form: str, known: bool
) -> None:
    lab.change_settings("vrni", expiry=form, lifetime=7200)
    token = create_vrni_token()
    assert token.expires_at == (pytest.approx(time.time() + 7200, abs=120) if known else None)
    assert token.issued_at == pytest.approx(time.time(), abs=120)


def test_expiry_more_than_a_year_away_is_ignored(lab: Lab, create_vrni_token: Callable[[], Token]) -> None:
    lab.change_settings("vrni", expiry="far")
    assert create_vrni_token().expires_at is None


@pytest.mark.parametrize("offset", [-86400.0, 86400.0])
def test_past_expiry_is_judged_by_the_clock_of_the_server(
    lab: Lab, create_vrni_token: Callable[[], Token], offset: float
) -> None:
    lab.change_settings("vrni", clock_offset=offset, lifetime=3600)
    token = create_vrni_token()
    assert token.expires_at == pytest.approx(time.time() + offset + 3600, abs=120)
    assert token.lifetime == pytest.approx(3600, abs=120)


@settings(max_examples=40)
@given(left=st.floats(120, YEAR - 10), unit=st.sampled_from([1, 1000]), whole=st.booleans())
def test_any_expiry_within_a_year_is_read_in_either_unit(
    lab: Lab, create_vrni_token: Callable[[], Token], left: float, unit: int, whole: bool
) -> None:
    expiry = (time.time() + left) * unit
    answer(lab, "vrni", {"token": "opaque-token", "expiry": int(expiry) if whole else expiry})
    expires_at = create_vrni_token().expires_at
    assert expires_at is not None
    assert expires_at == pytest.approx(time.time() + left, abs=120)


@settings(max_examples=40)
@given(expiry=JSON)
@example(expiry=10**400)
@example(expiry=-(10**400))
@example(expiry=float("nan"))
@example(expiry=float("inf"))
@example(expiry=1e300)
@example(expiry=True)
@example(expiry="1800000000")
def test_invalid_expiry_is_unknown_and_loses_no_token(
    lab: Lab, create_vrni_token: Callable[[], Token], expiry: object
) -> None:
    answer(lab, "vrni", {"token": "opaque-token", "expiry": expiry})
    token = create_vrni_token()
    assert token.secret == Secret("opaque-token")
    assert token.expires_at is None or 0 < token.expires_at - time.time() < YEAR + 60


@pytest.mark.parametrize("body", [{}, {"expiry": 1}, {"token": None}, {"token": ""}, {"token": 5}, [], None, "token"])
def test_response_without_a_token_is_an_error_that_names_what_may_be_left_behind(
    lab: Lab, create_vrni_token: Callable[[], Token], body: object
) -> None:
    answer(lab, "vrni", body)
    with pytest.raises(BadResponse, match="may be left on the server"):
        create_vrni_token()


def test_page_of_a_proxy_does_not_prove_that_a_token_works(lab: Lab, session: OpenSession) -> None:
    lab.fault("vrni", "html", status=200)
    with pytest.raises(BadResponse, match="HTML page"):
        vrni.VrniClient(session("vrni")).is_accepted(Secret("any"))


@pytest.mark.parametrize("unauthorized", ["error", "empty"])
def test_401_with_or_without_a_body_proves_that_a_token_is_invalid(
    lab: Lab, session: OpenSession, unauthorized: str
) -> None:
    lab.change_settings("vrni", unauthorized=unauthorized)
    client = vrni.VrniClient(session("vrni"))
    assert client.is_accepted(Secret("nobody-knows-it")) is False
    assert client.delete_auth_token(Secret("nobody-knows-it")) is False


@pytest.mark.parametrize("status", [403, 404, 500, 502])
def test_any_other_status_does_not_prove_that_a_token_is_invalid(lab: Lab, session: OpenSession, status: int) -> None:
    client = vrni.VrniClient(session("vrni"))
    lab.fault("vrni", "status", status=status, times=2)
    for ask in (client.is_accepted, client.delete_auth_token):
        with pytest.raises(TokensError, match=str(status)):
            ask(Secret("nobody-knows-it"))


@pytest.mark.parametrize("unauthorized", ["error", "empty"])
def test_wrong_password_and_too_many_tokens_are_both_named(lab: Lab, session: OpenSession, unauthorized: str) -> None:
    lab.change_settings("vrni", unauthorized=unauthorized)
    with pytest.raises(ApiError) as caught:
        vrni.VrniClient(session("vrni")).create_auth_token("admin@local", Secret("wrong-password"), "LOCAL")
    assert "password" in str(caught.value)
    assert "100 valid tokens" in str(caught.value)
    assert "wrong-password" not in str(caught.value)


def test_token_in_a_refused_revocation_is_not_shown(lab: Lab, session: OpenSession) -> None:
    token = "Mgs2YX0ZSY+gHW6RYypeeA"
    lab.fault("vrni", "status", status=500, body={"code": 500, "message": f"cannot delete {token} now"})
    with pytest.raises(ApiError) as caught:
        vrni.VrniClient(session("vrni")).delete_auth_token(Secret(token))
    assert f"cannot delete {MASK} now" in str(caught.value)
