# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's CSP behaves as the vendor's pages say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest
import requests

from ansible_collections.sddc.tokens.tests.unit.lab.csp_client import Csp

if TYPE_CHECKING:
    from lab.client import Lab

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def csp(lab: Lab, http: requests.Session) -> Csp:
    return Csp(lab, http)


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("field", ["api_token", "refresh_token"])
def test_api_token_returns_signed_tokens_for_thirty_minutes(csp, field):
    response = csp.authorize(**{field: csp.details["api_token"]})
    body = response.json()
    assert (response.status_code, body["token_type"], body["expires_in"]) == (200, "bearer", 1800)
    access, identity = claims(body["access_token"]), claims(body["id_token"])
    assert access["exp"] - access["iat"] == 1800
    assert access["iss"] == csp.details["url"]
    assert set(access) >= {"iss", "exp", "iat", "sub", "aud", "jti", "scope"}
    assert set(identity) >= {"iss", "exp", "iat", "sub", "aud"}
    assert jwt.get_unverified_header(body["access_token"])["alg"] == "RS256"


def test_invalid_api_token_is_quoted_in_a_400(csp):
    response = csp.authorize(api_token="no-such-token")
    assert response.status_code == 400
    body = response.json()
    assert body["message"] == "invalid_grant: Invalid refresh token: no-such-token"
    assert set(body) >= {"cspErrorCode", "errorCode", "moduleCode", "requestId", "statusCode"}


@pytest.mark.parametrize("path", ["/authorize", "/token"])
def test_client_credentials_return_an_access_token_without_id_token(lab, csp, path):
    def ask():
        basic = (csp.details["client_id"], csp.details["client_secret"])
        return csp.http.post(csp.base + path, data={"grant_type": "client_credentials"}, auth=basic).json()

    assert "access_token" in ask()
    assert "id_token" not in ask()
    lab.change_settings("csp", id_token_for_client=True)
    assert "id_token" in ask()


def test_wrong_client_and_wrong_grant_are_refused(csp):
    wrong = csp.http.post(csp.base + "/token", data={"grant_type": "client_credentials"}, auth=("a", "b"))
    other = csp.http.post(csp.base + "/token", data={"grant_type": "password"})
    assert (wrong.status_code, other.status_code) == (401, 400)


def test_api_token_without_openid_scope_returns_no_id_token(lab, csp):
    lab.change_settings("csp", id_token=False)
    assert "id_token" not in csp.authorize().json()


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("POST", "/api-tokens/authorize", {"json": {"api_token": "x"}}, 415),
        ("POST", "/api-tokens/authorize", {"data": "a=b", "headers": FORM}, 400),
        ("GET", "/api-tokens/authorize", {}, 405),
        ("GET", "/no/such/path", {}, 404),
    ],
)  # fmt: skip
def test_invalid_requests_get_the_products_own_error(csp, method, path, more, status):
    response = csp.http.request(method, csp.base + path, **more)
    assert response.status_code == response.json()["statusCode"] == status


def test_tokens_their_signatures_and_the_secret_of_the_app_are_known_as_secrets(lab, csp):
    tokens = csp.authorize().json()
    signature = tokens["access_token"].rsplit(".", 1)[1]
    made = {tokens["access_token"], signature, tokens["id_token"], csp.details["client_secret"]}
    assert made <= {secret["value"] for secret in lab.secrets()}
