# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assess whether a token can be used, by its expiry and by the response of the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Optional

from .._core.secret import Secret
from .._core.token import Token, iso8601, needed_lifetime
from .options import LifecycleOptions
from .source import TokenSource


class TokenState(Enum):
    """The state of a token, named as in google-auth."""

    FRESH = "fresh"
    """Use it."""
    STALE = "stale"
    """Replace it if possible, otherwise use it."""
    DUE = "due"
    """Replace it, although it may be valid."""
    INVALID = "invalid"
    """Missing, expired or refused by the server."""


@dataclass(frozen=True)
class Assessment:
    """The state of a token, and the reason why it is not fresh."""

    state: TokenState
    reason: str = ""

    @property
    def is_fresh(self) -> bool:
        """Whether the token is used without renewal."""
        return self.state is TokenState.FRESH

    @property
    def is_usable(self) -> bool:
        """Whether the token is valid for at least min_remaining."""
        return self.state in (TokenState.FRESH, TokenState.STALE)


FRESH = Assessment(TokenState.FRESH)


class Assessor:
    """Assesses tokens for one task. `now` returns the server's time in epoch seconds."""

    def __init__(self, source: TokenSource, options: LifecycleOptions, now: Callable[[], float]) -> None:
        self._source = source
        self._options = options
        self._now = now
        self._proofs: dict[Secret, float] = {}

    def assess(self, token: Optional[Token]) -> Assessment:
        """Assess a token. A request is sent only when the expiry does not decide. Raises TokensError."""
        if token is None:
            return Assessment(TokenState.INVALID, "there is no token")
        if self._options.renew == "always":
            return Assessment(TokenState.DUE, "renew is always")
        missing = self._source.missing(token)
        if missing:
            return Assessment(TokenState.DUE, f"it has no {missing}")
        assessment = self._by_expiry(token)
        if not self._options.verify or not self._needs_proof(token, assessment):
            return assessment
        if not self.prove(token):
            return Assessment(TokenState.INVALID, "the server does not accept it")
        # The request may have extended the token, and the response may have corrected the clock offset.
        return self._by_expiry(self.proven(token))

    def prove(self, token: Token) -> bool:
        """Whether the server, or the claims of the token, accept it. Raises TokensError."""
        is_accepted = self._source.is_accepted(token, self._now())
        if is_accepted:
            self._proofs[token.secret] = self._now()
        return is_accepted

    def proven(self, token: Token) -> Token:
        """The token with the time at which this task verified it, and with the expiry to which that extended it."""
        verified_at, lifetime = self._proofs.get(token.secret), self._source.sliding_lifetime
        if verified_at is None:
            return token
        if lifetime is None:
            return replace(token, verified_at=verified_at)
        return replace(token, verified_at=verified_at, expires_at=max(token.expires_at or 0, verified_at + lifetime))

    def has_new_proof(self, token: Token) -> bool:
        """Whether this task verified a stored token with a request, and other tasks need to know.

        With verify_max_age, they do not repeat it. A sliding expiry is stored once half of the lifetime is over, so
        that readers do not take a valid token for an expired one.
        """
        if token.secret not in self._proofs or self._source.verifies_offline:
            return False
        lifetime = self._source.sliding_lifetime
        if self._options.verify_max_age > 0 or lifetime is None:
            return self._options.verify_max_age > 0
        return not (self._by_expiry(token).is_fresh and token.is_lasting(self._now(), lifetime / 2))

    def _needs_proof(self, token: Token, assessment: Assessment) -> bool:
        """Whether a request must verify the token. Requests of others may have extended one with a sliding expiry."""
        if self._source.sliding_lifetime is None and not assessment.is_usable:
            return False
        return not (assessment.is_usable and self._was_proven(token))

    def _was_proven(self, token: Token) -> bool:
        """Whether a task verified the token within verify_max_age."""
        if token.verified_at is None or self._source.verifies_offline:
            return False
        return 0 <= self._now() - token.verified_at <= self._options.verify_max_age

    def _by_expiry(self, token: Token) -> Assessment:
        now = self._now()
        if token.has_expired(now):
            return Assessment(TokenState.INVALID, f"it expired at {iso8601(token.expires_at)}")
        for state, window in (
            (TokenState.DUE, self._options.min_remaining),
            (TokenState.STALE, self._options.renew_before or 0),
        ):
            # The lifetime of a token that was extended is longer than what is left after a request.
            if not token.is_lasting(now, needed_lifetime(self._source.sliding_lifetime, window)):
                left = token.expires_in(now)
                return Assessment(state, f"it expires at {iso8601(token.expires_at)}, in {left:.0f} s")
        return FRESH
