# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions and the token exchange of the lab's vCenter work with vmware-vcenter.

Every error of a creation is Unauthenticated for this client, so the tests compare the status and `error_type`, too. It
does not compress an assertion: the tests sign in with one that they compress as public scripts do. It has neither the
API below /rest nor a limit of sessions.
"""

# Requires vmware-vcenter==9.1.1.0

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests
from com.vmware.cis_client import Session
from com.vmware.vcenter.authentication_client import Token
from vmware.vapi.bindings.error import VapiError
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.client.security_context_filter import LegacySecurityContextFilter
from vmware.vapi.security.http_authorization import create_http_authorization_security_context
from vmware.vapi.security.oauth import create_oauth_security_context
from vmware.vapi.security.user_password import create_user_password_security_context

from ansible_collections.sddc.tokens.plugins.module_utils._clients import vcenter
from ansible_collections.sddc.tokens.plugins.module_utils._clients.vcenter_session import HEADER, VcenterSessionClient
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from conformance.comparison import Deliberate, Operation, assert_told_once, differences, meant, session

if TYPE_CHECKING:
    from lab.client import Lab

SAML = "urn:ietf:params:oauth:token-type:saml2"


def service(http: requests.Session, url: str, kind: type, context: Any = None) -> Any:
    """A service of the SDK, signed with a security context or with the headers of the session."""
    filters = [LegacySecurityContextFilter(security_context=context)] if context else []
    connector = get_requests_connector(http, msg_protocol="rest", url=f"{url}/api", provider_filter_chain=filters)
    made = kind(StubConfiguration(connector))
    provider = connector.get_api_provider()
    while hasattr(provider, "get_api_provider"):
        provider = provider.get_api_provider()
    provider.set_rest_format(False)
    return made


@dataclass
class Sdk:
    """The vendor's client of vCenter. A session of it sends the session id in a header."""

    lab: Lab
    made: list[requests.Session] = field(default_factory=list)

    def sessions(self, context: Any = None, session_id: str = "") -> Any:
        """The operations of sessions."""
        http = self._http()
        if session_id:
            http.headers[HEADER] = session_id
        return service(http, self.lab["vcenter"]["url"], Session, context)

    def by_password(self, password: str = "") -> Any:
        """The same for a user with a password."""
        details = self.lab["vcenter"]
        return self.sessions(
            create_user_password_security_context(details["username"], password or details["password"])
        )

    def by_assertion(self, assertion: str) -> Any:
        """The same for an assertion, which is base64 of its XML."""
        compressed = base64.b64encode(gzip.compress(base64.b64decode(assertion), mtime=0)).decode()
        return self.sessions(create_http_authorization_security_context(f'token="{compressed}"', "SIGN"))

    def exchange(self, access_token: str, **fields: str) -> Any:
        """Exchange an access token for an assertion."""
        spec = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": access_token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "requested_token_type": SAML,
            **fields,
        }
        context = create_oauth_security_context(access_token)
        return service(self._http(), self.lab["vcenter"]["url"], Token, context).issue(Token.IssueSpec(**spec))

    def _http(self) -> requests.Session:
        http = requests.Session()
        http.trust_env, http.verify = False, self.lab.ca_path
        self.made.append(http)
        return http


@pytest.fixture
def sdk(lab: Lab) -> Iterator[Sdk]:
    found = Sdk(lab)
    yield found
    for http in found.made:
        http.close()


def refused(lab: Lab, call: Any) -> tuple[int | None, str]:
    """The status and type of the error that a call leads to."""
    with pytest.raises(VapiError) as caught:
        call()
    return lab.requests("vcenter")[-1].status, str(caught.value.error_type)


# --- Success -------------------------------------------------------------------------------------------------------


def test_a_session_is_created_read_and_ended(lab: Lab, sdk: Sdk) -> None:
    session_id = sdk.by_password().create()
    own = sdk.sessions(session_id=session_id)
    info = own.get()
    assert info.user == lab["vcenter"]["username"]
    assert info.created_time <= info.last_accessed_time
    assert own.delete() is None
    assert [request.status for request in lab.requests("vcenter")] == [201, 200, 204]
    assert lab.counts("vcenter")["tokens_valid"] == 0


def test_an_access_token_is_exchanged_for_an_assertion_that_opens_a_session(lab: Lab, sdk: Sdk) -> None:
    issued = sdk.exchange(lab["vcenter"]["access_token"])
    assert (issued.issued_token_type, issued.expires_in) == (SAML, 299)
    session_id = sdk.by_assertion(issued.access_token).create()
    assert sdk.sessions(session_id=session_id).get().user == "operator@example.com"


# --- Errors --------------------------------------------------------------------------------------------------------


def test_a_wrong_password_and_a_wrong_assertion_are_a_401(lab: Lab, sdk: Sdk) -> None:
    wrong = base64.b64encode(b"<saml2:Assertion/>").decode()
    assert refused(lab, sdk.by_password("wrong").create) == (401, "UNAUTHENTICATED")
    assert refused(lab, sdk.by_assertion(wrong).create) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("operation", ["get", "delete"])
def test_a_session_that_has_ended_is_a_401(lab: Lab, sdk: Sdk, operation: str) -> None:
    session_id = sdk.by_password().create()
    lab.expire_tokens("vcenter", tokens=[session_id])
    assert refused(lab, getattr(sdk.sessions(session_id=session_id), operation)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("operation", ["create", "get", "delete"])
def test_an_unavailable_service_is_a_503(lab: Lab, sdk: Sdk, operation: str) -> None:
    own = sdk.by_password() if operation == "create" else sdk.sessions(session_id=sdk.by_password().create())
    message = {"id": "com.example.refused", "default_message": "Refused.", "args": []}
    body = {"error_type": "SERVICE_UNAVAILABLE", "messages": [message]}
    lab.fault("vcenter", "status", status=503, body=body)
    assert refused(lab, getattr(own, operation)) == (503, "SERVICE_UNAVAILABLE")


def test_a_token_of_another_caller_cannot_be_exchanged(lab: Lab, sdk: Sdk) -> None:
    with pytest.raises(VapiError):
        sdk.exchange(lab["vcenter"]["access_token"], subject_token="another")
    assert lab.requests("vcenter")[-1].status == 400


# --- Our requests compared with the vendor's ------------------------------------------------------------------------


@dataclass
class Clients:
    """Both clients of vCenter, with a session to read or end, and an assertion as base64 of its XML."""

    lab: Lab
    sdk: Sdk
    session_id: str = ""
    assertion: str = ""

    @property
    def ours(self) -> VcenterSessionClient:
        """Our client."""
        return VcenterSessionClient(session(self.lab, "vcenter", vcenter))

    @property
    def theirs(self) -> Any:
        """The vendor's client, signed with the session."""
        return self.sdk.sessions(session_id=self.session_id)

    def create_with_ours(self) -> None:
        """Sign in with our client."""
        details = self.lab["vcenter"]
        self.ours.create_session(details["username"], Secret(details["password"]))

    def open(self) -> None:
        """Open another session."""
        self.session_id = self.sdk.by_password().create()

    def issue(self) -> None:
        """Get an assertion."""
        self.assertion = self.sdk.exchange(self.lab["vcenter"]["access_token"]).access_token

    def create_by_assertion_with_ours(self) -> None:
        """Sign in with the assertion and our client."""
        self.ours.create_session_by_assertion(Secret(base64.b64decode(self.assertion).decode()))


OPERATIONS = {
    "create": Operation(lambda it: it.sdk.by_password().create(), lambda it: it.create_with_ours()),
    "create by assertion": Operation(
        lambda it: it.sdk.by_assertion(it.assertion).create(), lambda it: it.create_by_assertion_with_ours()
    ),
    "exchange": Operation(
        lambda it: it.issue(), lambda it: it.ours.issue_assertion(Secret(it.lab["vcenter"]["access_token"]))
    ),
    "get": Operation(lambda it: it.theirs.get(), lambda it: it.ours.is_accepted(Secret(it.session_id)), Clients.open),
    "delete": Operation(
        lambda it: it.theirs.delete(), lambda it: it.ours.delete_session(Secret(it.session_id)), Clients.open
    ),
}
FORM = "The page documents a form. The lab accepts both."


def deliberate(lab: Lab) -> tuple[Deliberate, ...]:
    """The intended differences. The body of the exchange holds the access token of the lab."""
    fields = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "requested_token_type": SAML,
        "subject_token": lab["vcenter"]["access_token"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    bodies = json.dumps(fields), json.dumps(sorted([name, value] for name, value in fields.items()))
    types = "application/json", "application/x-www-form-urlencoded"
    return (
        Deliberate(("exchange",), "body", *bodies, FORM),
        Deliberate(("exchange",), "header content-type", *types, FORM),
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_our_request_differs_from_that_of_the_vendors_client_only_as_intended(lab: Lab, sdk: Sdk, name: str) -> None:
    clients = Clients(lab, sdk)
    clients.issue()
    assert differences(lab, "vcenter", OPERATIONS[name], clients) == meant(deliberate(lab), name)


def test_each_intended_difference_is_told_once(lab: Lab) -> None:
    assert_told_once(deliberate(lab), OPERATIONS)
