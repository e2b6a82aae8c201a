# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON Web Tokens (RFC 7519), signed RS256 by one key per issuer, and their verification."""

from __future__ import annotations

import functools
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from .secretbox import SecretBox
from .tokens import Token, TokenLedger

_ALGORITHM = "RS256"


class JwtInvalid(Exception):
    """The token was not signed by that issuer, or is of another kind."""


class JwtExpired(JwtInvalid):
    """The token was valid once."""


class Keyring:
    """Creates and verifies the JWTs of several issuers, so that one product can trust another's."""

    def __init__(self, secrets: SecretBox, ledger: TokenLedger) -> None:
        self._secrets = secrets
        self._ledger = ledger
        self._key = functools.cache(self._new_key)

    @staticmethod
    def _new_key(issuer: str) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def mint(self, issuer: str, host: str, kind: str, claims: dict[str, Any]) -> str:
        """Sign `claims` (with `sub`, `iat`, `exp`) and add the token to the ledger. `jti` is added."""
        claims = {"jti": str(uuid.uuid4()), **claims}
        value = jwt.encode(claims, self._key(issuer), _ALGORITHM, headers={"kid": f"{issuer}-signing"})
        self._ledger.add(Token(value, issuer, host, kind, claims["sub"], claims["exp"]))
        self._secrets.remember_jwt(f"{issuer} {kind} token", value)
        return value

    def verify(self, issuer: str, kind: str, value: str, now: float) -> dict[str, Any]:
        """Return the claims of a token of that kind, if `issuer` signed it and it is valid by the caller's clock."""
        try:
            # The time claims are checked below, with the clock of the product, which a test may set wrong.
            unjudged = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
            key = self._key(issuer).public_key()
            claims: dict[str, Any] = jwt.decode(value, key, [_ALGORITHM], options=unjudged)  # type: ignore[arg-type]
        except (jwt.InvalidTokenError, ValueError) as problem:  # the latter when it cannot be a JWT at all
            raise JwtInvalid(str(problem)) from problem
        token = self._ledger.find(issuer, value)
        if token is None or token.kind != kind:
            raise JwtInvalid(f"not a {kind} token of {issuer}")
        if not token.is_valid(now):
            raise JwtExpired("token has expired" if token.is_expired(now) else "token has been revoked")
        return claims
