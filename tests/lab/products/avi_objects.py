# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of an Avi controller: sessions, tenants, clouds, and the secure channel tokens of each tenant.

Vendor page: "SecureChannelToken" of the Avi Load Balancer API reference. `node_uuid` and the keys of `metadata` are
taken from public exports.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..product import Refusal
from .avi_access import Access, numbers

KIND = "securechanneltoken"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# The API version in which a field was added.
_SINCE = {"in_use": "21.1.1"}
_SERVER_KEPT = ("_last_modified", "url", "uuid")
_KNOWN = ("name", "expiry_time", "in_use", "metadata", "node_uuid", *_SERVER_KEPT)
_OPERATIONS = ("add", "replace", "delete")


@dataclass
class Item:
    """One object. `values` are its fields except those that the server sets."""

    uuid: str
    tenant: str
    values: dict[str, Any]
    last_modified: int = 0

    def touch(self, now: float) -> None:
        """Record a change. Two changes never have the same time."""
        self.last_modified = max(int(now * 1_000_000), self.last_modified + 1)

    def shown(self, base: str, version: str, with_name: bool) -> dict[str, Any]:
        """Return the object as a response in that API version shows it."""
        link = f"{base}/{self.uuid}#{self.values['name']}" if with_name else f"{base}/{self.uuid}"
        mine = {name: value for name, value in self.values.items() if not _is_newer(name, version)}
        return {**mine, "uuid": self.uuid, "url": link, "_last_modified": str(self.last_modified)}


@dataclass
class Cloud:
    """A cloud that Service Engines may join."""

    name: str
    uuid: str = field(default_factory=lambda: f"cloud-{uuid.uuid4()}")


@dataclass
class AviState:
    """The objects of one controller."""

    tenants: dict[str, str]
    """Name to uuid."""
    clouds: list[Cloud]
    access: Access = field(default_factory=Access)
    cluster_uuid: str = field(default_factory=lambda: f"cluster-{uuid.uuid4()}")
    items: dict[str, Item] = field(default_factory=dict)
    engine_tokens: int = 0


def looks_generated(value: str) -> bool:
    """Whether a name looks like a secret: a UUID, or at least 20 characters without a space."""
    return _UUID.fullmatch(value) is not None or (len(value) >= 20 and " " not in value)


def new_uuid(body: Mapping[str, Any], slug: str | None) -> str:
    """Return the uuid of a new object: the requested one, or the name if it is a UUID, or a new one."""
    asked = slug or body.get("uuid") or (body["name"] if _UUID.fullmatch(body["name"]) else None)
    if asked is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", asked):
        raise Refusal(400, "Invalid value for field uuid")
    return asked or str(uuid.uuid4())


def checked(body: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Return the fields of an object that a client sent, without those that the server sets; or refuse them."""
    for name, value in body.items():
        if name not in _KNOWN:
            raise Refusal(400, f"Field {name} is not part of SecureChannelToken")
        if _is_newer(name, version):
            text = f"Incoming request (v{version}) has field {name} introduced in later versions(v{_SINCE[name]})."
            raise Refusal(400, text)
        if not _fits(name, value):
            raise Refusal(400, f"Invalid value for field {name}")
    if not body.get("name"):
        raise Refusal(400, "Field name is required")
    return {"in_use": False, **{name: value for name, value in body.items() if name not in _SERVER_KEPT}}


def check_unchanged(item: Item, told: object) -> None:
    """Refuse a write by a client that has read an older version of the object."""
    if told is not None and str(told) != str(item.last_modified):
        raise Refusal(412, "Concurrent update: the object has been changed")


def patched(item: Item, body: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Return the fields of an object after a PATCH of `add`, `replace` and `delete`, in this order."""
    if not body or any(name not in _OPERATIONS or not isinstance(body[name], dict) for name in body):
        raise Refusal(400, "PATCH accepts add, replace and delete, each an object")
    values = dict(item.values)
    for operation in _OPERATIONS:
        fields = dict(body.get(operation, {}))
        check_unchanged(item, fields.pop("_last_modified", None))
        for name, value in fields.items():
            values[name] = _after(operation, values.get(name), value)
    return checked({name: value for name, value in values.items() if value is not None}, version)


def _after(operation: str, old: Any, value: Any) -> Any:
    """Return a field after an operation. Entries of a list are added or removed, `delete` by their key."""
    entries = value if isinstance(value, list) else [value]
    if operation == "replace" or not isinstance(old, list):
        return None if operation == "delete" else value
    if operation == "add":
        return [*old, *(entry for entry in entries if entry not in old)]
    keys = [entry.get("key") if isinstance(entry, dict) else entry for entry in entries]
    return [entry for entry in old if entry["key"] not in keys]


def _is_newer(name: str, version: str) -> bool:
    return name in _SINCE and numbers(version) < numbers(_SINCE[name])


def _fits(name: str, value: object) -> bool:
    if name == "expiry_time":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if name == "in_use":
        return isinstance(value, bool)
    if name == "metadata":
        return isinstance(value, list) and all(map(_is_pair, value))
    return isinstance(value, str)


def _is_pair(entry: object) -> bool:
    return isinstance(entry, dict) and set(entry) == {"key", "val"} and all(isinstance(v, str) for v in entry.values())


def engine_token(tenant: str, cloud: Cloud, expires_at: float) -> Item:
    """Return a token with which one Service Engine of that tenant and cloud may join."""
    value = str(uuid.uuid4())
    metadata = [{"key": "tenant_uuid", "val": tenant}, {"key": "cloud_uuid", "val": cloud.uuid}]
    fields = {"name": value, "expiry_time": expires_at, "in_use": False, "metadata": metadata}
    return Item(value, tenant, fields)
