# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the aiohttp application of a product. It logs requests, applies faults and never returns a traceback."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from email.utils import formatdate
from typing import Any

from aiohttp import web

from .fault_kinds import hang_up
from .faults import FaultTable, strike
from .log import Entry, RequestLog
from .product import Handler, Middleware, Product, Refusal, host_of

_LOGGER = logging.getLogger("lab")


def application(
    product: Product[Any, Any], log: RequestLog, faults: FaultTable, guests: Iterable[Product[Any, Any]] = ()
) -> web.Application:
    """Build the application of a product, which also has the routes of its guests."""
    layers = [_observer(product, log), _striker(product, log, faults), _refuser(product), *product.middlewares()]
    app = web.Application(middlewares=[_marked(layer) for layer in layers], logger=_LOGGER)
    app.add_routes([*product.routes(), *(route for guest in guests for route in guest.guest_routes())])
    app.on_response_prepare.append(_dater(product))
    return app


def _marked(layer: Middleware) -> Any:
    """Mark a middleware for aiohttp. A bound method cannot have the mark itself."""

    @web.middleware
    async def marked(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await layer(request, handler)

    return marked


def _observer(product: Product[Any, Any], log: RequestLog) -> Middleware:
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        entry = _enter(product.name, request, log)
        request["entry"] = entry
        status = None
        try:
            response = await handler(request)
            status = None if request.get("hung_up") else response.status
            return response
        finally:
            await log.close(entry, status)

    return observe


def _enter(product: str, request: web.Request, log: RequestLog) -> Entry:
    path, _mark, query = request.raw_path.partition("?")
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return log.open(
        product=product,
        host=host_of(request),
        method=request.method,
        path=path,
        query=query,
        headers=list(request.headers.items()),
        body="",
        peer=f"{peer[0]}:{peer[1]}" if peer else "",
        connection=log.connections.number(request.transport),
    )


def _striker(product: Product[Any, Any], log: RequestLog, faults: FaultTable) -> Middleware:
    async def maybe_strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            request["entry"].body = (await request.read()).decode(errors="backslashreplace")
        except web.HTTPRequestEntityTooLarge:
            return product.refuse(request, Refusal(413, "Request body is too large"))
        except web.RequestPayloadError:
            return product.refuse(request, Refusal(400, "Request body cannot be read"))
        except ConnectionError:
            return hang_up(request)  # the client disconnected during its request
        struck = faults.pick(product.name, request)
        request["entry"].fault = "+".join(fault.kind.name for fault in struck) or None
        await log.announce()
        return await strike(struck, request, handler)

    return maybe_strike


def _refuser(product: Product[Any, Any]) -> Middleware:
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return product.refuse(request, refusal)
        except web.HTTPMethodNotAllowed as problem:
            response = product.refuse(request, Refusal(405, f"Request method '{request.method}' not supported"))
            response.headers["Allow"] = problem.headers["Allow"]
            return response
        except web.HTTPException as problem:
            return product.refuse(request, Refusal(problem.status, problem.reason))
        except Exception:
            _LOGGER.exception("%s: %s failed", product.name, request.method)
            return product.refuse(request, Refusal(500, "Internal server error"))

    return refuse


def _dater(product: Product[Any, Any]) -> Any:
    async def date(request: web.Request, response: web.StreamResponse) -> None:
        """Set `Date` (RFC 9110, section 6.6.1) from the product's clock, unless a fault has set it."""
        if not request.get("own_date"):
            now = product.now(host_of(request)) + request.get("skew", 0.0)
            response.headers["Date"] = formatdate(now, usegmt=True)

    return date
