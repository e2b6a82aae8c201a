# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each request of our NSX client is the same as that of vcf-nsx, except for deliberate differences."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests
from vcf.nsx.api.session_client import Destroy
from vcf.nsx.policy.api.v1.infra.realized_state_client import Alarms
from vcf.nsx.policy.api.v1.infra.tier_0s.locale_services_client import ServiceInstances
from vcf.nsx.policy.api.v1.infra.tier_0s_client import LocaleServices
from vcf.nsx.policy.api.v1.infra_client import Tier0s
from vmware.vapi.bindings.error import VapiError

from ansible_collections.sddc.tokens.plugins.module_utils._clients import nsx, nsx_auth
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._http.auth import StaticAuth
from conformance.comparison import (
    ESCAPED,
    PAGE_SIZE,
    RESERVED,
    Deliberate,
    Operation,
    assert_told_once,
    differences,
    meant,
    session,
)
from conformance.test_nsx_client import INSTANCE, NsxSdk, csp_tokens

if TYPE_CHECKING:
    from lab.client import Lab


@dataclass
class NsxClients:
    """Both clients of NSX."""

    lab: Lab
    http: requests.Session
    tokens: dict[str, str]
    kept: dict[str, Any] = field(default_factory=dict)

    def theirs(self, service: type, url: str | None = None, *, open_id: bool = False) -> Any:
        """Return a service of the vendor's client."""
        sdk = NsxSdk(self.http, url or self.lab["nsx"]["url"])
        return sdk.with_token(self.tokens["access_token"], self.tokens["id_token"] if open_id else None).stub(service)

    def ours(self, url: str | None = None, *, open_id: bool = False) -> nsx.NsxClient:
        """Return our client."""
        open_id_token = Secret(self.tokens["id_token"]) if open_id else None
        headers = nsx_auth.bearer_headers(Secret(self.tokens["access_token"]), open_id_token=open_id_token)
        return nsx.NsxClient(session(self.lab, "nsx", nsx, url), StaticAuth(headers))

    def their_renewal(self, *ids: str, url: str | None = None) -> None:
        """Re-authenticate with the vendor's client, and ignore errors."""
        with contextlib.suppress(VapiError):
            renew = self.theirs(ServiceInstances, url, open_id=True)
            renew.policy_renew_authentication_tokens_for_policy_service_instance(*ids)

    def our_renewal(self, *ids: str, url: str | None = None) -> None:
        """Re-authenticate with our client."""
        self.ours(url, open_id=True).renew_authentication_tokens(nsx.InstanceRef(*ids))

    def all_alarms(self) -> None:
        """Read all pages of the alarms with the vendor's client."""
        alarms = self.theirs(Alarms)
        page = alarms.policy_lm_list_alarms(page_size=PAGE_SIZE)
        while page.cursor:
            page = alarms.policy_lm_list_alarms(page_size=PAGE_SIZE, cursor=page.cursor)

    def sign_in(self) -> None:
        """Open a session for each client. The vendor's client has no operation for it."""
        user, password = self.lab["nsx"]["username"], self.lab["nsx"]["password"]
        response = self.http.post(
            f"{self.lab['nsx']['url']}/api/session/create", data={"j_username": user, "j_password": password}
        )
        self.http.headers["X-XSRF-TOKEN"] = response.headers["X-XSRF-TOKEN"]
        self.kept["auth"] = nsx_auth.SessionAuth(session(self.lab, "nsx", nsx), user, Secret(password))
        self.kept["auth"].credential()


REQUESTS = {
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

_RESERVED_ID = "nsx reauth of an id with reserved characters"
_INSTANCES = "/policy/api/v1/infra/tier-0s/T0-main/locale-services/default/service-instances"
DELIBERATE = (
    Deliberate(
        ("nsx alarms", "nsx tier-0s", "nsx locale services", "nsx service instances"),
        "query page_size",
        None,
        "1000",
        "The vendor's client uses the server's default. The largest page size of the API requires the fewest requests.",
    ),
    Deliberate(
        (_RESERVED_ID,), "path", f"{_INSTANCES}/a%20b/c", f"{_INSTANCES}/a%20b%2Fc%3Fd%23e", ESCAPED
    ),
    Deliberate((_RESERVED_ID,), "query d", "", None, ESCAPED),
    Deliberate((_RESERVED_ID,), "query action", None, "reauth", ESCAPED),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _page_size(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Both clients use the same page size."""
    if "page by page" in request.node.name:
        monkeypatch.setattr(nsx, "PAGE_SIZE", PAGE_SIZE)


@pytest.mark.parametrize("name", REQUESTS)
def test_our_request_is_the_same_as_that_of_the_vendors_client(lab: Lab, http: requests.Session, name: str) -> None:
    clients = NsxClients(lab, http, csp_tokens(lab, http))
    assert differences(lab, "nsx", REQUESTS[name], clients) == meant(DELIBERATE, name)


def test_each_deliberate_difference_has_one_entry_with_a_reason() -> None:
    assert_told_once(DELIBERATE, REQUESTS)
