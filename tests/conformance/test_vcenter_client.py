# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's vCenter works with vmware-vcenter.

The tests compare status and `error_type`, because the client uses the class Unauthenticated for every error of the
registration. It sends the filter of the probe in a body. No vendor has a Python client for the identity broker.
"""

# Requires vmware-vcenter==9.1.1.0

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from com.vmware.vcenter.authentication_client import Token
from com.vmware.vcenter_client import RegisteredTokens
from vmware.vapi.bindings.error import VapiError
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.oauth import create_oauth_security_context

from ansible_collections.sddc.tokens.plugins.module_utils._clients import vcenter
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from conformance.comparison import Operation, differences, session

if TYPE_CHECKING:
    from lab.client import Lab

API_TOKEN_GRANT = "urn:custom:vcf:params:oauth:grant-type:api-token"
Register = Callable[..., Any]


class VcenterSdk:
    """vmware-vcenter with the REST protocol, in the plain format of /api."""

    def __init__(self, http: requests.Session, url: str, access_token: str | None) -> None:
        self._connector = get_requests_connector(http, msg_protocol="rest", url=f"{url}/api")
        if access_token is not None:
            self._connector.set_security_context(create_oauth_security_context(access_token))

    def stub(self, service: type) -> Any:
        """Return a service of the SDK."""
        made = service(StubConfiguration(self._connector))
        provider = self._connector.get_api_provider()
        while hasattr(provider, "get_api_provider"):
            provider = provider.get_api_provider()
        provider.set_rest_format(False)
        return made


class Broker:
    """The tokens of the lab's identity broker, for which no vendor has a Python client."""

    def __init__(self, http: requests.Session, details: Mapping[str, str]) -> None:
        self._http, self._details = http, details
        self.issuer = f"{details['url']}/acs/t/{details['tenant']}"

    def overflow_token(self) -> str:
        """Return an overflow token."""
        return self._token({"grant_type": API_TOKEN_GRANT, "api_token": self._details["api_token"]})

    def plain_token(self) -> str:
        """Return a token that does not overflow."""
        client = (self._details["client_id"], self._details["client_secret"])
        return self._token({"grant_type": "client_credentials"}, auth=client)

    def expanded(self, token: str) -> str:
        """Return the expanded token of an overflow token."""
        headers = {"Authorization": f"Bearer {token}"}
        response = self._http.get(f"{self.issuer}/expand-access-token", params={"format": "jwt"}, headers=headers)
        response.raise_for_status()
        return response.text

    def _token(self, form: Mapping[str, str], **more: Any) -> str:
        response = self._http.post(f"{self.issuer}/token", data=form, **more)
        response.raise_for_status()
        return str(response.json()["access_token"])


@pytest.fixture
def broker(lab: Lab, http: requests.Session) -> Broker:
    """The identity broker's tokens."""
    return Broker(http, lab["vidb"])


@pytest.fixture
def register(lab: Lab, http: requests.Session) -> Register:
    """A function that registers an expanded token and returns the error, if any."""

    def register(token: str | None, expanded: str | None = None) -> VapiError | None:
        service = VcenterSdk(http, lab["vcenter"]["url"], token).stub(RegisteredTokens)
        try:
            service.create(RegisteredTokens.CreateSpec(expanded_access_token=expanded))
        except VapiError as caught:
            return caught
        return None

    return register


@pytest.fixture
def is_accepted(lab: Lab, http: requests.Session) -> Callable[[str], bool]:
    """A function that returns whether vCenter accepts a token. The vendor's client cannot show this."""
    url = f"{lab['vcenter']['url']}/api/vcenter/datacenter"
    return lambda token: http.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def kind_of(lab: Lab, problem: Any) -> tuple[int | None, str]:
    """Return status and type of an error, which has everything that the client requires."""
    assert problem.messages[0].id
    assert problem.messages[0].default_message
    return lab.requests("vcenter")[-1].status, str(problem.error_type)


# --- Success -------------------------------------------------------------------------------------------------------


def test_registration_makes_an_overflow_token_usable(
    lab: Lab, broker: Broker, register: Register, is_accepted: Callable[[str], bool]
) -> None:
    token = broker.overflow_token()
    assert not is_accepted(token)
    assert register(token, broker.expanded(token)) is None
    assert lab.requests("vcenter")[-1].status == 204
    assert is_accepted(token)


def test_registration_may_be_repeated(broker: Broker, register: Register) -> None:
    token = broker.overflow_token()
    expanded = broker.expanded(token)
    assert [register(token, expanded) for _time in range(2)] == [None, None]


def test_without_an_expanded_token_nothing_is_registered(
    lab: Lab, broker: Broker, register: Register, is_accepted: Callable[[str], bool]
) -> None:
    token = broker.overflow_token()
    assert register(token) is None
    last = lab.requests("vcenter")[-1]
    assert (last.status, json.loads(last.body)) == (204, {})
    assert not is_accepted(token)


# --- Errors --------------------------------------------------------------------------------------------------------


def test_invalid_expanded_token_is_a_400(lab: Lab, broker: Broker, register: Register) -> None:
    assert kind_of(lab, register(broker.overflow_token(), "nonsense")) == (400, "INVALID_ARGUMENT")


def test_expanded_token_of_another_user_is_a_400(lab: Lab, broker: Broker, register: Register) -> None:
    other = lab.act("vidb", "make_access_token", issuer=broker.issuer, claims={"sub": "other"})
    problem = register(broker.overflow_token(), broker.expanded(other))
    assert kind_of(lab, problem) == (400, "INVALID_ARGUMENT")


def test_token_that_does_not_overflow_is_a_400(lab: Lab, broker: Broker, register: Register) -> None:
    problem = register(broker.plain_token(), broker.expanded(broker.overflow_token()))
    assert kind_of(lab, problem) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("is_anonymous", [True, False])
def test_expired_or_missing_token_is_a_401_with_a_challenge(
    lab: Lab, broker: Broker, register: Register, is_anonymous: bool
) -> None:
    token = broker.overflow_token()
    expanded = broker.expanded(token)
    lab.expire_tokens("vidb", tokens=[token])
    problem = register(None if is_anonymous else token, expanded)
    assert kind_of(lab, problem) == (401, "UNAUTHENTICATED")
    assert 'Basic realm="vCenter"' in problem.challenge


def test_challenge_may_be_absent(lab: Lab, register: Register) -> None:
    lab.change_settings("vcenter", challenge="absent")
    problem = register(None, "nonsense")
    assert kind_of(lab, problem) == (401, "UNAUTHENTICATED")
    assert problem.challenge is None


def test_user_without_the_privilege_is_a_403(lab: Lab, broker: Broker, register: Register) -> None:
    lab.change_settings("vcenter", system_read=False)
    token = broker.overflow_token()
    assert kind_of(lab, register(token, broker.expanded(token))) == (403, "UNAUTHORIZED")


def test_older_release_without_the_operation_is_a_404(lab: Lab, broker: Broker, register: Register) -> None:
    lab.change_settings("vcenter", registration_api=False)
    assert kind_of(lab, register(broker.overflow_token())) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "UNAUTHORIZED"),
        (500, "ERROR"),
        (503, "SERVICE_UNAVAILABLE"),
        (504, "TIMED_OUT"),
    ],
)
def test_every_documented_error_is_read(lab: Lab, broker: Broker, register: Register, status: int, kind: str) -> None:
    message = {"id": "com.example.refused", "default_message": "Refused.", "args": []}
    lab.fault("vcenter", "status", status=status, body={"error_type": kind, "messages": [message]})
    assert kind_of(lab, register(broker.overflow_token())) == (status, kind)


# --- vCenter's own token exchange for another access token, which no module uses --------------------------------


def exchange(lab: Lab, http: requests.Session, token: str) -> Any:
    spec = Token.IssueSpec(
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=token,
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
    )
    return VcenterSdk(http, lab["vcenter"]["url"], None).stub(Token).issue(spec)


def test_exchanged_token_is_accepted(
    lab: Lab, http: requests.Session, broker: Broker, is_accepted: Callable[[str], bool]
) -> None:
    assert is_accepted(exchange(lab, http, broker.plain_token()).access_token)


def test_token_that_cannot_be_exchanged_is_a_400(lab: Lab, http: requests.Session) -> None:
    with pytest.raises(VapiError):
        exchange(lab, http, "nonsense")
    assert lab.requests("vcenter")[-1].status == 400


# --- Our requests compared with the vendor's ------------------------------------------------------------------------


@dataclass
class VcenterClients:
    """Both clients of vCenter."""

    lab: Lab
    http: requests.Session
    token: str
    expanded: str

    def their_registration(self) -> None:
        """Register with the vendor's client."""
        sdk = VcenterSdk(self.http, self.lab["vcenter"]["url"], self.token)
        sdk.stub(RegisteredTokens).create(RegisteredTokens.CreateSpec(expanded_access_token=self.expanded))

    def our_registration(self) -> None:
        """Register with our client."""
        client = vcenter.VcenterClient(session(self.lab, "vcenter", vcenter), Secret(self.token))
        client.create_registered_token(Secret(self.expanded))


REQUESTS = {
    "vcenter registered token": Operation(lambda it: it.their_registration(), lambda it: it.our_registration()),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_our_request_is_the_same_as_that_of_the_vendors_client(
    lab: Lab, http: requests.Session, broker: Broker, name: str
) -> None:
    token = broker.overflow_token()
    clients = VcenterClients(lab, http, token, broker.expanded(token))
    assert differences(lab, "vcenter", REQUESTS[name], clients) == {}
