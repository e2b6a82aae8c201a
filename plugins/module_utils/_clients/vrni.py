# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aria Operations for Networks (vRealize Network Insight): its API of auth tokens, version 1, below /api/ni.

https://developer.broadcom.com/xapis/vrealize-network-insight-api-reference/latest/
"""

from __future__ import annotations

from typing import Any, Optional

from .._core.secret import Secret, authorization
from .._core.token import Token
from .._http.probe import is_accepted, was_deleted
from .._http.response import Response, items, number
from .._http.session import Session

SCHEME = "NetworkInsight"

# The page says seconds, its examples are milliseconds. Seconds pass this number in the year 5138.
_MILLISECONDS_FROM = 1e11
_LONGEST_LIFE = 366 * 86400

_CREATE = "create an auth token"
_LEFT_BEHIND = "A token that nobody holds may be left on the server; it ends by itself some hours from now"
_REFUSED_ADVICE = (
    "Check user name, password and domain. The answer is the same when this user already holds 100 valid tokens: "
    "then delete those that are not needed, or wait until they expire."
)


def error_facts(document: Any) -> tuple[str, str]:
    """Code and message of an ApiError."""
    if not isinstance(document, dict):
        return "", ""
    texts = [str(document.get("message") or "")]
    texts += [str(detail.get("message") or "") for detail in items(document.get("details"))]
    return str(document.get("code") or ""), "; ".join(text for text in texts if text)


class VrniClient:
    """The operations of the API, named as it names them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create_auth_token(
        self, username: str, password: Secret, domain_type: str, domain: Optional[str] = None
    ) -> Token:
        """POST /auth/token. Raises ApiError: 400, 401 for a wrong password or too many tokens, 500."""
        user_domain = {"domain_type": domain_type}
        if domain:
            user_domain["value"] = domain
        response = self._session.request(
            "POST",
            "/api/ni/auth/token",
            doing=_CREATE,
            json_body={"username": username, "password": password, "domain": user_domain},
            advice={401: _REFUSED_ADVICE},
            left_behind=_LEFT_BEHIND,
        )
        return self._token(response)

    def create_vidm_user_token(self, vidm_token: Secret) -> Token:
        """POST /auth/token/vidm. Raises ApiError: 400, 401, 404, 412, 500."""
        response = self._session.request(
            "POST",
            "/api/ni/auth/token/vidm",
            doing="create an auth token from a vIDM token",
            json_body={"vidm_token": vidm_token},
            advice={
                401: "The vIDM token may have expired: fetch a new one. The answer may be the same when this user "
                "already holds 100 valid tokens.",
                404: "Check that vIDM is configured on this server, and that the user is known to it.",
                412: "Check that vIDM is enabled on this server.",
            },
            left_behind=_LEFT_BEHIND,
        )
        return self._token(response)

    def delete_auth_token(self, token: Secret) -> bool:
        """DELETE /auth/token, which ends the token that it is sent with. False when it was invalid already (401)."""
        return was_deleted(
            lambda: self._session.request(
                "DELETE", "/api/ni/auth/token", doing="delete an auth token", headers=_signed(token)
            ),
            gone=(401,),
        )

    def is_accepted(self, token: Secret) -> bool:
        """GET /info/version, the cheapest authenticated read."""
        return is_accepted(
            lambda: self._session.request(
                "GET", "/api/ni/info/version", doing="check an auth token", headers=_signed(token)
            ),
            proof=lambda response: response.field("api_version", str),
        )

    def get_vidm_client(self) -> tuple[str, str]:
        """GET /auth/vidm/client-id: the appliance and the OAuth client id. Raises ApiError: 403, 500."""
        response = self._session.request(
            "GET",
            "/api/ni/auth/vidm/client-id",
            doing="read the vIDM client",
            headers={"Content-Type": "application/json"},
            advice=dict.fromkeys((403, 404), "Check that vIDM is configured and enabled on this server."),
        )
        return str(response.mapping().get("vidm_appliance") or ""), response.field("client_id", str)

    def _token(self, response: Response) -> Token:
        secret = response.secret("token")
        return Token(secret, SCHEME, self._session.now(), self._expiry(response.mapping().get("expiry")))

    def _expiry(self, value: Any) -> Optional[float]:
        """The expiry of a response in epoch seconds; None where it is missing or makes no sense."""
        told = number(value)
        if told is None:
            return None
        seconds = told / 1000 if told > _MILLISECONDS_FROM else told
        now = self._session.now()
        return seconds if now < seconds <= now + _LONGEST_LIFE else None


def _signed(token: Secret) -> dict[str, Any]:
    # The vendor's client sends a content type without a body, too.
    return {"Authorization": authorization(SCHEME, token), "Content-Type": "application/json"}
