# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's VCF Operations behaves as documented, with plain requests, vcf-operations and our client.

The client confirms paths, bodies and the fields of a success. It has no class for an error of these calls, and no
status in the exception: the errors follow the vendor's pages. Its requests are authenticated by the headers of its
session, so that it signs an acquisition, too. Its text gives the lifetime of six hours, which only the lab enforces.
"""

# Requires vcf-operations==9.1.1.0

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from vcf.operations.api.auth.token_client import Acquire, Release
from vcf.operations.api.auth_client import Currentuser
from vcf.operations.api.versions_client import Current
from vcf.operations.model_client import Error, UsernamePassword
from vmware.vapi.bindings.error import UnresolvedError, VapiError
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.lib.connect import get_requests_connector

from ansible_collections.sddc.tokens.plugins.module_utils._clients import vcf_operations
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from conformance.comparison import Operation, differences, session

if TYPE_CHECKING:
    import requests

    from lab.client import Lab

PRODUCT = "vcf_operations"
HOURS = 3600


class OperationsSdk:
    """vcf-operations, whose session has the header of a token or none."""

    def __init__(self, http: requests.Session, details: Mapping[str, str]) -> None:
        self._http, self._details = http, details
        connector = get_requests_connector(http, msg_protocol="rest", url=f"{details['url']}/suite-api")
        self._config = StubConfiguration(connector)

    def sign(self, token: str | None, scheme: str = "OpsToken") -> None:
        """Authenticate all further requests, or none."""
        self._http.headers.pop("Authorization", None)
        if token:
            self._http.headers["Authorization"] = f"{scheme} {token}"

    def acquire(self, **others: str) -> Any:
        """Return a token for the user of the lab, or for other credentials."""
        user = {name: self._details[name] for name in ("username", "password")}
        return Acquire(self._config).acquire_token(UsernamePassword(**{**user, **others}))

    def acquire_for_directory(self) -> Any:
        """Return a token for the user of the directory."""
        details = self._details
        return self.acquire(
            username=details["directory_username"],
            password=details["directory_password"],
            auth_source=details["directory"],
        )

    def release(self) -> None:
        """Release the token of the session."""
        Release(self._config).release_token()

    def user(self) -> Any:
        """Return the user of the token."""
        return Currentuser(self._config).get_current_user()

    def version(self) -> Any:
        """Return the version."""
        return Current(self._config).get_current_version_of_server()


@pytest.fixture
def sdk(lab: Lab, http: requests.Session) -> OperationsSdk:
    """The vendor's client, without a token."""
    return OperationsSdk(http, lab[PRODUCT])


def status_of(lab: Lab) -> int | None:
    return lab.requests(PRODUCT)[-1].status


def test_acquired_token_reads_the_user_and_the_version(lab: Lab, sdk: OperationsSdk) -> None:
    acquired = sdk.acquire()
    assert len(acquired.token.split("::")) == 2
    assert acquired.validity / 1000 == pytest.approx(time.time() + 6 * HOURS, abs=60)
    assert acquired.expires_at.endswith(" UTC")
    assert acquired.roles == []
    sdk.sign(acquired.token)
    assert (sdk.user().username, sdk.user().enabled) == (lab[PRODUCT]["username"], True)
    assert (sdk.version().major, sdk.version().minor) == (9, 1)


def test_user_of_a_directory_names_its_source(lab: Lab, sdk: OperationsSdk) -> None:
    sdk.sign(sdk.acquire_for_directory().token)
    assert sdk.user().username == lab[PRODUCT]["directory_username"]


def test_released_token_is_refused_and_a_second_release_is_a_401(lab: Lab, sdk: OperationsSdk) -> None:
    sdk.sign(sdk.acquire().token)
    sdk.release()
    assert status_of(lab) == 200
    for call in (sdk.user, sdk.version, sdk.release):
        with pytest.raises(UnresolvedError):
            call()
        assert status_of(lab) == 401


def test_acquisition_over_a_signed_session_is_ignored_on_premises_and_refused_by_the_service(
    lab: Lab, sdk: OperationsSdk
) -> None:
    sdk.sign(sdk.acquire().token)
    assert sdk.acquire().token
    lab.change_settings(PRODUCT, refuses_signed_acquisitions=True)
    with pytest.raises(UnresolvedError):
        sdk.acquire()
    assert status_of(lab) == 401
    sdk.sign(None)
    assert sdk.acquire().token


@pytest.mark.parametrize("call", [OperationsSdk.user, OperationsSdk.version])
def test_each_call_extends_the_token_to_six_hours(lab: Lab, sdk: OperationsSdk, call: Any) -> None:
    sdk.sign(sdk.acquire().token)
    for hours in (5, 10, 15):
        lab.change_settings(PRODUCT, clock_offset=hours * HOURS)
        call(sdk)
    lab.change_settings(PRODUCT, clock_offset=21 * HOURS + 60)
    with pytest.raises(UnresolvedError):
        call(sdk)
    assert status_of(lab) == 401


def test_release_8_accepts_its_own_scheme_only_and_release_9_both(lab: Lab, sdk: OperationsSdk) -> None:
    token = sdk.acquire().token
    for scheme in ("OpsToken", "vRealizeOpsToken"):
        sdk.sign(token, scheme)
        assert sdk.user().username
    lab.change_settings(PRODUCT, release=8)
    assert sdk.user().username
    sdk.sign(token)
    with pytest.raises(UnresolvedError):
        sdk.user()
    assert status_of(lab) == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"password": "wrong"}, 401),
        ({"username": "nobody"}, 401),
        ({"auth_source": "Another directory"}, 401),
        ({"password": ""}, 422),
    ],
)
def test_refused_acquisition_is_an_error_without_a_class_in_the_client(
    lab: Lab, sdk: OperationsSdk, change: dict[str, str], status: int
) -> None:
    with pytest.raises(UnresolvedError):
        sdk.acquire(**change)
    assert status_of(lab) == status


@pytest.mark.parametrize("status", [401, 403, 422, 429, 503])
def test_documented_status_is_an_error_in_the_client(lab: Lab, sdk: OperationsSdk, status: int) -> None:
    lab.fault(PRODUCT, "status", status=status, body={"message": "Refused.", "httpStatusCode": status})
    with pytest.raises(VapiError):
        sdk.acquire()
    assert status_of(lab) == status


# --- Without a client ---------------------------------------------------------------------------------------------


class Api:
    """The API without a client."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.details, self.http = lab[PRODUCT], http
        self.base = f"{self.details['url']}/suite-api/api"

    def acquire(self, body: Any = None, **headers: str) -> requests.Response:
        user = {name: self.details[name] for name in ("username", "password")}
        return self.http.post(f"{self.base}/auth/token/acquire", json=user if body is None else body, headers=headers)

    def user(self, authorization: str = "", **headers: str) -> requests.Response:
        signed = {"Authorization": authorization} if authorization else {}
        return self.http.get(f"{self.base}/auth/currentuser", headers={**signed, **headers})


@pytest.fixture
def api(lab: Lab, http: requests.Session) -> Api:
    return Api(lab, http)


def fields_of_error() -> set[str]:
    """The fields of an error in the vendor's client."""
    names: Any = Error.get_binding_type().get_field_names()
    return set(names)


@pytest.mark.parametrize("scheme", ["OpsToken", "vRealizeOpsToken"])
def test_invalid_token_is_the_documented_error_with_the_scheme_that_was_sent(api: Api, scheme: str) -> None:
    response = api.user(f"{scheme} unknown::token")
    assert (response.status_code, response.json()["apiErrorCode"]) == (401, 1512)
    assert f'auth scheme "{scheme}" is either invalid or has expired' in response.json()["message"]
    assert set(response.json()) <= fields_of_error()


@pytest.mark.parametrize("authorization", ["", "Basic YTpi", "Bearer token"])
def test_request_without_a_supported_scheme_is_a_401(api: Api, authorization: str) -> None:
    assert api.user(authorization).status_code == 401


@pytest.mark.parametrize(
    ("body", "invalid"), [({}, ["username", "password"]), ({"username": "admin", "password": 7}, ["password"])]
)
def test_invalid_body_is_a_422_that_names_the_fields(api: Api, body: dict[str, Any], invalid: list[str]) -> None:
    response = api.acquire(body)
    assert response.status_code == 422
    assert [failure["violationPath"] for failure in response.json()["validationFailures"]] == invalid
    assert set(response.json()) <= fields_of_error()


def test_user_without_the_privilege_is_a_403(lab: Lab, api: Api) -> None:
    token = api.acquire().json()["token"]
    lab.change_settings(PRODUCT, forbidden=True)
    assert api.user(f"OpsToken {token}").status_code == 403


def test_older_release_returns_xml_unless_the_request_accepts_json(lab: Lab, api: Api) -> None:
    lab.change_settings(PRODUCT, without_accept="xml")
    assert api.acquire(Accept="*/*").headers["Content-Type"].startswith("application/xml")
    assert api.acquire(Accept="application/json").json()["token"]


@pytest.mark.parametrize("validity", ["absent", "past", "far"])
def test_odd_validity_does_not_change_the_lifetime(lab: Lab, api: Api, validity: str) -> None:
    lab.change_settings(PRODUCT, validity=validity)
    acquired = api.acquire().json()
    assert ("validity" in acquired) == (validity != "absent")
    assert api.user(f"OpsToken {acquired['token']}").status_code == 200


def test_server_that_extends_no_token_ends_it_six_hours_after_the_acquisition(lab: Lab, api: Api) -> None:
    lab.change_settings(PRODUCT, extends=False)
    token = api.acquire().json()["token"]
    statuses = []
    for hours in (4, 7):
        lab.change_settings(PRODUCT, clock_offset=hours * HOURS)
        statuses.append(api.user(f"OpsToken {token}").status_code)
    assert statuses == [200, 401]


def test_every_secret_of_the_lab_is_known_and_counted(lab: Lab, api: Api) -> None:
    token = api.acquire().json()["token"]
    known = {secret["value"] for secret in lab.secrets()}
    assert {token, lab[PRODUCT]["password"], lab[PRODUCT]["directory_password"]} <= known
    counts = lab.counts(PRODUCT)
    assert (counts["acquisitions"], counts["releases"], counts["tokens_valid"]) == (1, 0, 1)


# --- Our requests compared with the vendor's ----------------------------------------------------------------------


class OperationsClients:
    """Both clients of VCF Operations, with one token."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self._details = lab[PRODUCT]
        self.sdk = OperationsSdk(http, self._details)
        self.ours = vcf_operations.VcfOperationsClient(session(lab, PRODUCT, vcf_operations))
        self.token = Secret(self.sdk.acquire().token)

    def signed(self) -> OperationsSdk:
        """Return the vendor's client with the token."""
        self.sdk.sign(self.token.reveal())
        return self.sdk

    def our_acquisition(self, kind: str = "", auth_source: str | None = None) -> None:
        """Acquire a token with our client."""
        details = self._details
        self.ours.acquire_token(details[f"{kind}username"], Secret(details[f"{kind}password"]), auth_source)


REQUESTS = {
    "acquisition": Operation(lambda it: it.sdk.acquire(), lambda it: it.our_acquisition()),
    "acquisition of a directory user": Operation(
        lambda it: it.sdk.acquire_for_directory(), lambda it: it.our_acquisition("directory_", "Corporate directory")
    ),
    # The second one is refused, which does not change the request.
    "release": Operation(lambda it: it.signed().release(), lambda it: it.ours.release_token(it.token)),
    "current user": Operation(lambda it: it.signed().user(), lambda it: it.ours.is_accepted(it.token)),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_our_request_is_the_same_as_that_of_the_vendors_client(lab: Lab, http: requests.Session, name: str) -> None:
    assert differences(lab, PRODUCT, REQUESTS[name], OperationsClients(lab, http)) == {}
