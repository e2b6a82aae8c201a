# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove secrets, control characters and excess length from all output of a task.

A secret has thousands of encoded forms. So the text is decoded in every way, with up to two decoders in a row, and the
secrets themselves are searched in the results. They are indexed by short pieces: the run time depends on the length of
the text that is shown, not on the number of secrets.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .decoding import View, squeezed, visible, without_blanks
from .secret import MASK, SHORTEST, Secret

# Characters that are shown of a quotation from a server, and of any other text.
LONGEST_QUOTE = 300
LONGEST_TEXT = 10_000
# Characters that are searched after the end of the shown text: the longest part of a secret, escaped twice.
MARGIN = 2048
# Bytes from which on a part of a secret is masked too: half of the secret, at most _LONGEST_PART bytes.
_DIVISIBLE = 24
_LONGEST_PART = 32
# A piece that more secrets share does not identify any of them.
_MOST_SHARING = 16
# Twice the secrets that all listings of a task can contain. With more, no text of a server is shown.
MOST_SECRETS = 200_000
_DEEPEST = 64

# A JWT, padded base64, and the text after an authentication scheme: servers quote tokens that are unknown to this run.
# Each alternative starts at a boundary, so that the search is linear.
_LOOKS_SECRET = re.compile(
    r"eyJ[\w+/-]{8,}(?:\.[\w+/-]*){0,2}={0,2}"
    r"|(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={1,2}"
    r"|(?i:(?<=bearer )|(?<=basic ))(?:(?=[^\s\"',;]*[0-9])[^\s\"',;]{4,}|[^\s\"',;]{16,})"
)
_NOT_A_BLANK = re.compile(r"[^\S ]")
_NOT_OF_LINES = re.compile(r"[^\S \n\t]")

Range = tuple[int, int]


class Redactor:
    """Removes the secrets of a task from texts. Safe to use from several threads."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._lock = threading.Lock()
        # Each secret, with the number of consecutive bytes of it that must not be shown.
        self._values: dict[bytes, int] = {}
        # By length: pieces of the secrets, with the secrets and offsets at which each occurs.
        self._pieces: dict[int, dict[bytes, list[tuple[bytes, int]]]] = {8: {}, SHORTEST: {}}
        self.hide(*secrets)

    def hide(self, *secrets: Secret) -> None:
        """Remove these secrets and their parts from all texts from now on."""
        for secret in secrets:
            first, *parts = secret.all_values
            self.hide_value(first, is_divisible=not parts)
            for part in parts:
                self.hide_value(part)

    def hide_value(self, value: str, *, is_divisible: bool = True) -> None:
        """Remove a value from all texts from now on, such as a cookie.

        `is_divisible` is false for a value that has parts which are not secret. A URL has such parts, too.
        """
        for form in dict.fromkeys((without_blanks(value.encode("utf-8", "surrogatepass")), squeezed(visible(value)))):
            if len(form) >= SHORTEST:
                with self._lock:
                    self._add(form, is_divisible and "://" not in value)

    def quote(self, text: str) -> str:
        """A text from a server, on one line and shortened, for use within a message."""
        shown = " ".join(self._shown(text.strip(), LONGEST_QUOTE).split())
        return MASK if shown and self._is_full else shown

    def line(self, text: str) -> str:
        """A whole message, on one line."""
        return _NOT_A_BLANK.sub(" ", self._shown(text, LONGEST_TEXT))

    def value(self, value: Any) -> Any:
        """Redact the strings in a value of lists and mappings. A Secret in it is meant to be returned, and revealed."""
        texts = {text: visible(text[: LONGEST_TEXT + MARGIN]) for text in _texts_in(value, _DEEPEST)}
        # One search for all strings: usually it finds nothing.
        found = self._finds_any(View(b"\xff".join(map(squeezed, texts.values()))))
        shown = {text: self._text(text, found) for text in texts}
        return _replaced(value, shown, _DEEPEST)

    def redact(self, text: str) -> str:
        """A text of any length, without secrets and invisible characters."""
        return self._masked(visible(text), len(text))

    # --- texts -------------------------------------------------------------------------------------------------

    @property
    def _is_full(self) -> bool:
        return len(self._values) >= MOST_SECRETS

    def _text(self, text: str, may_hold_known: bool) -> str:
        if self._is_full and text:
            return MASK
        return _NOT_OF_LINES.sub(" ", self._shown(text, LONGEST_TEXT, may_hold_known))

    def _shown(self, text: str, longest: int, may_hold_known: bool = True) -> str:
        """The start of a text. The part behind it is searched, too: a secret may cross the boundary."""
        searched = visible(text[: longest + MARGIN])
        is_cut = len(text) > longest + MARGIN
        # The last MARGIN characters that are searched are not shown.
        end = min(longest, max(0, len(searched) - MARGIN)) if is_cut else longest
        shown = self._masked(searched, end, may_hold_known)
        return f"{shown[:longest]} ..." if is_cut or len(searched) > end or len(shown) > longest else shown

    def _masked(self, text: str, end: int, may_hold_known: bool = True) -> str:
        """The text up to `end`, without the secrets that start before `end`."""
        ranges = [found.span() for found in _LOOKS_SECRET.finditer(text)]
        if may_hold_known:
            ranges += self._known_in(text)
        shown, position = "", 0
        for start, stop in _merged(ranges):
            if start >= end:
                break
            shown += text[position:start] + MASK
            position = stop
        return shown + text[position:end]

    # --- known secrets -----------------------------------------------------------------------------------------

    def _add(self, value: bytes, is_divisible: bool) -> None:
        length = len(value)
        part = max(_DIVISIBLE // 2, min(_LONGEST_PART, (length + 1) // 2)) if length >= _DIVISIBLE else length
        part = part if is_divisible else length
        if self._values.get(value, length + 1) <= part or self._is_full:
            return
        is_new = value not in self._values
        self._values[value] = part
        size = 8 if length >= 8 else SHORTEST
        pieces = self._pieces[size]
        # Each part of a divisible value contains a piece. A whole value needs a piece that few others have.
        last = length - size
        offsets = {*range(0, last + 1, part - size + 1), last} if part < length else {0, last}
        free = [offset for offset in offsets if len(pieces.get(_piece(value, offset, size), ())) < _MOST_SHARING]
        if is_new and not free:
            free = [min(range(last + 1), key=lambda at: len(pieces.get(_piece(value, at, size), ())))]
        for offset in free:
            found = pieces.setdefault(_piece(value, offset, size), [])
            if (value, offset) not in found:
                found.append((value, offset))

    def _known_in(self, text: str) -> list[Range]:
        """The ranges of a text that are secrets, in any encoding."""
        base = View(squeezed(text))
        found = [view.in_base(*part) for view in base.decoded() for part in self._parts_in(view.data)]
        if not found:
            return []
        positions = [at for at, character in enumerate(text) if not character.isspace() for _byte in character.encode()]
        return [(positions[start], positions[end - 1] + 1) for start, end in found]

    def _finds_any(self, base: View) -> bool:
        return any(self._has_pieces(view.data, size) for view in base.decoded() for size in self._pieces)

    def _has_pieces(self, data: bytes, size: int) -> bool:
        pieces = self._pieces[size]
        if not pieces:
            return False
        return not pieces.keys().isdisjoint(_piece(data, at, size) for at in range(len(data) - size + 1))

    def _parts_in(self, data: bytes) -> Iterator[Range]:
        """The ranges that are secrets, or long parts of them."""
        for size, pieces in self._pieces.items():
            if not self._has_pieces(data, size):
                continue
            ends: dict[bytes, int] = {}
            for at in range(len(data) - size + 1):
                for value, offset in tuple(pieces.get(_piece(data, at, size), ())):
                    if at < ends.get(value, 0):
                        continue
                    start, end = _common(data, at, value, offset, size)
                    if end - start >= self._values[value]:
                        ends[value] = end
                        yield start, end


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """A text without these secrets in any encoding, without strings that look like tokens, and without invisible
    characters."""
    return Redactor(secrets).redact(text)


def _piece(data: bytes, start: int, size: int) -> bytes:
    end = start + size
    return data[start:end]


def _common(data: bytes, at: int, value: bytes, offset: int, size: int) -> Range:
    """Extend the match of a piece to the largest part of the value that is in the data."""
    whole = at - offset
    if whole >= 0 and data.startswith(value, whole):
        return whole, whole + len(value)
    start, end = at, at + size
    while start > 0 and start > whole and data[start - 1] == value[start - 1 - whole]:
        start -= 1
    while end < len(data) and end - whole < len(value) and data[end] == value[end - whole]:
        end += 1
    return start, end


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """The ranges in ascending order, with overlapping and adjacent ones merged."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _texts_in(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts_in(item, depth - 1)
    elif depth and isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts_in(item, depth - 1)


def _replaced(value: Any, shown: Mapping[str, str], depth: int) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, str):
        return shown[value]
    if not isinstance(value, (Mapping, list, tuple)):
        return value
    if not depth:
        return MASK
    if isinstance(value, Mapping):
        return {shown[str(key)]: _replaced(item, shown, depth - 1) for key, item in value.items()}
    return [_replaced(item, shown, depth - 1) for item in value]
