# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's client of each product beside ours, led to the same lab."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

import requests
from avi.sdk.avi_api import ApiSession
from com.vmware.vcenter_client import RegisteredTokens
from vcf.nsx.policy.api.v1.infra.realized_state_client import Alarms
from vcf.nsx.policy.api.v1.infra.tier_0s.locale_services_client import ServiceInstances
from vmware.vapi.bindings.error import VapiError

from ansible_collections.sddc.tokens.plugins.module_utils._clients import (
    avi,
    avi_auth,
    nsx,
    nsx_auth,
    sddc_manager,
    vcenter,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._http.auth import StaticAuth
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session, SessionOptions
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl
from conformance.vendors import NsxSdk, SddcManagerSdk, VcenterSdk, avi_session

if TYPE_CHECKING:
    from lab.client import Lab

# What listings page by page have on a page, by either client.
PAGE_SIZE = 2
TOKENS = "securechanneltoken"
UUID = "5d77b7e6-309e-4400-a27a-884c4c13162f"
LABEL = {"name": "se-01", "expiry_time": 1893456000.5, "metadata": [{"key": "a", "val": "1"}]}


def _session(lab: Lab, product: str, module: ModuleType, url: str | None = None) -> Session:
    """Open a session as our modules have it."""
    options = SessionOptions(ca_path=lab.ca_path, retries=0)
    base_url = BaseUrl.parse(url or lab[product]["url"])
    return Session(base_url, options, error_facts=module.error_facts, runtime=Runtime(notify=print))


@dataclass
class NsxClients:
    """Both clients of NSX."""

    lab: Lab
    http: requests.Session
    tokens: dict[str, str]
    kept: dict[str, Any] = field(default_factory=dict)

    def theirs(self, service: type, url: str | None = None, *, open_id: bool = False) -> Any:
        """Return a service of the vendor's."""
        sdk = NsxSdk(self.http, url or self.lab["nsx"]["url"])
        return sdk.with_token(self.tokens["access_token"], self.tokens["id_token"] if open_id else None).stub(service)

    def ours(self, url: str | None = None, *, open_id: bool = False) -> nsx.NsxClient:
        """Return ours."""
        open_id_token = Secret(self.tokens["id_token"]) if open_id else None
        headers = nsx_auth.bearer_headers(Secret(self.tokens["access_token"]), open_id_token=open_id_token)
        return nsx.NsxClient(_session(self.lab, "nsx", nsx, url), StaticAuth(headers))

    def their_renewal(self, *ids: str, url: str | None = None) -> None:
        """Re-authenticate as the vendor does, whatever comes of it."""
        with contextlib.suppress(VapiError):
            renew = self.theirs(ServiceInstances, url, open_id=True)
            renew.policy_renew_authentication_tokens_for_policy_service_instance(*ids)

    def our_renewal(self, *ids: str, url: str | None = None) -> None:
        """Re-authenticate as we do."""
        self.ours(url, open_id=True).renew_authentication_tokens(nsx.InstanceRef(*ids))

    def all_alarms(self) -> None:
        """Read all pages of the alarms as the vendor's client leads to them."""
        alarms = self.theirs(Alarms)
        page = alarms.policy_lm_list_alarms(page_size=PAGE_SIZE)
        while page.cursor:
            page = alarms.policy_lm_list_alarms(page_size=PAGE_SIZE, cursor=page.cursor)

    def sign_in(self) -> None:
        """Open a session for each client; the vendor's has no operation for it."""
        user, password = self.lab["nsx"]["username"], self.lab["nsx"]["password"]
        reply = self.http.post(
            f"{self.lab['nsx']['url']}/api/session/create", data={"j_username": user, "j_password": password}
        )
        self.http.headers["X-XSRF-TOKEN"] = reply.headers["X-XSRF-TOKEN"]
        self.kept["auth"] = nsx_auth.SessionAuth(_session(self.lab, "nsx", nsx), user, Secret(password))
        self.kept["auth"].credential()


@dataclass
class VcenterClients:
    """Both clients of vCenter."""

    lab: Lab
    http: requests.Session
    token: str
    expanded: str

    def their_registration(self) -> None:
        """Register as the vendor does."""
        sdk = VcenterSdk(self.http, self.lab["vcenter"]["url"], self.token)
        sdk.stub(RegisteredTokens).create(RegisteredTokens.CreateSpec(expanded_access_token=self.expanded))

    def our_registration(self) -> None:
        """Register as we do."""
        client = vcenter.VcenterClient(_session(self.lab, "vcenter", vcenter), Secret(self.token))
        client.create_registered_token(Secret(self.expanded))


class SddcManagerClients:
    """Both clients of SDDC Manager, with a pair of tokens that the vendor's has created."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self._lab = lab
        self._sdk = SddcManagerSdk(http, lab["sddc_manager"])
        self._pair = self._sdk.create()
        self.refresh_token = self._pair.refresh_token.id

    def theirs(self) -> SddcManagerSdk:
        """Return the vendor's, not signed in."""
        return self._sdk

    def ours(self) -> sddc_manager.SddcManagerClient:
        """Return ours."""
        return sddc_manager.SddcManagerClient(_session(self._lab, "sddc_manager", sddc_manager))

    def our_creation(self) -> None:
        """Create a pair as we do."""
        details = self._lab["sddc_manager"]
        self.ours().create_token(details["username"], Secret(details["password"]))

    def their_reading(self) -> None:
        """Read the managers as the vendor does."""
        self._sdk.with_token(self._pair.access_token).managers()

    def our_reading(self) -> None:
        """Prove a token as we do."""
        assert self.ours().is_accepted(Secret(self._pair.access_token))


class AviClients:
    """Both clients of an Avi controller, signed in."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.theirs = avi_session(lab)
        self.ours = self.client()
        self.cloud = self.theirs.get_object_by_name("cloud", lab["avi"]["cloud"])["uuid"]
        self.tenant = self.theirs.get_object_by_name("tenant", "lab")["uuid"]
        self.context = self.theirs.get_context()

    def client(self, *, own_session: bool = True, **identity: Any) -> avi.AviClient:
        """Return a client of ours that has signed in."""
        details = self.lab["avi"]
        given = {
            "username": details["username"] if own_session else None,
            "password": Secret(details["password"]) if own_session else None,
            "session_id": None if own_session else Secret(self.context["session_id"]),
            "csrftoken": None if own_session else Secret(self.context["csrftoken"]),
            "api_version": details["api_version"],
            "tenant": details["tenant"],
            "tenant_uuid": None,
        }
        session = _session(self.lab, "avi", avi)
        self.auth = avi_auth.AviAuth(session, avi_auth.Identity(**{**given, **identity}))
        self.auth.login()
        return avi.AviClient(session, self.auth)

    def in_their_session(self) -> ApiSession:
        """Return the vendor's client in a session that is there already."""
        return avi_session(self.lab, username=None, password=None, **self.context)

    def make(self, uuid: str = UUID) -> None:
        """See to it that there is an object of this uuid."""
        self.theirs.post(TOKENS, data=LABEL, force_uuid=uuid)

    def make_many(self) -> None:
        """See to it that a listing has more than two pages."""
        for number in range(2 * PAGE_SIZE + 1):
            self.make(f"se-uuid-{number}")

    def end_sessions(self) -> None:
        """End all sessions."""
        self.lab.act("avi", "end_sessions", host="127.0.0.1")

    def rotate(self) -> None:
        """Let the CSRF token change with each write."""
        self.lab.change_settings("avi", rotate_csrf=True)
