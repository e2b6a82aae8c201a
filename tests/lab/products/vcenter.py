# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vCenter 9.1: API sessions, and overflow tokens of the identity broker, refused until registered.

Vendor pages: "Vcenter RegisteredTokens create", "List Datacenter", "CIS Session", "Vcenter Authentication Token issue"
of the vSphere Automation API reference. It trusts every token that the lab's broker signed, on any host. Sessions are
in `vcenter_sessions.py`.

Assumed: it registers what the broker signed with `format=jwt`, and removes the registration when either token expires.
With a plain token as bearer, a registration is a 400 and an empty one a 204. The challenge lists schemes as the page's
example does; that it may name the registration is derived from the other protocols. Not all ids of messages are known.
An overflow token can be exchanged for an assertion when it is registered. No token of the broker opens a session.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from ..jwts import JwtInvalid
from ..product import (
    FORM,
    Product,
    Refusal,
    Shared,
    basic_credentials,
    credentials,
    form_fields,
    host_of,
    json_object,
    origin,
)
from ..tokens import Token
from .vcenter_errors import Unauthenticated, old_vapi_error, vapi_error
from .vcenter_sessions import SAML, SESSION_HEADER, Session, SessionSettings, SessionState
from .vidb import fingerprint_of

_BROKER, _SSO = "vidb", "vcf_sso"
_YEAR = 365 * 86400
_REALM = str(uuid.uuid4())
_SESSION, _OLD_SESSION = "/api/session", "/rest/com/vmware/cis/session"
_DATACENTERS = {"datacenter-3": "Lab-East", "datacenter-7": "Lab-West"}
_EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


@dataclass(kw_only=True)
class VcenterSettings(SessionSettings):
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
class VcenterState(SessionState):
    """The state of one vCenter."""

    registered: dict[str, str] = field(default_factory=dict)
    """Overflow token to expanded token."""
    registrations: int = 0
    refused_unregistered: int = 0


class Vcenter(Product[VcenterState, VcenterSettings]):
    """The server."""

    name = "vcenter"
    revocable = "tokens_valid"
    environment = (("VMWARE_HOST", "host"), ("VMWARE_USER", "username"), ("VMWARE_PASSWORD", "password"))

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.username = "administrator@vsphere.local"
        self.password = shared.secrets.make("vcenter password")
        self.access_token = ""

    def default_settings(self) -> VcenterSettings:
        return VcenterSettings()

    def new_state(self, host: str) -> VcenterState:
        return VcenterState()

    def restore(self) -> None:
        """Keep the access token of the state file valid after a reset."""
        user, issued = "operator@example.com", int(self.now(""))
        if not self.access_token:
            claims = {"iss": "https://sso.example.com", "sub": user, "iat": issued, "exp": issued + _YEAR}
            self.access_token = self.shared.jwts.mint(_SSO, "", "access", claims)
        else:
            self.shared.ledger.add(Token(self.access_token, _SSO, "", "access", user, issued + _YEAR))

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.post("/api/vcenter/registered-tokens", self.register),
            web.get("/api/vcenter/datacenter", self.list_datacenters),
            web.post("/api/vcenter/authentication/token", self.exchange),
            web.post(_SESSION, self.open_session),
            web.get(_SESSION, self.read_session),
            web.delete(_SESSION, self.close_session),
            web.post(_OLD_SESSION, self.use_old_session),
            web.delete(_OLD_SESSION, self.close_session),
        )

    def details(self, url: str) -> dict[str, str]:
        return {
            "url": url,
            "username": self.username,
            "password": self.password,
            "access_token": self.access_token,
        }

    def counts(self, host: str) -> dict[str, int]:
        state = self.state(host)
        return {
            "registrations": state.registrations,
            "registered": len(state.registered),
            "refused_unregistered": state.refused_unregistered,
            "refused_for_limit": state.refused_for_limit,
        }

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Format errors as vAPI does. Those of the token endpoint are OAuth errors (RFC 6749, section 5.2)."""
        if request.path.endswith("/authentication/token") and refusal.code is not None:
            body = {"error": refusal.code, "error_description": refusal.message}
            return web.json_response(body, status=refusal.status)
        return old_vapi_error(refusal) if request.path.startswith("/rest/") else vapi_error(refusal)

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
        """CIS Session create, for a user with a password or a SAML assertion: a session that must be closed."""
        host = host_of(request)
        self._check_session_api(request)
        return web.json_response(self._new_session(request), status=self.settings(host).session_status)

    async def read_session(self, request: web.Request) -> web.Response:
        """CIS Session get: for the session's own id only, not for a bearer token."""
        self._check_session_api(request)
        return web.json_response(self._own_session(request).as_json())

    async def close_session(self, request: web.Request) -> web.Response:
        """CIS Session delete. The old API returns 200."""
        self._check_session_api(request)
        self._own_session(request).token.ended = "revoked"
        return web.Response(status=200 if request.path == _OLD_SESSION else 204)

    async def use_old_session(self, request: web.Request) -> web.Response:
        """Create a session with the old API, or read it."""
        is_read = request.query.get("~action") == "get"
        return web.json_response(
            {"value": self._own_session(request).as_json() if is_read else self._new_session(request)}
        )

    async def exchange(self, request: web.Request) -> web.Response:
        """Vcenter Authentication Token issue (RFC 8693). The reference's client sends JSON, its page shows a form."""
        form = await form_fields(request) if request.content_type == FORM else await json_object(request)
        if form.get("grant_type") != _EXCHANGE_GRANT:
            raise Refusal(400, "grant_type must be token-exchange", "invalid_request")
        if not form.get("subject_token") or form.get("subject_token_type") not in (_ACCESS_TOKEN, _ID_TOKEN):
            raise Refusal(400, "subject_token and a known subject_token_type are required", "invalid_request")
        if form.get("requested_token_type") == SAML:
            return self._assertion(request, str(form["subject_token"]))
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

    def _assertion(self, request: web.Request, subject_token: str) -> web.Response:
        """A SAML assertion for the user of a token, which signs the request, too."""
        host = host_of(request)
        user = self._user(request)
        if subject_token != credentials(request, "Bearer"):
            raise Refusal(400, "The subject token is not the one of the caller", "invalid_grant")
        settings = self.settings(host)
        assertion = self.state(host).issue(self.shared, user, settings, self.now(host))
        body = {"access_token": assertion, "token_type": "bearer", "expires_in": settings.assertion_lifetime}
        return web.json_response({**body, "issued_token_type": SAML})

    # Authentication.

    def _check_session_api(self, request: web.Request) -> None:
        if request.path == _SESSION and self.settings(host_of(request)).session_api == "rest":
            raise Refusal(404, "Not found.")

    def _new_session(self, request: web.Request) -> str:
        """Create a session, for a password or an assertion, and return its id."""
        host = host_of(request)
        state, settings, now = self.state(host), self.settings(host), self.now(host)
        user = state.signed_in(self.shared, request.headers.get("Authorization", ""), settings, now)
        given = basic_credentials(request)
        if given and given[0] == self.username and hmac.compare_digest(given[1].encode(), self.password.encode()):
            user = self.username
        if user is None:
            raise self._unauthenticated(host)
        return state.open(self.shared, self.name, host, user, settings, now)

    def _own_session(self, request: web.Request) -> Session:
        """The session of the request. Raises a 401 without one."""
        session = self._session(request)
        if session is None:
            raise self._unauthenticated(host_of(request))
        return session

    def _user(self, request: web.Request) -> str:
        """Return the user of a session, of a token of this vCenter, or of a plain or registered token of the broker."""
        session = self._session(request)
        if session is not None:
            return session.token.principal
        host = host_of(request)
        bearer = credentials(request, "Bearer")
        if bearer is None:
            raise self._unauthenticated(host)
        for issuer in (self.name, _BROKER, _SSO):
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
        host = host_of(request)
        value = request.headers.get(SESSION_HEADER, "")
        return self.state(host).use(value, self.settings(host), self.now(host))

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
