# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's SDDC Manager behaves as documented, with plain requests, vmware-sddc-manager and our client.

The client has classes for the documented errors 400, 404 and 500 and none for a 401.
"""

# Requires vmware-sddc-manager==9.1.1.0

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from vmware.sddc_manager.model_client import Error, TokenCreationSpec
from vmware.sddc_manager.v1.tokens.access_token_client import Refresh
from vmware.sddc_manager.v1.tokens_client import RefreshToken
from vmware.sddc_manager.v1_client import SddcManagers, Tokens
from vmware.vapi.bindings.error import UnresolvedError, VapiError
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.oauth import create_oauth_security_context

from ansible_collections.sddc.tokens.plugins.module_utils._clients import sddc_manager
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from conformance.comparison import Operation, differences, session

if TYPE_CHECKING:
    import requests

    from lab.client import Lab


class SddcManagerSdk:
    """vmware-sddc-manager, with a token or without one. The token operations require none."""

    def __init__(self, http: requests.Session, details: Mapping[str, str]) -> None:
        self._http, self._details = http, details
        self._connector = get_requests_connector(http, msg_protocol="rest", url=details["url"])

    def with_token(self, access_token: str) -> SddcManagerSdk:
        """Return another client that authenticates with an access token."""
        other = SddcManagerSdk(self._http, self._details)
        other._connector.set_security_context(create_oauth_security_context(access_token))
        return other

    def create(self, **others: str) -> Any:
        """Return a token pair for the user of the lab, or for other credentials."""
        user = {name: self._details[name] for name in ("username", "password")}
        return self._stub(Tokens).create_token(TokenCreationSpec(**{**user, **others}))

    def refresh(self, refresh_token: str) -> Any:
        """Return a new access token."""
        return self._stub(Refresh).refresh_access_token(refresh_token)

    def invalidate(self, refresh_token: str) -> Any:
        """Revoke a refresh token."""
        return self._stub(RefreshToken).invalidate_refresh_token(refresh_token)

    def managers(self) -> Any:
        """Return the page of SDDC Managers."""
        return self._stub(SddcManagers).get_sddc_managers()

    def _stub(self, service: type) -> Any:
        return service(StubConfiguration(self._connector))


@pytest.fixture
def sdk(lab: Lab, http: requests.Session) -> SddcManagerSdk:
    """The vendor's client, not signed in."""
    return SddcManagerSdk(http, lab["sddc_manager"])


def status_of(lab: Lab) -> int | None:
    return lab.requests("sddc_manager")[-1].status


def test_token_pair_is_created_and_its_access_token_reads_the_managers(lab: Lab, sdk: SddcManagerSdk) -> None:
    pair = sdk.create()
    assert status_of(lab) == 201
    assert pair.refresh_token.id
    page = sdk.with_token(pair.access_token).managers()
    assert [manager.fqdn for manager in page.elements] == ["sddc-manager.example.com"]
    assert page.page_metadata.total_elements == 1


@pytest.mark.parametrize("status", [200, 201])
def test_either_status_of_a_new_token_pair_is_read(lab: Lab, sdk: SddcManagerSdk, status: int) -> None:
    lab.change_settings("sddc_manager", create_status=status)
    assert sdk.create().access_token
    assert status_of(lab) == status


def test_refresh_token_returns_a_new_access_token_each_time(lab: Lab, sdk: SddcManagerSdk) -> None:
    pair = sdk.create()
    tokens = {pair.access_token, *(sdk.refresh(pair.refresh_token.id) for _time in range(2))}
    assert len(tokens) == 3
    assert all(sdk.with_token(token).managers().elements for token in tokens)


def test_revocation_ends_the_refresh_token_but_not_the_access_token(lab: Lab, sdk: SddcManagerSdk) -> None:
    pair = sdk.create()
    assert sdk.invalidate(pair.refresh_token.id) is None
    assert status_of(lab) == 204
    assert sdk.with_token(pair.access_token).managers().elements


@pytest.mark.parametrize("status", [400, 404])
def test_refused_refresh_token_is_an_api_error(lab: Lab, sdk: SddcManagerSdk, status: int) -> None:
    lab.change_settings("sddc_manager", refused_status=status)
    with pytest.raises(Error) as caught:
        sdk.refresh("3c6b3c30-3bf2-480b-9539-8483699ab911")
    problem: Any = caught.value
    assert status_of(lab) == status
    assert problem.error_code == "REFRESH_TOKEN_NOT_FOUND"
    assert problem.message
    assert problem.reference_token


@pytest.mark.parametrize("status", [400, 500])
def test_every_documented_error_of_the_creation_is_read(lab: Lab, sdk: SddcManagerSdk, status: int) -> None:
    lab.fault("sddc_manager", "status", status=status, body={"errorCode": "SOME_CODE", "message": "Refused."})
    with pytest.raises(Error) as caught:
        sdk.create()
    assert caught.value.error_code == "SOME_CODE"


def test_wrong_password_is_an_error_without_a_class_in_the_client(lab: Lab, sdk: SddcManagerSdk) -> None:
    with pytest.raises(UnresolvedError):
        sdk.create(password="wrong")
    assert status_of(lab) == 401


def test_expired_access_token_is_a_401(lab: Lab, sdk: SddcManagerSdk) -> None:
    pair = sdk.create()
    lab.expire_tokens("sddc_manager", tokens=[pair.access_token])
    with pytest.raises(VapiError):
        sdk.with_token(pair.access_token).managers()
    assert status_of(lab) == 401


# --- Without a client ---------------------------------------------------------------------------------------------


class Api:
    """The API without a client."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.details, self.http = lab["sddc_manager"], http
        self.base = f"{self.details['url']}/v1"
        self.user = {"username": self.details["username"], "password": self.details["password"]}

    def create(self, **others: Any) -> requests.Response:
        return self.http.post(f"{self.base}/tokens", json={**self.user, **others})

    def refresh(self, refresh_token: Any, **more: Any) -> requests.Response:
        body = more or {"json": refresh_token}
        return self.http.patch(f"{self.base}/tokens/access-token/refresh", **body)

    def invalidate(self, refresh_token: Any) -> requests.Response:
        return self.http.delete(f"{self.base}/tokens/refresh-token", json=refresh_token)

    def managers(self, token: str) -> requests.Response:
        return self.http.get(f"{self.base}/sddc-managers", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def api(lab: Lab, http: requests.Session) -> Api:
    return Api(lab, http)


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return found


def test_a_token_pair_gives_access_and_its_access_token_is_like_the_documented_sample(lab: Lab, api: Api) -> None:
    response = api.create()
    pair = response.json()
    assert (response.status_code, set(pair), set(pair["refreshToken"])) == (
        201,
        {"accessToken", "refreshToken"},
        {"id"},
    )
    access = claims(pair["accessToken"])
    assert (access["iss"], access["aud"], access["sub"]) == (
        "vcf-auth",
        "sddc-services",
        lab["sddc_manager"]["username"],
    )
    assert access["exp"] - access["iat"] == 3600
    page = api.managers(pair["accessToken"]).json()
    assert [len(page["elements"]), page["pageMetadata"]["totalElements"]] == [1, 1]
    assert lab.counts("sddc_manager")["sign_ins"] == 1


def test_a_refresh_token_can_be_used_any_number_of_times_in_either_form(lab: Lab, api: Api) -> None:
    refresh_token = api.create().json()["refreshToken"]["id"]
    bare = {"data": refresh_token, "headers": {"Content-Type": "application/json"}}
    responses = [api.refresh(refresh_token), api.refresh(refresh_token, **bare)]
    assert [response.status_code for response in responses] == [200, 200]
    assert all(api.managers(response.json()).status_code == 200 for response in responses)
    assert len({response.json() for response in responses}) == 2
    lab.change_settings("sddc_manager", refresh_response="bare")
    assert claims(api.refresh(refresh_token).text)["iss"] == "vcf-auth"
    assert lab.counts("sddc_manager")["refreshes"] == 3


@pytest.mark.parametrize("status", [404, 400])
def test_a_revoked_or_expired_refresh_token_is_refused_and_the_access_token_stays_valid(
    lab: Lab, api: Api, status: int
) -> None:
    lab.change_settings("sddc_manager", refused_status=status)
    pair = api.create().json()
    assert api.invalidate(pair["refreshToken"]["id"]).status_code == 204
    other = api.create().json()["refreshToken"]["id"]
    lab.expire_tokens("sddc_manager", tokens=[other])
    for refused in (pair["refreshToken"]["id"], other, "nonsense", pair["accessToken"], {"id": other}):
        assert api.refresh(refused).status_code == api.invalidate(refused).status_code == status
    assert api.managers(pair["accessToken"]).status_code == 200
    counts = lab.counts("sddc_manager")
    assert (counts["revocations"], counts["refresh_tokens_valid"]) == (1, 0)


def test_tokens_expire_by_the_clock_of_the_server(lab: Lab, api: Api) -> None:
    pair = api.create().json()
    lab.change_settings("sddc_manager", clock_offset=3700)
    assert api.managers(pair["accessToken"]).status_code == 401
    assert api.refresh(pair["refreshToken"]["id"]).status_code == 200
    lab.change_settings("sddc_manager", clock_offset=90000)
    assert api.refresh(pair["refreshToken"]["id"]).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"password": "wrong"}, 401, "IDENTITY_UNAUTHORIZED_ENTITY"),
        ({"username": "nobody"}, 401, "IDENTITY_UNAUTHORIZED_ENTITY"),
        ({"password": ""}, 400, "TOKEN_CREATION_SPEC_INVALID"),
        ({"username": 7}, 400, "TOKEN_CREATION_SPEC_INVALID"),
    ],
)
def test_a_refusal_is_an_api_error(api: Api, change: dict[str, Any], status: int, code: str) -> None:
    response = api.create(**change)
    assert (response.status_code, response.json()["errorCode"]) == (status, code)
    assert response.json()["message"]
    assert response.json()["referenceToken"]


def test_an_invalid_access_token_is_a_401_and_another_content_type_a_400(api: Api) -> None:
    refresh_token = api.create().json()["refreshToken"]["id"]
    assert api.managers(refresh_token).json()["errorCode"] == "Unauthorized"
    plain = {"data": refresh_token, "headers": {"Content-Type": "text/plain"}}
    assert api.refresh(refresh_token, **plain).status_code == 400


def test_every_secret_of_the_lab_is_known(lab: Lab, api: Api) -> None:
    pair = api.create().json()
    known = {secret["value"] for secret in lab.secrets()}
    assert {pair["accessToken"], pair["refreshToken"]["id"], lab["sddc_manager"]["password"]} <= known


# --- Our requests compared with the vendor's ----------------------------------------------------------------------


class SddcManagerClients:
    """Both clients of SDDC Manager, with a token pair that the vendor's client has created."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self._lab = lab
        self._sdk = SddcManagerSdk(http, lab["sddc_manager"])
        self._pair = self._sdk.create()
        self.refresh_token = self._pair.refresh_token.id

    def theirs(self) -> SddcManagerSdk:
        """Return the vendor's client, not signed in."""
        return self._sdk

    def ours(self) -> sddc_manager.SddcManagerClient:
        """Return our client."""
        return sddc_manager.SddcManagerClient(session(self._lab, "sddc_manager", sddc_manager))

    def our_creation(self) -> None:
        """Create a pair with our client."""
        details = self._lab["sddc_manager"]
        self.ours().create_token(details["username"], Secret(details["password"]))

    def their_reading(self) -> None:
        """Read the managers with the vendor's client."""
        self._sdk.with_token(self._pair.access_token).managers()

    def our_reading(self) -> None:
        """Verify a token with our client."""
        assert self.ours().is_accepted(Secret(self._pair.access_token))


REQUESTS = {
    "sddc manager token pair": Operation(lambda it: it.theirs().create(), lambda it: it.our_creation()),
    "sddc manager refresh": Operation(
        lambda it: it.theirs().refresh(it.refresh_token),
        lambda it: it.ours().refresh_access_token(Secret(it.refresh_token)),
    ),
    "sddc manager revocation": Operation(
        lambda it: it.theirs().invalidate(it.refresh_token),
        lambda it: it.ours().invalidate_refresh_token(Secret(it.refresh_token)),
    ),
    "sddc manager list of managers": Operation(lambda it: it.their_reading(), lambda it: it.our_reading()),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_our_request_is_the_same_as_that_of_the_vendors_client(lab: Lab, http: requests.Session, name: str) -> None:
    assert differences(lab, "sddc_manager", REQUESTS[name], SddcManagerClients(lab, http)) == {}
