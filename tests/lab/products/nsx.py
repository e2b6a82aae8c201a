# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NSX: the policy API's service instances, their alarms, and re-authentication with the partner's provider.

Vendor pages: "Renew Auth Tokens For Policy Service" (module PolicyServiceInsertion), "List service instances", "Get
realized alarms", "Get alarms" of the NSX and NSX VMC API references. The same API is also below the base path of the
VMC reverse proxy, without alarms there.

Assumed: it returns 400 for a missing `X-NSX-OpenId`, treats an invalid one like an invalid JWT, returns 503 for more
than 40 concurrent requests and error code 600 for a missing object, and accepts every kind of authentication through
the VMC proxy.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from aiohttp import web

from ..jwts import JwtExpired, JwtInvalid
from ..product import Handler, Middleware, Product, Refusal, Settings, Shared, action, credentials, form_fields, host_of
from .nsx_access import COOKIE, XSRF_HEADER, Access, basic_user, certificate_user, wrong_credentials
from .nsx_model import JWT_TEXT, Alarm, Inventory, default_inventory, infra_path, policy_object
from .nsx_query import cursor_at, offset, page_size, passes

_PRINCIPAL = "lab-principal"
_PROXY = "/vmc/reverse-proxy/api/orgs/{org}/sddcs/{sddc}/sks-nsxt-manager"
_POLICY = "/policy/api/v1/infra"
_INSTANCES = f"{_POLICY}/tier-0s/{{tier0}}/locale-services/{{locale_service}}/service-instances"
# Paths that require no credentials.
_SIGN_IN = "/api/session/create"


@dataclass(kw_only=True)
class NsxSettings(Settings):
    """The settings that a test may change."""

    alarm_clear_delay: float = 1.5
    """Seconds from a re-authentication until its alarms are cleared. A negative value means never."""
    alarm_api: bool = True
    """Whether alarms can be read (never through the VMC proxy)."""
    alarm_intent_paths: bool = True
    """Whether policy alarms have `intent_paths` and `severity`, as since 9.1."""
    reauth_api: bool = True
    """Whether the operation exists. Newer VMC releases do not seem to have it."""
    reauth_status: Literal[200, 204] = 200
    reauth_seconds: float = 0.0
    """Duration of a re-authentication, in seconds."""
    jwt_refused_status: Literal[401, 403] = 401
    """The status for an invalid or expired JWT: 401 in newer releases, 403 in older ones."""
    unknown_path_status: Literal[404, 400] = 404
    """Whether an unknown path is a 404, or a 400 with code 500012."""
    last_cursor: Literal["absent", "zeros"] = "absent"
    """How the last page is marked."""
    session_timeout: float = 1800.0
    rate_limit: int = 100
    """Requests of a client per second. 0 means no limit."""
    concurrency_limit: int = 40
    """Concurrent requests of a client. 0 means no limit."""


@dataclass
class NsxState:
    """The state of one manager."""

    inventory: Inventory
    access: Access = field(default_factory=Access)
    reauths: int = 0
    without_csp_auth_token: int = 0
    """Requests through the VMC proxy without the header that the vendor's Terraform provider sends."""


class Nsx(Product[NsxState, NsxSettings]):
    """The manager."""

    name = "nsx"
    environment = (("NSXT_MANAGER_HOST", "host"), ("NSXT_USERNAME", "username"), ("NSXT_PASSWORD", "password"))
    asks_client_certificates = True

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.username = "admin"
        self.password = shared.secrets.make("nsx password")
        self._certificate, self._key = shared.authority.client_certificate(_PRINCIPAL)
        self._organization, self._sddc = str(uuid.uuid4()), str(uuid.uuid4())
        self._attribute_passwords = [shared.secrets.make("nsx PASSWORD attribute") for _number in range(12)]

    def default_settings(self) -> NsxSettings:
        return NsxSettings()

    def new_state(self, host: str) -> NsxState:
        return NsxState(default_inventory(self._attribute_passwords))

    def routes(self) -> Iterable[web.RouteDef]:
        for base in ("", _PROXY):
            yield web.post(f"{base}{_SIGN_IN}", self.open_session)
            yield web.post(f"{base}/api/session/destroy", self.close_session)
            yield web.get(f"{base}/api/v1/alarms", self.manager_alarms)
            yield web.get(f"{base}{_POLICY}/realized-state/alarms", self.policy_alarms)
            yield web.get(f"{base}{_POLICY}/realized-state/status", self.realization)
            yield web.get(f"{base}{_POLICY}/tier-0s", self.list_tier0s)
            yield web.get(f"{base}{_POLICY}/tier-0s/{{tier0}}/locale-services", self.list_locale_services)
            yield web.get(f"{base}{_INSTANCES}", self.list_service_instances)
            yield web.get(f"{base}{_INSTANCES}/{{instance}}", self.read_service_instance)
            yield web.post(f"{base}{_INSTANCES}/{{instance}}", self.act_on_service_instance)

    def middlewares(self) -> Iterable[Middleware]:
        return (self.admit,)

    def details(self, url: str) -> dict[str, str]:
        return {
            "url": url,
            "proxy_url": url + _PROXY.format(org=self._organization, sddc=self._sddc),
            "username": self.username,
            "password": self.password,
            "client_cert": self._certificate,
            "client_key": self._key,
        }

    def counts(self, host: str) -> dict[str, int]:
        state = self.state(host)
        return {
            "sessions_open": len(state.access.sessions),
            "sessions_opened": state.access.sessions_opened,
            "reauths": state.reauths,
            "alarms": sum(alarm.is_raised for alarm in state.inventory.alarms),
            "service_instances": len(state.inventory.paths()),
            "peak_concurrency": max((client.peak for client in state.access.clients.values()), default=0),
            "without_csp_auth_token": state.without_csp_auth_token,
        }

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Format errors as ApiError. An unknown path may be a 400 with code 500012."""
        status, message, code = refusal.status, refusal.message, refusal.code
        if status == 404 and code is None:
            message, code = f"The path=[{request.path}] is invalid", 500012
            status = self.settings(host_of(request)).unknown_path_status
        body = {
            "httpStatus": HTTPStatus(status).name,
            "error_code": code if code is not None else status,
            "module_name": "common-services",
            "error_message": message,
        }
        return web.json_response(body, status=status)

    # Signing in.

    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Require credentials, and limit the rate of requests."""
        host = host_of(request)
        state, settings = self.state(host), self.settings(host)
        if "org" in request.match_info and "csp-auth-token" not in request.headers:
            state.without_csp_auth_token += 1
        if request.path.endswith(_SIGN_IN):
            return await handler(request)
        client = self._client(request)
        with state.access.admitted(client, settings.rate_limit, settings.concurrency_limit):
            return await handler(request)

    def _client(self, request: web.Request) -> str:
        """Return the user, for each kind of authentication."""
        host = host_of(request)
        if (value := credentials(request, "Bearer")) is not None:
            return str(self._claims(request, "access", value)["username"])
        if credentials(request, "Basic") is not None:
            return basic_user(request, self.username, self.password)
        if COOKIE in request.cookies:
            return self.state(host).access.session_of(request, self.settings(host).session_timeout).user
        if (user := certificate_user(request)) == _PRINCIPAL:
            return user
        raise wrong_credentials()

    def _claims(self, request: web.Request, kind: str, value: str) -> dict[str, Any]:
        """Return the claims of a JWT that the lab's CSP signed."""
        host = host_of(request)
        try:
            return self.shared.jwts.verify("csp", kind, value, self.now(host))
        except JwtExpired as problem:
            raise Refusal(self.settings(host).jwt_refused_status, f"JWT {problem}", 403) from problem
        except JwtInvalid as problem:
            raise wrong_credentials(self.settings(host).jwt_refused_status) from problem

    async def open_session(self, request: web.Request) -> web.Response:
        """Create a session: its id in a cookie, its XSRF token in a header."""
        form = await form_fields(request)
        if (form.get("j_username"), form.get("j_password")) != (self.username, self.password):
            raise wrong_credentials()
        number, session = self.state(host_of(request)).access.open_session(self.username)
        self.shared.secrets.remember("nsx session", number)
        self.shared.secrets.remember("nsx XSRF token", session.xsrf_token)
        cookie = f"{COOKIE}={number}; Path=/; Secure; HttpOnly; SameSite=Lax"
        return web.Response(status=200, headers={"Set-Cookie": cookie, XSRF_HEADER: session.xsrf_token})

    async def close_session(self, request: web.Request) -> web.Response:
        """Destroy the session of the request."""
        self.state(host_of(request)).access.sessions.pop(request.cookies.get(COOKIE, ""), None)
        return web.Response(status=200)

    # Reading.

    async def list_tier0s(self, request: web.Request) -> web.Response:
        """List tier-0 gateways."""
        tier0s = self._inventory(request).tier0s
        return self._page(request, [policy_object("Tier0", infra_path("tier-0s", name)) for name in sorted(tier0s)])

    async def list_locale_services(self, request: web.Request) -> web.Response:
        """List the locale services of a tier-0."""
        above = ("tier-0s", request.match_info["tier0"], "locale-services")
        services = sorted(self._tier0(request))
        return self._page(request, [policy_object("LocaleServices", infra_path(*above, name)) for name in services])

    async def list_service_instances(self, request: web.Request) -> web.Response:
        """List the service instances of a locale service."""
        instances = self._locale_service(request)
        return self._page(request, [instances[name] for name in sorted(instances)])

    async def read_service_instance(self, request: web.Request) -> web.Response:
        """Read a service instance."""
        return web.json_response(self._service_instance(request))

    async def realization(self, request: web.Request) -> web.Response:
        """Return whether the intent at `intent_path` is realized."""
        path = request.query.get("intent_path")
        if not path:
            raise Refusal(400, "Required parameter intent_path is missing", 255)
        inventory = self._inventory(request)
        if path not in inventory.paths():
            raise _not_found(path)
        failed = any(alarm.instance_path == path and alarm.is_raised for alarm in inventory.alarms)
        return web.json_response({
            "path": path,
            "intent_version": "0",
            "publish_status": "ERROR" if failed else "REALIZED",
            "consolidated_status": {"consolidated_status": "ERROR" if failed else "SUCCESS"},
        })  # fmt: skip

    async def policy_alarms(self, request: web.Request) -> web.Response:
        """List the realized alarms. Only paging is supported."""
        settings = self._alarm_settings(request)
        alarms = [alarm for alarm in self._inventory(request).alarms if alarm.is_raised]
        return self._page(request, [alarm.as_policy(settings.alarm_intent_paths) for alarm in alarms])

    async def manager_alarms(self, request: web.Request) -> web.Response:
        """List the manager's alarms, including resolved ones, by filter."""
        self._alarm_settings(request)
        alarms = [alarm.as_manager() for alarm in self._inventory(request).alarms]
        return self._page(request, [alarm for alarm in alarms if passes(alarm, request)])

    def _alarm_settings(self, request: web.Request) -> NsxSettings:
        settings = self.settings(host_of(request))
        if "org" in request.match_info or not settings.alarm_api:
            raise Refusal(404, "Not Found")
        return settings

    # Re-authentication.

    async def act_on_service_instance(self, request: web.Request) -> web.Response:
        """Renew auth tokens for a policy service: `?action=reauth`."""
        settings = self.settings(host_of(request))
        if not settings.reauth_api:
            raise Refusal(404, "Not Found")
        if request.query.get("action") != "reauth":
            raise Refusal(400, f"Invalid action: {request.query.get('action')}", 255)
        await _check_no_body(request)
        self._check_tokens(request)
        path = self._service_instance(request)["path"]
        await asyncio.sleep(settings.reauth_seconds)
        state = self.state(host_of(request))
        state.inventory.reauthenticate(path, settings.alarm_clear_delay)
        state.reauths += 1
        return web.Response(status=settings.reauth_status)

    def _check_tokens(self, request: web.Request) -> None:
        """Require both tokens: "This API needs open id and access token to be passed as headers"."""
        if credentials(request, "Bearer") is None:
            raise wrong_credentials()
        openid = request.headers.get("X-NSX-OpenId")
        if not openid:
            raise Refusal(400, "Required header X-NSX-OpenId is missing", 255)
        self._claims(request, "id", openid)

    # Internal methods.

    def _inventory(self, request: web.Request) -> Inventory:
        return self.state(host_of(request)).inventory

    def _tier0(self, request: web.Request) -> dict[str, dict[str, dict[str, Any]]]:
        name = request.match_info["tier0"]
        try:
            return self._inventory(request).tier0s[name]
        except KeyError:
            raise _not_found(infra_path("tier-0s", name)) from None

    def _locale_service(self, request: web.Request) -> dict[str, dict[str, Any]]:
        tier0, name = request.match_info["tier0"], request.match_info["locale_service"]
        try:
            return self._tier0(request)[name]
        except KeyError:
            raise _not_found(infra_path("tier-0s", tier0, "locale-services", name)) from None

    def _service_instance(self, request: web.Request) -> dict[str, Any]:
        try:
            return self._locale_service(request)[request.match_info["instance"]]
        except KeyError:
            raise _not_found(request.match_info["instance"]) from None

    def _page(self, request: web.Request, items: list[dict[str, Any]]) -> web.Response:
        """Return one page of a list. Only the first has the count, and the last has no cursor."""
        size, start = page_size(request), offset(request)
        end = start + size
        body: dict[str, Any] = {"results": items[start:end], "sort_by": "display_name", "sort_ascending": True}
        if start == 0:
            body["result_count"] = len(items)
        if end < len(items):
            body["cursor"] = cursor_at(end)
        elif self.settings(host_of(request)).last_cursor == "zeros":
            body["cursor"] = "0000"
        return web.json_response(body)

    # Actions for tests.

    @action
    def add_service_instances(
        self, host: str, ids: list[str], tier0_id: str = "T0-main", locale_service_id: str = "default"
    ) -> list[str]:
        """Add service instances with their parents, and return their paths."""
        inventory = self.state(host).inventory
        passwords = self._attribute_passwords
        return [
            inventory.add(tier0_id, locale_service_id, name, passwords[number % len(passwords)])
            for number, name in enumerate(ids)
        ]

    @action
    def remove_service_instances(self, host: str, paths: list[str]) -> None:
        """Remove service instances and their alarms."""
        for path in paths:
            self.state(host).inventory.remove(path)

    @action
    def raise_alarms(
        self, host: str, paths: list[str], text: str = JWT_TEXT, severity: str = "HIGH", detailed: bool = False
    ) -> list[str]:
        """Raise an alarm on each path, and return their ids. `detailed` puts the text into `error_details`."""
        alarms = [Alarm(path, text, detailed, severity) for path in paths]
        self.state(host).inventory.alarms += alarms
        return [alarm.id for alarm in alarms]

    @action
    def clear_alarms(self, host: str, ids: list[str] | None = None) -> int:
        """Remove alarms, by id or all, and return their number."""
        inventory = self.state(host).inventory
        kept = [alarm for alarm in inventory.alarms if ids is not None and alarm.id not in ids]
        gone = len(inventory.alarms) - len(kept)
        inventory.alarms = kept
        return gone


def _not_found(path: str) -> Refusal:
    text = f"The requested object : {path} could not be found. Object identifiers are case sensitive."
    return Refusal(404, text, 600)


async def _check_no_body(request: web.Request) -> None:
    """Accept no body or `{}`: the vendor's two SDKs differ."""
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as problem:
        raise Refusal(400, "JSON message parse error", 220) from problem
    if body != {}:
        raise Refusal(400, "JSON message parse error: no fields are expected", 220)


PRODUCT = Nsx
