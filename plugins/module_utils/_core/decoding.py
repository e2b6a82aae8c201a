# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decode a text in every way: HTML, URL, JSON, hexadecimal and base64, and any two of them in a row.

The place where encoded data starts is unknown. So hexadecimal is decoded at 2 offsets and base64 at 4. The run time is
linear in the length of the text.
"""

from __future__ import annotations

import base64
import html
import re
import sys
from collections.abc import Callable, Iterator
from typing import Optional

from .secret import SHORTEST

DEPTH = 2
# Bytes that may separate the parts of a secret that was wrapped or indented.
_BLANKS = bytes((*range(0x21), 0x7F))
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_FORM = re.compile(rb"%[0-9A-Fa-f]{2}|\+")
_ENTITY = re.compile(rb"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}"
    rb"|[\"'\\/abfnrtv])"
)
_HEX = re.compile(rb"[0-9A-Fa-f]{%d,}" % (2 * SHORTEST))
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{%d,}" % (SHORTEST + 2))
_STANDARD = bytes.maketrans(b"-_", b"+/")

# Offset and length of a piece of encoded data, and its decoded bytes.
Piece = tuple[int, int, bytes]
Decoder = Callable[[bytes], Iterator[Piece]]


class View:
    """A text without whitespace, or what one or more decoders make of it."""

    def __init__(self, data: bytes, parent: Optional[View] = None, decoder: Optional[Decoder] = None) -> None:
        self.data = data
        self._parent = parent
        self._decoder = decoder
        self._origins: list[tuple[int, int]] = []

    def decoded(self, depth: int = DEPTH) -> Iterator[View]:
        """Yield this view, and its views decoded in every way up to `depth` decoders in a row."""
        yield self
        for decoder in _DECODERS if depth else ():
            data = without_blanks(b"".join(said for _at, _length, said in decoder(self.data)))
            if len(data) >= SHORTEST:
                yield from View(data, self, decoder).decoded(depth - 1)

    def in_base(self, start: int, end: int) -> tuple[int, int]:
        """The range of the original text from which a range of this view was decoded."""
        if self._parent is None or self._decoder is None:
            return start, end
        if not self._origins:
            self._origins = list(_origins(self._decoder(self._parent.data)))
        return self._parent.in_base(self._origins[start][0], min(self._origins[end - 1][1], len(self._parent.data)))


def visible(text: str) -> str:
    """Remove control and format characters, which could split a secret or control the terminal. Whitespace stays."""
    if text.isprintable():
        return text
    return "".join(character for character in text if character.isprintable() or character.isspace())


def squeezed(text: str) -> bytes:
    """The bytes of a text without its whitespace."""
    return without_blanks("".join(text.split()).encode("utf-8", "surrogatepass"))


def without_blanks(data: bytes) -> bytes:
    """The bytes without ASCII whitespace and control characters."""
    return data.translate(None, _BLANKS)


def _origins(pieces: Iterator[Piece]) -> Iterator[tuple[int, int]]:
    """Yield the source range of each decoded byte that is not whitespace."""
    for at, length, said in pieces:
        for number, byte in enumerate(said):
            if byte not in _BLANKS:
                yield at + number * length // len(said), at - (-(number + 1) * length // len(said))


def _escapes(pattern: re.Pattern[bytes], decode: Callable[[bytes], bytes]) -> Decoder:
    """A decoder that replaces each match of the pattern; it yields nothing without a match."""

    def pieces(data: bytes) -> Iterator[Piece]:
        end = 0
        for found in pattern.finditer(data):
            start = found.start()
            yield end, start - end, data[end:start]
            yield start, found.end() - start, decode(found[0])
            end = found.end()
        if end:
            yield end, len(data) - end, data[end:]

    return pieces


def _runs(pattern: re.Pattern[bytes], skipped: int, group: int, decode: Callable[[bytes], bytes]) -> Decoder:
    """A decoder of each match of the pattern without its first characters, padded to a multiple of `group`."""

    def pieces(data: bytes) -> Iterator[Piece]:
        for found in pattern.finditer(data):
            run = found[0][skipped:]
            run += b"A" * (-len(run) % group)
            yield found.start() + skipped, len(run), decode(run)

    return pieces


def _form_pieces(data: bytes) -> Iterator[Piece]:
    """Percent-encoding of HTML forms, where a plus is a space."""
    return _escapes(_FORM, _unpercent)(data) if b"+" in data else iter(())


def _unpercent(escape: bytes) -> bytes:
    return b" " if escape == b"+" else bytes.fromhex(escape[1:].decode())


def _unescape_html(entity: bytes) -> bytes:
    name = entity[1:].rstrip(b";").decode()
    if not name.startswith("#"):
        return squeezed(visible(html.unescape(entity.decode())))
    return _character(int(name[2:], 16) if name[1] in "xX" else int(name[1:]))


def _unescape(escape: bytes) -> bytes:
    """Decode one escape sequence of JSON, JavaScript or Python."""
    kind, digits = escape[1:2], escape[2:]
    if kind not in b"uUx":
        return b" " if kind in b"abfnrtv" else kind
    if len(digits) > 8:
        return squeezed(visible(bytes.fromhex((digits[:4] + digits[6:]).decode()).decode("utf-16-be")))
    return _character(int(digits, 16))


def _character(code: int) -> bytes:
    return squeezed(visible(chr(code))) if code <= sys.maxunicode else b""


def _unhex(run: bytes) -> bytes:
    return bytes.fromhex(run.decode())


def _unbase64(run: bytes) -> bytes:
    return base64.b64decode(run.translate(_STANDARD))


_DECODERS: tuple[Decoder, ...] = (
    _escapes(_PERCENT, _unpercent),
    _form_pieces,
    _escapes(_ENTITY, _unescape_html),
    _escapes(_ESCAPE, _unescape),
    *(_runs(_HEX, skipped, 2, _unhex) for skipped in range(2)),
    *(_runs(_BASE64, skipped, 4, _unbase64) for skipped in range(4)),
)
