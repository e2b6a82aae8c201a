# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's SDDC Manager behaves as the vendor's pages say."""

from __future__ import annotations

import jwt
import pytest


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_a_pair_opens_the_door_and_its_access_token_is_like_the_sample_of_the_page(lab, sddc_manager):
    reply = sddc_manager.create()
    pair = reply.json()
    assert (reply.status_code, set(pair), set(pair["refreshToken"])) == (201, {"accessToken", "refreshToken"}, {"id"})
    access = claims(pair["accessToken"])
    assert (access["iss"], access["aud"], access["sub"]) == (
        "vcf-auth",
        "sddc-services",
        lab["sddc_manager"]["username"],
    )
    assert access["exp"] - access["iat"] == 3600
    page = sddc_manager.managers(pair["accessToken"]).json()
    assert [len(page["elements"]), page["pageMetadata"]["totalElements"]] == [1, 1]
    assert lab.counts("sddc_manager")["sign_ins"] == 1


def test_a_refresh_token_refreshes_any_number_of_times_in_either_form(lab, sddc_manager):
    refresh_token = sddc_manager.create().json()["refreshToken"]["id"]
    bare = {"data": refresh_token, "headers": {"Content-Type": "application/json"}}
    replies = [sddc_manager.refresh(refresh_token), sddc_manager.refresh(refresh_token, **bare)]
    assert [reply.status_code for reply in replies] == [200, 200]
    assert all(sddc_manager.managers(reply.json()).status_code == 200 for reply in replies)
    assert len({reply.json() for reply in replies}) == 2
    lab.change_settings("sddc_manager", refresh_reply="bare")
    assert claims(sddc_manager.refresh(refresh_token).text)["iss"] == "vcf-auth"
    assert lab.counts("sddc_manager")["refreshes"] == 3


@pytest.mark.parametrize("status", [404, 400])
def test_a_revoked_or_expired_refresh_token_is_refused_and_the_access_token_lives_on(lab, sddc_manager, status):
    lab.change_settings("sddc_manager", refused_status=status)
    pair = sddc_manager.create().json()
    assert sddc_manager.invalidate(pair["refreshToken"]["id"]).status_code == 204
    other = sddc_manager.create().json()["refreshToken"]["id"]
    lab.expire_tokens("sddc_manager", tokens=[other])
    for refused in (pair["refreshToken"]["id"], other, "nonsense", pair["accessToken"], {"id": other}):
        assert sddc_manager.refresh(refused).status_code == sddc_manager.invalidate(refused).status_code == status
    assert sddc_manager.managers(pair["accessToken"]).status_code == 200
    counts = lab.counts("sddc_manager")
    assert (counts["revocations"], counts["refresh_tokens_valid"]) == (1, 0)


def test_tokens_end_by_the_clock_of_the_server(lab, sddc_manager):
    pair = sddc_manager.create().json()
    lab.change_settings("sddc_manager", clock_offset=3700)
    assert sddc_manager.managers(pair["accessToken"]).status_code == 401
    assert sddc_manager.refresh(pair["refreshToken"]["id"]).status_code == 200
    lab.change_settings("sddc_manager", clock_offset=90000)
    assert sddc_manager.refresh(pair["refreshToken"]["id"]).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"password": "wrong"}, 401, "IDENTITY_UNAUTHORIZED_ENTITY"),
        ({"username": "nobody"}, 401, "IDENTITY_UNAUTHORIZED_ENTITY"),
        ({"password": ""}, 400, "TOKEN_CREATION_SPEC_INVALID"),
        ({"username": 7}, 400, "TOKEN_CREATION_SPEC_INVALID"),
    ],
)
def test_a_refusal_is_an_error_of_the_api(sddc_manager, change, status, code):
    reply = sddc_manager.create(**change)
    assert (reply.status_code, reply.json()["errorCode"]) == (status, code)
    assert reply.json()["message"]
    assert reply.json()["referenceToken"]


def test_what_is_no_access_token_is_a_401_and_another_content_type_a_400(sddc_manager):
    refresh_token = sddc_manager.create().json()["refreshToken"]["id"]
    assert sddc_manager.managers(refresh_token).json()["errorCode"] == "Unauthorized"
    plain = {"data": refresh_token, "headers": {"Content-Type": "text/plain"}}
    assert sddc_manager.refresh(refresh_token, **plain).status_code == 400


def test_every_secret_of_it_is_known(lab, sddc_manager):
    pair = sddc_manager.create().json()
    known = {secret["value"] for secret in lab.secrets()}
    assert {pair["accessToken"], pair["refreshToken"]["id"], lab["sddc_manager"]["password"]} <= known
