# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that do not show their value when they are printed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

try:
    # ansible-core 2.22 and newer mask registered values in all output.
    from ansible.module_utils.secrets import register_secret

    CORE_MASKS_SECRETS = True
except ImportError:
    CORE_MASKS_SECRETS = False

    def register_secret(value: str) -> str:
        """Do nothing: older cores have no registry, and the action plugin censors the whole result."""
        return value


MASK = "********"
FINGERPRINT_LENGTH = 12
# Shorter values occur in any text by chance. Masking them would censor the output of a whole run.
SHORTEST = 4


class Secret:
    """A password, token or other value that must not be printed.

    It is registered with ansible-core when it is created, unless it is too short. Only reveal() returns the value, so
    that all places that use it are easy to find.
    """

    __slots__ = ("_parts", "_value")

    def __init__(self, value: str, parts: Iterable[Secret] = ()) -> None:
        """`parts` are the secrets that the value contains, which must not be printed either."""
        # A plain copy: strings of ansible-core carry tags that must not reach a header or a file.
        self._value = "".join(str(value))
        self._parts = tuple(parts)
        if len(self._value) >= SHORTEST:
            register_secret(self._value)

    def reveal(self) -> str:
        """Return the value in plain text."""
        return self._value

    @property
    def all_values(self) -> tuple[str, ...]:
        """The value and the values of its parts."""
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
        raise TypeError("a Secret cannot be serialized: call reveal()")


def fingerprint(value: str) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of a value."""
    return hashlib.sha256(value.encode()).hexdigest()[:FINGERPRINT_LENGTH]


def authorization(scheme: str, credential: Secret) -> Secret:
    """The value of an Authorization header (RFC 9110, section 11.6.2)."""
    return Secret(f"{scheme} {credential.reveal()}", [credential])


def basic_authorization(username: str, password: Secret) -> Secret:
    """The value of an Authorization header for basic authentication, in UTF-8 (RFC 7617)."""
    encoded = base64.b64encode(f"{username}:{password.reveal()}".encode()).decode()
    return authorization("Basic", Secret(encoded, [password]))


def assertion_authorization(assertion: Secret) -> Secret:
    """The value of an Authorization header with a SAML assertion, compressed with gzip."""
    compressed = base64.b64encode(gzip.compress(assertion.reveal().encode(), mtime=0)).decode()
    return Secret(f'SIGN token="{compressed}"', [assertion, Secret(compressed)])
