# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a token file, and its JSON format."""

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
# Seconds of clock drift that are not a step.
_LARGEST_STEP = 10.0
# The start of a token file in every version.
_START = re.compile(rb'\s*\{\s*"version"\s*:')
# Times of a token that may be missing in a document.
_OPTIONAL_TIMES = ("promised_until", "verified_at")
# Bytes.
LONGEST_DOCUMENT = 4 * 1024 * 1024


@dataclass(frozen=True)
class ClockReading:
    """The local clock when it was compared with the server's clock. A later step makes the comparison invalid."""

    machine: str
    wall: float
    steady: float

    @classmethod
    def of(cls, clock: Clock) -> ClockReading:
        """Read the clock."""
        return cls(clock.machine(), clock.time(), clock.steady())

    def holds(self, clock: Clock) -> bool:
        """Whether it is the same clock, and it was not stepped since."""
        step = (clock.time() - self.wall) - (clock.steady() - self.steady)
        return self.machine == clock.machine() and abs(step) < _LARGEST_STEP


@dataclass(frozen=True)
class Record:
    """The content of a token file.

    `current` is in use. `pending` was created and is not verified yet. `superseded` were replaced, and are revoked when
    their promised_until is over. `announced` is the name of a token that is being created, until that token is pending.
    `clock_offset` is the server's clock minus the clock of the machine that stored it, in
    seconds, measured at `clock`.
    """

    product: str
    host: str
    principal: str
    current: Optional[Token] = None
    pending: Optional[Token] = None
    superseded: tuple[Token, ...] = ()
    clock_offset: float = 0.0
    clock: Optional[ClockReading] = None
    announced: Optional[str] = None

    def offset_of(self, clock: Clock) -> float:
        """The server's clock minus the local clock, in seconds; 0 when the stored offset is invalid for this clock."""
        return self.clock_offset if self.clock and self.clock.holds(clock) else 0.0

    @property
    def tokens(self) -> tuple[Token, ...]:
        """All tokens in the file."""
        return tuple(token for token in (self.current, self.pending, *self.superseded) if token)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What a server may quote, although it is not sent to it any more."""
        return tuple(secret for token in self.tokens for secret in (token.secret, *token.companions.values()))

    def due(self, now: float) -> tuple[Token, ...]:
        """The superseded tokens whose promised_until is over at `now`."""
        return tuple(token for token in self.superseded if (token.promised_until or 0) <= now)

    def belongs_to(self, product: str, host: str, principal: Optional[str]) -> bool:
        """Whether its tokens may be sent to this server for this user. A principal of None is not compared."""
        return (self.product, self.host) == (product, host) and principal in (None, self.principal)


class LaterVersion(ValueError):
    """The token file was written by a later release of this collection."""


def is_recognizable(content: bytes) -> bool:
    """Whether a file is empty or starts like a token file: then this collection wrote it, even if it is damaged."""
    return not content.strip() or _START.match(content) is not None


def serialized(record: Record) -> bytes:
    """Serialize a record. The result contains the tokens in plain text.

    Raises ValueError for a record that could not be parsed again: otherwise each run would create a new token.
    """
    content = json.dumps(_document(record), indent=1).encode()
    if len(content) > LONGEST_DOCUMENT:
        raise ValueError(f"the file would exceed {LONGEST_DOCUMENT // 1024**2} MiB")
    try:
        is_readable = deserialized(content) == record
    except ValueError:
        is_readable = False
    if not is_readable:
        raise ValueError("it contains characters or numbers that JSON cannot represent")
    return content


def deserialized(content: bytes) -> Record:
    """Parse a token file. Raises ValueError for a damaged one, LaterVersion for one of a later release."""
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
        **({"announced": record.announced} if record.announced else {}),
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
        **({"facts": dict(token.facts)} if token.facts else {}),
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
        announced=_text(document.get("announced", "")) or None,
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
        facts={name: _text(value) for name, value in document.get("facts", {}).items()},
    )


def _clock(document: Optional[Mapping[str, Any]]) -> Optional[ClockReading]:
    if document is None:
        return None
    return ClockReading(_text(document["machine"]), _number(document["wall"]), _number(document["steady"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    # Raises ValueError for invalid Unicode.
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
