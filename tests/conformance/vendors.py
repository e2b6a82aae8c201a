# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendors' own clients, led to the lab."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import requests
from avi.sdk.avi_api import ApiSession
from vmware.sddc_manager.model_client import TokenCreationSpec
from vmware.sddc_manager.v1.tokens.access_token_client import Refresh
from vmware.sddc_manager.v1.tokens_client import RefreshToken
from vmware.sddc_manager.v1_client import SddcManagers, Tokens
from vmware.vapi.bindings.stub import StubConfiguration
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.oauth import create_oauth_security_context
from vmware.vapi.security.user_password import create_user_password_security_context

if TYPE_CHECKING:
    from lab.client import Lab

API_TOKEN_GRANT = "urn:custom:vcf:params:oauth:grant-type:api-token"


class NsxSdk:
    """vcf-nsx, signed in as it signs in: with a token, with name and password, or with the headers of a session."""

    def __init__(self, http: requests.Session, url: str) -> None:
        self._connector = get_requests_connector(http, msg_protocol="rest", url=url)
        self.http = http

    def with_token(self, access_token: str, open_id_token: str | None = None) -> NsxSdk:
        """Sign with an access token; no operation has a parameter for the OpenID token."""
        self._connector.set_security_context(create_oauth_security_context(access_token))
        if open_id_token is not None:
            self.http.headers["X-NSX-OpenId"] = open_id_token
        return self

    def with_password(self, username: str, password: str) -> NsxSdk:
        """Sign with basic authentication."""
        self._connector.set_security_context(create_user_password_security_context(username, password))
        return self

    def stub(self, service: type) -> Any:
        """Return a service of the SDK."""
        return service(StubConfiguration(self._connector))


class VcenterSdk:
    """vmware-vcenter over the REST protocol, in the plain format of /api."""

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


class SddcManagerSdk:
    """vmware-sddc-manager, with a token or without one: the operations of tokens need none."""

    def __init__(self, http: requests.Session, details: Mapping[str, str]) -> None:
        self._http, self._details = http, details
        self._connector = get_requests_connector(http, msg_protocol="rest", url=details["url"])

    def with_token(self, access_token: str) -> SddcManagerSdk:
        """Return another one that signs with an access token."""
        other = SddcManagerSdk(self._http, self._details)
        other._connector.set_security_context(create_oauth_security_context(access_token))
        return other

    def create(self, **others: str) -> Any:
        """Return a pair of tokens for the user of the lab, or with other credentials."""
        user = {name: self._details[name] for name in ("username", "password")}
        return self._stub(Tokens).create_token(TokenCreationSpec(**{**user, **others}))

    def refresh(self, refresh_token: str) -> Any:
        """Return another access token."""
        return self._stub(Refresh).refresh_access_token(refresh_token)

    def invalidate(self, refresh_token: str) -> Any:
        """End a refresh token."""
        return self._stub(RefreshToken).invalidate_refresh_token(refresh_token)

    def managers(self) -> Any:
        """Return the page of SDDC Managers."""
        return self._stub(SddcManagers).get_sddc_managers()

    def _stub(self, service: type) -> Any:
        return service(StubConfiguration(self._connector))


class Broker:
    """The tokens of the lab's identity broker, for which no vendor has a client in Python."""

    def __init__(self, http: requests.Session, details: Mapping[str, str]) -> None:
        self._http, self._details = http, details
        self.issuer = f"{details['url']}/acs/t/{details['tenant']}"

    def overflow_token(self) -> str:
        """Return a token that overflows."""
        return self._token({"grant_type": API_TOKEN_GRANT, "api_token": self._details["api_token"]})

    def plain_token(self) -> str:
        """Return a token that does not overflow."""
        client = (self._details["client_id"], self._details["client_secret"])
        return self._token({"grant_type": "client_credentials"}, auth=client)

    def expanded(self, token: str) -> str:
        """Return what an overflow token stands for."""
        headers = {"Authorization": f"Bearer {token}"}
        reply = self._http.get(f"{self.issuer}/expand-access-token", params={"format": "jwt"}, headers=headers)
        reply.raise_for_status()
        return reply.text

    def _token(self, form: Mapping[str, str], **more: Any) -> str:
        reply = self._http.post(f"{self.issuer}/token", data=form, **more)
        reply.raise_for_status()
        return str(reply.json()["access_token"])


def avi_session(lab: Lab, **more: Any) -> ApiSession:
    """Sign in with avisdk, in a session of its own."""
    details = lab["avi"]
    url = urllib.parse.urlsplit(details["url"])
    # By itself it would share one session between all of the same user.
    ApiSession.clear_cached_sessions()
    return ApiSession(**{
        "controller_ip": url.hostname,
        "port": url.port,
        "username": details["username"],
        "password": details["password"],
        "tenant": details["tenant"],
        "api_version": details["api_version"],
        "verify": lab.ca_path,
        **more,
    })  # fmt: skip
