# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How AWX filters its lists: by fields, by fields of related objects, by several values, and by alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from multidict import MultiMapping

from ..product import Refusal
from .awx_model import Items

_PAGING = ("page", "page_size")


def matching(found: list[dict[str, Any]], query: MultiMapping[str], items: Items) -> list[dict[str, Any]]:
    """Return the objects that match a query. A field that no object has is an error of the client."""
    wanted = [(name, value) for name, value in query.items() if name not in _PAGING]
    each = [(name, value) for name, value in wanted if not name.startswith("or__")]
    either = [(name.removeprefix("or__"), value) for name, value in wanted if name.startswith("or__")]
    for name, _value in each + either:
        if found and all(name.partition("__")[0] not in item for item in found):
            raise Refusal(400, f"{found[0]['type']} has no field named '{name}'")
    return [
        item
        for item in found
        if all(_is(item, name, value, items) for name, value in each)
        and (not either or any(_is(item, name, value, items) for name, value in either))
    ]


def _is(item: Mapping[str, Any], name: str, value: str, items: Items) -> bool:
    field, _separator, rest = name.partition("__")
    if rest == "in":
        return str(item.get(field)) in value.split(",")
    if rest:
        related = items.by_number.get(item.get(field) or 0)
        return related is not None and _is(related.values, rest, value, items)
    return str(item.get(field)) == value
