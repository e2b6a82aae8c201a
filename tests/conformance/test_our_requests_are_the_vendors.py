# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each request of ours is the one that the vendor's client sends for the same, but for what is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from vcf.nsx.api.session_client import Destroy
from vcf.nsx.policy.api.v1.infra.realized_state_client import Alarms
from vcf.nsx.policy.api.v1.infra.tier_0s.locale_services_client import ServiceInstances
from vcf.nsx.policy.api.v1.infra.tier_0s_client import LocaleServices
from vcf.nsx.policy.api.v1.infra_client import Tier0s

from ansible_collections.sddc.tokens.plugins.module_utils._clients import avi, nsx
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from conformance.clients import (
    LABEL,
    PAGE_SIZE,
    TOKENS,
    UUID,
    AviClients,
    NsxClients,
    SddcManagerClients,
    VcenterClients,
)
from conformance.comparison import Deliberate, Operation, differences, meant
from conformance.vendors import Broker, NsxSdk, avi_session

if TYPE_CHECKING:
    from lab.client import Lab

INSTANCE = ("T0-main", "default", "partner-fw-01")
RESERVED = "a b/c?d#e"


# --- What is compared: theirs, ours, and what comes before each of both -------------------------------------------

NSX = {
    "nsx reauth": Operation(lambda it: it.their_renewal(*INSTANCE), lambda it: it.our_renewal(*INSTANCE)),
    "nsx reauth through the VMC proxy": Operation(
        lambda it: it.their_renewal(*INSTANCE, url=it.lab["nsx"]["proxy_url"]),
        lambda it: it.our_renewal(*INSTANCE, url=it.lab["nsx"]["proxy_url"]),
    ),
    "nsx reauth of an id with a blank": Operation(
        lambda it: it.their_renewal(*INSTANCE[:2], "partner fw"),
        lambda it: it.our_renewal(*INSTANCE[:2], "partner fw"),
        lambda it: it.lab.act("nsx", "add_service_instances", host="127.0.0.1", ids=["partner fw"]),
    ),
    "nsx reauth of an id with reserved characters": Operation(
        lambda it: it.their_renewal(*INSTANCE[:2], RESERVED),
        lambda it: it.our_renewal(*INSTANCE[:2], RESERVED),
        lambda it: it.lab.act("nsx", "add_service_instances", host="127.0.0.1", ids=[RESERVED]),
    ),
    "nsx alarms": Operation(
        lambda it: it.theirs(Alarms).policy_lm_list_alarms(), lambda it: it.ours().list_policy_alarms()
    ),
    "nsx alarms, page by page": Operation(lambda it: it.all_alarms(), lambda it: it.ours().list_policy_alarms()),
    "nsx tier-0s": Operation(
        lambda it: it.theirs(Tier0s).policy_lm_list_tier0s(), lambda it: it.ours().list_tier0s()
    ),
    "nsx locale services": Operation(
        lambda it: it.theirs(LocaleServices).policy_lm_list_tier0_locale_services("T0-main"),
        lambda it: it.ours().list_locale_services("T0-main"),
    ),
    "nsx service instances": Operation(
        lambda it: it.theirs(ServiceInstances).policy_read_all_policy_service_instances_for_tier0(*INSTANCE[:2]),
        lambda it: it.ours().list_service_instances(*INSTANCE[:2]),
    ),
    "nsx sign out": Operation(
        lambda it: NsxSdk(it.http, it.lab["nsx"]["url"]).stub(Destroy).destroy_authenticated_session(),
        lambda it: it.kept["auth"].sign_out(),
        lambda it: it.sign_in(),
    ),
}  # fmt: skip

VCENTER = {
    "vcenter registered token": Operation(lambda it: it.their_registration(), lambda it: it.our_registration()),
}

SDDC_MANAGER = {
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

AVI = {
    "avi login": Operation(lambda it: avi_session(it.lab), lambda it: it.client()),
    "avi logout": Operation(lambda it: it.theirs.post("logout"), lambda it: it.auth.logout()),
    "avi list": Operation(lambda it: list(it.theirs.get_objects_iter(TOKENS)), lambda it: it.ours.list_tokens()),
    "avi list, page by page": Operation(
        lambda it: list(it.theirs.get_objects_iter(TOKENS, params={"page_size": PAGE_SIZE})),
        lambda it: it.ours.list_tokens(),
        lambda it: it.make_many(),
    ),
    "avi list by name": Operation(
        lambda it: it.theirs.get_object_by_name(TOKENS, "se 01&more"), lambda it: it.ours.list_tokens("se 01&more")
    ),
    "avi list without a version": Operation(
        lambda it: avi_session(it.lab, api_version=None).get(TOKENS),
        lambda it: it.client(api_version=None).list_tokens(),
    ),
    "avi list in a session of the user": Operation(
        lambda it: it.in_their_session().get(TOKENS), lambda it: it.client(own_session=False).list_tokens()
    ),
    "avi list in a tenant by uuid": Operation(
        lambda it: it.theirs.get(TOKENS, tenant_uuid=it.tenant),
        lambda it: it.client(own_session=False, tenant_uuid=it.tenant).list_tokens(),
    ),
    "avi list after the session has ended": Operation(
        lambda it: it.theirs.get(TOKENS), lambda it: it.ours.list_tokens(), lambda it: it.end_sessions()
    ),
    "avi get": Operation(
        lambda it: it.theirs.get(f"{TOKENS}/{UUID}"),
        lambda it: it.ours.get_token(UUID),
        lambda it: it.make(),
    ),
    "avi get of a uuid with reserved characters": Operation(
        lambda it: it.theirs.get(f"{TOKENS}/{RESERVED}"), lambda it: it.ours.get_token(RESERVED)
    ),
    "avi create": Operation(
        lambda it: it.theirs.post(TOKENS, data=LABEL), lambda it: it.ours.create_token(LABEL)
    ),
    "avi create after the CSRF token has changed": Operation(
        lambda it: [it.theirs.post(TOKENS, data=LABEL) for _time in range(2)],
        lambda it: [it.ours.create_token(LABEL) for _time in range(2)],
        lambda it: it.rotate(),
    ),
    "avi update": Operation(
        lambda it: it.theirs.put(f"{TOKENS}/{UUID}", data=LABEL),
        lambda it: it.ours.update_token(UUID, LABEL),
        lambda it: it.make(),
    ),
    "avi delete": Operation(
        lambda it: it.theirs.delete(f"{TOKENS}/{UUID}"),
        lambda it: it.ours.delete_token(UUID),
        lambda it: it.make(),
    ),
    "avi cloud": Operation(
        lambda it: it.theirs.get_object_by_name("cloud", it.lab["avi"]["cloud"]),
        lambda it: it.ours.list_clouds(it.lab["avi"]["cloud"]),
    ),
    "avi cluster": Operation(lambda it: it.theirs.get("cluster"), lambda it: it.ours.get_cluster()),
    "avi token of an engine": Operation(
        lambda it: it.theirs.get("securetoken-generate", params={"cloud_uuid": it.cloud}),
        lambda it: it.ours.generate_se_token(it.cloud),
    ),
}  # fmt: skip

# --- What is meant -----------------------------------------------------------------------------------------------

_AVI_LISTINGS = tuple(name for name in AVI if name.startswith("avi list") or name == "avi cloud")
_CSRF = "avi create after the CSRF token has changed"
_RESERVED_ID = "nsx reauth of an id with reserved characters"
_RESERVED_UUID = "avi get of a uuid with reserved characters"
_NSX_INSTANCES = "/policy/api/v1/infra/tier-0s/T0-main/locale-services/default/service-instances"
_ESCAPED = "The vendor's client escapes blanks only, and asks for something else: an id is one segment of the path."

DELIBERATE = (
    Deliberate(
        ("nsx alarms", "nsx tier-0s", "nsx locale services", "nsx service instances"),
        "query page_size",
        None,
        "1000",
        "The vendor's client leaves it to the server; the most that the API allows needs the fewest requests.",
    ),
    Deliberate(
        (_RESERVED_ID,), "path", f"{_NSX_INSTANCES}/a%20b/c", f"{_NSX_INSTANCES}/a%20b%2Fc%3Fd%23e", _ESCAPED
    ),
    Deliberate((_RESERVED_ID,), "query d", "", None, _ESCAPED),
    Deliberate((_RESERVED_ID,), "query action", None, "reauth", _ESCAPED),
    Deliberate(
        tuple(name for name in AVI if name != _CSRF),
        "header accept",
        None,
        "application/json",
        "Ours says that it wants JSON, for whoever in between could answer with a page for people.",
    ),
    Deliberate(
        (*_AVI_LISTINGS, "avi get", _RESERVED_UUID, "avi delete", "avi cluster", "avi token of an engine"),
        "header content-type",
        "application/json",
        None,
        "There is no body whose type could be told.",
    ),
    Deliberate(
        ("avi logout",),
        "body",
        None,
        "{}",
        "Both say that it is JSON, which an empty body is not.",
    ),
    Deliberate(
        _AVI_LISTINGS,
        "query page",
        None,
        "1",
        "Ours counts from the first page on, and so follows no link; theirs names the number from the second on.",
    ),
    Deliberate(
        ("avi list",),
        "query page_size",
        "100",
        "200",
        "The most that the API allows needs the fewest requests.",
    ),
    Deliberate(
        tuple(name for name in _AVI_LISTINGS if name not in ("avi list", "avi list, page by page")),
        "query page_size",
        None,
        "200",
        "The vendor's client takes the first that has the name, or the first page; ours sees whether there are more.",
    ),
    Deliberate(
        ("avi list without a version",),
        "header x-avi-version",
        None,
        "31.1.1",
        "The API requires a version; where the user gives none, ours takes the controller's own.",
    ),
    Deliberate(
        (_RESERVED_UUID,), "path", "/api/securechanneltoken/a%20b/c", "/api/securechanneltoken/a%20b%2Fc%3Fd%23e",
        _ESCAPED,
    ),
    Deliberate((_RESERVED_UUID,), "query d", "", None, _ESCAPED),
    Deliberate(
        (_CSRF,),
        "requests",
        "POST /api/securechanneltoken, POST /api/securechanneltoken, POST /login, POST /api/securechanneltoken",
        "POST /api/securechanneltoken, POST /api/securechanneltoken",
        "Ours sends the token that the last reply has set, so that it is not refused.",
    ),
)  # fmt: skip


# --- The comparison ----------------------------------------------------------------------------------------------


@pytest.fixture
def _page_size(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, both clients have pages of the same size."""
    if "page by page" in name:
        monkeypatch.setattr(nsx, "PAGE_SIZE", PAGE_SIZE)
        monkeypatch.setattr(avi, "PAGE_SIZE", PAGE_SIZE)


@pytest.mark.parametrize("name", NSX)
@pytest.mark.usefixtures("_page_size")
def test_request_to_nsx_is_the_vendors(lab: Lab, http: requests.Session, csp_tokens: dict[str, str], name: str) -> None:
    assert differences(lab, "nsx", NSX[name], NsxClients(lab, http, csp_tokens)) == meant(DELIBERATE, name)


@pytest.mark.parametrize("name", VCENTER)
def test_request_to_vcenter_is_the_vendors(lab: Lab, http: requests.Session, broker: Broker, name: str) -> None:
    token = broker.overflow_token()
    clients = VcenterClients(lab, http, token, broker.expanded(token))
    assert differences(lab, "vcenter", VCENTER[name], clients) == meant(DELIBERATE, name)


@pytest.mark.parametrize("name", SDDC_MANAGER)
def test_request_to_sddc_manager_is_the_vendors(lab: Lab, http: requests.Session, name: str) -> None:
    clients = SddcManagerClients(lab, http)
    assert differences(lab, "sddc_manager", SDDC_MANAGER[name], clients) == meant(DELIBERATE, name)


@pytest.mark.parametrize("name", AVI)
@pytest.mark.usefixtures("_page_size")
def test_request_to_avi_is_the_vendors(lab: Lab, name: str) -> None:
    assert differences(lab, "avi", AVI[name], AviClients(lab)) == meant(DELIBERATE, name)


def test_table_tells_each_difference_of_an_operation_once() -> None:
    told = [(name, entry.aspect) for entry in DELIBERATE for name in entry.operations]
    assert len(told) == len(set(told))
    assert {name for name, _aspect in told} <= {*NSX, *VCENTER, *SDDC_MANAGER, *AVI}
    assert all(entry.reason for entry in DELIBERATE)
