# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of vAPI over HTTP.

Vendor page: "Vapi Std Errors". The status of each type is taken from the vendor's own client. The ids of messages are
from responses quoted in public if there are any, and otherwise assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ..product import Refusal

_TYPES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "UNAUTHORIZED",
    404: "NOT_FOUND",
    405: "OPERATION_NOT_FOUND",
    503: "SERVICE_UNAVAILABLE",
    504: "TIMED_OUT",
}
_MESSAGES = {
    400: "com.vmware.vapi.endpoint.invalidArgument",
    401: "com.vmware.vapi.endpoint.method.authentication.required",
    403: "vapi.security.authorization.permission.denied",
    404: "com.vmware.vapi.rest.httpNotFound",
    405: "com.vmware.vapi.rest.httpNotSupported",
}


@dataclass
class Unauthenticated(Refusal):
    """A caller without valid credentials. `challenge` names the accepted ones."""

    status: int = 401
    message: str = "Authentication required."
    challenge: str | None = None


def vapi_error(refusal: Refusal) -> web.Response:
    """Return messages, the type of the error and, for 401, the challenge."""
    identifier = _MESSAGES.get(refusal.status, "com.vmware.vapi.endpoint.internalError")
    body: dict[str, Any] = {
        "error_type": str(refusal.code or _TYPES.get(refusal.status, "ERROR")),
        "messages": [{"id": identifier, "default_message": refusal.message, "args": []}],
    }
    headers = {}
    if isinstance(refusal, Unauthenticated) and refusal.challenge:
        body["challenge"] = headers["WWW-Authenticate"] = refusal.challenge
    return web.json_response(body, status=refusal.status, headers=headers)


def old_vapi_error(refusal: Refusal) -> web.Response:
    """The same in the format of the API below /rest."""
    kind = str(refusal.code or _TYPES.get(refusal.status, "ERROR")).lower()
    identifier = _MESSAGES.get(refusal.status, "com.vmware.vapi.endpoint.internalError")
    message = {"id": identifier, "default_message": refusal.message, "args": []}
    body = {"type": f"com.vmware.vapi.std.errors.{kind}", "value": {"messages": [message]}}
    return web.json_response(body, status=refusal.status)
