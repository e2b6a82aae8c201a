# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SDDC Manager of VMware Cloud Foundation, or a VCF Installer: pairs of an access token and a refresh token.

Vendor pages: "Tokens APIs" of the VMware Cloud Foundation API reference, its operations Create Token, Refresh Access
Token and Invalidate Refresh Token, and "Get SDDC Managers"; the format of an error is their `Error`.

The pages are below https://developer.broadcom.com/xapis/vmware-cloud-foundation-api. Refresh tokens count as tokens,
too.

Known from those pages and from vmware-sddc-manager: the calls; a refresh token can be used any number of times until it
expires or is revoked; the body and the response of a refresh are a JSON string (public examples also send and show it
without quotes, which the lab accepts, too); 204 for a revocation; the errors 400, 404 and 500 of a refresh; the claims
of an access token and its lifetime of one hour. Known from public reports: a refresh token is valid for a day, the code
`IDENTITY_UNAUTHORIZED_ENTITY` of a wrong password, the code `Unauthorized` of an expired access token. Assumed: the
status 401 of both, 404 for a refused refresh token (the lab can return 400) and for its revocation, for which the page
lists no error, that access tokens stay valid after their refresh token, and that every role may read `/v1/sddc-
managers`. The signature is RS256 here and HS256 in the page's sample.

With the setting `is_installer` it is a VCF Installer. Known from vcf-installer and the list of operations in the "VCF
Installer API" reference: the operations below `/v1/tokens` are the same, there is no `/v1/sddc-managers`, and
`/v1/sddcs` lists the installations. Assumed: the status 404 for the missing one, and everything else as above.
"""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from ..jwts import JwtInvalid
from ..product import Product, Refusal, Settings, Shared, credentials, host_of, json_object
from ..tokens import Token

_TOKENS = "/v1/tokens"
_REFRESH = "refresh"
_SCOPE = ["OTHER_READ", "OTHER_WRITE", "USER_READ", "CREDENTIAL_READ", "BACKUP_CONFIG_READ"]


@dataclass(kw_only=True)
class SddcManagerSettings(Settings):
    """The settings that a test may change."""

    lifetime: int = 3600
    """Lifetime of an access token, in seconds (one hour, as in the page's sample)."""
    refresh_lifetime: int = 86400
    """Lifetime of a refresh token, in seconds (one day)."""
    create_status: Literal[200, 201] = 201
    """The status of a new pair: 201 in the specification, 200 in the page's sample."""
    refresh_response: Literal["json", "bare"] = "json"
    """The response to a refresh: a JSON string in the specification, the unquoted token in public examples."""
    refused_status: Literal[400, 404] = 404
    """The status for an unknown, expired or revoked refresh token. The page lists both."""
    is_installer: bool = False
    """Whether this is a VCF Installer, which lists installations and no SDDC Managers."""


@dataclass
class SddcManagerState:
    """The state of a host besides its tokens."""

    sign_ins: int = 0
    refreshes: int = 0
    revocations: int = 0


class SddcManager(Product[SddcManagerState, SddcManagerSettings]):
    """The appliance."""

    name = "sddc_manager"
    revocable = "refresh_tokens_valid"
    environment = (
        ("SDDC_MANAGER_HOST", "host"),
        ("SDDC_MANAGER_USERNAME", "username"),
        ("SDDC_MANAGER_PASSWORD", "password"),
    )

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.username = "administrator@vsphere.local"
        self.password = shared.secrets.make("sddc_manager password")
        self._id = str(uuid.uuid4())

    def default_settings(self) -> SddcManagerSettings:
        return SddcManagerSettings()

    def new_state(self, host: str) -> SddcManagerState:
        return SddcManagerState()

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.post(_TOKENS, self.create_token),
            web.patch(f"{_TOKENS}/access-token/refresh", self.refresh_access_token),
            web.delete(f"{_TOKENS}/refresh-token", self.invalidate_refresh_token),
            web.get("/v1/sddc-managers", self.get_sddc_managers),
            web.get("/v1/sddcs", self.get_sddc_tasks),
        )

    def details(self, url: str) -> dict[str, str]:
        return {"url": url, "username": self.username, "password": self.password}

    def counts(self, host: str) -> dict[str, int]:
        state = self.state(host)
        return {
            "sign_ins": state.sign_ins,
            "refreshes": state.refreshes,
            "revocations": state.revocations,
            "refresh_tokens_valid": self.shared.ledger.count_valid(self.name, host, _REFRESH, self.now(host)),
        }

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Format errors as `Error`."""
        body: dict[str, Any] = {
            "errorCode": refusal.code or "BAD_REQUEST",
            "arguments": [],
            "message": refusal.message,
            "referenceToken": uuid.uuid4().hex[:6].upper(),
        }
        return web.json_response(body, status=refusal.status)

    # The operations.

    async def create_token(self, request: web.Request) -> web.Response:
        """Create Token: a pair, for user name and password."""
        host = host_of(request)
        body = await json_object(request)
        given = [body.get(name) for name in ("username", "password")]
        if not all(isinstance(value, str) and value for value in given):
            raise Refusal(400, "username and password must be given", "TOKEN_CREATION_SPEC_INVALID")
        if given[0] != self.username or not hmac.compare_digest(str(given[1]).encode(), self.password.encode()):
            raise Refusal(401, "User is not authorized", "IDENTITY_UNAUTHORIZED_ENTITY")
        self.state(host).sign_ins += 1
        pair = {"accessToken": self._mint(host), "refreshToken": {"id": self._mint_refresh(host)}}
        return web.json_response(pair, status=self.settings(host).create_status)

    async def refresh_access_token(self, request: web.Request) -> web.Response:
        """Refresh Access Token. The refresh token stays valid."""
        host = host_of(request)
        await self._refresh_token(request)
        self.state(host).refreshes += 1
        token = self._mint(host)
        if self.settings(host).refresh_response == "bare":
            return web.Response(text=token, content_type="application/json")
        return web.json_response(token)

    async def invalidate_refresh_token(self, request: web.Request) -> web.Response:
        """Invalidate Refresh Token. The access tokens created from it stay valid."""
        token = await self._refresh_token(request)
        token.ended = "revoked"
        self.state(host_of(request)).revocations += 1
        return web.Response(status=204)

    async def get_sddc_managers(self, request: web.Request) -> web.Response:
        """Get SDDC Managers: the requested one."""
        element = {"id": self._id, "fqdn": "sddc-manager.example.com", "version": "9.1.0.0"}
        return self._page(request, element, of_installer=False)

    async def get_sddc_tasks(self, request: web.Request) -> web.Response:
        """Get SDDC Tasks: the only installation of a VCF Installer."""
        element = {"id": self._id, "name": "sddc", "status": "COMPLETED_WITH_SUCCESS"}
        return self._page(request, element, of_installer=True)

    # Internal methods.

    def _page(self, request: web.Request, element: dict[str, str], *, of_installer: bool) -> web.Response:
        """Return a page with the element, if this appliance has the operation and the access token is valid."""
        host = host_of(request)
        if self.settings(host).is_installer != of_installer:
            raise Refusal(404, "Not Found", "NOT_FOUND")
        try:
            self.shared.jwts.verify(self.name, "access", credentials(request, "Bearer") or "", self.now(host))
        except JwtInvalid as problem:
            message = "Authorization Header is missing or not in correct format"
            raise Refusal(401, message, "Unauthorized") from problem
        page = {"pageNumber": 0, "pageSize": 1, "totalElements": 1, "totalPages": 1}
        return web.json_response({"elements": [element], "pageMetadata": page})

    async def _refresh_token(self, request: web.Request) -> Token:
        """Return the valid refresh token in the body, or refuse it."""
        host = host_of(request)
        if request.content_type != "application/json":
            raise Refusal(400, f"Content-Type must be application/json, not {request.content_type}")
        token = self.shared.ledger.find(self.name, _string(await request.read()), host)
        if token is None or token.kind != _REFRESH or not token.is_valid(self.now(host)):
            raise Refusal(
                self.settings(host).refused_status, "Refresh token is invalid or has expired", "REFRESH_TOKEN_NOT_FOUND"
            )
        return token

    def _mint(self, host: str) -> str:
        issued = int(self.now(host))
        claims: dict[str, Any] = {
            "iss": "vcf-auth",
            "aud": "sddc-services",
            "sub": self.username,
            "user": self.username,
            "name": self.username,
            "scope": _SCOPE,
            "iat": issued,
            "nbf": issued,
            "exp": issued + self.settings(host).lifetime,
        }
        return self.shared.jwts.mint(self.name, host, "access", claims)

    def _mint_refresh(self, host: str) -> str:
        value = str(uuid.uuid4())
        self.shared.secrets.remember("sddc_manager refresh token", value)
        ends = self.now(host) + self.settings(host).refresh_lifetime
        self.shared.ledger.add(Token(value, self.name, host, _REFRESH, _REFRESH, ends))
        return value


def _string(body: bytes) -> str:
    """Return the string in a body: JSON as the specification says, or unquoted as in public examples."""
    text = body.decode("utf-8", "replace").strip()
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else ""


PRODUCT = SddcManager
