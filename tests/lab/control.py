# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API, with which tests read and change the state of the lab. It names no product."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web

from . import typed
from .log import Entry
from .product import Handler, Product
from .tls import Certificate
from .tokens import Ending

if TYPE_CHECKING:
    from .server import Lab

_MOST_ADDRESSES = 50_000


@dataclass
class _Addresses:
    count: int
    certificate: Certificate = "good"


@dataclass
class _Tokens:
    ending: Literal["expired", "revoked"]
    product: str | None = None
    host: str | None = None
    tokens: list[str] | None = None


class Control:
    """The handlers of the control API."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def routes(self) -> list[web.RouteDef]:
        """Return the routes. They are documented in the README."""
        return [
            web.get("/requests", self.read_requests),
            web.delete("/requests", self.clear_requests),
            web.get("/state", self.read_state),
            web.get("/secrets", self.read_secrets),
            web.get("/faults", self.read_faults),
            web.post("/faults", self.order_fault),
            web.delete("/faults", self.clear_faults),
            web.delete(r"/faults/{id:\d+}", self.clear_fault),
            web.get("/settings/{product}", self.read_settings),
            web.patch("/settings/{product}", self.change_settings),
            web.get("/actions/{product}", self.read_actions),
            web.post("/actions/{product}/{action}", self.act),
            web.post("/tokens", self.end_tokens),
            web.get("/addresses", self.read_addresses),
            web.post("/addresses", self.add_addresses),
            web.get("/tunnels", self.read_tunnels),
            web.post("/reset", self.reset),
        ]

    async def read_requests(self, request: web.Request) -> web.Response:
        """Return the log; with `wait`, after `count` requests have finished or (`arrived`) are held by a fault."""
        query = request.query
        after, count = _number(query, "after", 0), _number(query, "count", 1)

        def selected() -> list[Entry]:
            return self._lab.log.select(query.get("product"), query.get("host"), after)

        if "wait" in query:
            arrived = "arrived" in query

            def enough() -> bool:
                return sum(arrived or entry.done for entry in selected()) >= count

            await self._lab.log.wait(enough, _number(query, "wait", 0))
        return web.json_response({"requests": [entry.as_json() for entry in selected()]})

    async def clear_requests(self, request: web.Request) -> web.Response:
        """Clear the log."""
        self._lab.log.clear()
        return web.Response(status=204)

    async def read_state(self, request: web.Request) -> web.Response:
        """Count the tokens and objects of each product and host."""
        product, host = request.query.get("product"), request.query.get("host")
        return web.json_response({
            name: {each: self._counts(one, each) for each in one.hosts() if host in (None, each)}
            for name, one in self._lab.products.items()
            if product in (None, name)
        })  # fmt: skip

    def _counts(self, product: Product[Any, Any], host: str) -> dict[str, int]:
        tokens = self._lab.ledger.counts(product.name, host, product.now(host))
        return {**tokens, **product.counts(host)}

    async def read_secrets(self, request: web.Request) -> web.Response:
        """Return every secret that the lab ever created."""
        return web.json_response({"secrets": [asdict(secret) for secret in self._lab.secrets.all()]})

    async def read_faults(self, request: web.Request) -> web.Response:
        """List the active faults."""
        return web.json_response({"faults": [fault.as_json() for fault in self._lab.faults.all()]})

    async def order_fault(self, request: web.Request) -> web.Response:
        """Add a fault."""
        body = await _body(request)
        self._product((body.get("match") or {}).get("product", ""))
        return web.json_response(self._lab.faults.order(body).as_json(), status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Clear all faults."""
        return web.json_response({"cleared": self._lab.faults.clear()})

    async def clear_fault(self, request: web.Request) -> web.Response:
        """Clear one fault."""
        cleared = self._lab.faults.clear(int(request.match_info["id"]))
        if not cleared:
            raise web.HTTPNotFound(reason="unknown fault")
        return web.json_response({"cleared": cleared})

    async def read_settings(self, request: web.Request) -> web.Response:
        """Return a product's settings, for one host or for all."""
        product = self._product(request.match_info["product"])
        return web.json_response(asdict(product.shown_settings(request.query.get("host"))))

    async def change_settings(self, request: web.Request) -> web.Response:
        """Change some of a product's settings, for one host or for all."""
        product = self._product(request.match_info["product"])
        return web.json_response(asdict(product.change_settings(request.query.get("host"), await _body(request))))

    async def read_actions(self, request: web.Request) -> web.Response:
        """List a product's actions with their descriptions."""
        actions = self._product(request.match_info["product"]).actions()
        return web.json_response({name: (act.__doc__ or "").split("\n")[0] for name, act in actions.items()})

    async def act(self, request: web.Request) -> web.Response:
        """Run a product's action."""
        actions = self._product(request.match_info["product"]).actions()
        name = request.match_info["action"]
        if name not in actions:
            raise web.HTTPNotFound(reason=f"unknown action {name!r}; known actions: {', '.join(sorted(actions))}")
        return web.json_response({"result": typed.call(actions[name], await _body(request))})

    async def end_tokens(self, request: web.Request) -> web.Response:
        """Expire or revoke tokens of any product."""
        order = typed.build(_Tokens, await _body(request))
        ending: Ending = order.ending
        ended = self._lab.ledger.end(ending, order.product, order.host, order.tokens)
        return web.json_response({"ended": ended})

    async def read_addresses(self, request: web.Request) -> web.Response:
        """List the further addresses."""
        return web.json_response({"addresses": self._lab.addresses})

    async def add_addresses(self, request: web.Request) -> web.Response:
        """Listen on more addresses."""
        order = typed.build(_Addresses, await _body(request))
        if not 0 < order.count <= _MOST_ADDRESSES:
            raise typed.Mismatch(f"count: must be between 1 and {_MOST_ADDRESSES}")
        added = await self._lab.add_addresses(order.count, order.certificate)
        return web.json_response({"addresses": added}, status=201)

    async def read_tunnels(self, request: web.Request) -> web.Response:
        """List the destinations that were requested from the proxy."""
        return web.json_response({"tunnels": self._lab.proxy.tunnels})

    async def reset(self, request: web.Request) -> web.Response:
        """Restore the initial state."""
        self._lab.reset()
        return web.Response(status=204)

    def _product(self, name: str) -> Product[Any, Any]:
        try:
            return self._lab.products[name]
        except KeyError:
            known = ", ".join(sorted(self._lab.products))
            raise web.HTTPNotFound(reason=f"unknown product {name!r}; known products: {known}") from None


def _number(query: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(query.get(name, default))
    except ValueError:
        raise typed.Mismatch(f"{name}: {query[name]!r} is not a number") from None


async def _body(request: web.Request) -> dict[str, Any]:
    """Return the request's JSON object. A missing body is an empty object."""
    try:
        value = json.loads(await request.read() or b"{}")
    except ValueError as problem:
        raise typed.Mismatch(f"body is not valid JSON: {problem}") from problem
    if not isinstance(value, dict):
        raise typed.Mismatch("body must be a JSON object")
    return value


async def _explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return errors as `{"error": …}`."""
    try:
        return await handler(request)
    except web.HTTPException as problem:
        return web.json_response({"error": problem.reason}, status=problem.status)
    except (ValueError, LookupError, OSError) as problem:
        # Mismatch is a ValueError. Actions raise LookupError for a missing object.
        status = 404 if isinstance(problem, LookupError) else 400
        return web.json_response({"error": str(problem.args[0] if problem.args else problem)}, status=status)


def control_application(lab: Lab) -> web.Application:
    """Build the application of the control API."""
    app = web.Application(middlewares=[web.middleware(_explain)])
    app.add_routes(Control(lab).routes())
    return app
