# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMware Cloud Services (CSP): the API that exchanges an API token or client credentials for an access token.

https://developer.broadcom.com/xapis/cloud-services-authentication-api/latest/
"""

from __future__ import annotations

from typing import Any

from .._core.secret import Secret, basic_authorization
from .._core.token import Token
from .._http.response import Response
from .._http.session import Session
from .oauth import ID_TOKEN, token_of_response

_BASE = "/csp/gateway/am/api/auth"
_CREATE = "get an access token"
_LEFT_BEHIND = "An unused access token may exist. It cannot be revoked and expires within 30 minutes"


def error_facts(document: Any) -> tuple[str, str]:
    """Code and message of an error response."""
    if not isinstance(document, dict):
        return "", ""
    code = document.get("cspErrorCode") or document.get("errorCode") or ""
    return str(code), str(document.get("message") or document.get("error_description") or "")


class CspClient:
    """The operations of the API. Methods raise ApiError and TransportError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def authorize_api_token(self, api_token: Secret) -> Token:
        """POST /auth/api-tokens/authorize. Raises ApiError: 400 for an invalid or expired API token."""
        advice = (
            "Check api_token: it may be mistyped, expired or revoked. Generate a new one in the console, on the page "
            "My Account."
        )
        response = self._session.request(
            "POST",
            f"{_BASE}/api-tokens/authorize",
            doing=_CREATE,
            form={"api_token": api_token},
            advice=dict.fromkeys((400, 401, 403), advice),
            left_behind=_LEFT_BEHIND,
        )
        return self._token(response)

    def authorize_client(self, client_id: str, client_secret: Secret) -> Token:
        """POST /auth/authorize with the client credentials of an OAuth app (RFC 6749, section 4.4)."""
        response = self._session.request(
            "POST",
            f"{_BASE}/authorize",
            doing=_CREATE,
            headers={"Authorization": basic_authorization(client_id, client_secret)},
            form={"grant_type": "client_credentials"},
            advice=dict.fromkeys(
                (400, 401, 403), "Check client_id and client_secret, and that the app is added to the organization."
            ),
            left_behind=_LEFT_BEHIND,
        )
        return self._token(response)

    def _token(self, response: Response) -> Token:
        return token_of_response(response, self._session.now(), (ID_TOKEN,))
