# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole response of a server, and its reading: what is not what the API documents is named for what it is."""

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

# RFC 9110, section 5.5, without what is obsolete; RFC 6749, appendix A, allows tokens no more.
HEADER_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?")
_HTML_STARTS = (b"<!doctype html", b"<html")
_GATEWAY_GAVE_UP = (502, 504)


class Response:
    """Status, headers and body. `clock_offset` is the server's clock minus this one's, in seconds (RFC 9110, 6.6.1).

    `hide` receives each secret that is read of it.
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
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.doing = doing
        self.host = host
        self.received_at = received_at
        self._hide = hide
        # A gateway that gave up waiting says nothing of what the server behind it did, and some servers answer with
        # a redirect what they have done.
        self.left_behind = left_behind if status < 400 or status in _GATEWAY_GAVE_UP else ""
        self.clock_offset = _clock_offset(headers.get("Date"), received_at)

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked."""
        return 200 <= self.status < 300

    @property
    def is_html(self) -> bool:
        """Whether somebody between here and the server answered with a page for people."""
        start = self.body.lstrip()[:16].lower()
        is_called_so = self.headers.get("Content-Type", "").lower().startswith("text/html")
        return bool(start) and (is_called_so or start.startswith(_HTML_STARTS))

    @functools.cached_property
    def _document(self) -> Any:
        """Parsed once: a page of a listing may have megabytes."""
        return json.loads(self.body)

    def json(self) -> Any:
        """The body as JSON. Raises BadResponse."""
        if not self.body.strip():
            raise self.bad("the response has an empty body where JSON is due")
        try:
            return self._document
        except (ValueError, RecursionError):
            raise self.bad("the response is not valid JSON") from None

    def mapping(self) -> Mapping[str, Any]:
        """The body as a JSON object. Raises BadResponse."""
        document = self.json()
        if not isinstance(document, dict):
            raise self.bad("the response is JSON, but not the object that the API documents")
        return document

    def json_or_none(self) -> Any:
        """The body as JSON where it is, for the reading of errors."""
        try:
            return self._document
        except (ValueError, RecursionError):
            return None

    @property
    def plain_text(self) -> str:
        """The body if it is plain text, else nothing."""
        is_plain = self.headers.get("Content-Type", "").lower().startswith("text/plain")
        return self.body.decode("utf-8", "replace") if is_plain else ""

    def bad(self, cause: str, *, advice: str = "") -> BadResponse:
        """The error that says what is wrong with this response."""
        return BadResponse(
            f"{cause} (status {self.status})",
            status=self.status,
            doing=self.doing,
            host=self.host,
            advice=advice,
            left_behind=self.left_behind,
        )

    def field(self, name: str, kind: type) -> Any:
        """A field that the API documents as present. Raises BadResponse."""
        value = self.mapping().get(name)
        if not isinstance(value, kind) or value in ("", None):
            raise self.bad(f"the response has no usable '{name}'")
        return value

    def objects(self, name: str, *fields: str) -> list[Mapping[str, Any]]:
        """A list that the API documents as present, of objects that each have these texts. Raises BadResponse."""
        found: list[Mapping[str, Any]] = self.field(name, list)
        if not all(has_texts(item, *fields) for item in found):
            raise self.bad(f"the list '{name}' in the response has entries that are not what the API documents")
        return found

    def secret(self, name: str) -> Secret:
        """A token that the API documents as present. Raises BadResponse."""
        return self.sendable(self.field(name, str), f"'{name}'")

    def sendable(self, text: str, what: str) -> Secret:
        """A token that came with this response. Raises BadResponse where no header could carry it back."""
        if not HEADER_VALUE.fullmatch(text):
            raise self.bad(f"{what} in the response holds characters that no header can carry")
        return self.as_secret(text)

    def as_secret(self, text: str) -> Secret:
        """A text of this response as a secret, which is kept out of all that leaves the task."""
        secret = Secret(text)
        self._hide(secret)
        return secret


def has_texts(value: Any, *fields: str) -> bool:
    """Whether something in a response is an object in which each of these fields is a text."""
    return isinstance(value, dict) and all(isinstance(value.get(name), str) and value[name] for name in fields)


def items(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list in a response; nothing where there is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(value: Any) -> Optional[float]:
    """A number of a response that can be reckoned with; None for all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def moment_of(date: Optional[str]) -> Optional[float]:
    """The date of a header in epoch seconds; None for all else."""
    try:
        moment = parsedate_to_datetime(date or "")
        # The oldest of the three forms names no zone; all are in UTC.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
        return moment.timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _clock_offset(date: Optional[str], received_at: float) -> Optional[float]:
    moment = moment_of(date)
    return None if moment is None else moment - received_at
