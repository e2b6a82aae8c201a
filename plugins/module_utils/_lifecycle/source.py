# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a product does for the life cycle of its tokens: the seam between the two."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Optional

from .._core.secret import Secret
from .._core.token import Token


class TokenSource(ABC):
    """A product, as the life cycle of its tokens needs it."""

    product: ClassVar[str]
    can_revoke: ClassVar[bool]
    # The companion that renews a token, by its name, where the product renews so.
    renewed_by: ClassVar[Optional[str]] = None
    # Whether is_accepted() sends no request, so that no proof is worth being stored.
    verifies_offline: ClassVar[bool] = False
    # Whether a revocation makes the token itself invalid, and not only what renews it.
    revokes_access: ClassVar[bool] = True
    # Whether those to whom a token is sent never ask the server that issued it: then nothing proves a revocation.
    is_checked_offline: ClassVar[bool] = False

    @property
    @abstractmethod
    def host(self) -> str:
        """The server that the tokens are for."""

    @property
    @abstractmethod
    def principal(self) -> Optional[str]:
        """Whose tokens they are; None where the options do not say."""

    @property
    def credential(self) -> Optional[Secret]:
        """The secret with which create() signs in; None where there is none, or it cannot lock an account."""
        return None

    @property
    @abstractmethod
    def clock_offset(self) -> Optional[float]:
        """The server's clock minus this one's in seconds, once there was a response."""

    @abstractmethod
    def from_user(self, secret: Secret) -> Token:
        """The token that the user gives."""

    @abstractmethod
    def create(self) -> Token:
        """Create a token."""

    def replace(self, old: Token) -> Token:
        """Create a token in place of another one, with what was minted with that where the product renews so."""
        return self.create()

    @abstractmethod
    def is_accepted(self, token: Token, now: float) -> bool:
        """Whether the token works: by the cheapest authenticated read, or by its own claims where there is none.

        `now` is the time by the server's clock, in epoch seconds.
        """

    @abstractmethod
    def revoke(self, token: Token) -> bool:
        """Make the token invalid. False when the server refuses that, as for one that was invalid already."""

    def is_revocable(self, token: Token, kept: Optional[Token] = None) -> bool:
        """Whether something of a token can be revoked that the one which is kept does not share with it."""
        return self.can_revoke

    def is_revoked(self, token: Token, now: float) -> bool:
        """Whether a revocation has worked; `now` as in is_accepted()."""
        return not self.is_accepted(token, now)

    def belongs_to(self, principal: str, token: Token) -> bool:
        """Whether a token that is stored for another principal is this one's, by what was minted with it."""
        return False

    def missing(self, token: Token) -> str:
        """What the user requires and the token does not have; empty when nothing."""
        return ""
