# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A complete response, and checks that its body is what the API documents."""

from __future__ import annotations

import datetime
import functools
import json
import math
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Optional

from .._core.errors import BadResponse
from .._core.runtime import ignore
from .._core.secret import Secret

# RFC 9110, section 5.5, without obsolete characters. RFC 6749, appendix A, allows tokens the same.
HEADER_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?")
_HTML_STARTS = (b"<!doctype html", b"<html")
GATEWAY_ERRORS = (502, 504)


class Response:
    """Status, headers and body of a response.

    `clock_offset` is the server's clock minus the local clock in seconds, from the Date header (RFC 9110, section
    6.6.1); None without one. `hide` is called with each secret that is read from the body.
    """

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        *,
        doing: str,
        host: str,
        received_at: float,
        left_behind: str = "",
        hide: Callable[[Secret], Any] = ignore,
        named: Callable[[str], str] = str,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.doing = doing
        self.host = host
        self.received_at = received_at
        self._hide = hide
        self._named = named
        # After a gateway error the server behind it may have processed the request. Some servers return a redirect
        # for a request that they processed.
        self.left_behind = left_behind if status < 400 or status in GATEWAY_ERRORS else ""
        self.received_at = received_at
        self.clock_offset = _clock_offset(headers.get("Date"), received_at)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def is_html(self) -> bool:
        """Whether the body is an HTML page, usually from a proxy or a login portal."""
        start = self.body.lstrip()[:16].lower()
        is_called_so = self.headers.get("Content-Type", "").lower().startswith("text/html")
        return bool(start) and (is_called_so or start.startswith(_HTML_STARTS))

    @functools.cached_property
    def _document(self) -> Any:
        """The parsed body, cached: a page of a listing may have megabytes."""
        return json.loads(self.body)

    def json(self) -> Any:
        """The body as JSON. Raises BadResponse."""
        if not self.body.strip():
            raise self.bad("the response is empty, not JSON")
        try:
            return self._document
        except (ValueError, RecursionError):
            raise self.bad("the response is not valid JSON") from None

    def mapping(self) -> Mapping[str, Any]:
        """The body as a JSON object. Raises BadResponse."""
        document = self.json()
        if not isinstance(document, dict):
            raise self.bad("the response is not a JSON object, as the API documents")
        return document

    def json_or_none(self) -> Any:
        """The body as JSON; None when it is not JSON. For error responses."""
        try:
            return self._document
        except (ValueError, RecursionError):
            return None

    @property
    def plain_text(self) -> str:
        """The body of a text/plain response; empty for other types."""
        is_plain = self.headers.get("Content-Type", "").lower().startswith("text/plain")
        return self.body.decode("utf-8", "replace") if is_plain else ""

    def bad(self, cause: str, *, advice: str = "") -> BadResponse:
        """Make an error about this response."""
        return BadResponse(
            f"{cause} (status {self.status})",
            status=self.status,
            doing=self.doing,
            host=self.host,
            advice=self._named(advice or BadResponse.default_advice),
            left_behind=self.left_behind,
        )

    def field(self, name: str, kind: type) -> Any:
        """A required field. Raises BadResponse when it is missing, empty or of another type."""
        value = self.mapping().get(name)
        if not isinstance(value, kind) or value in ("", None):
            raise self.bad(f"the response has no usable '{name}'")
        return value

    def objects(self, name: str, *fields: str) -> list[Mapping[str, Any]]:
        """A required list of objects that each have these non-empty strings. Raises BadResponse."""
        found: list[Mapping[str, Any]] = self.field(name, list)
        for position, item in enumerate(found, start=1):
            if not has_texts(item, *fields):
                expected = f"an object with {' and '.join(fields)}" if fields else "an object"
                raise self.bad(f"entry {position} of the list '{name}' in the response is not {expected}")
        return found

    def secret(self, name: str) -> Secret:
        """A required token. Raises BadResponse."""
        return self.sendable(self.field(name, str), f"'{name}'")

    def sendable(self, text: str, what: str) -> Secret:
        """A token of this response. Raises BadResponse when it cannot be sent in a header; `what` names it."""
        if not HEADER_VALUE.fullmatch(text):
            raise self.bad(f"{what} in the response contains characters that are invalid in a header")
        return self.as_secret(text)

    def as_secret(self, text: str) -> Secret:
        """A string of this response as a secret, which is redacted from now on."""
        secret = Secret(text)
        self._hide(secret)
        return secret


def has_texts(value: Any, *fields: str) -> bool:
    """Whether a value is an object in which each of these fields is a non-empty string."""
    return isinstance(value, dict) and all(isinstance(value.get(name), str) and value[name] for name in fields)


def items(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list of a response; empty when it is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(value: Any) -> Optional[float]:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def moment_of(date: Optional[str]) -> Optional[float]:
    """The date of a header in epoch seconds; None when it is not a date."""
    try:
        moment = parsedate_to_datetime(date or "")
        # The asctime format has no zone. All three formats are in UTC.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
        return moment.timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _clock_offset(date: Optional[str], received_at: float) -> Optional[float]:
    moment = moment_of(date)
    return None if moment is None else moment - received_at
