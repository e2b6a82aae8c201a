# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of CSP: lifetimes in any form, and secrets in responses."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings

from ansible_collections.sddc.tokens.plugins.module_utils._clients import csp
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import iso8601
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.documents import JSON, answer

if TYPE_CHECKING:
    from lab.client import Lab

OpenSession = Callable[..., Session]


def test_api_token_in_a_response_of_csp_is_not_shown(lab: Lab, session: OpenSession) -> None:
    wrong = Secret("wrong-api-token/with+marks")
    with pytest.raises(ApiError) as caught:
        csp.CspClient(session("csp")).authorize_api_token(wrong)
    assert "Invalid refresh token" in str(caught.value)
    assert wrong.reveal() not in str(caught.value)


@settings(max_examples=40)
@given(expires_in=JSON)
@example(expires_in=10**400)
@example(expires_in=float("nan"))
@example(expires_in=float("inf"))
@example(expires_in="1800")
@example(expires_in=0)
def test_a_token_is_usable_with_any_form_of_the_returned_lifetime(
    lab: Lab, session: OpenSession, expires_in: object
) -> None:
    answer(lab, "csp", {"access_token": "opaque-token", "expires_in": expires_in})
    token = csp.CspClient(session("csp")).authorize_api_token(Secret("any"))
    assert token.secret == Secret("opaque-token")
    assert token.expires_at is None or math.isfinite(token.expires_at)
    iso8601(token.expires_at)


def jwt(**claims: float) -> str:
    """A token with these claims and without a valid signature."""
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{part}.c2ln"


@pytest.mark.parametrize("earliest", ["expires_in", "access_token", "id_token"])
def test_earliest_expiry_applies(lab: Lab, session: OpenSession, earliest: str) -> None:
    left = {"expires_in": 1800, "access_token": 1700, "id_token": 1600, earliest: 600}
    claimed = {name: jwt(exp=time.time() + left[name]) for name in ("access_token", "id_token")}
    answer(lab, "csp", {"expires_in": left["expires_in"], **claimed})
    token = csp.CspClient(session("csp")).authorize_api_token(Secret("any"))
    assert token.expires_at == pytest.approx(time.time() + 600, abs=120)
    assert token.companions == {"id_token": Secret(claimed["id_token"])}
