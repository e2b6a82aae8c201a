# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SDDC Manager of VMware Cloud Foundation: the API of token pairs, below /v1/tokens. The VCF Installer has the same.

https://developer.broadcom.com/xapis/vmware-cloud-foundation-api/latest/tokens/
https://developer.broadcom.com/xapis/vcf-installer-api/latest/
"""

from __future__ import annotations

from typing import Any

from .._core.errors import ApiError
from .._core.secret import Secret
from .._core.token import Token
from .._http.probe import is_accepted, was_deleted
from .._http.response import Response
from .._http.session import Session
from . import oauth

_LEFT_BEHIND = "An unused access token may exist. It cannot be revoked and expires within an hour"
_PAIR_LEFT_BEHIND = f"{_LEFT_BEHIND}. Its refresh token expires within a day"
# The page documents 400 and 404. A gateway in front of the API may return the others for an unknown secret.
_REFUSALS = (400, 401, 403, 404)


def error_facts(document: Any) -> tuple[str, str]:
    """Code and message of an error response, with its remediation message."""
    if not isinstance(document, dict):
        return "", ""
    texts = (str(document.get(name) or "") for name in ("message", "remediationMessage"))
    return str(document.get("errorCode") or ""), " ".join(text for text in texts if text)


class SddcManagerClient:
    """The operations of the API. Methods raise ApiError and TransportError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create_token(self, username: str, password: Secret) -> Token:
        """POST /v1/tokens. Returns an access token with its refresh token. Raises ApiError: 400, 401, 500."""
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
        """PATCH /v1/tokens/access-token/refresh. Returns another access token with the same refresh token.

        A refresh token can be used repeatedly. Raises ApiError: 400 and 404 for one that expired or was revoked, 500.
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
        """Whether a refresh token is valid. It can only be checked by using it, which creates an access token.

        Raises ApiError also for a refusal without an errorCode, which may come from a gateway.
        """
        try:
            self.refresh_access_token(refresh_token)
        except ApiError as error:
            if not is_refusal(error) or not error.code:
                raise
            return False
        return True

    def invalidate_refresh_token(self, refresh_token: Secret) -> bool:
        """DELETE /v1/tokens/refresh-token. Returns False when it is refused, as for a token that is already invalid."""
        return was_deleted(
            lambda: self._session.request(
                "DELETE", "/v1/tokens/refresh-token", doing="revoke a refresh token", json_body=refresh_token
            ),
            gone=_REFUSALS,
        )

    def is_accepted(self, token: Secret) -> bool:
        """GET /v1/sddc-managers, which every role may read. A VCF Installer has GET /v1/sddcs instead."""
        return is_accepted(lambda: self._read(token), proof=lambda response: response.objects("elements", "id"))

    def _read(self, token: Secret) -> Response:
        try:
            return self._list("/v1/sddc-managers", token)
        except ApiError as error:
            # A web server in front of the API may return an HTML page for an unknown path.
            if error.status != 404:
                raise
        return self._list("/v1/sddcs", token)

    def _list(self, path: str, token: Secret) -> Response:
        return self._session.request(
            "GET", path, doing="check an access token", headers={"Authorization": oauth.bearer(token)}
        )

    def _token(self, access_token: Secret, refresh_token: Secret) -> Token:
        return oauth.access_token_of(
            access_token, issued_at=self._session.now(), companions={oauth.REFRESH_TOKEN: refresh_token}
        )


def is_refusal(error: ApiError) -> bool:
    """Whether the server refused the credential, as opposed to a failure of the server."""
    return error.status in _REFUSALS
