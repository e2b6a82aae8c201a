# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token and the judgement whether it is still good enough."""

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

# The year 9999: what a date can say.
_LATEST = 253402300799.0


@dataclass(frozen=True)
class Token:
    """A token as a product gave it. Times are epoch seconds by the server's clock; None means unknown.

    `companions` are further secrets that were minted with it and are of no use without it, by the name of their
    result key. `signs_requests` says whether it goes into an Authorization header. `promised_until` is set where it
    was replaced: until then those who were given it count on it. `verified_at` is when it was last proven.
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

    @property
    def fingerprint(self) -> str:
        return self.secret.fingerprint

    @property
    def lifetime(self) -> Optional[float]:
        """From issue to expiry, in seconds; None where that is unknown or makes no sense."""
        if self.issued_at is None or self.expires_at is None or self.expires_at <= self.issued_at:
            return None
        return self.expires_at - self.issued_at

    def expires_in(self, now: float) -> Optional[float]:
        """Seconds of life left."""
        return None if self.expires_at is None or not math.isfinite(self.expires_at) else self.expires_at - now

    def has_expired(self, now: float) -> bool:
        """Whether its life is known to be over."""
        left = self.expires_in(now)
        return left is not None and left <= 0

    def is_lasting(self, now: float, min_remaining: float) -> bool:
        """Whether it will live long enough; an unknown expiry does not speak against it."""
        left = self.expires_in(now)
        return left is None or left >= needed_life(self.lifetime, min_remaining)


def needed_life(lifetime: Optional[float], min_remaining: float) -> float:
    """The seconds of life that a token must still have: half its lifetime where it never lives that long."""
    return lifetime / 2 if lifetime is not None and 0 < lifetime <= min_remaining else min_remaining


def jwt_claims(token: str) -> Mapping[str, Any]:
    """The claims of a JWT, unverified; empty where the token is none (RFC 7519)."""
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
    """A NumericDate of the claims, in epoch seconds; None where there is none that makes sense."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < _LATEST:
        return None
    return float(value)


def iso8601(seconds: Optional[float]) -> Optional[str]:
    """Epoch seconds as ISO 8601 in UTC, to the second."""
    if seconds is None or math.isnan(seconds):
        return None
    moment = datetime.datetime.fromtimestamp(min(max(seconds, 0), _LATEST), tz=datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
