# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a token can be used: by its expiry, and by what the server says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Optional

from .._core.secret import Secret
from .._core.token import Token, iso8601
from .options import LifecycleOptions
from .source import TokenSource


class TokenState(Enum):
    """As google-auth names them."""

    FRESH = "fresh"
    """To be used."""
    STALE = "stale"
    """To be replaced where that is possible now, and to be used where it is not."""
    DUE = "due"
    """To be replaced, though it may work."""
    INVALID = "invalid"
    """Known not to work, or not there."""


@dataclass(frozen=True)
class Assessment:
    """The state of a token, and why it is not fresh."""

    state: TokenState
    reason: str = ""

    @property
    def is_fresh(self) -> bool:
        """Whether the token is used as it is."""
        return self.state is TokenState.FRESH

    @property
    def is_usable(self) -> bool:
        """Whether the token is valid for as long as it must be."""
        return self.state in (TokenState.FRESH, TokenState.STALE)


FRESH = Assessment(TokenState.FRESH)


class Assessor:
    """Assesses tokens for one task; `now` is the time by the server's clock, in epoch seconds."""

    def __init__(self, source: TokenSource, options: LifecycleOptions, now: Callable[[], float]) -> None:
        self._source = source
        self._options = options
        self._now = now
        self._proofs: dict[Secret, float] = {}

    def assess(self, token: Optional[Token]) -> Assessment:
        """Assess a token; the server is asked where that decides. Raises TokensError."""
        if token is None:
            return Assessment(TokenState.INVALID, "there is none")
        if self._options.renew == "always":
            return Assessment(TokenState.DUE, "renew is always")
        missing = self._source.missing(token)
        if missing:
            return Assessment(TokenState.DUE, f"it has no {missing}")
        assessment = self._by_expiry(token)
        if not assessment.is_usable or not self._options.verify or self._was_proven(token):
            return assessment
        if not self.prove(token):
            return Assessment(TokenState.INVALID, "the server does not accept it")
        # The response had the time of the server.
        return self._by_expiry(token)

    def prove(self, token: Token) -> bool:
        """Whether the server accepts a token, or its claims do. Raises TokensError."""
        is_accepted = self._source.is_accepted(token, self._now())
        if is_accepted:
            self._proofs[token.secret] = self._now()
        return is_accepted

    def proven(self, token: Token) -> Token:
        """The token, with the time at which this task has proven it."""
        return replace(token, verified_at=self._proofs.get(token.secret, token.verified_at))

    def has_new_proof(self, token: Token) -> bool:
        """Whether this task has proven a token with a request that later ones can do without."""
        may_be_used = self._options.verify_max_age > 0 and not self._source.verifies_offline
        return may_be_used and token.secret in self._proofs

    def _was_proven(self, token: Token) -> bool:
        """Whether a task has proven the token a short while ago."""
        if token.verified_at is None or self._source.verifies_offline:
            return False
        return 0 <= self._now() - token.verified_at <= self._options.verify_max_age

    def _by_expiry(self, token: Token) -> Assessment:
        now = self._now()
        if token.has_expired(now):
            return Assessment(TokenState.INVALID, f"it expired at {iso8601(token.expires_at)}")
        for state, needed in (
            (TokenState.DUE, self._options.min_remaining),
            (TokenState.STALE, self._options.renew_before or 0),
        ):
            if not token.is_lasting(now, needed):
                left = token.expires_in(now)
                return Assessment(state, f"it expires at {iso8601(token.expires_at)}, in {left:.0f} s")
        return FRESH
