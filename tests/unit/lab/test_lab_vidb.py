# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's identity broker behaves as the vendor's pages say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
import pytest
import requests

from ansible_collections.sddc.tokens.tests.unit.lab.vidb_client import Vidb

if TYPE_CHECKING:
    from lab.client import Lab


@pytest.fixture
def vidb(lab: Lab, http: requests.Session) -> Vidb:
    return Vidb(lab, http)


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_client_credentials_return_a_plain_token(vidb):
    response = vidb.client()
    body = response.json()
    assert (response.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", 1800)
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    access = claims(body["access_token"])
    assert "ovl" not in access
    assert (access["sub"], access["iss"], access["exp"] - access["iat"]) == (vidb.basic[0], vidb.issuer, 1800)


def test_api_token_returns_an_overflow_token(vidb):
    body = vidb.grant().json()
    access = claims(body["access_token"])
    assert access["ovl"] == f"{vidb.issuer}/expand-access-token"
    assert "group_names" not in access
    assert "refresh_token" in body


def test_refresh_token_returns_another_access_token(lab, vidb):
    given = vidb.grant().json()
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert vidb.grant(form).json()["access_token"] != given["access_token"]
    made = lab.act("vidb", "make_refresh_token")
    assert vidb.grant({**form, "refresh_token": made}).status_code == 200
    lab.expire_tokens("vidb", tokens=[made])
    assert vidb.grant({**form, "refresh_token": made}).json()["error"] == "invalid_grant"
    access = {**form, "refresh_token": given["access_token"]}
    assert vidb.grant(access).json()["error"] == "invalid_grant", "an access token is not a refresh token"


def test_rotating_refresh_token_is_invalid_after_its_use_and_a_new_one_is_returned(lab, vidb):
    lab.change_settings("vidb", rotate_refresh_tokens=True)
    form = {"grant_type": "refresh_token", "refresh_token": lab.act("vidb", "make_refresh_token")}
    latest = vidb.grant(form).json()["refresh_token"]
    assert vidb.grant(form).json()["error"] == "invalid_grant"
    lab.change_settings("vidb", refresh_token_grants=[])
    form["refresh_token"] = latest
    assert [vidb.grant(form).status_code for _time in range(2)] == [200, 200]


def test_each_grant_returns_what_the_settings_say(lab, vidb):
    lab.change_settings(
        "vidb", overflow_grants=["client_credentials"], id_token_grants=["api_token"], refresh_token_grants=[],
        expires_in=False, lifetime=60,
    )  # fmt: skip
    assert "ovl" in claims(vidb.client().json()["access_token"])
    body = vidb.grant().json()
    assert set(body) == {"access_token", "token_type", "scope", "id_token"}
    assert "ovl" not in claims(body["access_token"])
    assert claims(body["id_token"])["exp"] - claims(body["id_token"])["iat"] == 60


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"api_token": ""}, 400, "invalid_request"),
        ({"api_token": "wrong"}, 400, "invalid_grant"),
    ],
)
def test_errors_are_those_of_oauth(vidb, change, status, error):
    response = vidb.grant({**vidb.api_token_form, **change})
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["error_description"]
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


def test_client_with_wrong_credentials_is_refused_in_every_grant(vidb):
    assert vidb.grant(auth=(vidb.basic[0], "wrong")).json()["error"] == "invalid_client"
    assert vidb.grant(auth=vidb.basic).status_code == 200


def test_unknown_tenant_path_and_content_type_are_refused(vidb):
    other = vidb.issuer.replace("CUSTOMER", "OTHER")
    assert vidb.http.post(f"{other}/token", data=vidb.api_token_form).status_code == 404
    assert vidb.http.get(f"{vidb.issuer}/nonesuch").json()["error"] == "not_found"
    assert vidb.http.post(f"{vidb.issuer}/token", json={}).status_code == 415


def test_expansion_returns_the_full_claims_raw_by_default_or_signed(lab, vidb):
    token = vidb.overflow()
    raw, signed = vidb.expand(token), vidb.expand(token, format="jwt")
    expected = {"ovl", "ovc", "group_names", "group_ids", "authorization_details", "fingerprint", "exp", "iat", "sub"}
    assert expected <= set(raw.json())
    assert raw.json() == vidb.expand(token, format="raw").json()
    assert raw.json().items() <= claims(signed.text).items()
    lab.change_settings("vidb", jwt_form="json")
    assert claims(vidb.expand(token, format="jwt").json())["sub"] == raw.json()["sub"]
    assert lab.counts("vidb")["expansions"] == 4


@pytest.mark.parametrize("case", ["expired", "plain", "nonsense", "format", "elsewhere"])
def test_expansion_of_anything_else_is_a_400(lab, vidb, case):
    token, query = vidb.overflow(), {}
    if case == "expired":
        lab.expire_tokens("vidb", tokens=[token])
    elif case == "plain":
        token = vidb.client().json()["access_token"]
    elif case == "nonsense":
        token = "nonsense"
    elif case == "elsewhere":
        token = lab.act("vidb", "make_access_token", issuer="https://vidb.example.com/acs/t/CUSTOMER")
    else:
        query = {"format": "xml"}
    assert vidb.expand(token, **query).status_code == 400


def test_link_may_lead_to_another_host_or_have_a_query_that_must_be_kept(lab, vidb):
    lab.change_settings("vidb", ovl_host="elsewhere.example.net", ovl_query="region=1")
    token = vidb.overflow()
    assert claims(token)["ovl"] == "https://elsewhere.example.net/acs/t/CUSTOMER/expand-access-token?region=1"
    assert vidb.expand(token, format="jwt").status_code == 400
    assert vidb.expand(token, format="jwt", region="1").status_code == 200


def test_tokens_of_any_content_can_be_created(lab, vidb):
    made = {"issuer": vidb.issuer, "claims": {"ovl": "http://127.0.0.1/x", "sub": "someone"}, "lifetime": 5}
    token = lab.act("vidb", "make_access_token", **made)
    assert (claims(token)["ovl"], claims(token)["sub"]) == ("http://127.0.0.1/x", "someone")
    assert vidb.expand(token).json()["sub"] == "someone"


def test_every_secret_is_known(lab, vidb):
    body = vidb.grant().json()
    expanded = vidb.expand(body["access_token"], format="jwt").text
    made = {body["access_token"], body["refresh_token"], expanded, expanded.rsplit(".", 1)[1], *lab["vidb"].values()}
    known = {secret["value"] for secret in lab.secrets()}
    assert made - known == {lab["vidb"][name] for name in ("url", "host", "tenant", "client_id")}
