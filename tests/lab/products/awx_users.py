# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions on a controller: system administrators may do everything, others only in their organization."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..product import Refusal
from .awx_model import Items

# They belong to no organization: only a system administrator creates, changes and deletes them.
_SYSTEM = ("organizations", "credential_types")
_OWNERS = ("organization", "project", "inventory", "workflow_job_template", "unified_job_template")


@dataclass(frozen=True)
class User:
    """A user; without an organization, a system administrator."""

    number: int
    name: str
    password: str
    organization: int | None = None

    def shown(self) -> dict[str, Any]:
        """Return the response of `/me/`."""
        everything = self.organization is None
        return {"id": self.number, "type": "user", "username": self.name, "is_superuser": everything}

    def may_see(self, items: Items, resource: str, values: Mapping[str, Any], number: int) -> bool:
        """Whether a list for this user contains the object."""
        if self.organization is None or resource == "credential_types":
            return True
        owner = number if resource == "organizations" else organization_of(items, values)
        return owner == self.organization or (owner is None and resource == "execution_environments")

    def check(self, items: Items, resource: str, values: Mapping[str, Any]) -> None:
        """Refuse to create, change or delete an object without the permission."""
        if self.organization is None:
            return
        if resource in _SYSTEM or organization_of(items, values) != self.organization:
            raise Refusal(403, "You do not have permission to perform this action.")


def signed_in(
    users: Iterable[User], tokens: Iterable[tuple[str, User]], basic: tuple[str, str] | None, bearer: str | None
) -> User:
    """Return the user of a name and password, or of a token; a 401 if there is none."""
    known = [(f"{user.name}:{user.password}", user) for user in users] if basic else tokens
    given = ":".join(basic) if basic else bearer or ""
    for text, user in known:
        if hmac.compare_digest(given.encode(), text.encode()):
            return user
    raise Refusal(401, "Authentication credentials were not provided. To establish a login session, visit /api/login/.")


def organization_of(items: Items, values: Mapping[str, Any]) -> int | None:
    """Return the organization of an object, through other objects if necessary."""
    for name in _OWNERS:
        if values.get(name):
            number = values[name]
            other = items.by_number.get(number)
            return int(number) if name == "organization" or not other else organization_of(items, other.values)
    return None
