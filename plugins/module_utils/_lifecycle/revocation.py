# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revoke tokens, and verify the revocation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Optional

from .._core.errors import TokenRejected, TokensError
from .._core.token import Token, iso8601
from .source import TokenSource


class Revoker:
    """Revokes the tokens of a source. With `verify`, the server must refuse them afterwards.

    `now` returns the server's time in epoch seconds. `warn` receives warnings.
    """

    def __init__(
        self, source: TokenSource, *, verify: bool, now: Callable[[], float], warn: Callable[[str], None]
    ) -> None:
        self._source = source
        self._verify = verify
        self._now = now
        self._warn = warn

    @property
    def proves(self) -> bool:
        """Whether revocations are verified."""
        return self._verify and not self._source.is_checked_offline

    def is_revocable(self, token: Token, kept: Optional[Token]) -> bool:
        """Whether a token can be revoked without revoking the token that is kept, which may be the same."""
        is_same = kept is not None and token.secret == kept.secret
        return not is_same and self._source.is_revocable(token, kept)

    def revoke(self, token: Token) -> bool:
        """Revoke a token. Returns False when it was already invalid. Raises TokensError."""
        if self._source.revoke(token):
            return True
        # A refused access token is invalid. A refused refresh token needs a check: a gateway may have refused it.
        if not self._source.revokes_access:
            self._prove_revoked(token, "the server refused to revoke the token and still accepts it")
        return False

    def revoke_and_prove(self, token: Token) -> bool:
        """Revoke a token and verify that; warn about what stays valid. Returns False when it was already invalid."""
        if not self._source.revokes_access and not token.has_expired(self._now()):
            self.warn_that_it_stays_valid(token)
        if not self.revoke(token):
            if self._source.is_checked_offline:
                self.warn_that_it_stays_valid(token)
            return False
        if self._source.is_checked_offline:
            self._warn_that_it_may_be_accepted(token)
            return True
        self._prove_revoked(token, "the server still accepts the token after it confirmed the revocation")
        return True

    def revoke_or_warn(self, token: Token, fate: str) -> bool:
        """Revoke a replaced token. On failure, warn with `fate` as last sentence, and return False."""
        try:
            self.revoke(token)
            return True
        except TokensError as error:
            self._warn(f"The replaced token {token.fingerprint} is still valid. {error}{fate}")
            return False

    def discard(self, token: Token, kept: Optional[Token]) -> str:
        """Revoke an unusable token. Returns what is left on the server, for an error; empty when it is revoked."""
        if self.is_revocable(token, kept):
            # The server has just created it. A refusal proves nothing then.
            with suppress(TokensError):
                if self._source.revoke(token) and self._source.revokes_access:
                    return ""
        until = iso8601(token.expires_at)
        return f"A token with the fingerprint {token.fingerprint} is left on the server" + (
            f" until {until}" if until else ""
        )

    def has_expired(self, token: Token) -> bool:
        """Whether a token has expired, so that there is nothing to revoke. Unknown if requests extend its expiry."""
        is_fixed = self._source.sliding_lifetime is None
        return is_fixed and self._source.revokes_access and token.has_expired(self._now())

    def would_revoke(self, token: Token) -> bool:
        """Whether a revocation would change something, for check mode."""
        if self._source.revokes_access:
            return self._source.is_accepted(token, self._now())
        self._warn(
            f"Check mode cannot check the refresh token of the token {token.fingerprint}, because using it would "
            "create a token. The prediction assumes that it is still valid."
        )
        return True

    def _warn_that_it_may_be_accepted(self, token: Token) -> None:
        if not token.has_expired(self._now()):
            until = iso8601(token.expires_at) or "an unknown time"
            self._warn(
                f"The token {token.fingerprint} is revoked at {self._source.host}. Products that check tokens offline "
                f"may accept it until {until}."
            )

    def warn_that_it_stays_valid(self, token: Token) -> None:
        """Warn until when a token is valid that cannot be revoked."""
        until = iso8601(token.expires_at) or "an unknown time"
        self._warn(f"{self._source.host} cannot revoke the token {token.fingerprint}. It is valid until {until}.")

    def _prove_revoked(self, token: Token, otherwise: str) -> None:
        """With verify, raise TokenRejected with the cause `otherwise` when the token is still valid."""
        if self._verify and not self._source.is_revoked(token, self._now()):
            raise TokenRejected(
                otherwise,
                doing="revoke a token",
                host=self._source.host,
                advice="Run the task again in some seconds. A token file keeps the token until then.",
            )
