# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface between the lifecycle and the tokens of a product."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Optional

from .._core.secret import Secret
from .._core.token import Token


class TokenSource(ABC):
    """The tokens of a product for one user on one server. Methods that send requests raise TokensError."""

    product: ClassVar[str]
    can_revoke: ClassVar[bool]
    # The name of the companion that renews a token, such as refresh_token; None without one.
    renewed_by: ClassVar[Optional[str]] = None
    # Whether is_accepted() sends no request, so that storing its result saves nothing.
    verifies_offline: ClassVar[bool] = False
    # Whether a revocation makes the token itself invalid, not only its refresh token.
    revokes_access: ClassVar[bool] = True
    # Whether products check the token offline, so that a revocation cannot be verified.
    is_checked_offline: ClassVar[bool] = False
    # The longest time for which a replaced token stays valid, in seconds.
    longest_grace: ClassVar[float] = math.inf
    # Seconds for which an accepted request extends a token. None if the expiry is fixed when the token is created.
    sliding_lifetime: ClassVar[Optional[float]] = None
    # What to check when the server refuses the token that it has just created.
    rejection_advice: ClassVar[str] = "Check the permissions of the user"
    # Whether the server says when a token expires. Without that, only a request shows whether it is valid.
    has_known_expiry: ClassVar[bool] = True

    @property
    @abstractmethod
    def host(self) -> str:
        """The server, as messages and token files name it."""

    @property
    @abstractmethod
    def principal(self) -> Optional[str]:
        """The user of the tokens, as token files name it; None when the options do not say."""

    @property
    def credential(self) -> Optional[Secret]:
        """The secret with which create() signs in; None without one that could lock an account."""
        return None

    @property
    @abstractmethod
    def clock_offset(self) -> Optional[float]:
        """The server's clock minus the local clock in seconds; None before the first response."""

    @abstractmethod
    def from_user(self, secret: Secret) -> Token:
        """Make a token of the option `token`."""

    def announce(self) -> Optional[str]:
        """Choose a name for the next token. It is stored before create(), so that a token whose response is lost can be
        revoked. None for a product whose tokens have no names."""
        return None

    def revoke_announced(self, name: str) -> bool:
        """Revoke the token of this name. Returns False when there is none."""
        return False

    @abstractmethod
    def create(self) -> Token:
        """Create a token."""

    def replace(self, old: Token) -> Token:
        """Create a token that replaces `old`, with its refresh token if the product has one."""
        return self.create()

    @abstractmethod
    def is_accepted(self, token: Token, now: float) -> bool:
        """Whether the token is valid, by the cheapest authenticated request or by its own claims.

        `now` is the server's time in epoch seconds.
        """

    @abstractmethod
    def revoke(self, token: Token) -> bool:
        """Revoke the token. Returns False when the server refuses that, as for a token that is already invalid."""

    def is_revocable(self, token: Token, kept: Optional[Token] = None) -> bool:
        """Whether a token can be revoked without revoking `kept`, which may share its refresh token."""
        return self.can_revoke

    def is_revoked(self, token: Token, now: float) -> bool:
        """Whether a token is revoked. `now` is the server's time in epoch seconds."""
        return not self.is_accepted(token, now)

    def belongs_to(self, principal: str, token: Token) -> bool:
        """Whether a token that is stored for another principal belongs to this user, by its companions."""
        return False

    def headers(self, token: Token) -> Optional[Mapping[str, Secret]]:
        """The headers that sign a request with the token; None for an Authorization header with its type."""
        return None

    def missing(self, token: Token) -> str:
        """What the options require and the token does not have; empty when nothing is missing."""
        return ""
