# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value that does not print itself, and the removal of such values from text."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

try:
    # ansible-core 2.22 and newer: masks the value in everything that it prints from then on.
    from ansible.module_utils.secrets import register_secret

    CORE_MASKS_SECRETS = True
except ImportError:
    CORE_MASKS_SECRETS = False

    def register_secret(value: str) -> str:
        """Older cores have no registry; there the action seals the whole result."""
        return value


MASK = "********"
FINGERPRINT_LENGTH = 12

# A JWT, padded base64, and what follows an authentication scheme: products quote tokens that this run has never seen.
_LOOKS_SECRET = re.compile(
    r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}|[A-Za-z0-9+/_-]{16,}={1,2}|(?i:(?<=bearer )|(?<=basic ))[^\s\"',;]+"
)
_ESCAPE = re.compile(r"%[0-9A-F]{2}")


class Secret:
    """A password, token or other value that must not be seen.

    It is registered with ansible-core as soon as it exists. Only reveal() gives the value away,
    so that the places where it leaves are easy to find.
    """

    __slots__ = ("_parts", "_value")

    def __init__(self, value: str, parts: Iterable[Secret] = ()) -> None:
        """`parts` are the secrets of which it is made, which must not be seen by themselves either."""
        # A plain copy: values of Ansible carry tags that have no place in a header or a file.
        self._value = "".join(str(value))
        self._parts = tuple(parts)
        register_secret(self._value)

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    @property
    def all_values(self) -> tuple[str, ...]:
        """The value, and those of its parts."""
        return (self._value, *(value for part in self._parts for value in part.all_values))

    @property
    def fingerprint(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of the value."""
        return fingerprint(self._value)

    def __repr__(self) -> str:
        return "Secret(" + MASK + ")"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not serialized: reveal() it where it leaves")


def fingerprint(value: str) -> str:
    """What tells two secrets apart without giving either away."""
    return hashlib.sha256(value.encode()).hexdigest()[:FINGERPRINT_LENGTH]


def authorization(scheme: str, credential: Secret) -> Secret:
    """The value of an Authorization header (RFC 9110, section 11.6.2)."""
    return Secret(f"{scheme} {credential.reveal()}", [credential])


def basic_authorization(username: str, password: Secret) -> Secret:
    """The value of an Authorization header for basic authentication, in UTF-8 (RFC 7617)."""
    encoded = base64.b64encode(f"{username}:{password.reveal()}".encode()).decode()
    return authorization("Basic", Secret(encoded, [password]))


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """The text without the given secrets, in any form in which a server may quote them, without anything that
    looks like a token, and without what is not seen: it could tear a secret apart, or write on the terminal.
    Shorten afterwards: the other order leaves half a token."""
    forms = sorted(_forms(secrets), key=len, reverse=True)
    text = _seen(_without(text, forms))
    return _LOOKS_SECRET.sub(MASK, _without(text, forms))


def _without(text: str, forms: Iterable[str]) -> str:
    for form in forms:
        text = text.replace(form, MASK)
    return text


def _seen(text: str) -> str:
    """The text without control characters, joiners, marks of direction and the like; its blanks stay."""
    return "".join(character for character in text if character.isprintable() or character.isspace())


def _forms(secrets: Iterable[Secret]) -> set[str]:
    forms = {form for secret in secrets for value in secret.all_values for form in _written(value)}
    forms.discard("")
    return forms


def _written(value: str) -> Iterator[str]:
    """The ways in which a value may be written."""
    yield value
    raw = value.encode("utf-8", "surrogatepass")
    for encoded in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        yield encoded
        yield _ESCAPE.sub(lambda found: found[0].lower(), encoded)
    yield repr(value)[1:-1]
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    for in_base64 in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
        yield in_base64
        yield in_base64.rstrip("=")
