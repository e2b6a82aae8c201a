# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's vRNI behaves as the vendor's pages say."""

from __future__ import annotations

import base64
import email.utils
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from lab.client import LabError

if TYPE_CHECKING:
    from lab.client import Lab


class Vrni:
    """A client of vRNI."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.details, self.http = lab["vrni"], http
        self.base = f"{self.details['url']}/api/ni"
        self.local = {
            "username": self.details["username"],
            "password": self.details["password"],
            "domain": {"domain_type": "LOCAL"},
        }
        self.ldap = {
            "username": self.details["ldap_username"],
            "password": self.details["ldap_password"],
            "domain": {"domain_type": "LDAP", "value": self.details["ldap_domain"]},
        }

    def create(self, body: Any = None, **more: Any) -> requests.Response:
        return self.http.post(f"{self.base}/auth/token", json=self.local if body is None else body, **more)

    def from_vidm(self, token: str) -> requests.Response:
        return self.http.post(f"{self.base}/auth/token/vidm", json={"vidm_token": token})

    def version(self, token: str) -> requests.Response:
        return self.http.get(f"{self.base}/info/version", headers={"Authorization": f"NetworkInsight {token}"})

    def delete(self, token: str) -> requests.Response:
        return self.http.delete(f"{self.base}/auth/token", headers={"Authorization": f"NetworkInsight {token}"})


@pytest.fixture
def vrni(lab: Lab, http: requests.Session) -> Vrni:
    return Vrni(lab, http)


def test_token_has_sixteen_bytes_and_expires_after_five_hours_in_milliseconds(vrni):
    response = vrni.create()
    assert response.status_code == 200
    assert len(base64.b64decode(response.json()["token"])) == 16
    assert response.json()["expiry"] / 1000 - time.time() == pytest.approx(5 * 3600, abs=120)


def test_deleted_token_is_invalid(vrni):
    token = vrni.create().json()["token"]
    assert vrni.version(token).json()["api_version"] == "1.2.0"
    assert vrni.delete(token).status_code == 204
    for response in (vrni.delete(token), vrni.version(token), vrni.version("unknown")):
        assert (response.status_code, response.json()["code"]) == (401, 401)


@pytest.mark.parametrize("unauthorized", ["error", "empty"])
def test_wrong_password_and_the_token_limit_get_the_same_response(lab, vrni, unauthorized):
    lab.change_settings("vrni", unauthorized=unauthorized)
    for _number in range(100):
        assert vrni.create().status_code == 200
    beyond = vrni.create()
    wrong = vrni.create({**vrni.local, "password": "wrong"})
    assert (beyond.status_code, beyond.content) == (wrong.status_code, wrong.content)
    assert (wrong.status_code, wrong.content == b"") == (401, unauthorized == "empty")
    assert vrni.create(vrni.ldap).status_code == 200, "the limit is per user"
    assert lab.counts("vrni")["refused_for_limit"] == 1


def test_expired_token_is_refused_does_not_count_and_is_removed(lab, vrni):
    lab.change_settings("vrni", token_limit=1)
    token = vrni.create().json()["token"]
    assert lab.expire_tokens("vrni", tokens=[token]) == 1
    assert vrni.version(token).status_code == 401
    lab.change_settings("vrni", cleanup_interval=0)
    assert vrni.create().status_code == 200
    assert lab.counts("vrni") == {
        "tokens_minted": 2, "tokens_valid": 1, "tokens_expired": 1, "tokens_revoked": 0, "refused_for_limit": 0,
    }  # fmt: skip


def test_ldap_user_requires_the_domain(vrni):
    assert vrni.create(vrni.ldap).status_code == 200
    other = {"domain_type": "LDAP", "value": "other.example.com"}
    assert vrni.create({**vrni.ldap, "domain": other}).status_code == 401
    missing = vrni.create({**vrni.ldap, "domain": {"domain_type": "LDAP"}})
    assert missing.status_code == 400
    assert missing.json()["details"][0]["target"] == ["domain.value"]


def test_local_user_may_omit_the_domain(vrni):
    with_value = {**vrni.local, "domain": {"domain_type": "LOCAL", "value": "ignored"}}
    without = {name: vrni.local[name] for name in ("username", "password")}
    assert [vrni.create(body).status_code for body in (with_value, without)] == [200, 200]


@pytest.mark.parametrize(
    ("expiry", "seconds"), [("s", 18000), ("past", -3600), ("far", 10 * 365 * 86400), ("absent", None)]
)
def test_expiry_can_be_returned_in_every_odd_form(lab, vrni, expiry, seconds):
    lab.change_settings("vrni", expiry=expiry)
    response = vrni.create()
    told = response.json().get("expiry")
    assert response.status_code == 200
    if seconds is None:
        assert told is None
    else:
        assert (told if expiry == "s" else told / 1000) - time.time() == pytest.approx(seconds, abs=120)


def test_response_may_omit_the_token(lab, vrni):
    lab.change_settings("vrni", without_token=True)
    assert "token" not in vrni.create().json()


def test_vidm_user_signs_in_through_the_appliance(vrni):
    client = vrni.http.get(f"{vrni.base}/auth/vidm/client-id").json()
    form = {
        "username": vrni.details["ldap_username"],
        "password": vrni.details["ldap_password"],
        "client_id": client["client_id"],
        "grant_type": "password",
    }
    url = f"https://{client['vidm_appliance']}/SAAS/auth/oauthtoken"
    token = vrni.http.post(url, data=form).json()["access_token"]
    assert vrni.from_vidm(token).status_code == 200
    assert vrni.http.post(url, data={**form, "password": "wrong"}).json()["error"] == "invalid_grant"


def test_vidm_token_is_accepted_as_jwt_and_opaque(lab, vrni):
    opaque = lab.act("vrni", "make_vidm_token", form="opaque")
    assert vrni.from_vidm(vrni.details["vidm_token"]).status_code == 200
    assert vrni.from_vidm(opaque).status_code == 200
    assert vrni.from_vidm("unknown").status_code == 401
    lab.expire_tokens("vidm", tokens=[opaque])
    assert vrni.from_vidm(opaque).status_code == 401


def test_vidm_that_is_not_ready_responds_as_documented(lab, vrni):
    token = vrni.details["vidm_token"]
    assert vrni.from_vidm("").json()["code"] == 400
    lab.change_settings("vrni", vidm="no_role")
    assert vrni.from_vidm(token).json()["code"] == 412
    lab.change_settings("vrni", vidm="not_configured")
    assert vrni.from_vidm(token).json()["code"] == 404
    assert vrni.http.get(f"{vrni.base}/auth/vidm/client-id").json()["code"] == 403


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": "[]", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": {"username": "x"}}, 400),
        ({"json": {"username": "x"}}, 400),
        ({"json": {"username": "x", "password": "y", "domain": {"domain_type": "local"}}}, 400),
        ({"json": {"username": 1, "password": {}, "domain": "LOCAL"}}, 400),
    ],
)
def test_invalid_requests_get_an_api_error(vrni, more, status):
    response = vrni.http.post(f"{vrni.base}/auth/token", **more)
    assert (response.status_code, response.json()["code"]) == (status, status)
    assert response.json()["message"]


def test_unknown_path_and_method_get_an_api_error(vrni):
    assert vrni.http.get(f"{vrni.base}/nonesuch").json()["code"] == 404
    assert vrni.http.put(f"{vrni.base}/auth/token").json()["code"] == 405


def test_each_host_keeps_its_own_tokens(lab, vrni):
    address = lab.add_addresses(1)[0]
    token = vrni.create().json()["token"]
    there = vrni.http.get(
        f"{lab.url('vrni', address)}/api/ni/info/version", headers={"Authorization": f"NetworkInsight {token}"}
    )
    assert there.status_code == 401
    assert vrni.version(token).status_code == 200


def date_of(response):
    return email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()


def test_expiry_follows_the_clock_of_the_product_and_not_a_skewed_date_header(lab, vrni):
    lab.fault("vrni", "skew_date", seconds=-3600)
    skewed = vrni.create()
    assert date_of(skewed) - time.time() == pytest.approx(-3600, abs=120)
    assert skewed.json()["expiry"] / 1000 - time.time() == pytest.approx(18000, abs=120)
    lab.change_settings("vrni", clock_offset=-3600)
    consistent = vrni.create()
    assert consistent.json()["expiry"] / 1000 - date_of(consistent) == pytest.approx(18000, abs=120)


def test_vidm_token_stays_valid_after_a_reset(lab, vrni):
    lab.change_settings("vrni", lifetime=1)
    lab.reset()
    assert lab.settings("vrni")["lifetime"] == 18000
    assert vrni.from_vidm(vrni.details["vidm_token"]).status_code == 200


def test_setting_with_few_values_refuses_any_other(lab):
    with pytest.raises(LabError, match="expiry"):
        lab.change_settings("vrni", expiry="weeks")


def test_tokens_and_passwords_are_known_as_secrets(lab, vrni):
    made = {vrni.create().json()["token"], *(lab["vrni"][name] for name in ("ldap_password", "vidm_token"))}
    assert made <= {secret["value"] for secret in lab.secrets()}
