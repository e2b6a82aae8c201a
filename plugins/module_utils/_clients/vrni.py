# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aria Operations for Networks (vRealize Network Insight): the API of auth tokens, version 1, below /api/ni.

https://developer.broadcom.com/xapis/vrealize-network-insight-api-reference/latest/
"""

from __future__ import annotations

from typing import Any, Optional

from .._core.secret import Secret, authorization
from .._core.token import Token, plausible_expiry
from .._http.probe import is_accepted, was_deleted
from .._http.response import Response, items, number
from .._http.session import Session

SCHEME = "NetworkInsight"

# The page documents seconds, but its examples are milliseconds. Seconds exceed this number in the year 5138.
_MILLISECONDS_FROM = 1e11

_CREATE = "create an auth token"
_LEFT_BEHIND = "An unused token may be left on the server. It expires after some hours"
_REFUSED_ADVICE = (
    "Check username, password, domain_type and domain. The server returns the same error when the user already has 100 "
    "valid tokens: then delete unused tokens, or wait until they expire."
)


def error_facts(document: Any) -> tuple[str, str]:
    """Code and messages of an error response."""
    if not isinstance(document, dict):
        return "", ""
    texts = [str(document.get("message") or "")]
    texts += [str(detail.get("message") or "") for detail in items(document.get("details"))]
    return str(document.get("code") or ""), "; ".join(text for text in texts if text)


class VrniClient:
    """The operations of the API. Methods raise ApiError and TransportError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create_auth_token(
        self, username: str, password: Secret, domain_type: str, domain: Optional[str] = None
    ) -> Token:
        """POST /auth/token. Raises ApiError: 400, 401 for a wrong password or for 100 valid tokens, 500."""
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
                401: "Get a new vIDM token: this one may have expired. The server may return the same error when the "
                "user already has 100 valid tokens.",
                404: "Check that vIDM is configured on this server, and that the user exists there.",
                412: "Check that vIDM is enabled on this server.",
            },
            left_behind=_LEFT_BEHIND,
        )
        return self._token(response)

    def delete_auth_token(self, token: Secret) -> bool:
        """DELETE /auth/token, which revokes the token that signs it. Returns False when it is already invalid (401)."""
        return was_deleted(
            lambda: self._session.request(
                "DELETE",
                "/api/ni/auth/token",
                doing="delete an auth token",
                # The vendor's client sends a content type without a body, too.
                headers={**_signed(token), "Content-Type": "application/json"},
            ),
            gone=(401,),
        )

    def is_accepted(self, token: Secret) -> bool:
        """GET /info/version, the cheapest request that requires authentication."""
        return is_accepted(
            lambda: self._session.request(
                "GET", "/api/ni/info/version", doing="check an auth token", headers=_signed(token)
            ),
            proof=lambda response: response.field("api_version", str),
        )

    def get_vidm_client(self) -> tuple[str, str]:
        """GET /auth/vidm/client-id. Returns the appliance and the OAuth client id. Raises ApiError: 403, 500."""
        response = self._session.request(
            "GET",
            "/api/ni/auth/vidm/client-id",
            doing="read the vIDM client",
            advice=dict.fromkeys((403, 404), "Check that vIDM is configured and enabled on this server."),
        )
        return str(response.mapping().get("vidm_appliance") or ""), response.field("client_id", str)

    def _token(self, response: Response) -> Token:
        secret = response.secret("token")
        return Token(secret, SCHEME, self._session.now(), self._expiry(response.mapping().get("expiry")))

    def _expiry(self, value: Any) -> Optional[float]:
        """The expiry of a response in epoch seconds; None when it is missing, past or more than a year away."""
        expiry = number(value)
        if expiry is None:
            return None
        seconds = expiry / 1000 if expiry > _MILLISECONDS_FROM else expiry
        return plausible_expiry(seconds, self._session.now())


def _signed(token: Secret) -> dict[str, Any]:
    return {"Authorization": authorization(SCHEME, token)}
