# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vCenter 9.1: overflow tokens of the identity broker, refused until registered.

Vendor pages: "Vcenter RegisteredTokens create", "List Datacenter", "CIS Session", "Vcenter Authentication Token issue"
of the vSphere Automation API reference. It trusts every token that the lab's broker signed, on any host.

Assumed: it registers what the broker signed with `format=jwt`, and removes the registration when either token expires.
With a plain token as bearer, a registration is a 400 and an empty one a 204. The challenge lists schemes as the page's
example does; that it may name the registration is derived from the other protocols. Not all ids of messages are known.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from ..jwts import JwtInvalid
from ..product import FORM, Product, Refusal, Settings, credentials, form_fields, host_of, json_object, origin
from .vcenter_errors import Unauthenticated, vapi_error
from .vidb import fingerprint_of

_BROKER = "vidb"
_REALM = str(uuid.uuid4())
_SESSION_HEADER = "vmware-api-session-id"
_DATACENTERS = {"datacenter-3": "Lab-East", "datacenter-7": "Lab-West"}
_EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


@dataclass(kw_only=True)
class VcenterSettings(Settings):
    """The settings that a test may change."""

    registration_api: bool = True
    """Whether the operation exists. It was added in 9.1."""
    system_read: bool = True
    """Whether the caller has the privilege System.Read, which registration requires (otherwise 403)."""
    datacenter_status: Literal[200, 403] = 200
    """Whether the caller may list datacenters."""
    challenge: Literal["schemes", "registration", "absent"] = "schemes"
    """The challenge of a 401: the schemes, as in the reference's example, or (assumed from the other protocols) that
    registration is required, and `ovl`."""
    exchange_lifetime: int = 3600
    """Lifetime of a token that vCenter itself issues, in seconds."""


@dataclass
class Session:
    """An open session."""

    user: str
    created_at: float


@dataclass
class VcenterState:
    """The state of one vCenter."""

    registered: dict[str, str] = field(default_factory=dict)
    """Overflow token to expanded token."""
    sessions: dict[str, Session] = field(default_factory=dict)
    sessions_opened: int = 0
    registrations: int = 0
    refused_unregistered: int = 0


class Vcenter(Product[VcenterState, VcenterSettings]):
    """The server."""

    name = "vcenter"
    environment = (("VMWARE_HOST", "host"),)

    def default_settings(self) -> VcenterSettings:
        return VcenterSettings()

    def new_state(self, host: str) -> VcenterState:
        return VcenterState()

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.post("/api/vcenter/registered-tokens", self.register),
            web.get("/api/vcenter/datacenter", self.list_datacenters),
            web.post("/api/vcenter/authentication/token", self.exchange),
            web.post("/api/session", self.open_session),
            web.get("/api/session", self.read_session),
            web.delete("/api/session", self.close_session),
        )

    def details(self, url: str) -> dict[str, str]:
        return {"url": url}

    def counts(self, host: str) -> dict[str, int]:
        state = self.state(host)
        return {
            "registrations": state.registrations,
            "registered": len(state.registered),
            "refused_unregistered": state.refused_unregistered,
            "sessions_open": len(state.sessions),
            "sessions_opened": state.sessions_opened,
        }

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Format errors as vAPI does. Those of the token endpoint are OAuth errors (RFC 6749, section 5.2)."""
        if request.path.endswith("/authentication/token") and refusal.code is not None:
            body = {"error": refusal.code, "error_description": refusal.message}
            return web.json_response(body, status=refusal.status)
        return vapi_error(refusal)

    # The operations.

    async def register(self, request: web.Request) -> web.Response:
        """Vcenter RegisteredTokens create. Without an expanded token nothing is registered."""
        host = host_of(request)
        settings, state = self.settings(host), self.state(host)
        if not settings.registration_api:
            raise Refusal(404, "Not found.")
        bearer = credentials(request, "Bearer")
        if bearer is None:
            raise self._unauthenticated(host)
        claims = self._broker_claims(host, bearer)
        if not settings.system_read:
            raise Refusal(403, "Permission to perform this operation was denied: System.Read is missing.")
        expanded = _expanded_token(await json_object(request))
        if expanded is not None:
            self._check_pair(host, bearer, claims, expanded)
            state.registered[bearer] = expanded
            state.registrations += 1
        return web.Response(status=204)

    async def list_datacenters(self, request: web.Request) -> web.Response:
        """List Datacenter, by `names`."""
        self._user(request)
        if self.settings(host_of(request)).datacenter_status == 403:
            raise Refusal(403, "Permission to perform this operation was denied.")
        names = request.query.getall("names", None)
        found = [{"datacenter": key, "name": name} for key, name in _DATACENTERS.items() if not names or name in names]
        return web.json_response(found)

    async def open_session(self, request: web.Request) -> web.Response:
        """CIS Session create: a session that must be closed."""
        user = self._user(request)
        host = host_of(request)
        number = self.shared.secrets.make("vcenter session", 32)
        state = self.state(host)
        state.sessions[number] = Session(user, self.now(host))
        state.sessions_opened += 1
        return web.json_response(number, status=201)

    async def read_session(self, request: web.Request) -> web.Response:
        """CIS Session get: for the session's own id only, not for a bearer token."""
        session = self._session(request)
        if session is None:
            raise self._unauthenticated(host_of(request))
        return web.json_response({"user": session.user, "created_time": session.created_at})

    async def close_session(self, request: web.Request) -> web.Response:
        """CIS Session delete."""
        if self._session(request) is None:
            raise self._unauthenticated(host_of(request))
        del self.state(host_of(request)).sessions[request.headers[_SESSION_HEADER]]
        return web.Response(status=204)

    async def exchange(self, request: web.Request) -> web.Response:
        """Vcenter Authentication Token issue (RFC 8693). The reference's client sends JSON, its page shows a form."""
        form = await form_fields(request) if request.content_type == FORM else await json_object(request)
        if form.get("grant_type") != _EXCHANGE_GRANT:
            raise Refusal(400, "grant_type must be token-exchange", "invalid_request")
        if not form.get("subject_token") or form.get("subject_token_type") not in (_ACCESS_TOKEN, _ID_TOKEN):
            raise Refusal(400, "subject_token and a known subject_token_type are required", "invalid_request")
        host = host_of(request)
        kind = "access" if form["subject_token_type"] == _ACCESS_TOKEN else "id"
        try:
            subject = self.shared.jwts.verify(_BROKER, kind, str(form["subject_token"]), self.now(host))
        except JwtInvalid as problem:
            raise Refusal(400, "The subject token is invalid or expired", "invalid_grant") from problem
        issued, lifetime = int(self.now(host)), self.settings(host).exchange_lifetime
        claims = {"iss": origin(request), "sub": subject["sub"], "iat": issued, "exp": issued + lifetime}
        token = self.shared.jwts.mint(self.name, host, "access", claims)
        body = {"access_token": token, "token_type": "bearer", "expires_in": lifetime}
        return web.json_response({**body, "issued_token_type": _ACCESS_TOKEN})

    # Authentication.

    def _user(self, request: web.Request) -> str:
        """Return the user of a session, of a token of this vCenter, or of a plain or registered token of the broker."""
        session = self._session(request)
        if session is not None:
            return session.user
        host = host_of(request)
        bearer = credentials(request, "Bearer")
        if bearer is None:
            raise self._unauthenticated(host)
        for issuer in (self.name, _BROKER):
            try:
                return str(self.shared.jwts.verify(issuer, "access", bearer, self.now(host))["sub"])
            except JwtInvalid:
                continue
        return self._registered_user(host, bearer)

    def _registered_user(self, host: str, bearer: str) -> str:
        """Return the user of an overflow token whose expanded token is registered, while both are valid."""
        claims = self._overflow_claims(host, bearer)
        state = self.state(host)
        if bearer not in state.registered:
            state.refused_unregistered += 1
            raise self._unauthenticated(host, str(claims.get("ovl")))
        try:
            self.shared.jwts.verify(_BROKER, "expanded", state.registered[bearer], self.now(host))
        except JwtInvalid as problem:
            del state.registered[bearer]
            raise self._unauthenticated(host, str(claims.get("ovl"))) from problem
        return str(claims["sub"])

    def _overflow_claims(self, host: str, bearer: str) -> dict[str, Any]:
        try:
            return self.shared.jwts.verify(_BROKER, "overflow", bearer, self.now(host))
        except JwtInvalid as problem:
            raise self._unauthenticated(host) from problem

    def _broker_claims(self, host: str, bearer: str) -> dict[str, Any]:
        """Return the claims of a token that may call the registration: any access token of the broker."""
        try:
            return self.shared.jwts.verify(_BROKER, "access", bearer, self.now(host))
        except JwtInvalid:
            return self._overflow_claims(host, bearer)

    def _session(self, request: web.Request) -> Session | None:
        return self.state(host_of(request)).sessions.get(request.headers.get(_SESSION_HEADER, ""))

    def _check_pair(self, host: str, bearer: str, claims: dict[str, Any], expanded: str) -> None:
        """Check that the expanded token is valid and belongs to the bearer token."""
        try:
            full = self.shared.jwts.verify(_BROKER, "expanded", expanded, self.now(host))
        except JwtInvalid as problem:
            raise Refusal(400, f"The expanded access token is not valid: {problem}.") from problem
        if "ovl" not in claims:
            raise Refusal(400, "The access token has no overflow claim.")
        if full["fingerprint"] != fingerprint_of(bearer):
            raise Refusal(400, "The expanded access token does not belong to the overflow access token.")

    def _unauthenticated(self, host: str, link: str | None = None) -> Unauthenticated:
        """Return a 401 with its challenge. `link` is that of an overflow token which is not registered."""
        kind = self.settings(host).challenge
        if kind == "absent":
            return Unauthenticated()
        schemes = f'SIGN realm="{_REALM}",sts="https://{host}/sts/STSService/vsphere.local", Basic realm="vCenter"'
        if kind == "registration" and link is not None:
            return Unauthenticated(challenge=f'Bearer error="registration_required",ovl="{link}"')
        return Unauthenticated(challenge=schemes)


def _expanded_token(spec: dict[str, Any]) -> str | None:
    """Return the only field of a CreateSpec; "if missing or null, the token will not be stored"."""
    unknown = sorted(set(spec) - {"expanded_access_token"})
    value = spec.get("expanded_access_token")
    if unknown or not (value is None or isinstance(value, str)):
        raise Refusal(400, f"Invalid CreateSpec: {', '.join(unknown) or 'expanded_access_token must be a string'}.")
    return value


PRODUCT = Vcenter
