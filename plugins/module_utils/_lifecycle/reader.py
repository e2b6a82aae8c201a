# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the token that another task keeps in a store."""

from __future__ import annotations

from typing import Optional

from .._core.errors import StoreError
from .._core.runtime import Clock
from .._core.secret import Secret
from .._core.token import Token, iso8601
from .store import Store


def read_token(
    store: Store, clock: Clock, *, product: Optional[str] = None, min_remaining: float = 0, advice: str
) -> Token:
    """The current token of a store. It must be valid for `min_remaining` seconds, and be of `product` if that is set.

    Raises StoreError with the advice when there is no such token.
    """
    record, _version = store.read()
    if record is None or record.current is None:
        raise StoreError(f"there is no token in {store.location}", advice=f"Check the path. {advice}")
    # Otherwise the secret of one product would be sent to another.
    if product not in (None, record.product):
        raise StoreError(
            f"{store.location} holds a {record.product} token, but a {product} token is required",
            advice=f"Set the path of a {product} token.",
        )
    left = record.current.expires_in(clock.time() + record.offset_of(clock))
    if left is not None and left <= 0:
        raise StoreError(
            f"the token in {store.location} expired at {iso8601(record.current.expires_at)}", advice=advice
        )
    if left is not None and left < min_remaining:
        raise StoreError(
            f"the token in {store.location} expires too soon: at {iso8601(record.current.expires_at)}, in {left:.0f} s",
            advice="Raise min_remaining in the task that renews the token, or lower it here.",
        )
    return record.current


def named_secret(token: Token, name: str, location: str) -> Secret:
    """The token itself, or what came with it. Raises StoreError."""
    secrets = {"token": token.secret, **token.companions}
    if name not in secrets:
        raise StoreError(
            f"{location} contains no {name}", advice=f"Set secret to one of the secrets in it: {', '.join(secrets)}."
        )
    return secrets[name]
