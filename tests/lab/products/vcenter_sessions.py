# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API sessions of vCenter, and the SAML assertions with which they can be created.

Vendor pages: "CIS Session" of the vSphere Automation API reference, "Vcenter Authentication Token issue".

Known from those pages and from public scripts: the calls and statuses, the name of the header, that a session ends by a
request, by idleness or at a fixed time, and that the response names neither; an assertion is returned as base64 of its
XML, is valid for 299 seconds, and is sent compressed with gzip. Known from articles of the vendor: 30 minutes of
idleness, and a limit of sessions at which every login fails. Assumed: the fixed time of 48 hours, 503 at the limit, and
the format of the old API in detail. The assertion here is not signed: the server knows those that it issued.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import uuid
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from xml.sax.saxutils import escape

from ..product import Refusal, Settings, Shared
from ..tokens import Token

SESSION_HEADER = "vmware-api-session-id"
SAML = "urn:ietf:params:oauth:token-type:saml2"
_SIGN = re.compile(r'SIGN token="(?P<token>[A-Za-z0-9+/=]+)"', re.IGNORECASE)


@dataclass(kw_only=True)
class SessionSettings(Settings):
    """The settings of sessions that a test may change."""

    session_api: Literal["both", "rest"] = "both"
    """The paths of sessions: below /api and /rest, or below /rest only, as before 7.0 U2."""
    session_status: Literal[201, 200] = 201
    """The status of a new session."""
    idle_timeout: int = 1800
    """Seconds without a request after which a session ends."""
    session_lifetime: int = 172800
    """Seconds after which a session ends at the latest."""
    most_sessions: int = 3000
    """Number of sessions at which no more can be created."""
    bearer_assertions: bool = True
    """Whether an assertion without a key can be used to sign in."""
    assertion_lifetime: int = 299
    """Lifetime of an assertion in seconds."""
    assertion_format: Literal["base64", "base64url"] = "base64"
    """The encoding of an assertion in the response: base64url is without padding."""


@dataclass
class Session:
    """An open session: its token in the ledger, and the times at which it was created and last used."""

    token: Token
    created_at: float
    used_at: float
    ends_at: float

    def as_json(self) -> dict[str, str]:
        """Return the session as the API describes it."""
        return {
            "user": self.token.principal,
            "created_time": _iso(self.created_at),
            "last_accessed_time": _iso(self.used_at),
        }


@dataclass
class Assertion:
    """A SAML assertion that was issued. `expires_at` is in the clock of the product."""

    user: str
    expires_at: float


@dataclass
class SessionState:
    """The sessions and assertions of a host."""

    sessions: dict[str, Session] = field(default_factory=dict)
    assertions: dict[str, Assertion] = field(default_factory=dict)
    refused_for_limit: int = 0

    def open(self, shared: Shared, product: str, host: str, user: str, settings: SessionSettings, now: float) -> str:
        """Create a session and return its id."""
        if sum(session.token.is_valid(now) for session in self.sessions.values()) >= settings.most_sessions:
            self.refused_for_limit += 1
            raise Refusal(503, "The maximum number of sessions is reached.")
        value = shared.secrets.make("vcenter session", 32)
        ends_at = now + settings.session_lifetime
        token = Token(value, product, host, "session", user, min(ends_at, now + settings.idle_timeout))
        shared.ledger.add(token)
        self.sessions[value] = Session(token, now, now, ends_at)
        return value

    def use(self, value: str, settings: SessionSettings, now: float) -> Session | None:
        """Return the open session with this id, whose idle time starts anew; None without one."""
        session = self.sessions.get(value)
        if session is None or not session.token.is_valid(now):
            return None
        session.used_at = now
        session.token.expires_at = min(session.ends_at, now + settings.idle_timeout)
        return session

    def issue(self, shared: Shared, user: str, settings: SessionSettings, now: float) -> str:
        """Issue an assertion for a user, and return it as base64 of its XML."""
        ends_at = now + settings.assertion_lifetime
        xml = (
            f'<?xml version="1.0" encoding="UTF-8"?><saml2:Assertion ID="_{uuid.uuid4()}" IssueInstant="{_iso(now)}">'
            f"<saml2:Subject><saml2:NameID>{escape(user)}</saml2:NameID></saml2:Subject>"
            f'<saml2:Conditions NotBefore="{_iso(now)}" NotOnOrAfter="{_iso(ends_at)}"/></saml2:Assertion>'
        )
        self.assertions[xml] = Assertion(user, ends_at)
        encode = base64.b64encode if settings.assertion_format == "base64" else base64.urlsafe_b64encode
        encoded = encode(xml.encode()).decode()
        encoded = encoded if settings.assertion_format == "base64" else encoded.rstrip("=")
        shared.secrets.remember("vcenter assertion", xml)
        shared.secrets.remember("vcenter encoded assertion", encoded)
        return encoded

    def signed_in(self, shared: Shared, authorization: str, settings: SessionSettings, now: float) -> str | None:
        """Return the user of the assertion in a header; None without a valid one."""
        found = _SIGN.fullmatch(authorization)
        if found is None or not settings.bearer_assertions:
            return None
        shared.secrets.remember("vcenter compressed assertion", found["token"])
        try:
            xml = gzip.decompress(base64.b64decode(found["token"], validate=True)).decode()
        except (binascii.Error, OSError, EOFError, zlib.error, UnicodeDecodeError):
            return None
        assertion = self.assertions.get(xml)
        return assertion.user if assertion and now < assertion.expires_at else None


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
