# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMware Identity Broker: access tokens, some of which overflow, and their expansion.

Vendor pages: "Expand Access Token" and the token endpoint of the broker's API reference; the responses and errors of
the token endpoint are those of RFC 6749, sections 5.1 and 5.2. No overflow token was ever published: the form of `ovl`
(a URL of the broker) and of the expanded token is derived from the types in the reference.

Assumed: `ovl` is a URL of the broker, and a token's `iss` ends in `/acs/t/CUSTOMER`; `ovc` names the claims that
overflowed; `fingerprint` is the SHA-256 of the overflow token. The signed form is `application/jwt`. A plain token, a
token of another host, an unknown format and a missing query of `ovl` are a 400, as an invalid token is according to the
page. A refresh token is valid for 90 days and is used up only with `rotate_refresh_tokens`; client authentication is
optional for it, but must be correct if used. Refresh and expanded tokens count as tokens, too.
"""

from __future__ import annotations

import hashlib
import hmac
import urllib.parse
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from ..jwts import JwtInvalid
from ..product import (
    Product,
    Refusal,
    Settings,
    Shared,
    action,
    basic_credentials,
    credentials,
    form_fields,
    host_of,
    origin,
)
from ..tokens import Token

Grant = Literal["client_credentials", "refresh_token", "api_token", "subject_token"]

_TENANT = "CUSTOMER"
_USER = "lab-user@example.com"
_API_TOKEN_GRANT = "urn:custom:vcf:params:oauth:grant-type:api-token"
_GRANTS: dict[str, Grant] = {
    "client_credentials": "client_credentials",
    "refresh_token": "refresh_token",
    _API_TOKEN_GRANT: "api_token",
    "urn:ietf:params:oauth:grant-type:token-exchange": "subject_token",
}
_EXCHANGE_TYPES = {
    "subject_token_type": "urn:custom:vcf:params:oauth:token-type:idp_access_token:oidc",
    "requested_token_type": "urn:ietf:params:oauth:token-type:access-token",
}
_REFRESH_DAYS = 90
_LONGEST_TO_REVOKE = 4096
# The claims that are missing in an overflow token and present in the expanded one.
_OVERFLOWING: dict[str, list[Any]] = {
    "group_names": [f"lab-group-{number:03d}@example.com" for number in range(1, 41)],
    "group_ids": [str(uuid.uuid5(uuid.NAMESPACE_DNS, f"group-{number}.example.com")) for number in range(1, 41)],
    "authorization_details": [{"type": "vcenter", "actions": ["read"]}],
}
_CODES = {404: "not_found", 405: "method_not_allowed", 500: "server_error"}


@dataclass(kw_only=True)
class VidbSettings(Settings):
    """The settings that a test may change."""

    lifetime: int = 1800
    """Lifetime of an access token, in seconds."""
    overflow_grants: list[Grant] = field(default_factory=lambda: ["refresh_token", "api_token"])
    """The grants whose access token overflows: those on behalf of a user."""
    id_token_grants: list[Grant] = field(default_factory=list)
    refresh_token_grants: list[Grant] = field(default_factory=lambda: ["refresh_token", "api_token"])
    rotate_refresh_tokens: bool = False
    """Whether a refresh token becomes invalid when its use has returned a new one (RFC 6749, section 6)."""
    expires_in: bool = True
    """Whether a response has the field, which RFC 6749 only recommends."""
    ovl_host: str = ""
    """Replaces the broker's own host and port in `ovl`: another host, or an invalid value."""
    ovl_query: str = ""
    """The query of `ovl`. An expansion without it is refused."""
    unknown_lifetime: bool = False
    """Whether `expires_in` is -1, which the page documents as unknown."""
    revoke_api: bool = True
    """Whether the broker has the operation."""
    products_ask: bool = True
    """Whether a revoked token becomes invalid, or the broker only responds as if it did."""
    jwt_form: Literal["bare", "json"] = "bare"
    """The response to `format=jwt`: the unquoted token, or a JSON string."""


@dataclass
class VidbState:
    """The state of a host besides its tokens."""

    grants: int = 0
    expansions: int = 0
    revocations: int = 0
    of_other_clients: set[str] = field(default_factory=set)
    """Access tokens of API tokens. They belong to a client whose secret is unknown."""


class Vidb(Product[VidbState, VidbSettings]):
    """The broker."""

    name = "vidb"
    environment = (("VIDB_HOST", "host"), ("VIDB_TENANT", "tenant"), ("VIDB_API_TOKEN", "api_token"))

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.client_id = f"lab-client-{uuid.uuid4().hex[:8]}"
        self.client_secret = shared.secrets.make("vidb client_secret", 48)
        self.api_token = shared.secrets.make("vidb api_token", 64)

    def default_settings(self) -> VidbSettings:
        return VidbSettings()

    def new_state(self, host: str) -> VidbState:
        return VidbState()

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.post("/acs/t/{tenant}/token", self.grant),
            web.get("/acs/t/{tenant}/expand-access-token", self.expand),
            web.post("/acs/t/{tenant}/revoke", self.revoke),
        )

    def details(self, url: str) -> dict[str, str]:
        return {
            "url": url,
            "tenant": _TENANT,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "api_token": self.api_token,
        }

    def counts(self, host: str) -> dict[str, int]:
        state = self.state(host)
        return {"grants": state.grants, "expansions": state.expansions, "revocations": state.revocations}

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Format errors as RFC 6749, section 5.2, says."""
        code = refusal.code or _CODES.get(refusal.status, "invalid_request")
        headers = {"WWW-Authenticate": 'Basic realm="vidb"'} if refusal.status == 401 else {}
        body = {"error": code, "error_description": refusal.message}
        return web.json_response(body, status=refusal.status, headers=headers)

    # The operations.

    async def grant(self, request: web.Request) -> web.Response:
        """Grant an access token."""
        _check_tenant(request)
        form = await form_fields(request)
        given = form.get("grant_type")
        if not given:
            raise Refusal(400, "Missing parameter: grant_type", "invalid_request")
        if given not in _GRANTS:
            raise Refusal(400, f"Unsupported grant type: {given}", "unsupported_grant_type")
        grant = _GRANTS[given]
        body = self._granted(request, grant, self._principal(request, grant, form))
        if (
            grant == "refresh_token"
            and "refresh_token" in body
            and self.settings(host_of(request)).rotate_refresh_tokens
        ):
            self.shared.ledger.end("revoked", self.name, host_of(request), [form["refresh_token"]])
        return web.json_response(body)

    async def revoke(self, request: web.Request) -> web.Response:
        """Revoke a token: 200 also for an unknown one (RFC 7009), 400 without a body for one of another client."""
        _check_tenant(request)
        host = host_of(request)
        if not self.settings(host).revoke_api:
            raise Refusal(404, "Not found")
        form = await form_fields(request)
        value = form.get("token", "")
        if basic_credentials(request) != (self.client_id, self.client_secret):
            raise Refusal(401, "Client authentication failed", "invalid_client")
        if len(value) > _LONGEST_TO_REVOKE or value in self.state(host).of_other_clients:
            return web.Response(status=400)
        self.state(host).revocations += 1
        if self.settings(host).products_ask:
            self.shared.ledger.end("revoked", self.name, host, [value])
        return web.Response(status=200)

    async def expand(self, request: web.Request) -> web.Response:
        """Expand Access Token: the full claims of an overflow token, as JSON or signed."""
        _check_tenant(request)
        host = host_of(request)
        wanted = request.query.get("format", "raw")
        if wanted not in ("raw", "jwt"):
            raise Refusal(400, f"Invalid format: {wanted}", "invalid_request")
        value = credentials(request, "Bearer") or ""
        claims = self._overflow_claims(request, value)
        kept = ("sub", "exp", "iat", "ovl", "ovc", "claims")
        full: dict[str, Any] = {name: claims[name] for name in kept if name in claims}
        full.update(_OVERFLOWING, fingerprint=fingerprint_of(value))
        self.state(host).expansions += 1
        if wanted == "raw":
            return web.json_response(full)
        token = self.shared.jwts.mint(self.name, host, "expanded", {**full, "iss": claims["iss"]})
        if self.settings(host).jwt_form == "json":
            return web.json_response(token)
        return web.Response(text=token, content_type="application/jwt")

    @action
    def make_access_token(
        self, issuer: str, overflow: bool = True, claims: dict[str, Any] | None = None, lifetime: int = 1800
    ) -> str:
        """Create an access token of the broker at the URL `issuer`. `claims` are further ones, such as any `ovl`."""
        host = urllib.parse.urlsplit(issuer).hostname or ""
        return self._mint_access(issuer, host, _USER, overflow, lifetime, claims or {})

    @action
    def make_refresh_token(self, host: str = "127.0.0.1") -> str:
        """Create a refresh token, as a user's sign-in in the browser does."""
        return self._mint_refresh(host)

    @action
    def make_subject_token(self, host: str = "127.0.0.1", subject: str = "someone") -> str:
        """Create an access token of the identity provider that the broker knows."""
        issuer = "https://idp.example.com"
        return self.shared.jwts.mint(self.name, host, "idp", {**self._times(host, 3600), "iss": issuer, "sub": subject})

    # Internal methods.

    def _principal(self, request: web.Request, grant: Grant, form: Mapping[str, str]) -> str:
        """Return the user of the token, or refuse the request. Client authentication must be correct in every grant."""
        given = basic_credentials(request)
        if (given is not None or grant == "client_credentials") and given != (self.client_id, self.client_secret):
            raise Refusal(401, "Client authentication failed", "invalid_client")
        if grant == "client_credentials":
            return self.client_id
        if not form.get(grant):
            raise Refusal(400, f"Missing parameter: {grant}", "invalid_request")
        if grant == "subject_token" and any(form.get(name) != value for name, value in _EXCHANGE_TYPES.items()):
            raise Refusal(400, "Unsupported token type", "invalid_request")
        if not self._is_good(request, grant, form[grant]):
            raise Refusal(400, f"The {grant.replace('_', ' ')} is invalid or expired", "invalid_grant")
        return _USER

    def _is_good(self, request: web.Request, grant: Grant, value: str) -> bool:
        host = host_of(request)
        if grant == "api_token":
            return hmac.compare_digest(value.encode(), self.api_token.encode()) or self._is_generated(host, value)
        token = self.shared.ledger.find(self.name, value, host)
        kind = "idp" if grant == "subject_token" else "refresh"
        return token is not None and token.kind == kind and token.is_valid(self.now(host))

    def _is_generated(self, host: str, value: str) -> bool:
        """Return whether it is a valid API token that VCF Operations has created, and remember its use."""
        token = self.shared.ledger.find("vcf_api", value)
        if token is None or token.kind != "api" or not token.is_valid(self.now(host)):
            return False
        token.used_at = self.now(host)
        return True

    def _granted(self, request: web.Request, grant: Grant, principal: str) -> dict[str, Any]:
        host, issuer = host_of(request), f"{origin(request)}/acs/t/{_TENANT}"
        settings = self.settings(host)
        overflow = grant in settings.overflow_grants
        body: dict[str, Any] = {
            "access_token": self._mint_access(issuer, host, principal, overflow, settings.lifetime, {}),
            "token_type": "Bearer",
            "scope": "openid user profile" if principal == _USER else "admin",
        }
        if grant == "api_token":
            self.state(host).of_other_clients.add(body["access_token"])
        if settings.expires_in:
            body["expires_in"] = -1 if settings.unknown_lifetime else settings.lifetime
        if grant in settings.refresh_token_grants:
            body["refresh_token"] = self._mint_refresh(host)
        if grant in settings.id_token_grants:
            claims = {**self._times(host, settings.lifetime), "iss": issuer, "sub": principal, "aud": self.client_id}
            body["id_token"] = self.shared.jwts.mint(self.name, host, "id", claims)
        self.state(host).grants += 1
        return body

    def _mint_access(
        self, issuer: str, host: str, principal: str, overflow: bool, lifetime: int, more: Mapping[str, Any]
    ) -> str:
        claims: dict[str, Any] = {**self._times(host, lifetime), "iss": issuer, "sub": principal, "aud": "vcenter"}
        if overflow:
            claims.update(ovl=self._link(issuer, host), ovc=sorted(_OVERFLOWING))
        else:
            claims.update({name: value[:2] for name, value in _OVERFLOWING.items()})
        return self.shared.jwts.mint(self.name, host, "overflow" if overflow else "access", {**claims, **more})

    def _link(self, issuer: str, host: str) -> str:
        """Return the `ovl` of a token."""
        settings = self.settings(host)
        here = urllib.parse.urlsplit(issuer)
        query = f"?{settings.ovl_query}" if settings.ovl_query else ""
        return f"https://{settings.ovl_host or here.netloc}/acs/t/{_TENANT}/expand-access-token{query}"

    def _mint_refresh(self, host: str) -> str:
        value = self.shared.secrets.make("vidb refresh token", 48)
        ends = self.now(host) + _REFRESH_DAYS * 86400
        self.shared.ledger.add(Token(value, self.name, host, "refresh", _USER, ends))
        return value

    def _times(self, host: str, lifetime: int) -> dict[str, int]:
        issued = int(self.now(host))
        return {"iat": issued, "exp": issued + lifetime}

    def _overflow_claims(self, request: web.Request, value: str) -> dict[str, Any]:
        """Return the claims of an overflow token of this host; 400 "when invalid or expired"."""
        host = host_of(request)
        try:
            claims = self.shared.jwts.verify(self.name, "overflow", value, self.now(host))
        except JwtInvalid as problem:
            raise Refusal(400, "The access token is invalid or expired", "invalid_request") from problem
        if self.shared.ledger.find(self.name, value, host) is None:
            raise Refusal(400, "The access token is of another issuer", "invalid_request")
        asked = urllib.parse.parse_qsl(request.query_string, keep_blank_values=True)
        promised = urllib.parse.parse_qsl(urllib.parse.urlsplit(str(claims["ovl"])).query, keep_blank_values=True)
        if not set(promised) <= set(asked):
            raise Refusal(400, "The query of the overflow link is missing", "invalid_request")
        return claims


def fingerprint_of(token: str) -> str:
    """Return what links an expanded token to its overflow token. That it is the SHA-256 of the latter is assumed."""
    return hashlib.sha256(token.encode()).hexdigest()


def _check_tenant(request: web.Request) -> None:
    if request.match_info["tenant"] != _TENANT:
        raise Refusal(404, f"Tenant {request.match_info['tenant']} is not known")


PRODUCT = Vidb
