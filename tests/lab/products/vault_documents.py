# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents of the store: versions, check-and-set and metadata of a KV secrets engine, version 2."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..product import Refusal

# Without max_versions of its own, a document keeps so many.
_VERSIONS = 10
_LONGEST_VALUE = 512


@dataclass
class Version:
    """One version of a document. Times are epoch seconds."""

    number: int
    data: dict[str, Any] | None
    created_at: float
    deleted_at: float | None = None

    def times(self) -> dict[str, Any]:
        deleted = "" if self.deleted_at is None else shown_time(self.deleted_at)
        return {"created_time": shown_time(self.created_at), "deletion_time": deleted, "destroyed": False}


@dataclass
class Document:
    """A document, from the first write of its data or metadata until its metadata is deleted."""

    created_at: float
    updated_at: float
    versions: dict[int, Version] = field(default_factory=dict)
    current: int = 0
    oldest: int = 0
    changes: int = 0
    max_versions: int = 0
    cas_required: bool = False
    custom: dict[str, str] | None = None

    def found(self, number: int) -> Version | None:
        """Return a version; 0 is the latest."""
        return self.versions.get(number or self.current)

    def write(self, data: dict[str, Any] | None, now: float) -> Version:
        """Add a version, and remove those that are too many."""
        self.current += 1
        self.updated_at = now
        version = self.versions[self.current] = Version(self.current, data, now)
        for number in sorted(self.versions)[: -(self.max_versions or _VERSIONS)]:
            del self.versions[number]
            self.oldest = number + 1
        return version

    def change(self, body: Mapping[str, Any], now: float) -> None:
        """Change the metadata. Fields that are not in the request stay."""
        max_versions = integer(body.get("max_versions", self.max_versions), "max_versions must be an integer")
        cas_required = body.get("cas_required", self.cas_required)
        if not isinstance(cas_required, bool):
            raise Refusal(400, "cas_required must be a boolean")
        custom = {name: _text(name, value) for name, value in (body.get("custom_metadata") or {}).items()}
        self.max_versions, self.cas_required = max_versions, cas_required
        if "custom_metadata" in body:
            self.custom = custom or None
        if not body.keys().isdisjoint(("max_versions", "cas_required", "custom_metadata")):
            self.changes += 1
            self.updated_at = now

    def shown(self, version: Version) -> dict[str, Any]:
        """Return the metadata of a version."""
        return {**version.times(), "custom_metadata": self.custom, "version": version.number}

    def metadata(self) -> dict[str, Any]:
        """Return the metadata of the document."""
        return {
            "cas_required": self.cas_required,
            "created_time": shown_time(self.created_at),
            "current_metadata_version": self.changes,
            "current_version": self.current,
            "custom_metadata": self.custom,
            "delete_version_after": "0s",
            "max_versions": self.max_versions,
            "metadata_cas_required": False,
            "oldest_version": self.oldest,
            "updated_time": shown_time(self.updated_at),
            "versions": {str(number): version.times() for number, version in self.versions.items()},
        }


def check_cas(body: Mapping[str, Any], document: Document | None) -> None:
    """Refuse a write whose check-and-set parameter is missing, or is not the current version."""
    options = body.get("options") or {}
    if "cas" not in options:
        if document and document.cas_required:
            raise Refusal(400, "check-and-set parameter required for this call")
        return
    if integer(options["cas"], "error parsing check-and-set parameter") != (document.current if document else 0):
        raise Refusal(400, "check-and-set parameter did not match the current version")


def integer(value: Any, error: str) -> int:
    """Convert a number as the server does: null is 0, true is 1, and a string is parsed."""
    if isinstance(value, float):
        raise Refusal(400, error)
    try:
        return int(value or 0)
    except (TypeError, ValueError) as problem:
        raise Refusal(400, error) from problem


def _text(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if not 0 < len(text) <= _LONGEST_VALUE:
        error = f'length of value for key "{name}" is {len(text)} but must be 0 < len(value) <= {_LONGEST_VALUE}'
        raise Refusal(400, f"1 error occurred:\n\t* custom_metadata validation failed: {error}\n\n")
    return text


def shown_time(moment: float) -> str:
    """Format a time as RFC 3339 with nanoseconds, without zeros at the end."""
    seconds, nanoseconds = divmod(round(moment * 1e9), 10**9)
    fraction = f".{nanoseconds:09d}".rstrip("0").rstrip(".")
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}{fraction}Z"
