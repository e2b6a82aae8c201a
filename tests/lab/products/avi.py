# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Avi Load Balancer: the controller's secure channel tokens, and the tokens with which Service Engines register.

Vendor pages: "SecureChannelToken" and "Overview" of the Avi Load Balancer API reference. Sign-in, sign-out and the
names of the session cookies are taken from the vendor's own client. `securetoken-generate` and `initial-data` are
undocumented: they work as the vendor's roles use them.
"""

from __future__ import annotations

import math
import urllib.parse
import uuid
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from ..product import (
    FORM,
    Handler,
    Middleware,
    Product,
    Refusal,
    Shared,
    action,
    basic_credentials,
    form_fields,
    host_of,
    json_object,
    origin,
)
from ..tokens import Token
from .avi_access import CSRF_REFUSAL, NAMED_COOKIE, check_csrf, set_cookies, version_of
from .avi_objects import (
    KIND,
    AviState,
    Cloud,
    Item,
    check_unchanged,
    checked,
    engine_token,
    looks_generated,
    new_uuid,
    patched,
)
from .avi_query import chosen, has_flag, one, page_of
from .avi_settings import AviSettings

_OBJECTS = f"/api/{KIND}"
_TENANT = "admin"
_CLOUD = "Default-Cloud"
# Paths that require no authentication.
_OPEN = ("/login", "/api/initial-data")


class Avi(Product[AviState, AviSettings]):
    """The controller."""

    name = "avi"
    revocable = "tokens_valid"
    environment = (
        ("AVI_CONTROLLER", "host"),
        ("AVI_USERNAME", "username"),
        ("AVI_PASSWORD", "password"),
        ("AVI_VERSION", "api_version"),
        ("AVI_TENANT", "tenant"),
    )

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.username = "admin"
        self.password = shared.secrets.make("avi password")

    def default_settings(self) -> AviSettings:
        return AviSettings()

    def new_state(self, host: str) -> AviState:
        return AviState({_TENANT: _TENANT, "lab": f"tenant-{uuid.uuid4()}"}, [Cloud(_CLOUD), Cloud("Lab-Cloud")])

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            web.post("/login", self.login),
            web.post("/logout", self.logout),
            web.get("/api/initial-data", self.initial_data),
            web.get(_OBJECTS, self.list_tokens),
            web.post(_OBJECTS, self.create),
            web.get(f"{_OBJECTS}/{{uuid}}", self.read),
            web.put(f"{_OBJECTS}/{{uuid}}", self.replace),
            web.patch(f"{_OBJECTS}/{{uuid}}", self.patch),
            web.delete(f"{_OBJECTS}/{{uuid}}", self.delete),
            web.get("/api/tenant", self.list_tenants),
            web.get("/api/cloud", self.list_clouds),
            web.get("/api/cluster", self.cluster),
            web.get("/api/cluster/status", self.cluster_status),
            web.get("/api/securetoken-generate", self.generate),
        )

    def middlewares(self) -> Iterable[Middleware]:
        return (self.admit,)

    def details(self, url: str) -> dict[str, str]:
        return {
            "url": url,
            "username": self.username,
            "password": self.password,
            "api_version": self.default_settings().version,
            "tenant": _TENANT,
            "cloud": _CLOUD,
        }

    def counts(self, host: str) -> dict[str, int]:
        state, access = self.state(host), self.state(host).access
        access.drop_idle(self.settings(host).session_timeout)
        return {
            "sessions_open": len(access.sessions),
            "sessions_opened": access.opened,
            "logins_refused": access.refused_logins,
            "objects": len(state.items),
            "engine_tokens": state.engine_tokens,
        }

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Return `{"error": …}`. A CSRF failure is plain text."""
        if refusal.code == CSRF_REFUSAL:
            return web.Response(status=refusal.status, text=CSRF_REFUSAL)
        return web.json_response({"error": refusal.message}, status=refusal.status)

    # Signing in.

    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Require a session (and its CSRF token for writes) and a version that the controller supports."""
        host = host_of(request)
        settings = self.settings(host)
        if request.path in _OPEN and (request.path == "/login" or settings.initial_data_open):
            return await handler(request)
        if settings.basic_auth and basic_credentials(request) == (self.username, self.password):
            session = None
        else:
            session = self.state(host).access.find(request, settings.session_timeout)
            if session is None:
                raise Refusal(settings.session_refused_status, "Authentication credentials were not provided.")
            check_csrf(request, session)
        if request.path not in (*_OPEN, "/logout"):
            if settings.upgrading:
                raise Refusal(403, "Controller upgrade is in progress")
            request["version"] = version_of(request, settings.version)
        response = await handler(request)
        if settings.rotate_csrf and session is not None and request.method != "GET":
            session.csrf_token = self.shared.secrets.make("avi CSRF token")
            if isinstance(response, web.Response):
                set_cookies(response, session, named=False)
        return response

    async def login(self, request: web.Request) -> web.Response:
        """Sign in and return the session id and its CSRF token in cookies."""
        body = await form_fields(request) if request.content_type == FORM else await json_object(request)
        host = host_of(request)
        access = self.state(host).access
        if (body.get("username"), body.get("password")) != (self.username, self.password):
            access.refused_logins += 1
            raise Refusal(401, "Invalid credentials")
        session = access.open()
        self.shared.secrets.remember("avi session", session.id)
        self.shared.secrets.remember("avi CSRF token", session.csrf_token)
        tenants = [{"name": name, "uuid": number} for name, number in self.state(host).tenants.items()]
        response = web.json_response({
            "user_initialized": True,
            "user": {"username": self.username, "is_superuser": True},
            "tenants": tenants,
            "version": self._version(host),
            "session_cookie_name": NAMED_COOKIE,
        })  # fmt: skip
        set_cookies(response, session)
        return response

    async def logout(self, request: web.Request) -> web.Response:
        """Sign out."""
        access = self.state(host_of(request)).access
        session = access.find(request, math.inf)
        if session is not None:
            del access.sessions[session.id]
        return web.json_response({})

    async def initial_data(self, request: web.Request) -> web.Response:
        """Return the controller's version."""
        return web.json_response({"version": self._version(host_of(request)), "user_initialized": True})

    def _version(self, host: str) -> dict[str, Any]:
        version = self.settings(host).version
        return {"Version": version, "Product": "controller", "ProductName": "Avi Cloud Controller", "build": 9044}

    # Secure channel tokens.

    async def list_tokens(self, request: web.Request) -> web.Response:
        """GET /securechanneltoken."""
        tenant = self._tenant(request)
        items = [item for item in self._items(request).values() if item.tenant == tenant]
        shown = [self._shown(request, item) for item in items]
        return page_of(request, chosen(request, shown), self.settings(host_of(request)).next_host)

    async def create(self, request: web.Request) -> web.Response:
        """POST /securechanneltoken."""
        tenant, settings = self._tenant(request), self.settings(host_of(request))
        body = await json_object(request)
        values = checked(body, request["version"])
        number = new_uuid(body, request.headers.get("Slug"))
        items = self._items(request)
        taken = [item for item in items.values() if item.tenant == tenant and item.values["name"] == values["name"]]
        if number in items or (taken and settings.unique_names):
            raise Refusal(409, f"SecureChannelToken object with name {values['name']} already exists")
        item = Item(number, tenant, {**values, "in_use": values["in_use"] and not settings.in_use_kept})
        self._enter(host_of(request), item)
        response = one(request, self._shown(request, item), settings.post_status)
        response.headers["Location"] = (
            f"{origin(request)}{_OBJECTS}/{number}#{urllib.parse.quote(values['name'], errors='replace')}"
        )
        return response

    async def read(self, request: web.Request) -> web.Response:
        """GET /securechanneltoken/{uuid}."""
        return one(request, self._shown(request, self._item(request)))

    async def replace(self, request: web.Request) -> web.Response:
        """PUT /securechanneltoken/{uuid}: replace the whole object."""
        item = self._item(request)
        body = await json_object(request)
        check_unchanged(item, body.get("_last_modified"))
        return self._written(request, item, checked(body, request["version"]))

    async def patch(self, request: web.Request) -> web.Response:
        """PATCH /securechanneltoken/{uuid}: `add`, `replace`, `delete`."""
        item = self._item(request)
        return self._written(request, item, patched(item, await json_object(request), request["version"]))

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /securechanneltoken/{uuid}."""
        item = self._item(request)
        del self._items(request)[item.uuid]
        token = self.shared.ledger.find(self.name, item.uuid)
        if token is not None:
            token.ended = "revoked"
        return web.Response(status=204)

    # What is needed for a Service Engine's token.

    async def list_tenants(self, request: web.Request) -> web.Response:
        """List tenants."""
        tenants = self.state(host_of(request)).tenants
        return self._listed(request, "tenant", tenants.items())

    async def list_clouds(self, request: web.Request) -> web.Response:
        """List clouds."""
        self._tenant(request)
        clouds = self.state(host_of(request)).clouds
        return self._listed(request, "cloud", [(cloud.name, cloud.uuid) for cloud in clouds])

    async def cluster(self, request: web.Request) -> web.Response:
        """Read the cluster."""
        host = host_of(request)
        address = {"addr": host, "type": "V4"}
        body: dict[str, Any] = {
            "uuid": self.state(host).cluster_uuid,
            "name": "cluster-0-1",
            "url": f"{origin(request)}/api/cluster",
            "nodes": [{"name": "node1", "ip": {"addr": "192.0.2.11", "type": "V4"}, "vm_uuid": "node1"}],
        }
        return web.json_response({**body, "virtual_ip": address} if self.settings(host).virtual_ip else body)

    async def cluster_status(self, request: web.Request) -> web.Response:
        """Read the cluster's state."""
        number = self.state(host_of(request)).cluster_uuid
        return web.json_response({
            "node_info": {"uuid": "node1", "cluster_uuid": number, "mgmt_ip": "192.0.2.11"},
            "cluster_state": {"state": "CLUSTER_UP_NO_HA", "progress": 100},
        })  # fmt: skip

    async def generate(self, request: web.Request) -> web.Response:
        """Create a token with which one Service Engine of this tenant joins a cloud."""
        host = host_of(request)
        state, tenant = self.state(host), self._tenant(request)
        number = request.query.get("cloud_uuid", "")
        cloud = next((cloud for cloud in state.clouds if cloud.uuid == number), None)
        if cloud is None:
            raise Refusal(404 if number else 400, f"Cloud object not found: {number or 'cloud_uuid is missing'}")
        item = engine_token(tenant, cloud, self.now(host) + self.settings(host).token_lifetime)
        self._enter(host, item)
        state.engine_tokens += 1
        return web.json_response({"auth_token": item.uuid})

    # Actions for tests.

    @action
    def add_cloud(self, host: str, name: str) -> str:
        """Add a cloud, also with the name of an existing one, and return its uuid."""
        cloud = Cloud(name)
        self.state(host).clouds.append(cloud)
        return cloud.uuid

    @action
    def change_token(self, host: str, token: str, values: dict[str, Any]) -> None:
        """Change fields of a secure channel token, as another client would."""
        item = self.state(host).items[token]
        item.values.update(values)
        self._keep(host, item)

    @action
    def join(self, host: str, token: str) -> str:
        """Register a Service Engine with a token, which is then in use, and return the engine's uuid."""
        item, entry = self.state(host).items[token], self.shared.ledger.find(self.name, token, host)
        if item.values["in_use"] or entry is None or not entry.is_valid(self.now(host)):
            raise ValueError("the token is already used or no longer valid")
        engine = f"se-{uuid.uuid4()}"
        item.values.update(in_use=True, node_uuid=engine)
        item.touch(self.now(host))
        return engine

    @action
    def end_sessions(self, host: str) -> int:
        """End all sessions, as a restart of the controller does, and return their number."""
        access = self.state(host).access
        gone = len(access.sessions)
        access.sessions.clear()
        return gone

    # Internal methods.

    def _tenant(self, request: web.Request) -> str:
        """Return the uuid of the tenant in the headers."""
        tenants = self.state(host_of(request)).tenants
        number = request.headers.get("X-Avi-Tenant-UUID")
        found = number if number in tenants.values() else None
        if number is None:
            found = tenants.get(request.headers.get("X-Avi-Tenant", _TENANT))
        if found is None:
            raise Refusal(404, "Tenant object not found")
        return found

    def _items(self, request: web.Request) -> dict[str, Item]:
        """Return the objects of a host, updated with the changes that tests have made in the ledger."""
        host = host_of(request)
        items = self.state(host).items
        for item in list(items.values()):
            token = self.shared.ledger.find(self.name, item.uuid)
            if token is not None and token.ended == "revoked":
                del items[item.uuid]
            elif token is not None and token.ended == "expired":
                item.values["expiry_time"] = min(item.values.get("expiry_time", math.inf), self.now(host))
        return items

    def _item(self, request: web.Request) -> Item:
        """Return the object in the path. The refusal quotes the uuid, which is a secret."""
        number = request.match_info["uuid"]
        item = self._items(request).get(number)
        if item is None or item.tenant != self._tenant(request):
            raise Refusal(404, f"SecureChannelToken object {number} not found")
        return item

    def _shown(self, request: web.Request, item: Item) -> dict[str, Any]:
        named = self.settings(host_of(request)).name_in_url or has_flag(request, "include_name")
        return item.shown(f"{origin(request)}{_OBJECTS}", request["version"], named)

    def _written(self, request: web.Request, item: Item, values: dict[str, Any]) -> web.Response:
        if self.settings(host_of(request)).in_use_kept:
            values["in_use"] = item.values["in_use"]
        item.values = values
        self._keep(host_of(request), item)
        return one(request, self._shown(request, item))

    def _enter(self, host: str, item: Item) -> None:
        """Add a new object, whose uuid is a token."""
        self.shared.secrets.remember("avi securechanneltoken", item.uuid)
        self.state(host).items[item.uuid] = item
        self.shared.ledger.add(Token(item.uuid, self.name, host, KIND, item.tenant, math.inf))
        self._keep(host, item)

    def _keep(self, host: str, item: Item) -> None:
        """Record a change of an object, also in the ledger."""
        item.touch(self.now(host))
        if looks_generated(item.values["name"]):
            self.shared.secrets.remember("avi securechanneltoken name", item.values["name"])
        token = self.shared.ledger.find(self.name, item.uuid, host)
        if token is not None:
            token.expires_at = item.values.get("expiry_time", math.inf)
            token.ended = None if token.ended == "expired" else token.ended

    def _listed(self, request: web.Request, kind: str, pairs: Iterable[tuple[str, str]]) -> web.Response:
        base = f"{origin(request)}/api/{kind}"
        items = [{"name": name, "uuid": number, "url": f"{base}/{number}"} for name, number in pairs]
        return page_of(request, chosen(request, items), self.settings(host_of(request)).next_host)


PRODUCT = Avi
