# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Token sources that reach their product over HTTP, and those whose tokens are OAuth access tokens."""

from __future__ import annotations

from typing import Optional

from .._clients import oauth
from .._core.secret import Secret
from .._core.token import Token
from .._http.session import Session
from .._lifecycle.source import TokenSource


class SessionTokens(TokenSource):
    """The tokens of one server."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def host(self) -> str:
        return self.session.host

    @property
    def clock_offset(self) -> Optional[float]:
        return self.session.clock_offset


class OAuthTokens(SessionTokens):
    """Access tokens that the server can neither check nor revoke: their claims decide."""

    can_revoke = False

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._refused: Optional[Secret] = None

    def from_user(self, secret: Secret) -> Token:
        return oauth.access_token_of(secret)

    def note_refusal(self, token: Token) -> None:
        """Treat a token as invalid: a server that it is meant for has refused it."""
        self._refused = token.secret

    def is_accepted(self, token: Token, now: float) -> bool:
        return token.secret != self._refused and oauth.is_valid_by_claims(token.secret, now)

    def revoke(self, token: Token) -> bool:
        return False
