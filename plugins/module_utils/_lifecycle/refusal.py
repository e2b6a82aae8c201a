# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A credential that a server has refused, as the tasks that wait for the same store learn of it.

Accounts are locked after a few wrong passwords: who has waited for a task that was refused does not try the same again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._core.errors import ApiError
from .._core.secret import Secret

# A request that these answer was understood, and its credential is wrong.
_STATUSES = (400, 401, 403)
# What is stored must not let anybody try passwords quickly.
_ROUNDS = 100_000
_SALT_BYTES = 16
_TEXTS = ("digest", "salt", "code", "message", "doing", "host", "advice")


@dataclass(frozen=True)
class Refusal:
    """Which credential was refused and when, in epoch seconds; and how, without secrets."""

    digest: str
    salt: str
    at: float
    status: int
    code: str
    message: str
    doing: str
    host: str
    advice: str

    @classmethod
    def of(cls, error: ApiError, credential: Secret, at: float) -> Refusal:
        """A refusal that has just happened."""
        salt = os.urandom(_SALT_BYTES).hex()
        digest = _digest(credential, salt)
        return cls(digest, salt, at, error.status, error.code, error.message, error.doing, error.host, error.advice)

    def concerns(self, credential: Secret, since: float) -> bool:
        """Whether the same credential was refused after a task began to wait."""
        return self.at >= since and self.digest == _digest(credential, self.salt)

    def error(self) -> ApiError:
        """The error that the server would give again."""
        return ApiError(
            self.status,
            code=self.code,
            message=self.message,
            doing=self.doing,
            host=self.host,
            advice=f"{self.advice} Another task was refused while this one waited, so it was not tried again.".strip(),
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Refusal:
        """The refusal that was stored. Raises ValueError, TypeError or KeyError for anything else."""
        texts = {name: str(document[name]) for name in _TEXTS}
        bytes.fromhex(texts["salt"])
        return cls(**texts, at=float(document["at"]), status=int(document["status"]))


def is_refusal(error: Exception) -> bool:
    """Whether a server has refused a credential, rather than failed."""
    return isinstance(error, ApiError) and error.status in _STATUSES


def _digest(credential: Secret, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", credential.reveal().encode(), bytes.fromhex(salt), _ROUNDS).hex()
