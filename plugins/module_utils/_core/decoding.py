# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a text can say when it is decoded: HTML, URL, JSON, hexadecimal and base64, and any two of them in a row.

Nobody says where in a text an encoding begins: hexadecimal digits are read from the first and from the second on,
base64 from each of four characters on. All of it takes time in proportion to the length of the text.
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
# What may stand between the parts of a secret, where it was wrapped or indented.
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

# Where a piece of encoded data begins, how long it is, and what it says.
Piece = tuple[int, int, bytes]
Decoder = Callable[[bytes], Iterator[Piece]]


class View:
    """What a text says, without blanks, when it is decoded in one way after another; by itself, as it stands."""

    def __init__(self, data: bytes, parent: Optional[View] = None, decoder: Optional[Decoder] = None) -> None:
        self.data = data
        self._parent = parent
        self._decoder = decoder
        self._origins: list[tuple[int, int]] = []

    def decoded(self, depth: int = DEPTH) -> Iterator[View]:
        """This view, and those of it decoded in every way."""
        yield self
        for decoder in _DECODERS if depth else ():
            data = without_blanks(b"".join(said for _at, _length, said in decoder(self.data)))
            if len(data) >= SHORTEST:
                yield from View(data, self, decoder).decoded(depth - 1)

    def in_base(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of this view stands in the text that was decoded."""
        if self._parent is None or self._decoder is None:
            return start, end
        if not self._origins:
            self._origins = list(_origins(self._decoder(self._parent.data)))
        return self._parent.in_base(self._origins[start][0], min(self._origins[end - 1][1], len(self._parent.data)))


def visible(text: str) -> str:
    """The text without control characters, joiners, marks of direction and the like, which could tear a secret apart,
    or write on the terminal. Its blanks stay."""
    if text.isprintable():
        return text
    return "".join(character for character in text if character.isprintable() or character.isspace())


def squeezed(text: str) -> bytes:
    """The bytes of a text without its blanks."""
    return without_blanks("".join(text.split()).encode("utf-8", "surrogatepass"))


def without_blanks(data: bytes) -> bytes:
    """The same of bytes, which need not be a text."""
    return data.translate(None, _BLANKS)


def _origins(pieces: Iterator[Piece]) -> Iterator[tuple[int, int]]:
    """Where each decoded byte that is not blank comes from."""
    for at, length, said in pieces:
        for number, byte in enumerate(said):
            if byte not in _BLANKS:
                yield at + number * length // len(said), at - (-(number + 1) * length // len(said))


def _escapes(pattern: re.Pattern[bytes], decode: Callable[[bytes], bytes]) -> Decoder:
    """Replaces what the pattern matches; nothing where that is not there."""

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
    """Decodes what the pattern matches, in groups of so many characters, without the first ones and all else."""

    def pieces(data: bytes) -> Iterator[Piece]:
        for found in pattern.finditer(data):
            run = found[0][skipped:]
            run += b"A" * (-len(run) % group)
            yield found.start() + skipped, len(run), decode(run)

    return pieces


def _form_pieces(data: bytes) -> Iterator[Piece]:
    """As forms have it: a blank is a plus."""
    return _escapes(_FORM, _unpercent)(data) if b"+" in data else iter(())


def _unpercent(escape: bytes) -> bytes:
    return b" " if escape == b"+" else bytes.fromhex(escape[1:].decode())


def _unescape_html(entity: bytes) -> bytes:
    name = entity[1:].rstrip(b";").decode()
    if not name.startswith("#"):
        return squeezed(visible(html.unescape(entity.decode())))
    return _character(int(name[2:], 16) if name[1] in "xX" else int(name[1:]))


def _unescape(escape: bytes) -> bytes:
    """One of JSON, JavaScript or Python."""
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
