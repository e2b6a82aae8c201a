# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's vRNI behaves as documented, with vcf-operations-networks and our client.

The client has one class for every documented error, a 401 included. It passes an expiry through, and so cannot confirm
its unit: its text says seconds, like the vendor's page, whose examples are milliseconds. Its text also gives the limit
of 100 valid tokens, which only the lab enforces. It cannot confirm the lifetime of a token, whether a real 401 has a
body, the values in an error, 429 and 503, for which it has no class, nor how a user gets a vIDM token.
"""

# Requires vcf-operations-networks==9.1.1.0

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from vcf.operations_networks.auth.token_client import Vidm
from vcf.operations_networks.auth.vidm_client import ClientId
from vcf.operations_networks.auth_client import Token
from vcf.operations_networks.info_client import Version
from vcf.operations_networks.model_client import ApiError, Domain, UserCredential, VidmToken
from vmware.vapi.bindings.error import UnresolvedError
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.exception import HttpProtocolException
from vmware.vapi.lib.connect import get_requests_connector

from ansible_collections.sddc.tokens.plugins.module_utils._clients import vrni
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from conformance.comparison import Operation, differences, session

if TYPE_CHECKING:
    import requests

    from lab.client import Lab

PRODUCT = "vrni"
HOURS = 3600


class NetworksSdk:
    """vcf-operations-networks, whose session has the header of a token or none."""

    def __init__(self, http: requests.Session, details: Mapping[str, str]) -> None:
        self._http, self._details = http, details
        connector = get_requests_connector(http, msg_protocol="rest", url=f"{details['url']}/api/ni")
        self._config = StubConfiguration(connector)

    def sign(self, token: str) -> None:
        """Authenticate all further requests."""
        self._http.headers["Authorization"] = f"NetworkInsight {token}"

    def create(self, domain: Domain | None = None, **others: str) -> Any:
        """Return a token for the local user of the lab, or for other credentials."""
        user = {name: self._details[name] for name in ("username", "password")}
        credential = UserCredential(**{**user, **others}, domain=domain or Domain(Domain.DOMAIN_TYPE_LOCAL))
        return Token(self._config).create(credential)

    def create_for_ldap(self, **others: str) -> Any:
        """Return a token for the LDAP user."""
        details = self._details
        user = {"username": details["ldap_username"], "password": details["ldap_password"]}
        return self.create(Domain(Domain.DOMAIN_TYPE_LDAP, details["ldap_domain"]), **{**user, **others})

    def create_for_vidm(self, vidm_token: str = "") -> Any:
        """Return a token for a vIDM token."""
        return Vidm(self._config).create_vidm_user_token(VidmToken(vidm_token or self._details["vidm_token"]))

    def vidm_client(self) -> Any:
        """Return the vIDM appliance and its OAuth client."""
        return ClientId(self._config).get_vidm_oauth_clien_id()

    def version(self) -> Any:
        """Return the version."""
        return Version(self._config).get_version()

    def delete(self) -> None:
        """Delete the token of the session."""
        Token(self._config).delete()


Call = Callable[[NetworksSdk], Any]
CREATIONS: list[Call] = [NetworksSdk.create, NetworksSdk.create_for_ldap, NetworksSdk.create_for_vidm]
# The errors that the client's text documents, for each operation.
DOCUMENTED: dict[Call, tuple[int, ...]] = {
    NetworksSdk.create: (400, 401, 500),
    NetworksSdk.create_for_vidm: (400, 401, 404, 412, 500),
    NetworksSdk.vidm_client: (403, 500),
    NetworksSdk.delete: (401, 500),
    NetworksSdk.version: (401,),
}


@pytest.fixture
def sdk(lab: Lab, http: requests.Session) -> NetworksSdk:
    """The vendor's client, without a token."""
    return NetworksSdk(http, lab[PRODUCT])


def refused(lab: Lab, sdk: NetworksSdk, call: Call) -> tuple[int | None, Any]:
    """Return the status and the error of a call that is refused as documented."""
    with pytest.raises(ApiError) as caught:
        call(sdk)
    return lab.requests(PRODUCT)[-1].status, caught.value


@pytest.mark.parametrize("create", CREATIONS)
def test_token_of_each_kind_of_user_reads_the_version_until_it_is_deleted(
    lab: Lab, sdk: NetworksSdk, create: Call
) -> None:
    sdk.sign(create(sdk).token)
    assert sdk.version().api_version == "1.2.0"
    assert sdk.version().version_string
    sdk.delete()
    assert lab.requests(PRODUCT)[-1].status == 204
    for call in (NetworksSdk.version, NetworksSdk.delete):
        assert refused(lab, sdk, call)[0] == 401


@pytest.mark.parametrize(("form", "unit"), [("s", 1), ("ms", 1000)])
def test_client_passes_an_expiry_through_in_either_unit(lab: Lab, sdk: NetworksSdk, form: str, unit: int) -> None:
    lab.change_settings(PRODUCT, expiry=form)
    assert sdk.create().expiry / unit == pytest.approx(time.time() + 5 * HOURS, abs=60)


def test_token_and_expiry_are_optional_in_the_client(lab: Lab, sdk: NetworksSdk) -> None:
    lab.change_settings(PRODUCT, expiry="absent", without_token=True)
    created = sdk.create()
    assert (created.token, created.expiry) == (None, None)


def test_vidm_client_is_read_without_a_token(sdk: NetworksSdk) -> None:
    client = sdk.vidm_client()
    assert client.vidm_appliance
    assert client.client_id.startswith("vrni-")


@pytest.mark.parametrize(
    ("call", "status", "invalid"),
    [
        (lambda sdk: sdk.create(password="wrong"), 401, []),
        (lambda sdk: sdk.create_for_ldap(password="wrong"), 401, []),
        (lambda sdk: sdk.create(Domain("LDAP", "other.example.com")), 401, []),
        (lambda sdk: sdk.create(Domain("LDAP")), 400, ["domain.value"]),
        (lambda sdk: sdk.create(Domain("local")), 400, ["domain.domain_type"]),
        (lambda sdk: sdk.create(username="", password=""), 400, ["username", "password"]),
        (lambda sdk: sdk.create_for_vidm("unknown"), 401, []),
        (NetworksSdk.version, 401, []),
        (NetworksSdk.delete, 401, []),
    ],
)
def test_refusal_is_an_api_error_that_names_the_invalid_fields(
    lab: Lab, sdk: NetworksSdk, call: Call, status: int, invalid: list[str]
) -> None:
    answered, problem = refused(lab, sdk, call)
    assert (answered, problem.code) == (status, status)
    assert problem.message
    assert [name for detail in problem.details for name in detail.target] == invalid


def test_refusal_beyond_100_valid_tokens_is_that_of_a_wrong_password(lab: Lab, sdk: NetworksSdk) -> None:
    lab.change_settings(PRODUCT, token_limit=1)
    wrong = refused(lab, sdk, lambda sdk: sdk.create(password="wrong"))
    sdk.create()
    beyond = refused(lab, sdk, NetworksSdk.create)
    assert [(status, problem.code, problem.message) for status, problem in (wrong, beyond)] == [
        (401, 401, wrong[1].message)
    ] * 2


@pytest.mark.parametrize(
    ("vidm", "call", "status"),
    [
        ("not_configured", NetworksSdk.vidm_client, 403),
        ("not_configured", NetworksSdk.create_for_vidm, 404),
        ("no_role", NetworksSdk.create_for_vidm, 412),
    ],
)
def test_vidm_that_is_not_ready_is_an_api_error(lab: Lab, sdk: NetworksSdk, vidm: str, call: Call, status: int) -> None:
    lab.change_settings(PRODUCT, vidm=vidm)
    answered, problem = refused(lab, sdk, call)
    assert (answered, problem.code) == (status, status)


@pytest.mark.parametrize("call", [NetworksSdk.create, NetworksSdk.create_for_vidm, NetworksSdk.version])
def test_401_without_a_body_is_the_same_error_with_no_fields(lab: Lab, sdk: NetworksSdk, call: Call) -> None:
    lab.change_settings(PRODUCT, unauthorized="empty", token_limit=1)
    sdk.create()
    sdk.create_for_vidm()
    status, problem = refused(lab, sdk, call)
    assert status == 401
    assert (problem.code, problem.message, problem.details) == (None, None, None)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 429, 500, 503])
@pytest.mark.parametrize("call", DOCUMENTED)
def test_client_has_a_class_for_the_documented_statuses_only(
    lab: Lab, sdk: NetworksSdk, call: Call, status: int
) -> None:
    lab.fault(PRODUCT, "status", status=status, body={"code": 7, "message": "Refused."})
    if status in DOCUMENTED[call]:
        answered, problem = refused(lab, sdk, call)
        assert (answered, problem.code, problem.message) == (status, 7, "Refused.")
    else:
        with pytest.raises(UnresolvedError):
            call(sdk)
        assert lab.requests(PRODUCT)[-1].status == status


@pytest.mark.parametrize("status", [401, 503])
def test_page_of_a_proxy_is_no_api_error_whatever_its_status(lab: Lab, sdk: NetworksSdk, status: int) -> None:
    lab.fault(PRODUCT, "html", status=status)
    with pytest.raises(HttpProtocolException, match=str(status)):
        sdk.create()


# --- Our requests compared with the vendor's ----------------------------------------------------------------------


class NetworksClients:
    """Both clients of vRNI, with one token."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self._details = lab[PRODUCT]
        self.sdk = NetworksSdk(http, self._details)
        self.ours = vrni.VrniClient(session(lab, PRODUCT, vrni))
        self.token = Secret(self.sdk.create().token)
        self.vidm_token = Secret(self._details["vidm_token"])

    def signed(self) -> NetworksSdk:
        """Return the vendor's client with the token."""
        self.sdk.sign(self.token.reveal())
        return self.sdk

    def our_creation(self, kind: str = "") -> None:
        """Create a token with our client."""
        details = self._details
        domain = ("LDAP", details["ldap_domain"]) if kind else ("LOCAL",)
        self.ours.create_auth_token(details[f"{kind}username"], Secret(details[f"{kind}password"]), *domain)


REQUESTS = {
    "creation": Operation(lambda it: it.sdk.create(), lambda it: it.our_creation()),
    "creation for an LDAP user": Operation(lambda it: it.sdk.create_for_ldap(), lambda it: it.our_creation("ldap_")),
    "creation for a vIDM user": Operation(
        lambda it: it.sdk.create_for_vidm(), lambda it: it.ours.create_vidm_user_token(it.vidm_token)
    ),
    "vIDM client": Operation(lambda it: it.sdk.vidm_client(), lambda it: it.ours.get_vidm_client()),
    "version": Operation(lambda it: it.signed().version(), lambda it: it.ours.is_accepted(it.token)),
    # The second one is refused, which does not change the request.
    "deletion": Operation(lambda it: it.signed().delete(), lambda it: it.ours.delete_auth_token(it.token)),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_our_request_is_the_same_as_that_of_the_vendors_client(lab: Lab, http: requests.Session, name: str) -> None:
    assert differences(lab, PRODUCT, REQUESTS[name], NetworksClients(lab, http)) == {}
