# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The query of Avi listings: filters, the selection of fields, and pages.

Vendor page: "GET /securechanneltoken" of the Avi Load Balancer API reference. Assumed: a page has 25 objects by
default, and a page beyond the last one is a 404.
"""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

from aiohttp import web

from ..product import Refusal, origin

_MOST_PER_PAGE = 200
_PER_PAGE = 25
_ALWAYS = ("name", "url", "uuid")


def has_flag(request: web.Request, name: str) -> bool:
    """Whether a flag such as `include_name` is set. Without a value it is."""
    return request.query.get(name, "false").lower() not in ("false", "0")


def chosen(request: web.Request, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the objects that match the filters."""
    query = request.query
    if "name" in query:
        items = [item for item in items if item["name"] == query["name"]]
    for name in ("uuid", "cloud_uuid"):
        if name in query:
            items = [item for item in items if query[name] in (item.get(name), *_values(item))]
    if "refers_to" in query:
        target = query["refers_to"].rpartition(":")[2]
        items = [item for item in items if target in _values(item)]
    if "referred_by" in query:
        target = query["referred_by"].rpartition(":")[2]
        items = [item for item in items if target == item.get("node_uuid")]
    return items


def page_of(request: web.Request, items: list[dict[str, Any]], next_host: str) -> web.Response:
    """Return one page. The last one has no `next`."""
    size, page = _number(request, "page_size", _PER_PAGE, _MOST_PER_PAGE), _number(request, "page", 1, None)
    start, end = (page - 1) * size, page * size
    if start and start >= len(items):
        raise Refusal(404, "Invalid page")
    body: dict[str, Any] = {"count": len(items), "results": [_fields(request, item) for item in items[start:end]]}
    if end < len(items):
        query = urllib.parse.urlencode({**request.query, "page": page + 1})
        base = f"https://{next_host}" if next_host else origin(request)
        body["next"] = f"{base}{request.path}?{query}"
    return web.json_response(body)


def one(request: web.Request, item: dict[str, Any], status: int = 200) -> web.Response:
    """Return one object."""
    return web.json_response(_fields(request, item), status=status)


def _fields(request: web.Request, item: dict[str, Any]) -> dict[str, Any]:
    if has_flag(request, "skip_default"):
        item = {name: value for name, value in item.items() if value not in (False, [], "")}
    if "fields" in request.query:
        wanted = {*request.query["fields"].split(","), *_ALWAYS}
        item = {name: value for name, value in item.items() if name in wanted}
    return item


def _values(item: dict[str, Any]) -> list[str]:
    return [pair["val"] for pair in item.get("metadata", ())]


def _number(request: web.Request, name: str, default: int, most: int | None) -> int:
    text = request.query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1 or (most is not None and int(text) > most):
        raise Refusal(400, f"Invalid {name}: {text}")
    return int(text)
