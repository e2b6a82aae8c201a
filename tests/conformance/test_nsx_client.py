# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's NSX works with vcf-nsx.

The client does not create sessions, it only destroys them. It does not send `csp-auth-token` and does not escape `/`,
`?` or `#` in an id. Its ApiError has only one field, and it has no classes for 401 and 429.
"""

# Requires vcf-nsx==9.1.1.0

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import requests
from vcf.nsx.api.session_client import Destroy
from vcf.nsx.api.v1_client import Alarms as ManagerAlarms
from vcf.nsx.model_client import ApiError
from vcf.nsx.policy.api.v1.infra.realized_state_client import Alarms, Status
from vcf.nsx.policy.api.v1.infra.tier_0s.locale_services_client import ServiceInstances
from vcf.nsx.policy.api.v1.infra.tier_0s_client import LocaleServices
from vcf.nsx.policy.api.v1.infra_client import Tier0s
from vmware.vapi.bindings.error import UnresolvedError, VapiError
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.oauth import create_oauth_security_context
from vmware.vapi.security.user_password import create_user_password_security_context

if TYPE_CHECKING:
    from lab.client import Lab

PLACE = ("T0-main", "default")
INSTANCE = (*PLACE, "partner-fw-01")
PATH = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"


class NsxSdk:
    """vcf-nsx, authenticated with a token, with user name and password, or with the headers of a session."""

    def __init__(self, http: requests.Session, url: str) -> None:
        self._connector = get_requests_connector(http, msg_protocol="rest", url=url)
        self.http = http

    def with_token(self, access_token: str, open_id_token: str | None = None) -> NsxSdk:
        """Authenticate with an access token. No operation has a parameter for the OpenID token."""
        self._connector.set_security_context(create_oauth_security_context(access_token))
        if open_id_token is not None:
            self.http.headers["X-NSX-OpenId"] = open_id_token
        return self

    def with_password(self, username: str, password: str) -> NsxSdk:
        """Authenticate with basic authentication."""
        self._connector.set_security_context(create_user_password_security_context(username, password))
        return self

    def stub(self, service: type) -> Any:
        """Return a service of the SDK."""
        return service(StubConfiguration(self._connector))


def csp_tokens(lab: Lab, http: requests.Session) -> dict[str, str]:
    """The tokens with which NSX re-authenticates: `access_token` and `id_token`."""
    url = f"{lab['csp']['url']}/csp/gateway/am/api/auth/api-tokens/authorize"
    tokens: dict[str, str] = http.post(url, data={"api_token": lab["csp"]["api_token"]}).json()
    return tokens


@pytest.fixture
def nsx(lab: Lab, http: requests.Session) -> NsxSdk:
    """The vendor's client of NSX, authenticated as re-authentication requires it."""
    tokens = csp_tokens(lab, http)
    return NsxSdk(http, lab["nsx"]["url"]).with_token(tokens["access_token"], tokens["id_token"])


@pytest.fixture
def nsx_reader(lab: Lab, http: requests.Session) -> NsxSdk:
    """The vendor's client of NSX, authenticated with user name and password."""
    return NsxSdk(http, lab["nsx"]["url"]).with_password(lab["nsx"]["username"], lab["nsx"]["password"])


def instances(sdk: NsxSdk, *place: str, **query: Any) -> Any:
    return sdk.stub(ServiceInstances).policy_read_all_policy_service_instances_for_tier0(*(place or PLACE), **query)


def reauth(sdk: NsxSdk, *ids: str) -> None:
    sdk.stub(ServiceInstances).policy_renew_authentication_tokens_for_policy_service_instance(*(ids or INSTANCE))


OPERATIONS: dict[str, Callable[[NsxSdk], Any]] = {
    "tier-0s": lambda sdk: sdk.stub(Tier0s).policy_lm_list_tier0s(),
    "locale services": lambda sdk: sdk.stub(LocaleServices).policy_lm_list_tier0_locale_services("T0-main"),
    "service instances": instances,
    "service instance": lambda sdk: sdk.stub(ServiceInstances).policy_read_policy_service_instance(*INSTANCE),
    "reauth": reauth,
    "alarms": lambda sdk: sdk.stub(Alarms).policy_lm_list_alarms(),
    "manager's alarms": lambda sdk: sdk.stub(ManagerAlarms).get_alarms(),
    "realization": lambda sdk: sdk.stub(Status).policy_lm_read_intent_status(intent_path=PATH),
    "sign out": lambda sdk: sdk.stub(Destroy).destroy_authenticated_session(),
}


# --- Success -------------------------------------------------------------------------------------------------------


def test_tier0s_are_listed(nsx_reader: NsxSdk) -> None:
    page = OPERATIONS["tier-0s"](nsx_reader)
    assert page.result_count == len(page.results) == 3


def test_locale_services_are_listed(nsx_reader: NsxSdk) -> None:
    assert [one.id for one in OPERATIONS["locale services"](nsx_reader).results] == ["default", "edge-east"]


@pytest.mark.parametrize("last_cursor", ["absent", "zeros"])
def test_service_instances_are_listed_page_by_page(lab: Lab, nsx_reader: NsxSdk, last_cursor: str) -> None:
    lab.change_settings("nsx", last_cursor=last_cursor)
    page = instances(nsx_reader, page_size=3)
    assert page.result_count == 4
    last = instances(nsx_reader, page_size=3, cursor=page.cursor)
    assert last.result_count is None
    assert last.cursor == (None if last_cursor == "absent" else "0000")
    assert len({one.id for one in (*page.results, *last.results)}) == 4


def test_service_instance_has_the_fields_of_the_model(nsx_reader: NsxSdk) -> None:
    one = OPERATIONS["service instance"](nsx_reader)
    assert (one.id, one.path, one.partner_service_name) == ("partner-fw-01", PATH, "Example Firewall")
    assert (one.deployment_mode, one.transport_type) == ("ACTIVE_STANDBY", "L2_BRIDGE")
    assert [(a.attribute_type, a.key) for a in one.attributes] == [("STRING", "license"), ("PASSWORD", "password")]


@pytest.mark.parametrize("status", [200, 204])
def test_reauthentication_succeeds_without_a_body(lab: Lab, nsx: NsxSdk, status: int) -> None:
    lab.change_settings("nsx", reauth_status=status)
    reauth(nsx)
    assert lab.requests("nsx")[-1].status == status
    assert lab.counts("nsx")["reauths"] == 1


def test_reauthentication_works_through_the_vmc_proxy(lab: Lab, http: requests.Session) -> None:
    tokens = csp_tokens(lab, http)
    sdk = NsxSdk(http, lab["nsx"]["proxy_url"])
    reauth(sdk.with_token(tokens["access_token"], tokens["id_token"]))
    assert lab.requests("nsx")[-1].path.startswith("/vmc/reverse-proxy/api/orgs/")
    assert lab.counts("nsx")["reauths"] == 1


def test_policy_alarms_name_the_instance_and_the_jwt(nsx_reader: NsxSdk) -> None:
    page = OPERATIONS["alarms"](nsx_reader)
    first, detailed, _other = page.results
    assert page.result_count == 3
    assert (first.source_reference, first.intent_paths) == (PATH, [PATH])
    assert "JWT" in first.message
    assert "JWT" in detailed.error_details.error_message


def test_policy_alarms_of_older_releases_have_no_intent_paths(lab: Lab, nsx_reader: NsxSdk) -> None:
    lab.change_settings("nsx", alarm_intent_paths=False)
    assert OPERATIONS["alarms"](nsx_reader).results[0].intent_paths is None


def test_manager_alarms_pass_every_filter_of_the_operation(nsx_reader: NsxSdk) -> None:
    alarms = nsx_reader.stub(ManagerAlarms)
    first, second, third = alarms.get_alarms().results
    a_minute_later = first.last_reported_time + 60000
    assert first.last_reported_time > 1_600_000_000_000, "it is in milliseconds"
    for query, found in [
        ({"intent_path": first.alarm_source[0]}, [first.id]),
        ({"intent_path": f"{first.alarm_source[0]},{second.alarm_source[0]}"}, [first.id, second.id]),
        ({"id": f"{first.id},{third.id}"}, [first.id, third.id]),
        ({"severity": "MEDIUM"}, [third.id]),
        ({"status": "OPEN"}, [first.id, second.id, third.id]),
        ({"status": "RESOLVED"}, []),
        ({"event_type": third.event_type}, [third.id]),
        ({"feature_name": first.feature_name, "node_id": first.node_id}, [first.id, second.id, third.id]),
        ({"after": a_minute_later}, []),
        ({"before": a_minute_later}, [first.id, second.id, third.id]),
    ]:
        assert [one.id for one in alarms.get_alarms(**query).results] == found, query


def test_manager_alarms_are_listed_page_by_page(nsx_reader: NsxSdk) -> None:
    alarms = nsx_reader.stub(ManagerAlarms)
    page = alarms.get_alarms(page_size=2)
    assert (page.result_count, len(page.results)) == (3, 2)
    assert len(alarms.get_alarms(page_size=2, cursor=page.cursor).results) == 1


def test_realization_reports_an_error_while_the_alarm_is_raised(lab: Lab, nsx_reader: NsxSdk) -> None:
    assert OPERATIONS["realization"](nsx_reader).publish_status == "ERROR"
    lab.act("nsx", "clear_alarms", host="127.0.0.1")
    assert OPERATIONS["realization"](nsx_reader).publish_status == "REALIZED"


def test_session_authenticates_until_it_is_destroyed(lab: Lab, http: requests.Session) -> None:
    form = {"j_username": lab["nsx"]["username"], "j_password": lab["nsx"]["password"]}
    response = http.post(f"{lab['nsx']['url']}/api/session/create", data=form)
    http.headers["X-XSRF-TOKEN"] = response.headers["X-XSRF-TOKEN"]
    sdk = NsxSdk(http, lab["nsx"]["url"])
    assert OPERATIONS["tier-0s"](sdk).results
    OPERATIONS["sign out"](sdk)
    assert lab.counts("nsx")["sessions_open"] == 0
    with pytest.raises(VapiError):
        OPERATIONS["tier-0s"](sdk)


# --- Errors: the binding of ApiError has only one field, so the response is read from the connection --------------


def refused(lab: Lab, sdk: NsxSdk, act: Callable[[NsxSdk], Any]) -> tuple[int | None, Any, type]:
    """Return status, error code and the class that the vendor's client uses for a refusal."""
    bodies: list[Any] = []
    sdk.http.hooks["response"].append(lambda response, *_more, **_options: bodies.append(response.json()))
    with pytest.raises(VapiError) as caught:
        act(sdk)
    assert bodies[-1]["error_message"]
    assert bodies[-1]["module_name"]
    return lab.requests("nsx")[-1].status, bodies[-1]["error_code"], type(caught.value)


@pytest.mark.parametrize("status", [400, 403, 404, 412, 500, 503, 504])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_documented_error_of_an_operation_is_an_api_error(
    lab: Lab, nsx: NsxSdk, operation: str, status: int
) -> None:
    body = {"httpStatus": "X", "error_code": 1, "module_name": "policy", "error_message": "m", "details": "d"}
    lab.fault("nsx", "status", status=status, body=body)
    assert refused(lab, nsx, OPERATIONS[operation]) == (status, 1, ApiError)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # No operation documents 401 and 429.
        ({}, (401, 403, UnresolvedError)),
        ({"jwt_refused_status": 403}, (403, 403, ApiError)),
    ],
)
def test_expired_token_is_401_or_on_older_releases_403(
    lab: Lab, nsx: NsxSdk, settings: dict[str, Any], expected: tuple[int, int, type]
) -> None:
    lab.change_settings("nsx", **settings)
    lab.expire_tokens("csp")
    assert refused(lab, nsx, reauth) == expected


def test_client_that_sends_too_many_requests_gets_a_429(lab: Lab, nsx: NsxSdk) -> None:
    lab.change_settings("nsx", rate_limit=1)
    reauth(nsx)
    assert refused(lab, nsx, reauth) == (429, "102", UnresolvedError)


def test_reauthentication_without_open_id_token_is_a_400(lab: Lab, nsx: NsxSdk) -> None:
    del nsx.http.headers["X-NSX-OpenId"]
    assert refused(lab, nsx, reauth) == (400, 255, ApiError)


def test_reauthentication_with_name_and_password_is_refused(lab: Lab, nsx_reader: NsxSdk) -> None:
    assert refused(lab, nsx_reader, reauth) == (403, 403, ApiError)


@pytest.mark.parametrize(
    "act",
    [
        lambda sdk: reauth(sdk, *PLACE, "nonesuch"),
        lambda sdk: reauth(sdk, "T0-main", "nonesuch", "partner-fw-01"),
        lambda sdk: sdk.stub(ServiceInstances).policy_read_policy_service_instance(*PLACE, "nonesuch"),
        lambda sdk: instances(sdk, "nonesuch", "default"),
        lambda sdk: sdk.stub(LocaleServices).policy_lm_list_tier0_locale_services("nonesuch"),
        lambda sdk: sdk.stub(Status).policy_lm_read_intent_status(intent_path=f"{PATH}x"),
    ],
)
def test_missing_object_is_a_404(lab: Lab, nsx: NsxSdk, act: Callable[[NsxSdk], Any]) -> None:
    assert refused(lab, nsx, act) == (404, 600, ApiError)


@pytest.mark.parametrize(("operation", "setting"), [("reauth", "reauth_api"), ("alarms", "alarm_api")])
@pytest.mark.parametrize("status", [404, 400])
def test_operation_that_a_release_does_not_have_is_an_invalid_path(
    lab: Lab, nsx: NsxSdk, operation: str, setting: str, status: int
) -> None:
    settings: dict[str, Any] = {"unknown_path_status": status, setting: False}
    lab.change_settings("nsx", **settings)
    assert refused(lab, nsx, OPERATIONS[operation]) == (status, 500012, ApiError)


@pytest.mark.parametrize("query", [{"page_size": 1001}, {"cursor": "nonesuch"}])
def test_invalid_page_is_a_400(lab: Lab, nsx_reader: NsxSdk, query: dict[str, Any]) -> None:
    assert refused(lab, nsx_reader, partial(instances, **query)) == (400, 255, ApiError)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_wrong_password_is_a_403(lab: Lab, http: requests.Session, operation: str) -> None:
    sdk = NsxSdk(http, lab["nsx"]["url"]).with_password(lab["nsx"]["username"], "wrong")
    assert refused(lab, sdk, OPERATIONS[operation]) == (403, 403, ApiError)
