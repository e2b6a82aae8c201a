# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's vCenter understands vmware-vcenter, and vmware-vcenter understands the lab's vCenter.

Status and `error_type` count: the client takes every error of the registration for the class Unauthenticated.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests
from com.vmware.vcenter.authentication_client import Token
from com.vmware.vcenter_client import RegisteredTokens
from vmware.vapi.bindings.error import VapiError

from conformance.vendors import Broker, VcenterSdk

if TYPE_CHECKING:
    from lab.client import Lab

Register = Callable[..., Any]


@pytest.fixture
def register(lab: Lab, http: requests.Session) -> Register:
    """A function that registers an expanded token, and returns the error if there is one."""

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
    """A function that tells whether vCenter accepts a token; the vendor's client is no witness for it."""
    url = f"{lab['vcenter']['url']}/api/vcenter/datacenter"
    return lambda token: http.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def kind_of(lab: Lab, problem: Any) -> tuple[int | None, str]:
    """Return status and type of an error that has what the client needs of one."""
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


def test_without_an_expanded_token_nothing_is_stored(
    lab: Lab, broker: Broker, register: Register, is_accepted: Callable[[str], bool]
) -> None:
    token = broker.overflow_token()
    assert register(token) is None
    last = lab.requests("vcenter")[-1]
    assert (last.status, json.loads(last.body)) == (204, {})
    assert not is_accepted(token)


# --- Errors --------------------------------------------------------------------------------------------------------


def test_expanded_token_that_is_none_is_a_400(lab: Lab, broker: Broker, register: Register) -> None:
    assert kind_of(lab, register(broker.overflow_token(), "nonsense")) == (400, "INVALID_ARGUMENT")


def test_expanded_token_of_another_user_is_a_400(lab: Lab, broker: Broker, register: Register) -> None:
    other = lab.act("vidb", "make_access_token", issuer=broker.issuer, claims={"sub": "other"})
    problem = register(broker.overflow_token(), broker.expanded(other))
    assert kind_of(lab, problem) == (400, "INVALID_ARGUMENT")


def test_token_that_does_not_overflow_is_a_400(lab: Lab, broker: Broker, register: Register) -> None:
    problem = register(broker.plain_token(), broker.expanded(broker.overflow_token()))
    assert kind_of(lab, problem) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("is_anonymous", [True, False])
def test_expired_token_and_none_are_a_401_with_a_challenge(
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


# --- vCenter's own exchange of tokens, which no module uses: the lab has it because the product does ---------------


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
