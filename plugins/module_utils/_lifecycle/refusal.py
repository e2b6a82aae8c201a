# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Share a refused credential with the tasks that wait for the same store.

Products lock accounts after a few failed sign-ins. So a task that waited for a refused one does not try the same
credential again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._core.errors import ApiError
from .._core.secret import Secret

# Statuses with which servers refuse a wrong credential.
_STATUSES = (400, 401, 403)
# PBKDF2 rounds: the stored digest must not allow fast guessing of passwords.
_ROUNDS = 100_000
_SALT_BYTES = 16
_TEXTS = ("digest", "salt", "code", "message", "doing", "host", "advice")


@dataclass(frozen=True)
class Refusal:
    """A refused credential as a digest, the time in epoch seconds, and the facts of the error without secrets."""

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
        """Make a refusal from an error."""
        salt = os.urandom(_SALT_BYTES).hex()
        digest = _digest(credential, salt)
        return cls(digest, salt, at, error.status, error.code, error.message, error.doing, error.host, error.advice)

    def concerns(self, credential: Secret, since: float) -> bool:
        """Whether this credential was refused at or after `since`, in epoch seconds."""
        return self.at >= since and self.digest == _digest(credential, self.salt)

    def error(self) -> ApiError:
        """The error that the server would return again."""
        return ApiError(
            self.status,
            code=self.code,
            message=self.message,
            doing=self.doing,
            host=self.host,
            advice=f"{self.advice} Another task was refused while this one waited, so it did not try again.".strip(),
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Refusal:
        """Parse a stored refusal. Raises ValueError, TypeError or KeyError for an invalid one."""
        texts = {name: str(document[name]) for name in _TEXTS}
        bytes.fromhex(texts["salt"])
        return cls(**texts, at=float(document["at"]), status=int(document["status"]))


def is_refusal(error: Exception) -> bool:
    """Whether an error is a refused credential, as opposed to a failure of the server."""
    return isinstance(error, ApiError) and error.status in _STATUSES


def _digest(credential: Secret, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", credential.reveal().encode(), bytes.fromhex(salt), _ROUNDS).hex()
