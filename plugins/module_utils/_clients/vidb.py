# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMware Identity Broker (vIDB) of VMware Cloud Foundation: create, revoke and expand access tokens.

https://developer.broadcom.com/xapis/vmware-identity-broker-api/latest/
"""

from __future__ import annotations

from typing import Any, Optional

from .._core.errors import InvalidOption
from .._core.secret import Secret, basic_authorization
from .._core.token import Token
from .._http.probe import was_deleted
from .._http.session import Session
from .._http.url import Link, segment
from .oauth import (
    ID_TOKEN,
    REFRESH_TOKEN,
    bearer,
    jwt_of_response,
    token_of_response,
)

API_TOKEN_GRANT = "urn:custom:vcf:params:oauth:grant-type:api-token"
# RFC 8693, section 2.1. The only public example spells the requested type with a hyphen.
_EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:custom:vcf:params:oauth:token-type:idp_access_token:oidc",
    "requested_token_type": "urn:ietf:params:oauth:token-type:access-token",
}
# RFC 6749, section 5.2: the grant is invalid, expired, revoked or was issued to another client.
INVALID_GRANT = "invalid_grant"

# Facts of a stored API token: the broker at which it was verified, and the id of its client.
BROKER, API_CLIENT = "broker", "api_client"

# Characters. A longer token cannot be revoked.
LONGEST_TO_REVOKE = 4096
_NOT_REVOKED = (400, 404, 405)

_CREATE = "get an access token"
_LEFT_BEHIND = "An unused access token may exist. It cannot be revoked and ends when it expires"


def error_facts(document: Any) -> tuple[str, str]:
    """Code and message of an OAuth error response (RFC 6749, section 5.2)."""
    if not isinstance(document, dict):
        return "", ""
    return str(document.get("error") or ""), str(document.get("error_description") or document.get("message") or "")


class VidbClient:
    """The operations of the API for one tenant. Methods raise ApiError and TransportError."""

    def __init__(self, session: Session, tenant: str) -> None:
        self._session = session
        self._tenant_path = f"/acs/t/{segment(tenant, 'tenant')}"

    def token_by_client_credentials(self, client_id: str, client_secret: Secret) -> Token:
        """POST .../token, grant client_credentials (RFC 6749, section 4.4)."""
        return self._token(
            {"grant_type": "client_credentials"},
            client=(client_id, client_secret),
            advice="Check client_id, client_secret and tenant.",
        )

    def token_by_refresh_token(self, refresh_token: Secret, client: Optional[tuple[str, Secret]]) -> Token:
        """POST .../token, grant refresh_token (RFC 6749, section 6)."""
        return self._token(
            {"grant_type": "refresh_token", "refresh_token": refresh_token},
            client=client,
            advice="Check refresh_token: it may have expired or have been used already.",
        )

    def token_by_api_token(self, api_token: Secret) -> Token:
        """POST .../token with an API token. Requires release 9.1 or newer."""
        return self._token(
            {"grant_type": API_TOKEN_GRANT, "api_token": api_token},
            client=None,
            advice="Check api_token: it may be mistyped, expired or revoked. API tokens require release 9.1 or newer.",
        )

    def token_by_subject_token(self, subject_token: Secret) -> Token:
        """POST .../token with an access token of the identity provider (RFC 8693)."""
        return self._token(
            {**_EXCHANGE, "subject_token": subject_token},
            client=None,
            advice="Check subject_token: it may have expired, or its identity provider may be unknown to the broker.",
        )

    def revoke_access_token(self, token: Secret, client: tuple[str, Secret]) -> bool:
        """POST .../revoke (RFC 7009) as the client to which the token was issued.

        Returns False when the token belongs to another client (400), or the broker does not support revocation (404,
        405). Raises ApiError: 401, 503.
        """
        return was_deleted(
            lambda: self._session.request(
                "POST",
                f"{self._tenant_path}/revoke",
                doing="revoke an access token",
                form={"token": token, "token_type_hint": "access_token"},
                headers={"Authorization": basic_authorization(*client)},
                idempotent=True,
                advice=dict.fromkeys((401, 403), "Check client_id and client_secret."),
            ),
            gone=_NOT_REVOKED,
        )

    def _token(self, form: dict[str, Any], *, client: Optional[tuple[str, Secret]], advice: str) -> Token:
        response = self._session.request(
            "POST",
            f"{self._tenant_path}/token",
            doing=_CREATE,
            form=form,
            headers={"Authorization": basic_authorization(*client)} if client else {},
            advice={**dict.fromkeys((400, 401, 403), advice), 404: "Check hostname and tenant."},
            left_behind=_LEFT_BEHIND,
        )
        return token_of_response(response, self._session.now(), (ID_TOKEN, REFRESH_TOKEN))


def check_broker(api_token: Token, host: str, option: str) -> None:
    """Raise InvalidOption, which names `option`, if a stored API token was verified at another broker than `host`."""
    own = api_token.facts.get(BROKER, host)
    if own != host:
        raise InvalidOption(
            option, f"is {host}, but the stored API token is for {own}, and is not sent to another server"
        )


def expand_access_token(session: Session, link: Link, overflow_token: Secret) -> Secret:
    """GET .../expand-access-token?format=jwt, the link in the overflow token. Raises ApiError: 400, 401."""
    response = session.request(
        "GET",
        link.path,
        query=[*(pair for pair in link.query if pair[0] != "format"), ("format", "jwt")],
        headers={"Authorization": bearer(overflow_token), "Accept": "application/jwt, application/json, text/plain"},
        doing="expand the access token",
        advice=dict.fromkeys((400, 401), "Get a new access token: this one may have expired."),
    )
    # The vendor documents only the name of the format.
    return jwt_of_response(response, "the expanded token")
