# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication and rate limits of an NSX manager.

Vendor pages: "Authenticating to the NSX API" (basic, session, principal identity), "API Rate Limiting".
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from ..product import Refusal, basic_credentials

_LOCKED = "The credentials were incorrect or the account specified has been locked."
COOKIE = "JSESSIONID"
XSRF_HEADER = "X-XSRF-TOKEN"


def wrong_credentials(status: int = 403) -> Refusal:
    """Return the manager's response to wrong credentials."""
    return Refusal(status, _LOCKED, 403)


@dataclass
class Session:
    """An open session."""

    user: str
    xsrf_token: str
    used_at: float


@dataclass
class Client:
    """The recent requests of a client."""

    recent: deque[float] = field(default_factory=deque)
    running: int = 0
    peak: int = 0


@dataclass
class Access:
    """The sessions and clients of one manager."""

    sessions: dict[str, Session] = field(default_factory=dict)
    sessions_opened: int = 0
    clients: dict[str, Client] = field(default_factory=dict)

    def open_session(self, user: str) -> tuple[str, Session]:
        """Open a session, and return its id and the session."""
        number = secrets.token_hex(16).upper()
        self.sessions[number] = Session(user, secrets.token_hex(16), time.monotonic())
        self.sessions_opened += 1
        return number, self.sessions[number]

    def session_of(self, request: web.Request, timeout: float) -> Session:
        """Return the session of the cookie. Reads and writes both require its XSRF token."""
        session = self.sessions.get(request.cookies[COOKIE])
        if session and time.monotonic() - session.used_at > timeout:
            del self.sessions[request.cookies[COOKIE]]
            session = None
        if session is None or request.headers.get(XSRF_HEADER) != session.xsrf_token:
            raise Refusal(403, "Bad XSRF token or expired session", 98)
        session.used_at = time.monotonic()
        return session

    @contextmanager
    def admitted(self, name: str, per_second: int, concurrent: int) -> Iterator[None]:
        """Count a request of a client, or refuse it if the limit is exceeded. 0 disables a limit."""
        client = self.clients.setdefault(name, Client())
        now = time.monotonic()
        while client.recent and now - client.recent[0] >= 1:
            client.recent.popleft()
        if per_second and len(client.recent) >= per_second:
            raise Refusal(429, f"Client '{name}' exceeded request rate of {per_second} per second", "102")
        if concurrent and client.running >= concurrent:
            raise Refusal(503, f"Client '{name}' exceeded request concurrency of {concurrent}", "102")
        client.recent.append(now)
        client.running += 1
        client.peak = max(client.peak, client.running)
        try:
            yield
        finally:
            client.running -= 1


def basic_user(request: web.Request, username: str, password: str) -> str:
    """Return the user of Basic authentication."""
    if basic_credentials(request) != (username, password):
        raise wrong_credentials()
    return username


def certificate_user(request: web.Request) -> str | None:
    """Return the common name of the client's certificate, which TLS has checked against the lab's CA."""
    certificate = request.transport.get_extra_info("peercert") if request.transport else None
    names = [value for pairs in (certificate or {}).get("subject", ()) for key, value in pairs if key == "commonName"]
    return names[0] if names else None
