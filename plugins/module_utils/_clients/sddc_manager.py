# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SDDC Manager of VMware Cloud Foundation: its API of token pairs, below /v1/tokens.

https://developer.broadcom.com/xapis/vmware-cloud-foundation-api/latest/tokens/
"""

from __future__ import annotations

from typing import Any

from .._core.errors import ApiError
from .._core.secret import Secret
from .._core.token import Token
from .._http.probe import is_accepted, was_deleted
from .._http.session import Session
from . import oauth

_LEFT_BEHIND = "An access token that nobody holds may exist; it cannot be revoked and ends by itself within an hour"
_PAIR_LEFT_BEHIND = f"{_LEFT_BEHIND}, and the refresh token that came with it within a day"
# The page lists 400 and 404; a gateway in front may say the others of a secret that it does not know.
_REFUSALS = (400, 401, 403, 404)


def error_facts(document: Any) -> tuple[str, str]:
    """Code and message of an Error, with the remedy that it names."""
    if not isinstance(document, dict):
        return "", ""
    texts = (str(document.get(name) or "") for name in ("message", "remediationMessage"))
    return str(document.get("errorCode") or ""), " ".join(text for text in texts if text)


class SddcManagerClient:
    """The operations of the API, named as it names them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create_token(self, username: str, password: Secret) -> Token:
        """POST /v1/tokens: an access token, and its refresh token as a companion. Raises ApiError: 400, 401, 500."""
        response = self._session.request(
            "POST",
            "/v1/tokens",
            doing="create a token pair",
            json_body={"username": username, "password": password},
            advice=dict.fromkeys(
                _REFUSALS, "Check username and password, and that the user has a role in SDDC Manager."
            ),
            left_behind=_PAIR_LEFT_BEHIND,
        )
        refresh = response.field("refreshToken", dict).get("id")
        if not isinstance(refresh, str) or not refresh:
            raise response.bad("the response has no usable 'refreshToken'")
        return self._token(response.secret("accessToken"), response.sendable(refresh, "'refreshToken'"))

    def refresh_access_token(self, refresh_token: Secret) -> Token:
        """PATCH /v1/tokens/access-token/refresh: another access token with the same refresh token, any number of times.

        Raises ApiError: 400 and 404 for a refresh token that has expired or was revoked, 500.
        """
        response = self._session.request(
            "PATCH",
            "/v1/tokens/access-token/refresh",
            doing="refresh an access token",
            json_body=refresh_token,
            left_behind=_LEFT_BEHIND,
        )
        return self._token(oauth.jwt_of_response(response, "the new access token"), refresh_token)

    def is_refreshable(self, refresh_token: Secret) -> bool:
        """Whether a refresh token works. There is no read that tells: where it works, this mints an access token.

        Raises ApiError also for a refusal without the errorCode of the product, which proves nothing.
        """
        try:
            self.refresh_access_token(refresh_token)
        except ApiError as error:
            if not is_refusal(error) or not error.code:
                raise
            return False
        return True

    def invalidate_refresh_token(self, refresh_token: Secret) -> bool:
        """DELETE /v1/tokens/refresh-token. False when that was refused, as for one that was invalid already."""
        return was_deleted(
            lambda: self._session.request(
                "DELETE", "/v1/tokens/refresh-token", doing="revoke a refresh token", json_body=refresh_token
            ),
            gone=_REFUSALS,
        )

    def is_accepted(self, token: Secret) -> bool:
        """GET /v1/sddc-managers, a list of one that every role may read."""
        return is_accepted(
            lambda: self._session.request(
                "GET",
                "/v1/sddc-managers",
                doing="check an access token",
                headers={"Authorization": oauth.bearer(token)},
            ),
            proof=lambda response: response.objects("elements", "id"),
        )

    def _token(self, access_token: Secret, refresh_token: Secret) -> Token:
        return oauth.access_token_of(
            access_token, issued_at=self._session.now(), companions={oauth.REFRESH_TOKEN: refresh_token}
        )


def is_refusal(error: ApiError) -> bool:
    """Whether the server refuses the credential, rather than failing."""
    return error.status in _REFUSALS
