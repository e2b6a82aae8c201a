# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The removal of secrets, control characters and excess length from what leaves a task.

Secrets are not searched for in each of their forms, of which there are thousands: the text is decoded in every way, two
ways deep, and searched for the secrets themselves. The work depends on the length of what is shown, and not on the
number of secrets: they are indexed by short pieces of them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .decoding import View, squeezed, visible, without_blanks
from .secret import MASK, SHORTEST, Secret

# What is quoted of a server within a sentence, and any text that leaves, in characters.
LONGEST_QUOTE = 300
LONGEST_TEXT = 10_000
# What is searched beyond the end of what is shown: the longest part of a secret that must be seen, escaped twice.
MARGIN = 2048
# From this length on a part of a secret gives much away: half of it, and never more than so many bytes.
_DIVISIBLE = 24
_LONGEST_PART = 32
# A piece that more secrets share tells nothing of any of them.
_MOST_SHARING = 16
# Twice as many as all listings of a task may bring. Beyond it nothing that a server says is quoted.
MOST_SECRETS = 200_000
_DEEPEST = 64

# A JWT, padded base64, and what follows an authentication scheme: products quote tokens that this run has never seen.
# Each part begins where nothing of its like stands before, so that the search is linear.
_LOOKS_SECRET = re.compile(
    r"eyJ[\w+/-]{8,}(?:\.[\w+/-]*){0,2}={0,2}"
    r"|(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={1,2}"
    r"|(?i:(?<=bearer )|(?<=basic ))(?:(?=[^\s\"',;]*[0-9])[^\s\"',;]{4,}|[^\s\"',;]{16,})"
)
_NOT_A_BLANK = re.compile(r"[^\S ]")
_NOT_OF_LINES = re.compile(r"[^\S \n\t]")

Range = tuple[int, int]


class Redactor:
    """Knows the secrets of a task, and takes them out of its texts. May be used from several threads."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._lock = threading.Lock()
        # The bytes of each value, and how many of them in a row are not to be seen.
        self._values: dict[bytes, int] = {}
        # By their length, pieces of the values, and where in which values each stands.
        self._pieces: dict[int, dict[bytes, list[tuple[bytes, int]]]] = {8: {}, SHORTEST: {}}
        self.hide(*secrets)

    def hide(self, *secrets: Secret) -> None:
        """Keep secrets, and those of which they are made, out of all texts from now on."""
        for secret in secrets:
            first, *parts = secret.all_values
            self.hide_value(first, is_divisible=not parts)
            for part in parts:
                self.hide_value(part)

    def hide_value(self, value: str, *, is_divisible: bool = True) -> None:
        """The same for a value that nobody outside of this task is to know of, such as a cookie.

        What is made of other secrets, or a URL, has parts that are not secret.
        """
        for form in dict.fromkeys((without_blanks(value.encode("utf-8", "surrogatepass")), squeezed(visible(value)))):
            if len(form) >= SHORTEST:
                with self._lock:
                    self._add(form, is_divisible and "://" not in value)

    def quote(self, text: str) -> str:
        """What a server says, for a sentence of ours: on one line, and short."""
        shown = " ".join(self._shown(text.strip(), LONGEST_QUOTE).split())
        return MASK if shown and self._is_full else shown

    def line(self, text: str) -> str:
        """A whole sentence, on one line."""
        return _NOT_A_BLANK.sub(" ", self._shown(text, LONGEST_TEXT))

    def value(self, value: Any) -> Any:
        """Texts, or lists and mappings of them. A Secret that is in them is there to be returned."""
        texts = {text: visible(text[: LONGEST_TEXT + MARGIN]) for text in _texts_in(value, _DEEPEST)}
        # One search for all: most often there is nothing to be found.
        found = self._finds_any(View(b"\xff".join(map(squeezed, texts.values()))))
        shown = {text: self._text(text, found) for text in texts}
        return _replaced(value, shown, _DEEPEST)

    def redact(self, text: str) -> str:
        """A text of any length, without secrets and what is not seen."""
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
        """The start of a text. What follows is searched, too: a secret may begin in the one and end in the other."""
        searched = visible(text[: longest + MARGIN])
        is_cut = len(text) > longest + MARGIN
        # Whatever is left out, so much of what is searched is not shown.
        end = min(longest, max(0, len(searched) - MARGIN)) if is_cut else longest
        shown = self._masked(searched, end, may_hold_known)
        return f"{shown[:longest]} ..." if is_cut or len(searched) > end or len(shown) > longest else shown

    def _masked(self, text: str, end: int, may_hold_known: bool = True) -> str:
        """The text up to an end, without the secrets that begin before that."""
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

    # --- what is known -----------------------------------------------------------------------------------------

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
        # Wherever a part lies, a piece lies in it; a whole value needs one that few others have.
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
        """Where secrets stand in a text, in any notation."""
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
        """Where the values, or long parts of them, stand."""
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
    """A text of ours without the given secrets, in any form in which they may be quoted, without anything that looks
    like a token, and without what is not seen."""
    return Redactor(secrets).redact(text)


def _piece(data: bytes, start: int, size: int) -> bytes:
    end = start + size
    return data[start:end]


def _common(data: bytes, at: int, value: bytes, offset: int, size: int) -> Range:
    """The largest part of a value around a piece of it that stands in the data, too."""
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
    """The ranges in their order, those that touch each other as one."""
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
