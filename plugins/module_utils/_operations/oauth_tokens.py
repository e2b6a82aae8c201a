# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What products with OAuth access tokens have in common: no probe, no revocation, claims that decide."""

from __future__ import annotations

from typing import Optional

from .._clients import oauth
from .._core.secret import Secret
from .._core.token import Token
from .._http.session import Session
from .._lifecycle.source import TokenSource


class OAuthTokens(TokenSource):
    """The access tokens of an OAuth server."""

    can_revoke = False

    def __init__(self, session: Session) -> None:
        self.session = session
        self._refused: Optional[Secret] = None

    @property
    def host(self) -> str:
        """See TokenSource."""
        return self.session.host

    @property
    def clock_offset(self) -> Optional[float]:
        """See TokenSource."""
        return self.session.clock_offset

    def adopt(self, secret: Secret) -> Token:
        """See TokenSource."""
        return oauth.described(secret)

    def note_refusal(self, token: Token) -> None:
        """A server that the token is meant for has refused it: from now on it counts as not accepted."""
        self._refused = token.secret

    def is_accepted(self, token: Token, now: float) -> bool:
        """See TokenSource. There is no cheap authenticated read: the token's own claims decide."""
        return token.secret != self._refused and oauth.is_valid_by_claims(token.secret, now)

    def revoke(self, token: Token) -> bool:
        """These products have no revocation; see can_revoke."""
        return False
