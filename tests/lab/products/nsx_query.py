# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The query of NSX listings: paging (`cursor`, `page_size`) and the filters of the manager's alarms.

Vendor pages: "List tier-0s" and similar ones for paging, "Get alarms" for the filters.
"""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from ..product import Refusal

_MOST_PER_PAGE = 1000
_CURSOR = "0036"  # anything but 0000, with which the cursor of a last page begins


def cursor_at(start: int) -> str:
    """Return the cursor of the page that begins at item `start`."""
    return f"{_CURSOR}{start:08x}"


def page_size(request: web.Request) -> int:
    """Return how many items a page may have."""
    text = request.query.get("page_size", str(_MOST_PER_PAGE))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 0 < int(text) <= _MOST_PER_PAGE:
        raise Refusal(400, f"page_size must be between 1 and {_MOST_PER_PAGE}", 255)
    return int(text)


def offset(request: web.Request) -> int:
    """Return the first item of the page."""
    cursor = request.query.get("cursor", "")
    if not cursor or cursor.startswith("0000"):
        return 0
    try:
        return int(cursor.removeprefix(_CURSOR), 16)
    except ValueError as problem:
        raise Refusal(400, f"Invalid cursor: {cursor}", 255) from problem


def passes(alarm: dict[str, Any], request: web.Request) -> bool:
    """Whether an alarm matches the query. All filters but the times accept several values, separated by commas."""
    query = request.query
    for name in ("id", "feature_name", "event_type", "status", "severity", "node_id"):
        if name in query and alarm[name] not in query[name].split(","):
            return False
    if "intent_path" in query and not set(query["intent_path"].split(",")) & set(alarm["alarm_source"]):
        return False
    try:
        after, before = int(query.get("after", 0)), int(query.get("before", 1 << 62))
    except ValueError as problem:
        raise Refusal(400, "after and before must be epoch milliseconds", 255) from problem
    return bool(after <= alarm["last_reported_time"] <= before)
