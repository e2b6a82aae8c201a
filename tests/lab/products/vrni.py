# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aria Operations for Networks (vRealize Network Insight): authentication tokens.

Vendor pages: "Authentication Operations" and "Info" of its API reference. Where the vendor's client has more, as the
error of a 401, the lab follows the client. On the same port there is also the one operation of the vIDM appliance from
which a user gets a vIDM token.

Assumed: the value of `version_string`, the code and the message of a 401. It returns 400 for a wrong content type and
412 for a vIDM user without a role, and treats a missing `domain` as `LOCAL`.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from aiohttp import web

from ..jwts import JwtInvalid
from ..product import Product, Refusal, Settings, Shared, action, credentials, form_fields, host_of, json_object
from ..tokens import Token

_BASE = "/api/ni"
_VIDM = "vidm"
_YEAR = 365 * 86400


@dataclass(kw_only=True)
class VrniSettings(Settings):
    """The settings that a test may change."""

    lifetime: float = 5 * 3600
    """Lifetime of a token, in seconds (about five hours)."""
    expiry: Literal["ms", "s", "absent", "past", "far"] = "ms"
    """The form of the expiry in a response. The page says seconds and shows milliseconds; the others are oddities."""
    unauthorized: Literal["error", "empty"] = "error"
    """Whether a 401 has an ApiError, as in the vendor's client, or no body, as on the vendor's pages."""
    without_token: bool = False
    """Whether a response omits the token, which the page calls optional."""
    token_limit: int = 100
    """Valid tokens per user. 0 means no limit."""
    cleanup_interval: float = 600.0
    """Seconds after which expired tokens are removed."""
    vidm: Literal["configured", "not_configured", "no_role"] = "configured"
    """Whether vIDM is configured, and whether its users may sign in here (otherwise 412)."""
    vidm_token: Literal["jwt", "opaque"] = "jwt"
    """The form of the tokens of the vIDM appliance."""


@dataclass
class VrniState:
    """The state of a host besides its tokens."""

    cleaned_at: float
    refused_for_limit: int = 0


@dataclass(frozen=True)
class _Users:
    """The users, the same on all hosts."""

    username: str = "admin@local"
    ldap_username: str = "admin@vrni.com"
    ldap_domain: str = "example.com"
    vidm_client_id: str = field(default_factory=lambda: f"vrni-{uuid.uuid4().hex[:8]}")


class Vrni(Product[VrniState, VrniSettings]):
    """The platform node, and the vIDM appliance beside it."""

    name = "vrni"
    revocable = "tokens_valid"
    environment = (("VRNI_HOST", "host"), ("VRNI_USERNAME", "username"), ("VRNI_PASSWORD", "password"))

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.users = _Users()
        self.password = shared.secrets.make("vrni password")
        self.ldap_password = shared.secrets.make("vrni ldap_password")
        self.vidm_token = ""
        self._vidm_claims = {"iss": "https://vidm.example.com/SAAS/auth", "aud": self.users.vidm_client_id}

    def default_settings(self) -> VrniSettings:
        return VrniSettings()

    def new_state(self, host: str) -> VrniState:
        return VrniState(cleaned_at=self.now(host))

    def restore(self) -> None:
        """Keep the vIDM token of the state file valid after a reset."""
        issued = int(self.now(""))
        if not self.vidm_token:
            claims = {**self._vidm_claims, "sub": self.users.ldap_username, "iat": issued, "exp": issued + _YEAR}
            self.vidm_token = self.shared.jwts.mint(_VIDM, "", "access", claims)
        else:
            user = self.users.ldap_username
            self.shared.ledger.add(Token(self.vidm_token, _VIDM, "", "access", user, issued + _YEAR))

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.post(f"{_BASE}/auth/token", self.create),
            web.post(f"{_BASE}/auth/token/vidm", self.create_from_vidm),
            web.delete(f"{_BASE}/auth/token", self.delete),
            web.get(f"{_BASE}/auth/vidm/client-id", self.vidm_client),
            web.get(f"{_BASE}/info/version", self.version),
            web.post("/SAAS/auth/oauthtoken", self.vidm_sign_in),
        )

    def details(self, url: str) -> dict[str, str]:
        return {
            "url": url,
            "username": self.users.username,
            "password": self.password,
            "ldap_username": self.users.ldap_username,
            "ldap_password": self.ldap_password,
            "ldap_domain": self.users.ldap_domain,
            "vidm_token": self.vidm_token,
        }

    def counts(self, host: str) -> dict[str, int]:
        return {"refused_for_limit": self.state(host).refused_for_limit}

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Format errors as ApiError."""
        if request.path.startswith("/SAAS/"):
            return _oauth_error(refusal)
        if refusal.status == 401 and self.settings(host_of(request)).unauthorized == "empty":
            return web.Response(status=401)
        details = [{"code": refusal.status, "message": why, "target": [name]} for name, why in refusal.fields.items()]
        message = refusal.message or HTTPStatus(refusal.status).phrase
        body = {"code": refusal.code or refusal.status, "message": message, "details": details}
        return web.json_response(body, status=refusal.status)

    # The operations.

    async def create(self, request: web.Request) -> web.Response:
        """Create: a token for a local or LDAP user."""
        body = await json_object(request)
        _check_credential(body)
        user = self._signed_in(body)
        return self._token_response(host_of(request), user)

    async def create_from_vidm(self, request: web.Request) -> web.Response:
        """Create Vidm User Token."""
        host = host_of(request)
        body = await json_object(request)
        given = body.get("vidm_token")
        if not isinstance(given, str) or not given:
            raise Refusal(400, "Invalid request", fields={"vidm_token": "must be a non-empty string"})
        if self.settings(host).vidm == "not_configured":
            raise Refusal(404, "VMware Identity Manager is not configured")
        user = self._vidm_user(host, given)
        if self.settings(host).vidm == "no_role":
            raise Refusal(412, f"No role is assigned to user {user}")
        return self._token_response(host, f"vidm:{user}")

    async def delete(self, request: web.Request) -> web.Response:
        """Delete the token with which the request is authenticated."""
        token = self._presented(request)
        token.ended = "revoked"
        return web.Response(status=204)

    async def vidm_client(self, request: web.Request) -> web.Response:
        """Get Vidm OAuth Client Id. This requires no authentication."""
        if self.settings(host_of(request)).vidm == "not_configured":
            raise Refusal(403, "VMware Identity Manager is not configured")
        appliance = request.headers.get("Host", "127.0.0.1")
        return web.json_response({"vidm_appliance": appliance, "client_id": self.users.vidm_client_id})

    async def version(self, request: web.Request) -> web.Response:
        """Show version info: the cheapest call that requires a token."""
        self._presented(request)
        return web.json_response({"api_version": "1.2.0", "version_string": "9.1.1.0"})

    async def vidm_sign_in(self, request: web.Request) -> web.Response:
        """Grant a vIDM token for user name and password (RFC 6749, section 4.3)."""
        form = await form_fields(request)
        if form.get("grant_type") != "password":
            raise Refusal(400, f"Unsupported grant type: {form.get('grant_type')}", "unsupported_grant_type")
        if form.get("client_id") != self.users.vidm_client_id:
            raise Refusal(401, "Client authentication failed", "invalid_client")
        if form.get("username") != self.users.ldap_username or not _same(form.get("password"), self.ldap_password):
            raise Refusal(400, "Invalid user credentials", "invalid_grant")
        host = host_of(request)
        token = self._mint_vidm(host, self.settings(host).vidm_token, self.users.ldap_username)
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    @action
    def make_vidm_token(
        self, form: Literal["jwt", "opaque"] = "jwt", username: str = "admin@vrni.com", lifetime: int = 3600
    ) -> str:
        """Create a vIDM token, as the appliance does."""
        return self._mint_vidm("", form, username, lifetime)

    # Internal methods.

    def _signed_in(self, body: dict[str, Any]) -> str:
        """Return the user, or refuse the request with 401."""
        domain = body.get("domain") or {}
        if domain.get("domain_type", "LOCAL") == "LOCAL":
            good = body["username"] == self.users.username and _same(body["password"], self.password)
        else:
            good = (
                body["username"] == self.users.ldap_username
                and domain["value"] == self.users.ldap_domain
                and _same(body["password"], self.ldap_password)
            )
        if not good:
            raise Refusal(401)
        return str(body["username"])

    def _token_response(self, host: str, user: str) -> web.Response:
        """Create a token unless the user has too many, which looks like a wrong password."""
        settings, now = self.settings(host), self.now(host)
        self._clean(host)
        limit = settings.token_limit
        if limit and self.shared.ledger.count_valid(self.name, host, user, now) >= limit:
            self.state(host).refused_for_limit += 1
            raise Refusal(401)
        value = base64.b64encode(secrets.token_bytes(16)).decode()
        self.shared.secrets.remember("vrni token", value)
        self.shared.ledger.add(Token(value, self.name, host, "auth", user, now + settings.lifetime))
        body: dict[str, Any] = {} if settings.without_token else {"token": value}
        body.update(_expiry(settings, now))
        return web.json_response(body)

    def _presented(self, request: web.Request) -> Token:
        """Return the valid token of the `Authorization` header, or refuse with 401."""
        host = host_of(request)
        self._clean(host)
        value = credentials(request, "NetworkInsight")
        token = self.shared.ledger.find(self.name, value, host) if value else None
        if token is None or not token.is_valid(self.now(host)):
            raise Refusal(401)
        return token

    def _clean(self, host: str) -> None:
        """Remove expired tokens when it is time ("cleaned periodically by the system")."""
        state, now = self.state(host), self.now(host)
        if now - state.cleaned_at >= self.settings(host).cleanup_interval:
            self.shared.ledger.forget_expired(self.name, host, now)
            state.cleaned_at = now

    def _mint_vidm(self, host: str, form: Literal["jwt", "opaque"], user: str, lifetime: int = 3600) -> str:
        issued = int(self.now(host))
        if form == "jwt":
            claims = {**self._vidm_claims, "sub": user, "iat": issued, "exp": issued + lifetime}
            return self.shared.jwts.mint(_VIDM, host, "access", claims)
        value = self.shared.secrets.make("vidm opaque token")
        self.shared.ledger.add(Token(value, _VIDM, host, "access", user, issued + lifetime))
        return value

    def _vidm_user(self, host: str, given: str) -> str:
        """Return the user of a vIDM token, which is a JWT or opaque."""
        token = self.shared.ledger.find(_VIDM, given)
        if token is None or not token.is_valid(self.now(host)):
            raise Refusal(401)
        if "." in given:
            try:
                self.shared.jwts.verify(_VIDM, "access", given, self.now(host))
            except JwtInvalid as problem:
                raise Refusal(401) from problem
        return token.principal


def _same(given: str | None, secret: str) -> bool:
    return hmac.compare_digest((given or "").encode(), secret.encode())


def _check_credential(body: dict[str, Any]) -> None:
    """Check a UserCredential. Each invalid field is named in the error's details."""
    wrong = {name: "must be a non-empty string" for name in ("username", "password") if not _is_text(body.get(name))}
    domain = body.get("domain")
    if domain is not None and not isinstance(domain, dict):
        wrong["domain"] = "must be an object"
    elif domain:
        kind = domain.get("domain_type")
        if kind not in ("LDAP", "LOCAL"):
            wrong["domain.domain_type"] = "must be one of LDAP, LOCAL"
        elif kind == "LDAP" and not _is_text(domain.get("value")):
            wrong["domain.value"] = "is required for LDAP"
    if wrong:
        raise Refusal(400, "Invalid request", fields=wrong)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _expiry(settings: VrniSettings, now: float) -> dict[str, int]:
    """Return the response's `expiry`. A wrong value does not change the lifetime of the token."""
    ends = now + settings.lifetime
    told = {
        "ms": int(ends * 1000),
        "s": int(ends),
        "past": int((now - 3600) * 1000),
        "far": int((now + 10 * _YEAR) * 1000),
    }
    return {} if settings.expiry == "absent" else {"expiry": told[settings.expiry]}


def _oauth_error(refusal: Refusal) -> web.Response:
    """Format errors as RFC 6749, section 5.2, says."""
    body = {"error": refusal.code or "invalid_request", "error_description": refusal.message}
    return web.json_response(body, status=refusal.status)


PRODUCT = Vrni
