# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token, its remaining lifetime, and the claims of a JWT."""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .secret import Secret

# Seconds.
_LONGEST_LIFETIME = 366 * 86400
# The year 9999, the latest that datetime supports.
_LATEST = 253402300799.0


@dataclass(frozen=True)
class Token:
    """A token with its metadata. Times are epoch seconds of the server's clock; None means unknown.

    `companions` are secrets that were issued together with the token, by result key, such as `id_token`.
    `signs_requests` is true for a token that is sent in an Authorization header. `promised_until` is set for a replaced
    token: until then other tasks may still use it. `verified_at` is when the token was last verified. `facts` are not
    secret: what the product needs to find the token again, by result key, such as `token_id`.
    """

    secret: Secret
    token_type: str
    issued_at: Optional[float] = None
    expires_at: Optional[float] = None
    scope: Optional[str] = None
    companions: Mapping[str, Secret] = field(default_factory=dict)
    signs_requests: bool = True
    promised_until: Optional[float] = None
    verified_at: Optional[float] = field(default=None, compare=False)
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        return self.secret.fingerprint

    @property
    def lifetime(self) -> Optional[float]:
        """Seconds from issue to expiry; None when unknown or not positive."""
        if self.issued_at is None or self.expires_at is None or self.expires_at <= self.issued_at:
            return None
        return self.expires_at - self.issued_at

    def expires_in(self, now: float) -> Optional[float]:
        """Remaining lifetime in seconds, negative after expiry; None when unknown."""
        return None if self.expires_at is None or not math.isfinite(self.expires_at) else self.expires_at - now

    def has_expired(self, now: float) -> bool:
        """Whether the token is known to have expired."""
        left = self.expires_in(now)
        return left is not None and left <= 0

    def is_lasting(self, now: float, min_remaining: float) -> bool:
        """Whether the token is valid for at least `min_remaining` seconds; true for an unknown expiry."""
        left = self.expires_in(now)
        return left is None or left >= needed_lifetime(self.lifetime, min_remaining)


def needed_lifetime(lifetime: Optional[float], min_remaining: float) -> float:
    """The remaining lifetime in seconds that a token needs: at most half of a lifetime shorter than `min_remaining`."""
    return lifetime / 2 if lifetime is not None and 0 < lifetime <= min_remaining else min_remaining


def plausible_expiry(expires_at: float, now: float) -> Optional[float]:
    """The expiry that a server returned; None when it is past or more than a year away. In epoch seconds."""
    return expires_at if now < expires_at <= now + _LONGEST_LIFETIME else None


def jwt_claims(token: str) -> Mapping[str, Any]:
    """The claims of a JWT (RFC 7519), whose signature is not checked; empty when the token is not a JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    payload = parts[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def claimed_time(claims: Mapping[str, Any], name: str) -> Optional[float]:
    """A NumericDate claim in epoch seconds; None when it is missing or invalid."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < _LATEST:
        return None
    return float(value)


def iso8601(seconds: Optional[float]) -> Optional[str]:
    """Format epoch seconds as ISO 8601 in UTC, without fractions of a second."""
    if seconds is None or math.isnan(seconds):
        return None
    moment = datetime.datetime.fromtimestamp(min(max(seconds, 0), _LATEST), tz=datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
