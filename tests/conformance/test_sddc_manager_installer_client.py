# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's VCF Installer behaves as documented, with vcf-installer and our client of SDDC Manager.

The client has the token operations of SDDC Manager, with a class for the errors 400 and 500 of a creation, and 400, 404
and 500 of a refresh. It has no class for a 401 or for any error of a revocation, and no status in the exception. It
cannot confirm lifetimes, whether an access token is valid after its refresh token, or the status of an unknown path.
"""

# Requires vcf-installer==9.1.1.0

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from vmware.vapi.bindings.error import UnresolvedError
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.oauth import create_oauth_security_context
from vmware.vcf_installer import v1_client
from vmware.vcf_installer.model_client import Error, TokenCreationSpec
from vmware.vcf_installer.v1.tokens.access_token_client import Refresh
from vmware.vcf_installer.v1.tokens_client import RefreshToken

from ansible_collections.sddc.tokens.plugins.module_utils._clients import sddc_manager
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from conformance.comparison import Deliberate, Operation, assert_told_once, differences, meant, session

if TYPE_CHECKING:
    import requests

    from lab.client import Lab

PRODUCT = "sddc_manager"
UNKNOWN = "3c6b3c30-3bf2-480b-9539-8483699ab911"


class InstallerSdk:
    """vcf-installer, with a token or without one. The token operations require none."""

    def __init__(self, http: requests.Session, details: Mapping[str, str]) -> None:
        self._http, self._details = http, details
        self._connector = get_requests_connector(http, msg_protocol="rest", url=details["url"])

    def with_token(self, access_token: str) -> InstallerSdk:
        """Return another client that authenticates with an access token."""
        other = InstallerSdk(self._http, self._details)
        other._connector.set_security_context(create_oauth_security_context(access_token))
        return other

    def create(self, **others: str) -> Any:
        """Return a token pair for the user of the lab, or for other credentials."""
        user = {name: self._details[name] for name in ("username", "password")}
        return self._stub(v1_client.Tokens).create_token(TokenCreationSpec(**{**user, **others}))

    def refresh(self, refresh_token: str) -> Any:
        """Return a new access token."""
        return self._stub(Refresh).refresh_access_token(refresh_token)

    def invalidate(self, refresh_token: str) -> Any:
        """Revoke a refresh token."""
        return self._stub(RefreshToken).invalidate_refresh_token(refresh_token)

    def installations(self) -> Any:
        """Return the page of installations."""
        return self._stub(v1_client.Sddcs).get_sddc_tasks()

    def _stub(self, service: type) -> Any:
        return service(StubConfiguration(self._connector))


@pytest.fixture
def sdk(lab: Lab, http: requests.Session) -> InstallerSdk:
    """The vendor's client of a VCF Installer, not signed in."""
    lab.change_settings(PRODUCT, is_installer=True)
    return InstallerSdk(http, lab[PRODUCT])


def status_of(lab: Lab) -> int | None:
    return lab.requests(PRODUCT)[-1].status


@pytest.mark.parametrize("status", [200, 201])
def test_token_pair_is_created_and_its_access_token_reads_the_installations(
    lab: Lab, sdk: InstallerSdk, status: int
) -> None:
    lab.change_settings(PRODUCT, create_status=status)
    pair = sdk.create()
    assert status_of(lab) == status
    assert pair.refresh_token.id
    page = sdk.with_token(pair.access_token).installations()
    assert [task.status for task in page.elements] == ["COMPLETED_WITH_SUCCESS"]
    assert page.page_metadata.total_elements == 1


def test_refresh_token_returns_a_new_access_token_each_time(sdk: InstallerSdk) -> None:
    pair = sdk.create()
    tokens = {pair.access_token, *(sdk.refresh(pair.refresh_token.id) for _time in range(2))}
    assert len(tokens) == 3
    assert all(sdk.with_token(token).installations().elements for token in tokens)


def test_revoked_refresh_token_is_refused(lab: Lab, sdk: InstallerSdk) -> None:
    refresh_token = sdk.create().refresh_token.id
    assert sdk.invalidate(refresh_token) is None
    assert status_of(lab) == 204
    with pytest.raises(Error):
        sdk.refresh(refresh_token)


@pytest.mark.parametrize("status", [400, 404])
def test_refused_refresh_token_is_an_api_error_of_a_refresh_and_unknown_at_a_revocation(
    lab: Lab, sdk: InstallerSdk, status: int
) -> None:
    lab.change_settings(PRODUCT, refused_status=status)
    with pytest.raises(Error) as caught:
        sdk.refresh(UNKNOWN)
    problem: Any = caught.value
    assert status_of(lab) == status
    assert problem.error_code == "REFRESH_TOKEN_NOT_FOUND"
    assert problem.message
    assert problem.reference_token
    with pytest.raises(UnresolvedError):
        sdk.invalidate(UNKNOWN)
    assert status_of(lab) == status


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (InstallerSdk.create, 400),
        (InstallerSdk.create, 500),
        (lambda sdk: sdk.refresh(UNKNOWN), 500),
        (InstallerSdk.installations, 500),
    ],
)
def test_every_other_documented_error_is_read(lab: Lab, sdk: InstallerSdk, call: Any, status: int) -> None:
    lab.fault(PRODUCT, "status", status=status, body={"errorCode": "SOME_CODE", "message": "Refused."})
    with pytest.raises(Error) as caught:
        call(sdk)
    assert caught.value.error_code == "SOME_CODE"
    assert status_of(lab) == status


def test_wrong_password_and_expired_access_token_are_errors_without_a_class(lab: Lab, sdk: InstallerSdk) -> None:
    with pytest.raises(UnresolvedError):
        sdk.create(password="wrong")
    assert status_of(lab) == 401
    access_token = sdk.create().access_token
    lab.expire_tokens(PRODUCT, tokens=[access_token])
    with pytest.raises(UnresolvedError):
        sdk.with_token(access_token).installations()
    assert status_of(lab) == 401


def test_client_has_no_list_of_managers_and_the_lab_lists_what_the_appliance_has(
    lab: Lab, sdk: InstallerSdk, http: requests.Session
) -> None:
    assert not hasattr(v1_client, "SddcManagers")
    http.headers["Authorization"] = f"Bearer {sdk.create().access_token}"
    for is_installer, expected in ((True, [404, 200]), (False, [200, 404])):
        lab.change_settings(PRODUCT, is_installer=is_installer)
        urls = [f"{lab[PRODUCT]['url']}/v1/{name}" for name in ("sddc-managers", "sddcs")]
        assert [http.get(url).status_code for url in urls] == expected


# --- Our requests compared with the vendor's ----------------------------------------------------------------------


class InstallerClients:
    """Both clients of the VCF Installer, with a token pair that the vendor's client has created."""

    def __init__(self, lab: Lab, sdk: InstallerSdk) -> None:
        self._details = lab[PRODUCT]
        self._pair = sdk.create()
        self.theirs = sdk
        self.ours = sddc_manager.SddcManagerClient(session(lab, PRODUCT, sddc_manager))
        self.refresh_token = self._pair.refresh_token.id

    def our_creation(self) -> None:
        """Create a pair with our client."""
        self.ours.create_token(self._details["username"], Secret(self._details["password"]))

    def their_reading(self) -> None:
        """Read the installations with the vendor's client."""
        self.theirs.with_token(self._pair.access_token).installations()

    def our_reading(self) -> None:
        """Verify a token with our client."""
        assert self.ours.is_accepted(Secret(self._pair.access_token))


REQUESTS = {
    "token pair": Operation(lambda it: it.theirs.create(), lambda it: it.our_creation()),
    "refresh": Operation(
        lambda it: it.theirs.refresh(it.refresh_token),
        lambda it: it.ours.refresh_access_token(Secret(it.refresh_token)),
    ),
    "revocation": Operation(
        lambda it: it.theirs.invalidate(it.refresh_token),
        lambda it: it.ours.invalidate_refresh_token(Secret(it.refresh_token)),
    ),
    "verification": Operation(lambda it: it.their_reading(), lambda it: it.our_reading()),
}
DELIBERATE = (
    Deliberate(
        ("verification",),
        "requests",
        "GET /v1/sddcs",
        "GET /v1/sddc-managers, GET /v1/sddcs",
        "A host name does not tell the appliance. SDDC Manager, which most tokens are for, is tried first.",
    ),
)


@pytest.mark.parametrize("name", REQUESTS)
def test_our_request_is_the_same_as_that_of_the_vendors_client(lab: Lab, sdk: InstallerSdk, name: str) -> None:
    assert differences(lab, PRODUCT, REQUESTS[name], InstallerClients(lab, sdk)) == meant(DELIBERATE, name)


def test_deliberate_differences_are_told_once() -> None:
    assert_told_once(DELIBERATE, REQUESTS)


def test_our_last_request_of_a_verification_is_that_of_the_vendors_client(lab: Lab, sdk: InstallerSdk) -> None:
    clients = InstallerClients(lab, sdk)
    sent = []
    for read in (clients.their_reading, clients.our_reading):
        read()
        last = lab.requests(PRODUCT)[-1]
        names = ("Authorization", "Accept", "Content-Type")
        sent.append((last.method, last.path, last.query, last.body, [last.header(name) for name in names]))
    assert sent[0] == sent[1]
