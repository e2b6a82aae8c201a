# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search for secrets where none may be."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

# Shorter values occur in any text by chance.
SHORTEST = 8
# From this length on, half of it reveals as much as the whole, such as the part of a message before "...".
LONG = 48
# An unusual password: each of its characters is escaped in one notation or another.
AWKWARD = "Zq7\"w\\x %2B+&='<é>{p}-k9"


def leaks(texts: Mapping[str, str], secrets: Iterable[str]) -> list[str]:
    """The places of secrets, plain, encoded or halved. Secrets are shown by their first characters only."""
    found = []
    # Without blanks: Ansible's display wraps its warnings.
    solid = {place: _solid(text) for place, text in texts.items()}
    for secret in {value for value in secrets if len(value) >= SHORTEST}:
        for form, value in forms(secret):
            found += [f"{place}: {secret[:4]}... ({form})" for place, text in solid.items() if _solid(value) in text]
    return found


def forms(secret: str) -> Iterator[tuple[str, str]]:
    """The forms in which a secret may be written, each once."""
    written: dict[str, str] = {}
    for form, value in _written(secret):
        written.setdefault(value, form)
    return ((form, value) for value, form in written.items())


def _solid(text: str) -> str:
    return "".join(text.split())


def _written(secret: str) -> Iterator[tuple[str, str]]:
    yield "plain", secret
    for offset in range(3):
        yield "base64", _in_base64(secret, offset)
        yield "base64", _in_base64(secret, offset).translate(str.maketrans("+/", "-_"))
    yield "hexadecimal", secret.encode().hex()
    yield "URL-encoded", quote(secret, safe="")
    yield "URL-encoded", quote(secret)
    yield "form-encoded", quote_plus(secret)
    yield "quoted by Python", repr(secret)[1:-1]
    for ascii_only in (True, False):
        inner = json.dumps(secret, ensure_ascii=ascii_only)
        yield "JSON", inner[1:-1]
        yield "JSON in JSON", json.dumps(inner, ensure_ascii=ascii_only)[3:-3]
    if len(secret) >= LONG:
        yield "first half", secret[: len(secret) // 2]
        yield "last half", secret[-(len(secret) // 2) :]


def _in_base64(secret: str, offset: int) -> str:
    """The characters that depend on no neighbours, after this number of bytes, such as a user's name."""
    before = len(base64.b64encode(bytes(offset)).rstrip(b"=")) if offset else 0
    encoded = base64.b64encode(bytes(offset) + secret.encode()).decode()
    return encoded.rstrip("=")[before:-1]
