# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every secret that the lab ever created, so that a scan of output can search for each."""

from __future__ import annotations

import secrets
from dataclasses import dataclass


@dataclass(frozen=True)
class Secret:
    """One secret: its kind and its value."""

    kind: str
    value: str


class SecretBox:
    """Creates secrets and remembers them, including those from before a reset."""

    def __init__(self) -> None:
        self._secrets: dict[str, Secret] = {}

    def make(self, kind: str, length: int = 32) -> str:
        """Create a secret of `length` random characters that require no escaping anywhere."""
        value = secrets.token_hex(length // 2)
        self.remember(kind, value)
        return value

    def remember(self, kind: str, value: str) -> None:
        """Remember a secret that was created elsewhere."""
        self._secrets.setdefault(value, Secret(kind, value))

    def remember_jwt(self, kind: str, value: str) -> None:
        """Remember a JWT and, separately, its signature: each of them reveals it (RFC 7515, section 3.1)."""
        self.remember(kind, value)
        self.remember(f"{kind} signature", value.rsplit(".", 1)[1])

    def all(self) -> list[Secret]:
        """Return every secret, oldest first."""
        return list(self._secrets.values())
