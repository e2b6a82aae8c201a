# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect to an Avi controller: the options and the session that all its operations share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from .._clients import avi, avi_auth
from .._core.argspec import CONNECTION, ArgumentSpec
from .._core.secret import Secret
from .._core.token import Token
from .._http.listing import ListingBounds
from .._http.response import items, number
from .._http.session import Session
from .._http.url import BaseUrl
from .base import Operation

TOKEN_TYPE = "SecureChannelToken"

SIGN_IN = ArgumentSpec(
    {
        "hostname": {"type": "str", "required": True, "environment": ("AVI_CONTROLLER",)},
        "username": {"type": "str", "environment": ("AVI_USERNAME",)},
        "password": {"type": "str", "no_log": True, "environment": ("AVI_PASSWORD",)},
        "session_id": {"type": "str", "no_log": True},
        "csrftoken": {"type": "str", "no_log": True},
        "api_version": {"type": "str", "environment": ("AVI_VERSION",)},
        "tenant": {"type": "str", "environment": ("AVI_TENANT",)},
        "tenant_uuid": {"type": "str"},
    },
    alternatives=(("session_id", "csrftoken"), ("username", "password")),
    mutually_exclusive=(("session_id", "username"),),
    required_together=(("username", "password"),),
    required_one_of=(("username", "session_id"),),
).merge(CONNECTION)


def open_client(operation: Operation, narrowing: str) -> tuple[Session, avi.AviClient]:
    """Sign in to the controller. The session ends with the operation. Raises TokensError.

    `narrowing` is the advice when there are more objects than one task may read.
    """
    params = operation.params
    session = operation.open_session(BaseUrl.parse(params["hostname"]), avi.error_facts)
    identity = avi_auth.Identity(
        username=params["username"],
        password=params["password"],
        session_id=params["session_id"],
        csrftoken=params["csrftoken"],
        api_version=params["api_version"],
        tenant=params["tenant"],
        tenant_uuid=params["tenant_uuid"],
    )
    auth = avi_auth.AviAuth(session, identity)
    operation.at_end(auth.logout)
    auth.login()
    return session, avi.AviClient(session, auth, ListingBounds(narrowing))


def token_of(item: Optional[Mapping[str, Any]]) -> Optional[Token]:
    """Make a Token of a secure channel token: its name or uuid, whichever looks generated.

    None when both are labels: masking a label would censor the word in all output.
    """
    item = item or {}
    generated = [str(value) for value in (item.get("name"), item.get("uuid")) if avi.looks_generated(str(value or ""))]
    if not generated:
        return None
    return Token(Secret(generated[0]), TOKEN_TYPE, expires_at=expiry_of(item), signs_requests=False)


def identity_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Name, uuid and url; each is a Secret if it contains a generated name or uuid."""
    generated = [text for text in map(str, (item.get("name"), item.get("uuid"))) if avi.looks_generated(text)]

    def returned(value: Any) -> Any:
        is_secret = isinstance(value, str) and any(text in value for text in generated)
        return Secret(value) if is_secret else value

    return {field: returned(item.get(field)) for field in ("name", "uuid", "url")}


def expiry_of(item: Mapping[str, Any]) -> Optional[float]:
    """Its expiry in epoch seconds; None when it is zero or missing."""
    value = number(item.get("expiry_time"))
    return value if value is not None and value > 0 else None


def metadata_of(item: Mapping[str, Any]) -> dict[str, str]:
    """Its metadata as a mapping."""
    return {str(entry.get("key")): str(entry.get("val") or "") for entry in items(item.get("metadata"))}
