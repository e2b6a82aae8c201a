# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value that does not print itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

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
# Whatever is shorter stands in any text by chance: to hide it would hide the words of a whole run.
SHORTEST = 4


class Secret:
    """A password, token or other value that must not be seen.

    It is registered with ansible-core as soon as it exists, unless it is too short. Only reveal() gives the value away,
    so that the places where it leaves are easy to find.
    """

    __slots__ = ("_parts", "_value")

    def __init__(self, value: str, parts: Iterable[Secret] = ()) -> None:
        """`parts` are the secrets of which it is made, which must not be seen by themselves either."""
        # A plain copy: values of Ansible carry tags that have no place in a header or a file.
        self._value = "".join(str(value))
        self._parts = tuple(parts)
        if len(self._value) >= SHORTEST:
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
