# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VCF Operations (Aria Operations, vRealize Operations): the API of tokens, below /suite-api/api/auth.

https://developer.broadcom.com/xapis/vcf-operations-api/latest/
"""

from __future__ import annotations

from typing import Any, Optional

from .._core.secret import Secret, authorization
from .._core.token import Token, plausible_expiry
from .._http.probe import is_accepted, was_deleted
from .._http.response import items, number
from .._http.session import Session

# Release 9 accepts both, release 8 the second one only.
SCHEMES = ("OpsToken", "vRealizeOpsToken")
# Seconds. "The validity of the acquired token is extended after each call and is set to 6 hours from the last call."
SLIDING_LIFETIME = 6 * 3600.0

_API = "/suite-api/api/auth"
_LEFT_BEHIND = "An unused token may be left on the server. It expires within six hours"
_REFUSED_ADVICE = "Check username, password and auth_source."


def error_facts(document: Any) -> tuple[str, str]:
    """Code and message of an error response, with the invalid fields of the request."""
    if not isinstance(document, dict):
        return "", ""
    texts = [str(document.get("message") or "")]
    for failure in items(document.get("validationFailures")):
        texts.append(" ".join(str(failure.get(name) or "") for name in ("violationPath", "failureMessage")).strip())
    return str(document.get("apiErrorCode") or ""), "; ".join(text for text in texts if text)


class VcfOperationsClient:
    """The operations of the API. Methods raise ApiError and TransportError."""

    def __init__(self, session: Session, scheme: str = SCHEMES[0]) -> None:
        self._session = session
        self._scheme = scheme

    def acquire_token(self, username: str, password: Secret, auth_source: Optional[str] = None) -> Token:
        """POST /auth/token/acquire. `auth_source` is the name of a source; None for local users.

        Raises ApiError: 401 for a wrong password, 422 for an invalid body, 429.
        """
        body = {"username": username, "password": password}
        response = self._session.request(
            "POST",
            f"{_API}/token/acquire",
            doing="acquire a token",
            json_body={**body, "authSource": auth_source} if auth_source else body,
            advice=dict.fromkeys((401, 403, 422), _REFUSED_ADVICE),
            left_behind=_LEFT_BEHIND,
        )
        secret, now = response.secret("token"), self._session.now()
        milliseconds = number(response.mapping().get("validity"))
        expires_at = None if milliseconds is None else plausible_expiry(milliseconds / 1000, now)
        return Token(secret, self._scheme, now, expires_at)

    def release_token(self, token: Secret) -> bool:
        """POST /auth/token/release, which ends the token that signs it. Returns False when it is refused (401)."""
        # The vendor's client sends a content type without a body, too.
        headers = {**self._signed(token), "Content-Type": "application/json"}
        return was_deleted(
            lambda: self._session.request(
                "POST", f"{_API}/token/release", doing="release a token", headers=headers, idempotent=True
            ),
            gone=(401,),
        )

    def is_accepted(self, token: Secret) -> bool:
        """GET /auth/currentuser, which extends the token. False for a 401; raises ApiError: 403."""
        return is_accepted(
            lambda: self._session.request(
                "GET", f"{_API}/currentuser", doing="check a token", headers=self._signed(token)
            ),
            proof=lambda response: response.field("username", str),
        )

    def _signed(self, token: Secret) -> dict[str, Any]:
        return {"Authorization": authorization(self._scheme, token)}
