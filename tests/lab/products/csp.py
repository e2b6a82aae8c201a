# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMware Cloud Services: an API token or an OAuth app is exchanged for an access token and an OpenID token.

Vendor pages: "Authentication API" of the Cloud Services Platform API reference (`POST /auth/api-tokens/authorize`,
`POST /auth/authorize`, `POST /auth/token`).

Assumed: it refuses wrong client credentials with 401 and another content type with 415.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ..product import Product, Refusal, Settings, Shared, basic_credentials, form_fields, host_of, origin

_BASE = "/csp/gateway/am/api/auth"
_SCOPE = "ALL_PERMISSIONS customer_number openid group_ids group_names"


@dataclass(kw_only=True)
class CspSettings(Settings):
    """The settings that a test may change."""

    lifetime: int = 1800
    """Lifetime of an access token, in seconds (30 minutes according to the vendor's page)."""
    id_token: bool = True
    """Whether the API token has the OpenID scope, a check box when it is generated."""
    id_token_for_client: bool = False
    """Whether client credentials also return an ID token."""


class Csp(Product[None, CspSettings]):
    """The console. It has no state except the tokens of the ledger, and none can be revoked."""

    name = "csp"
    environment = (("CSP_HOST", "host"), ("CSP_API_TOKEN", "api_token"))

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.api_token = shared.secrets.make("csp api_token", 64)
        self.client_id = f"lab-app-{uuid.uuid4().hex[:8]}"
        self.client_secret = shared.secrets.make("csp client_secret", 48)
        self._organization = str(uuid.uuid4())

    def default_settings(self) -> CspSettings:
        return CspSettings()

    def new_state(self, host: str) -> None:
        return None

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.post(f"{_BASE}/api-tokens/authorize", self.authorize_api_token),
            web.post(f"{_BASE}/authorize", self.authorize_client),
            web.post(f"{_BASE}/token", self.authorize_client),
        )

    def details(self, url: str) -> dict[str, str]:
        return {
            "url": url,
            "api_token": self.api_token,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Format errors as responses quoted in public show them."""
        body = {
            "metadata": None,
            "cspErrorCode": refusal.code or "generic.error",
            "errorCode": refusal.code or "generic.error",
            "message": refusal.message,
            "moduleCode": 540,
            "requestId": str(uuid.uuid4()),
            "statusCode": refusal.status,
        }
        return web.json_response(body, status=refusal.status)

    async def authorize_api_token(self, request: web.Request) -> web.Response:
        """Exchange an API token. The form field `refresh_token` is deprecated and still accepted."""
        form = await form_fields(request)
        given = form.get("api_token") or form.get("refresh_token")
        if not given:
            raise Refusal(400, "Required request parameter 'api_token' is not present", "missing.parameter")
        if not hmac.compare_digest(given.encode(), self.api_token.encode()):
            # The platform quotes the token: a client that repeats this message leaks it.
            raise Refusal(400, f"invalid_grant: Invalid refresh token: {given}", "invalid_grant")
        wants_id = self.settings(host_of(request)).id_token
        return self._token_response(request, "lab-user", wants_id, {"refresh_token": given})

    async def authorize_client(self, request: web.Request) -> web.Response:
        """Grant an access token to an OAuth app (RFC 6749, section 4.4)."""
        form = await form_fields(request)
        grant = form.get("grant_type")
        if grant != "client_credentials":
            raise Refusal(400, f"unsupported_grant_type: Unsupported grant type: {grant}", "unsupported_grant_type")
        given = basic_credentials(request)
        if given != (self.client_id, self.client_secret):
            raise Refusal(401, "invalid_client: Bad client credentials", "invalid_client")
        wants_id = self.settings(host_of(request)).id_token_for_client
        return self._token_response(request, self.client_id, wants_id, {})

    def _token_response(self, request: web.Request, user: str, wants_id: bool, more: dict[str, str]) -> web.Response:
        host = host_of(request)
        body: dict[str, Any] = {
            **({"id_token": self._mint(request, "id", user)} if wants_id else {}),
            **more,
            "token_type": "bearer",
            "expires_in": self.settings(host).lifetime,
            "scope": _SCOPE,
            "access_token": self._mint(request, "access", user),
        }
        return web.json_response(body)

    def _mint(self, request: web.Request, kind: str, user: str) -> str:
        """Sign an access token, or an ID token (OpenID Connect Core 1.0, section 2)."""
        host = host_of(request)
        issued = int(self.now(host))
        claims: dict[str, Any] = {
            "iss": origin(request),
            "sub": f"example.com:{user}",
            "aud": self.client_id,
            "iat": issued,
            "exp": issued + self.settings(host).lifetime,
            "context_name": self._organization,
            "username": user,
        }
        own = {"email": f"{user}@example.com"} if kind == "id" else {"scope": _SCOPE, "azp": self.client_id}
        return self.shared.jwts.mint(self.name, host, kind, {**claims, **own})


PRODUCT = Csp
