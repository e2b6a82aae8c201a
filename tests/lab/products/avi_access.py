# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication and API versions of an Avi controller.

Vendor page: "Overview" of the Avi Load Balancer API reference (session and basic authentication, `X-CSRFToken`,
`Referer`, `X-Avi-Version`). The response to an invalid CSRF token is taken from public reports.
"""

from __future__ import annotations

import re
import secrets
import time
import urllib.parse
from dataclasses import dataclass, field

from aiohttp import web

from ..product import Refusal, host_of

NAMED_COOKIE = "avi-sessionid"
CSRF_COOKIE = "csrftoken"
CSRF_REFUSAL = "CSRF token missing or incorrect."
_COOKIES = (NAMED_COOKIE, "sessionid")
_READING = ("GET", "HEAD")


@dataclass
class Session:
    """A signed-in user."""

    id: str
    csrf_token: str
    used_at: float


@dataclass
class Access:
    """The sessions of one controller."""

    sessions: dict[str, Session] = field(default_factory=dict)
    opened: int = 0
    refused_logins: int = 0

    def open(self) -> Session:
        """Open a session."""
        session = Session(secrets.token_hex(16), secrets.token_urlsafe(24), time.monotonic())
        self.sessions[session.id] = session
        self.opened += 1
        return session

    def find(self, request: web.Request, timeout: float) -> Session | None:
        """Return the session of the request's cookies, unless it has been idle for too long."""
        self.drop_idle(timeout)
        for name in _COOKIES:
            session = self.sessions.get(request.cookies.get(name, ""))
            if session is not None:
                session.used_at = time.monotonic()
                return session
        return None

    def drop_idle(self, timeout: float) -> None:
        """End the sessions that have been idle for `timeout` seconds."""
        latest = time.monotonic() - timeout
        self.sessions = {number: one for number, one in self.sessions.items() if one.used_at >= latest}


def check_csrf(request: web.Request, session: Session) -> None:
    """Require the session's CSRF token for a write, and a `Referer` on this controller."""
    if request.method in _READING:
        return
    if request.headers.get("X-CSRFToken") != session.csrf_token or not _comes_from_here(request):
        raise Refusal(401, CSRF_REFUSAL, CSRF_REFUSAL)


def _comes_from_here(request: web.Request) -> bool:
    """Whether `Referer` is a page of this controller."""
    try:
        referer = urllib.parse.urlsplit(request.headers.get("Referer", ""))
        return referer.scheme == "https" and referer.hostname == host_of(request)
    except ValueError:
        return False


def set_cookies(response: web.Response, session: Session, named: bool = True) -> None:
    """Set the session's cookies, or only its CSRF token."""
    response.set_cookie(CSRF_COOKIE, session.csrf_token, secure=True, samesite="Lax")
    for name in _COOKIES if named else ():
        response.set_cookie(name, session.id, secure=True, httponly=True, samesite="Lax")


def numbers(version: str) -> tuple[int, ...]:
    """Parse a version such as 31.1.1 or 22.1.3-2p1 into numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", version.split("-")[0]))


def version_of(request: web.Request, newest: str) -> str:
    """Return the API version of the request. A missing version, or one newer than the controller, is a 400."""
    given = request.headers.get("X-Avi-Version", "")
    if not re.fullmatch(r"\d{1,4}(\.\d{1,4})+(-\w+)?", given):
        raise Refusal(400, f"Invalid version '{given}' in header X-Avi-Version")
    if numbers(given) > numbers(newest):
        # The vendor's client searches for these two words.
        raise Refusal(400, f"Invalid version {given}: this controller's is {newest}")
    return given
