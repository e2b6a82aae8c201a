# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of faults. Each is a dataclass whose fields are the parameters of the control API."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web
from multidict import CIMultiDict

Answer = Callable[[], Awaitable[web.StreamResponse]]
_MEGABYTE = 1024 * 1024
_HEADERS_AT_ONCE = 100


@dataclass
class Call:
    """One request that a fault affects. `work` does what the product would have done."""

    request: web.Request
    work: Answer
    cleared: asyncio.Event


class Kind:
    """A kind of fault."""

    name: ClassVar[str]
    is_modifier: ClassVar[bool] = False
    """Modifiers do not replace the response and can be combined with other faults."""

    async def apply(self, call: Call) -> web.StreamResponse:
        """Send the response, or none."""
        raise NotImplementedError

    def bound(self, call: Call) -> Answer:
        """Return the response of one call, so that faults can be nested."""
        return functools.partial(self.apply, call)


def hang_up(request: web.Request, abrupt: bool = False) -> web.Response:
    """Close the connection. The returned response is never sent."""
    request["hung_up"] = True
    if request.transport is not None:
        # Orderly: TLS close_notify and FIN. Abrupt: neither, as when a device on the path loses power (RFC 8446, 6.1).
        request.transport.abort() if abrupt else request.transport.close()
    return web.Response(status=500)


_WITHOUT_BODY = (204, 304)


def is_gone(request: web.Request) -> bool:
    """Whether the client has disconnected."""
    return request.transport is None or request.transport.is_closing()


def body_of(response: web.StreamResponse) -> bytes:
    """Return the body of a response that has not been sent yet."""
    body = response.body if isinstance(response, web.Response) else None
    return bytes(body) if isinstance(body, (bytes, bytearray)) else b""


async def begin(request: web.Request, like: web.StreamResponse, length: int) -> web.StreamResponse:
    """Send the status line and headers of `like`, with a Content-Length of `length`."""
    headers = CIMultiDict(like.headers)
    headers["Content-Length"] = str(length)
    begun = web.StreamResponse(status=like.status, headers=headers)
    await begun.prepare(request)
    return begun


@dataclass
class Delay(Kind):
    """Delay the request. With `work`, the product does its work first and only the response is late.

    Without it, the product does nothing if the client has disconnected in the meantime. The request continues when the
    fault is cleared.
    """

    name: ClassVar[str] = "delay"
    is_modifier: ClassVar[bool] = True
    seconds: float
    work: bool = False

    async def apply(self, call: Call) -> web.StreamResponse:
        response = await call.work() if self.work else None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(call.cleared.wait(), self.seconds)
        if response is not None:
            return response
        return hang_up(call.request) if is_gone(call.request) else await call.work()


@dataclass
class SkewDate(Kind):
    """Set a wrong `Date` in the response. The product's own clock is not changed (see the setting `clock_offset`)."""

    name: ClassVar[str] = "skew_date"
    is_modifier: ClassVar[bool] = True
    seconds: float

    async def apply(self, call: Call) -> web.StreamResponse:
        call.request["skew"] = self.seconds
        return await call.work()


@dataclass
class DropBefore(Kind):
    """Close the connection without doing the work."""

    name: ClassVar[str] = "drop_before"
    abrupt: bool = False

    async def apply(self, call: Call) -> web.StreamResponse:
        return hang_up(call.request, self.abrupt)


@dataclass
class DropAfter(Kind):
    """Do the work, then close the connection without a response."""

    name: ClassVar[str] = "drop_after"
    abrupt: bool = False

    async def apply(self, call: Call) -> web.StreamResponse:
        await call.work()
        return hang_up(call.request, self.abrupt)


@dataclass
class Truncate(Kind):
    """Do the work, announce the whole body and send only a part of it (`keep` bytes, half by default)."""

    name: ClassVar[str] = "truncate"
    keep: int | None = None

    async def apply(self, call: Call) -> web.StreamResponse:
        response = await call.work()
        if response.status in _WITHOUT_BODY:
            # A client takes its head for the whole response.
            return hang_up(call.request)
        body = body_of(response)
        keep = len(body) // 2 if self.keep is None else self.keep
        # For an empty body one byte is announced, so that a byte is missing.
        begun = await begin(call.request, response, max(len(body), 1))
        await begun.write(body[:keep])
        hang_up(call.request)
        return begun


@dataclass
class Trickle(Kind):
    """Do the work, then send the body one byte per `interval` seconds."""

    name: ClassVar[str] = "trickle"
    interval: float = 0.1

    async def apply(self, call: Call) -> web.StreamResponse:
        response = await call.work()
        body = body_of(response)
        begun = await begin(call.request, response, len(body))
        for position in range(len(body)):
            if is_gone(call.request):
                break
            await begun.write(body[position : position + 1])
            await asyncio.sleep(self.interval)
        return begun


@dataclass(kw_only=True)
class Replacement(Kind):
    """Send another response than the product's. With `work`, the product still does its work."""

    work: bool = False

    async def apply(self, call: Call) -> web.StreamResponse:
        if self.work:
            await call.work()
        return await self.response(call.request)

    async def response(self, request: web.Request) -> web.StreamResponse:
        """Return the other response."""
        raise NotImplementedError


@dataclass
class Status(Replacement):
    """Any status, headers and body. A body that is not a string is sent as JSON."""

    name: ClassVar[str] = "status"
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = ""

    async def response(self, request: web.Request) -> web.StreamResponse:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        headers = CIMultiDict(self.headers)
        request["own_date"] = "Date" in headers
        if text:
            headers.setdefault("Content-Type", "text/plain" if isinstance(self.body, str) else "application/json")
        return web.Response(status=self.status, headers=headers, body=text.encode())


@dataclass
class Html(Replacement):
    """The HTML page of a proxy on the path."""

    name: ClassVar[str] = "html"
    status: int = 502

    async def response(self, request: web.Request) -> web.StreamResponse:
        page = f"<!DOCTYPE html>\n<html><head><title>{self.status} Proxy</title></head><body>Blocked.</body></html>\n"
        return web.Response(status=self.status, text=page, content_type="text/html")


@dataclass
class InvalidJson(Replacement):
    """A body that is declared as JSON and is not valid JSON."""

    name: ClassVar[str] = "invalid_json"
    status: int = 200
    body: str = '{"token": "'

    async def response(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=self.status, text=self.body, content_type="application/json")


@dataclass
class Empty(Replacement):
    """A response without a body."""

    name: ClassVar[str] = "empty"
    status: int = 200

    async def response(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=self.status, content_type="application/json")


@dataclass
class Redirect(Replacement):
    """A redirect to another host; without `location`, to the same path there."""

    name: ClassVar[str] = "redirect"
    status: int = 302
    location: str | None = None

    async def response(self, request: web.Request) -> web.StreamResponse:
        location = self.location or f"https://elsewhere.example.net{request.raw_path}"
        return web.Response(status=self.status, headers={"Location": location})


@dataclass
class Huge(Replacement):
    """A body of many megabytes, sent as fast as the client reads it."""

    name: ClassVar[str] = "huge"
    megabytes: int = 100

    async def response(self, request: web.Request) -> web.StreamResponse:
        like = web.Response(status=200, content_type="application/json")
        begun = await begin(request, like, self.megabytes * _MEGABYTE)
        for _number in range(self.megabytes):
            if is_gone(request):
                break
            await begun.write(b" " * _MEGABYTE)
        return begun


@dataclass
class GzipBomb(Replacement):
    """A small body that unpacks to many megabytes."""

    name: ClassVar[str] = "gzip_bomb"
    megabytes: int = 100

    async def response(self, request: web.Request) -> web.StreamResponse:
        body = await asyncio.to_thread(_packed_spaces, self.megabytes)
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(status=200, body=body, headers=headers)


@functools.lru_cache(maxsize=4)
def _packed_spaces(megabytes: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as file:
        for _number in range(megabytes):
            file.write(b" " * _MEGABYTE)
    return packed.getvalue()


@dataclass
class EndlessHeaders(Replacement):
    """Send headers until the client disconnects, or up to `limit` of them."""

    name: ClassVar[str] = "endless_headers"
    limit: int = 1_000_000

    async def response(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is not None:
            transport.write(b"HTTP/1.1 200 OK\r\n")
            for start in range(0, self.limit, _HEADERS_AT_ONCE):
                if is_gone(request):
                    break
                numbers = range(start, min(start + _HEADERS_AT_ONCE, self.limit))
                transport.write("".join(f"X-Filler-{number}: {'x' * 64}\r\n" for number in numbers).encode())
                await request.writer.drain()
                await asyncio.sleep(0)  # lets the event loop notice that the client has disconnected
        return hang_up(request)


KINDS: dict[str, type[Kind]] = {
    kind.name: kind
    for kind in (
        Delay, SkewDate, DropBefore, DropAfter, Truncate, Trickle, Status, Html, InvalidJson, Empty, Redirect,
        Huge, GzipBomb, EndlessHeaders,
    )
}  # fmt: skip
