# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a token file says, and its form as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Optional

from .._core.runtime import Clock
from .._core.secret import Secret
from .._core.token import Token

FORMAT_VERSION = 1
# Seconds by which the clock may be corrected, bit by bit.
_LARGEST_STEP = 10.0
# A document begins so, in all versions.
_START = re.compile(rb'\s*\{\s*"version"\s*:')
# Times of a token that a document may be without.
_OPTIONAL_TIMES = ("promised_until", "verified_at")
# In bytes.
LONGEST_DOCUMENT = 4 * 1024 * 1024


@dataclass(frozen=True)
class ClockReading:
    """What a clock said when the server's clock was compared with it: a later step of it ends the comparison."""

    machine: str
    wall: float
    steady: float

    @classmethod
    def of(cls, clock: Clock) -> ClockReading:
        """What it says now."""
        return cls(clock.machine(), clock.time(), clock.steady())

    def holds(self, clock: Clock) -> bool:
        """Whether the same clock has gone on without a step."""
        step = (clock.time() - self.wall) - (clock.steady() - self.steady)
        return self.machine == clock.machine() and abs(step) < _LARGEST_STEP


@dataclass(frozen=True)
class Record:
    """What a token file holds. `current` is in use; `pending` was created and not yet promoted; `superseded` were
    replaced, and are revoked when nobody counts on them any more. `clock_offset` is the server's clock minus that of
    the machine which stored it, in seconds, when that one said `clock`.
    """

    product: str
    host: str
    principal: str
    current: Optional[Token] = None
    pending: Optional[Token] = None
    superseded: tuple[Token, ...] = ()
    clock_offset: float = 0.0
    clock: Optional[ClockReading] = None

    def offset_of(self, clock: Clock) -> float:
        """The server's clock minus this one, in seconds; 0 where what was stored says nothing of this one."""
        return self.clock_offset if self.clock and self.clock.holds(clock) else 0.0

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token that the file keeps alive."""
        return tuple(token for token in (self.current, self.pending, *self.superseded) if token)

    def due(self, now: float) -> tuple[Token, ...]:
        """The replaced tokens on which nobody counts any more."""
        return tuple(token for token in self.superseded if (token.promised_until or 0) <= now)

    def belongs_to(self, product: str, host: str, principal: Optional[str]) -> bool:
        """Whether its tokens may be sent there; an unknown principal is not compared."""
        return (self.product, self.host) == (product, host) and principal in (None, self.principal)


class LaterVersion(ValueError):
    """A token file that a later release of this collection wrote."""


def is_recognizable(content: bytes) -> bool:
    """Whether something is empty, or begins as token files begin: whatever else it is, it was written by us."""
    return not content.strip() or _START.match(content) is not None


def serialized(record: Record) -> bytes:
    """The content of a token file. It holds the tokens in plain text.

    Raises ValueError for a record that could not be read again: a file that nobody can read costs a token each run.
    """
    content = json.dumps(_document(record), indent=1).encode()
    if len(content) > LONGEST_DOCUMENT:
        raise ValueError(f"it would take more than {LONGEST_DOCUMENT // 1024**2} MiB")
    try:
        is_readable = deserialized(content) == record
    except ValueError:
        is_readable = False
    if not is_readable:
        raise ValueError("it holds characters or numbers that no file can hold")
    return content


def deserialized(content: bytes) -> Record:
    """What a token file says. Raises ValueError where it cannot be understood, LaterVersion where it is too new."""
    if len(content) > LONGEST_DOCUMENT:
        raise ValueError("too long")
    try:
        return _record(json.loads(content))
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError("not a token file") from error


def _document(record: Record) -> Mapping[str, Any]:
    return {
        "version": FORMAT_VERSION,
        "product": record.product,
        "host": record.host,
        "principal": record.principal,
        "clock_offset": record.clock_offset,
        "clock": None if record.clock is None else asdict(record.clock),
        "current": _token_document(record.current),
        "pending": _token_document(record.pending),
        "superseded": [_token_document(token) for token in record.superseded],
    }


def _token_document(token: Optional[Token]) -> Optional[Mapping[str, Any]]:
    if token is None:
        return None
    return {
        "token": token.secret.reveal(),
        "token_type": token.token_type,
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "scope": token.scope,
        "companions": {name: secret.reveal() for name, secret in token.companions.items()},
        **{name: value for name in _OPTIONAL_TIMES if (value := getattr(token, name)) is not None},
    }


def _record(document: Mapping[str, Any]) -> Record:
    version = document["version"]
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise LaterVersion(f"version {version}")
    if version != FORMAT_VERSION:
        raise ValueError("unknown version")
    return Record(
        product=_text(document["product"]),
        host=_text(document["host"]),
        principal=_text(document["principal"]),
        current=_token(document["current"]),
        pending=_token(document["pending"]),
        superseded=tuple(token for token in map(_token, document["superseded"]) if token),
        clock_offset=_number(document["clock_offset"]),
        clock=_clock(document.get("clock")),
    )


def _token(document: Optional[Mapping[str, Any]]) -> Optional[Token]:
    if document is None:
        return None
    return Token(
        secret=Secret(_secret_text(document["token"])),
        token_type=_text(document["token_type"]),
        issued_at=_time(document["issued_at"]),
        expires_at=_time(document["expires_at"]),
        scope=None if document["scope"] is None else _text(document["scope"]),
        companions={name: Secret(_text(value)) for name, value in document["companions"].items()},
        promised_until=_time(document.get("promised_until")),
        verified_at=_time(document.get("verified_at")),
    )


def _clock(document: Optional[Mapping[str, Any]]) -> Optional[ClockReading]:
    if document is None:
        return None
    return ClockReading(_text(document["machine"]), _number(document["wall"]), _number(document["steady"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    # Raises ValueError for what is no valid Unicode.
    value.encode()
    return value


def _secret_text(value: Any) -> str:
    if not _text(value):
        raise ValueError("no token")
    return str(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(float(value)):
        raise TypeError("not a number")
    return float(value)


def _time(value: Any) -> Optional[float]:
    return None if value is None else _number(value)
