# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's vCenter behaves as the vendor's pages say."""

from __future__ import annotations

import base64
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest
import requests

from ansible_collections.sddc.tokens.tests.unit.lab.vidb_client import Vidb

if TYPE_CHECKING:
    from lab.client import Lab


class Vcenter:
    """A client of vCenter."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.http, self.base = http, f"{lab['vcenter']['url']}/api"

    def register(self, token: str, body: Any, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.post(f"{self.base}/vcenter/registered-tokens", json=body, headers=headers, **more)

    def exchange(self, token: str, **fields: str) -> requests.Response:
        spec = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        }
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.base}/vcenter/authentication/token"
        return self.http.post(url, data={**spec, **fields}, headers=headers)

    def probe(self, token: str, **query: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.get(f"{self.base}/vcenter/datacenter", params=query, headers=headers)


@pytest.fixture
def vidb(lab: Lab, http: requests.Session) -> Vidb:
    return Vidb(lab, http)


@pytest.fixture
def vcenter(lab: Lab, http: requests.Session) -> Vcenter:
    return Vcenter(lab, http)


@pytest.fixture
def pair(vidb):
    """Return an overflow token and its expanded token."""
    token = vidb.overflow()
    return token, vidb.expand(token, format="jwt").text


def test_overflow_token_works_only_after_its_expanded_token_is_registered(lab, vcenter, pair):
    token, expanded = pair
    assert vcenter.probe(token).status_code == 401
    response = vcenter.register(token, {"expanded_access_token": expanded})
    assert (response.status_code, response.content) == (204, b"")
    assert vcenter.probe(token).status_code == 200
    counts = lab.counts("vcenter")
    assert (counts["registrations"], counts["registered"], counts["refused_unregistered"]) == (1, 1, 1)


def test_plain_token_requires_no_registration(vidb, vcenter):
    assert vcenter.probe(vidb.client().json()["access_token"]).status_code == 200


@pytest.mark.parametrize("body", [{}, {"expanded_access_token": None}])
def test_without_expanded_token_nothing_is_stored(vcenter, pair, body):
    assert vcenter.register(pair[0], body).status_code == 204
    assert vcenter.probe(pair[0]).status_code == 401


def test_registration_ends_when_either_token_expires(lab, vidb, vcenter):
    for ending in (0, 1):
        token = vidb.overflow()
        expanded = vidb.expand(token, format="jwt").text
        vcenter.register(token, {"expanded_access_token": expanded})
        assert vcenter.probe(token).status_code == 200
        lab.expire_tokens("vidb", tokens=[(token, expanded)[ending]])
        assert vcenter.probe(token).status_code == 401


@pytest.mark.parametrize(
    "body", [{"expanded_access_token": "x.y.z"}, {"expanded_access_token": 1}, {"other": "x"}, [], "raw"]
)
def test_invalid_spec_is_a_400(vidb, vcenter, pair, body):
    if body == "raw":  # the overflow token in place of the expanded one
        body = {"expanded_access_token": pair[0]}
    response = vcenter.register(pair[0], body)
    assert (response.status_code, response.json()["error_type"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("same_user", [True, False])
def test_expanded_token_of_another_overflow_token_is_a_400(lab, vidb, vcenter, pair, same_user):
    more = {} if same_user else {"sub": "other@example.com"}
    other = lab.act("vidb", "make_access_token", issuer=vidb.issuer, claims=more)
    response = vcenter.register(pair[0], {"expanded_access_token": vidb.expand(other, format="jwt").text})
    assert (response.status_code, response.json()["error_type"]) == (400, "INVALID_ARGUMENT")
    assert vcenter.probe(pair[0]).status_code == 401


def test_refusals_have_type_messages_and_challenge(lab, vcenter, pair):
    token, expanded = pair
    anonymous = vcenter.http.post(f"{vcenter.base}/vcenter/registered-tokens", json={})
    lab.change_settings("vcenter", system_read=False)
    denied = vcenter.register(token, {"expanded_access_token": expanded})
    lab.change_settings("vcenter", registration_api=False)
    missing = vcenter.register(token, {})
    lab.expire_tokens("vidb", tokens=[token])
    expired = vcenter.probe(token)
    seen = [(response.status_code, response.json()["error_type"]) for response in (anonymous, denied, missing, expired)]
    assert seen == [
        (401, "UNAUTHENTICATED"), (403, "UNAUTHORIZED"), (404, "NOT_FOUND"), (401, "UNAUTHENTICATED"),
    ]  # fmt: skip
    for response in (anonymous, denied, missing, expired):
        assert response.headers["Content-Type"].startswith("application/json")
        assert set(response.json()["messages"][0]) == {"id", "default_message", "args"}
        assert ("challenge" in response.json()) == (response.status_code == 401)


@pytest.mark.parametrize(
    ("kind", "word"), [("schemes", 'Basic realm="vCenter"'), ("registration", "registration_required"), ("absent", "")]
)
def test_challenge_may_ask_for_registration(lab, vidb, vcenter, kind, word):
    lab.change_settings("vcenter", challenge=kind)
    challenge = vcenter.probe(vidb.overflow()).json().get("challenge", "")
    assert bool(challenge) == bool(word)
    assert word in challenge
    assert (f'ovl="{vidb.issuer}/expand-access-token"' in challenge) == (kind == "registration")


def test_probe_lists_by_name_or_is_denied(lab, vidb, vcenter):
    token = vidb.client().json()["access_token"]
    assert len(vcenter.probe(token).json()) == 2
    assert vcenter.probe(token, names="Lab-East").json() == [{"datacenter": "datacenter-3", "name": "Lab-East"}]
    assert vcenter.probe(token, names="nonesuch").json() == []
    lab.change_settings("vcenter", datacenter_status=403)
    assert vcenter.probe(token).json()["error_type"] == "UNAUTHORIZED"


def own(session_id):
    return {"vmware-api-session-id": session_id}


def sign(assertion, compress=gzip.compress):
    """Sign in with an assertion, which is base64 of its XML, as public scripts do."""
    xml = base64.b64decode(assertion)
    return {"Authorization": f'SIGN token="{base64.b64encode(compress(xml)).decode()}"'}


@pytest.fixture
def user(lab):
    return lab["vcenter"]["username"], lab["vcenter"]["password"]


@pytest.fixture
def assertion(vidb, vcenter):
    """Return the assertion for a plain access token of the broker."""
    token = vidb.client().json()["access_token"]
    return vcenter.exchange(token, requested_token_type="urn:ietf:params:oauth:token-type:saml2").json()["access_token"]


def test_session_of_a_user_is_counted_and_readable_by_its_id_only(lab, vcenter, user):
    url = f"{vcenter.base}/session"
    made = vcenter.http.post(url, auth=user)
    assert made.status_code == 201
    assert vcenter.http.get(url, auth=user).status_code == 401
    assert set(vcenter.http.get(url, headers=own(made.json())).json()) == {"user", "created_time", "last_accessed_time"}
    assert lab.counts("vcenter")["tokens_valid"] == 1
    assert vcenter.http.delete(url, headers=own(made.json())).status_code == 204
    for method in ("GET", "DELETE"):
        assert vcenter.http.request(method, url, headers=own(made.json())).status_code == 401
    assert (lab.counts("vcenter")["tokens_valid"], lab.counts("vcenter")["tokens_revoked"]) == (0, 1)


def test_session_is_refused_for_a_wrong_password_and_for_an_access_token(vidb, vcenter, user):
    bearer = {"Authorization": f"Bearer {vidb.client().json()['access_token']}"}
    for refused in ({}, {"auth": (user[0], "wrong")}, {"auth": ("administrator", user[1])}, {"headers": bearer}):
        response = vcenter.http.post(f"{vcenter.base}/session", **refused)
        assert (response.status_code, response.json()["error_type"]) == (401, "UNAUTHENTICATED")


def test_session_ends_when_it_is_idle_and_at_its_fixed_time(lab, vcenter, user):
    lab.change_settings("vcenter", session_lifetime=4000)
    url, statuses = f"{vcenter.base}/session", []
    session_id = vcenter.http.post(url, auth=user).json()
    idle = vcenter.http.post(url, auth=user).json()
    for offset in (1700, 3400, 4100):
        lab.change_settings("vcenter", clock_offset=offset)
        statuses.append(vcenter.http.get(url, headers=own(session_id)).status_code)
    assert statuses == [200, 200, 401]
    assert vcenter.http.get(url, headers=own(idle)).status_code == 401


def test_sessions_are_limited_until_one_ends(lab, vcenter, user):
    lab.change_settings("vcenter", most_sessions=1)
    url = f"{vcenter.base}/session"
    first = vcenter.http.post(url, auth=user).json()
    refused = vcenter.http.post(url, auth=user)
    assert (refused.status_code, refused.json()["error_type"]) == (503, "SERVICE_UNAVAILABLE")
    vcenter.http.delete(url, headers=own(first))
    assert vcenter.http.post(url, auth=user).status_code == 201


def test_assertion_opens_a_session_of_its_user_while_it_is_valid(lab, vidb, vcenter, assertion):
    url = f"{vcenter.base}/session"
    made = vcenter.http.post(url, headers=sign(assertion))
    assert made.status_code == 201
    assert vcenter.http.get(url, headers=own(made.json())).json()["user"] == vidb.basic[0]
    lab.change_settings("vcenter", clock_offset=300)
    assert vcenter.http.post(url, headers=sign(assertion)).status_code == 401


def test_assertion_is_refused_in_another_form_or_where_bearers_are_switched_off(lab, vcenter, assertion):
    url = f"{vcenter.base}/session"
    unsigned = {"Authorization": f'SIGN token="{assertion}"'}
    assert [vcenter.http.post(url, headers=wrong).status_code for wrong in (
        unsigned, sign(assertion, zlib.compress), sign(base64.b64encode(b"<other/>"))
    )] == [401, 401, 401]  # fmt: skip
    lab.change_settings("vcenter", bearer_assertions=False)
    assert vcenter.http.post(url, headers=sign(assertion)).status_code == 401


def test_overflow_token_is_exchanged_for_an_assertion_once_it_is_registered(vcenter, pair):
    saml = {"requested_token_type": "urn:ietf:params:oauth:token-type:saml2"}
    assert vcenter.exchange(pair[0], **saml).status_code == 401
    vcenter.register(pair[0], {"expanded_access_token": pair[1]})
    assert vcenter.exchange(pair[0], **saml).json()["expires_in"] == 299
    assert vcenter.exchange(pair[0], **saml, subject_token="another").json()["error"] == "invalid_grant"


def test_older_api_has_its_own_path_statuses_and_errors(lab, vcenter, user):
    lab.change_settings("vcenter", session_api="rest")
    assert vcenter.http.post(f"{vcenter.base}/session", auth=user).status_code == 404
    url = f"{lab['vcenter']['url']}/rest/com/vmware/cis/session"
    made = vcenter.http.post(url, auth=user)
    headers = own(made.json()["value"])
    assert made.status_code == 200
    assert vcenter.http.post(url, params={"~action": "get"}, headers=headers).json()["value"]["user"] == user[0]
    assert vcenter.http.delete(url, headers=headers).status_code == 200
    refused = vcenter.http.delete(url, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (401, "com.vmware.vapi.std.errors.unauthenticated")


@pytest.mark.parametrize("form", ["data", "json"])
def test_exchange_returns_a_token_of_vcenter(vidb, vcenter, form):
    spec = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": vidb.client().json()["access_token"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    url = f"{vcenter.base}/vcenter/authentication/token"
    assert vcenter.probe(vcenter.http.post(url, **{form: spec}).json()["access_token"]).status_code == 200
    for change, error in [
        ({"subject_token": "x"}, "invalid_grant"),
        ({"subject_token_type": "x"}, "invalid_request"),
        ({"grant_type": "password"}, "invalid_request"),
    ]:
        response = vcenter.http.post(url, **{form: {**spec, **change}})
        assert (response.status_code, response.json()["error"]) == (400, error)


def test_unknown_path_and_method_get_vapi_errors(vcenter):
    assert vcenter.http.get(f"{vcenter.base}/nonesuch").json()["error_type"] == "NOT_FOUND"
    assert vcenter.http.put(f"{vcenter.base}/session").status_code == 405
