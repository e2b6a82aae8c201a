# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger of every token that a product created: valid, expired or revoked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Ending = Literal["expired", "revoked"]


@dataclass
class Token:
    """One token. `expires_at` and `used_at` are in the clock of the product that created it.

    `used_at` is when it was last exchanged for another one, where a product shows that.
    """

    value: str
    product: str
    host: str
    kind: str
    principal: str
    expires_at: float
    ended: Ending | None = None
    used_at: float | None = None

    def is_valid(self, now: float) -> bool:
        """Whether the token is valid."""
        return self.ended is None and now < self.expires_at

    def is_expired(self, now: float) -> bool:
        """Whether the token has expired, by itself or because a test expired it."""
        return self.ended == "expired" or (self.ended is None and now >= self.expires_at)


@dataclass
class _HostTokens:
    tokens: dict[str, Token] = field(default_factory=dict)
    minted: int = 0
    cleaned: int = 0


class TokenLedger:
    """Tokens by product and host, and by value."""

    def __init__(self) -> None:
        self._hosts: defaultdict[tuple[str, str], _HostTokens] = defaultdict(_HostTokens)
        self._values: dict[tuple[str, str], Token] = {}

    def add(self, token: Token) -> None:
        """Add a new token."""
        place = self._hosts[token.product, token.host]
        place.tokens[token.value] = token
        place.minted += 1
        self._values[token.product, token.value] = token

    def find(self, product: str, value: str, host: str | None = None) -> Token | None:
        """Return the token of that value, of one host or of any."""
        token = self._values.get((product, value))
        return token if token and host in (None, token.host) else None

    def count_valid(self, product: str, host: str, principal: str, now: float) -> int:
        """Count the valid tokens of one user."""
        tokens = self._hosts[product, host].tokens.values()
        return sum(token.principal == principal and token.is_valid(now) for token in tokens)

    def forget_expired(self, product: str, host: str, now: float) -> None:
        """Remove expired tokens, as a product's periodic cleaning does. They are still counted."""
        place = self._hosts[product, host]
        for token in [token for token in place.tokens.values() if token.is_expired(now)]:
            del place.tokens[token.value], self._values[product, token.value]
            place.cleaned += 1

    def end(self, ending: Ending, product: str | None, host: str | None, values: Iterable[str] | None) -> int:
        """Expire or revoke tokens: those of `values`, or all, of a product and host or of any."""
        wanted = None if values is None else set(values)
        chosen = [
            token
            for token in self._values.values()
            if product in (None, token.product)
            and host in (None, token.host)
            and token.ended is None
            and (wanted is None or token.value in wanted)
        ]
        for token in chosen:
            token.ended = ending
        return len(chosen)

    def hosts(self, product: str) -> set[str]:
        """Return the hosts on which the product created tokens."""
        return {host for name, host in self._hosts if name == product}

    def counts(self, product: str, host: str, now: float) -> dict[str, int]:
        """Count the tokens that a product's host created."""
        place = self._hosts[product, host]
        tokens = place.tokens.values()
        return {
            "tokens_minted": place.minted,
            "tokens_valid": sum(token.is_valid(now) for token in tokens),
            "tokens_expired": sum(token.is_expired(now) for token in tokens) + place.cleaned,
            "tokens_revoked": sum(token.ended == "revoked" for token in tokens),
        }

    def clear(self) -> None:
        """Remove all tokens."""
        self._hosts.clear()
        self._values.clear()
