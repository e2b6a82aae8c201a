# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The encodings in which servers quote a secret, one or two at a time, and secrets of any kind."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

Encoding = Callable[[str], str]

# Letters that notations write differently are as likely as all others. MASK itself consists of stars.
_CHARACTERS = st.one_of(
    st.sampled_from("&<>\"'\\/%+=- \t\n?;éß€😀\u00a0"),
    st.characters(exclude_categories=["Cs"], exclude_characters="*"),
)


def _is_seen(character: str) -> bool:
    return character.isprintable() and not character.isspace()


def values(least: int) -> st.SearchStrategy[str]:
    """Secrets with this number of visible characters, which include the first and the last."""
    texts = st.text(_CHARACTERS, min_size=least, max_size=2 * least + 24)
    stripped = texts.map(lambda text: text.strip("".join(c for c in text if not _is_seen(c))))
    return stripped.filter(lambda text: sum(map(_is_seen, text)) >= least)


def _small_escapes(text: str) -> str:
    first, *others = text.split("%")
    return first + "".join("%" + other[:2].lower() + other[2:] for other in others)


def _everything_numbered(text: str) -> str:
    return "".join(character if character.isalnum() else f"&#x{ord(character):X};" for character in text)


def _in_base64(offset: int, encode: Callable[[bytes], bytes]) -> Encoding:
    """A secret between this number of bytes before and after it."""
    return lambda text: encode(b"::"[:offset] + text.encode() + b"::"[:offset]).decode()


EXACT: dict[str, Encoding] = {
    "plain": str,
    "HTML": html.escape,
    "HTML with numbers": _everything_numbered,
    "URL": lambda text: quote(text, safe=""),
    "URL path": quote,
    "URL with small letters": lambda text: _small_escapes(quote(text, safe="")),
    "form": quote_plus,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with letters beyond ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "Python": lambda text: repr(text)[1:-1],
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal with capitals": lambda text: text.encode().hex().upper(),
}
# This leaves what depends on the bytes around a secret, and its padding.
INEXACT: dict[str, Encoding] = {
    **{f"base64 at {offset}": _in_base64(offset, base64.b64encode) for offset in range(3)},
    **{f"base64 for URLs at {offset}": _in_base64(offset, base64.urlsafe_b64encode) for offset in range(3)},
    "base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
}
ENCODINGS = {**EXACT, **INEXACT}


def pairs() -> st.SearchStrategy[tuple[str, str]]:
    """The names of two encodings, the inner one first."""
    return st.tuples(st.sampled_from(sorted(ENCODINGS)), st.sampled_from(sorted(ENCODINGS)))


def encoded(value: str, names: tuple[str, str]) -> str:
    """A secret as a server quotes it."""
    inner, outer = names
    return ENCODINGS[outer](ENCODINGS[inner](value))
