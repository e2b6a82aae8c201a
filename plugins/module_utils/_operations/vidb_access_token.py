# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job of vidb_access_token: an access token of the VMware Identity Broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Optional

from .._clients import oauth, vidb
from .._core.argspec import (
    CONNECTION_OPTIONS,
    LIFECYCLE_OPTIONS,
    ArgumentSpec,
    option_from,
    prefixed,
)
from .._core.errors import ApiError, InvalidOption
from .._core.secret import Secret
from .._core.token import Token, jwt_claims
from .._http.session import Session
from .._http.url import BaseUrl
from .._lifecycle.source import TokenSource
from .base import Operation, TokenOperation
from .oauth_tokens import OAuthTokens

CREDENTIAL_OPTIONS: ArgumentSpec = {
    "hostname": option_from("VIDB_HOST", type="str"),
    "tenant": option_from("VIDB_TENANT", type="str", default="CUSTOMER"),
    "api_token": option_from("VIDB_API_TOKEN", type="str", no_log=True),
    "refresh_token": {"type": "str", "no_log": True},
    "client_id": option_from("VIDB_CLIENT_ID", type="str"),
    "client_secret": option_from("VIDB_CLIENT_SECRET", type="str", no_log=True),
}
# A refresh token may need the client that it was given to, so that the two groups share their options.
CREDENTIALS = (("refresh_token",), ("api_token",), ("client_id", "client_secret"))


class VidbTokens(OAuthTokens):
    """The access tokens of an API token, a refresh token or a client, which are in `credentials` by option."""

    product = "vidb"

    def __init__(self, session: Session, credentials: Mapping[str, Any]) -> None:
        super().__init__(session)
        self._client = vidb.VidbClient(session, credentials["tenant"])
        self._credentials = credentials

    @property
    def principal(self) -> Optional[str]:
        """See TokenSource."""
        credentials = self._credentials
        if credentials["api_token"]:
            who = f"API token {credentials['api_token'].fingerprint}"
        elif credentials["refresh_token"]:
            subject = jwt_claims(credentials["refresh_token"].reveal()).get("sub")
            who = f"user {subject}" if subject else f"refresh token {credentials['refresh_token'].fingerprint}"
        elif credentials["client_id"]:
            who = f"client {credentials['client_id']}"
        else:
            return None
        return f"{credentials['tenant']}/{who}"

    def create(self) -> Token:
        """See TokenSource."""
        credentials = self._credentials
        if credentials["api_token"]:
            return self._client.token_by_api_token(credentials["api_token"])
        client = self._client_credentials
        if credentials["refresh_token"]:
            return self._client.token_by_refresh_token(credentials["refresh_token"], client)
        if client:
            return self._client.token_by_client_credentials(*client)
        raise InvalidOption(
            "api_token", "is needed to get an access token, or refresh_token, or client_id and client_secret"
        )

    def replace(self, old: Token) -> Token:
        """See TokenSource. A broker that rotates refresh tokens takes the latest alone (RFC 6749, section 6)."""
        latest = old.companions.get(oauth.REFRESH_TOKEN)
        if not latest or self._credentials["refresh_token"] in (None, latest):
            return self.create()
        try:
            new = self._client.token_by_refresh_token(latest, self._client_credentials)
        except ApiError as error:
            if error.code != vidb.INVALID_GRANT:
                raise
            return self.create()
        # One that the broker does not replace stays good.
        return replace(new, companions={oauth.REFRESH_TOKEN: latest, **new.companions})

    def owns(self, principal: str, token: Token) -> bool:
        """See TokenSource. Its refresh token may have come with a token of the file, and have no name but itself."""
        given = self._credentials["refresh_token"]
        tenant = f"{self._credentials['tenant']}/"
        return given is not None and principal.startswith(tenant) and token.companions.get(oauth.REFRESH_TOKEN) == given

    @property
    def _client_credentials(self) -> Optional[tuple[str, Secret]]:
        client_id, client_secret = self._credentials["client_id"], self._credentials["client_secret"]
        return (client_id, client_secret) if client_id and client_secret else None


def vidb_tokens(operation: Operation, *, prefix: str = "") -> VidbTokens:
    """The tokens for the credentials among an operation's options, whose names start with `prefix`."""
    credentials = prefixed(operation.params, prefix, CREDENTIAL_OPTIONS)
    base_url = BaseUrl.parse(credentials["hostname"] or "", f"{prefix}hostname")
    session = operation.open_session(base_url, vidb.error_facts, is_target=not prefix)
    return VidbTokens(session, credentials)


class VidbAccessToken(TokenOperation):
    """Keep an access token, or forget it."""

    name = "sddc.tokens.vidb_access_token"
    argument_spec: ClassVar[ArgumentSpec] = {
        **CREDENTIAL_OPTIONS,
        "hostname": {**CREDENTIAL_OPTIONS["hostname"], "required": True},
        **LIFECYCLE_OPTIONS,
        **CONNECTION_OPTIONS,
    }
    alternatives = CREDENTIALS
    mutually_exclusive = (
        *TokenOperation.mutually_exclusive,
        ("api_token", "client_id"),
        ("api_token", "refresh_token"),
    )
    required_together = (("client_id", "client_secret"),)
    required_if = (
        ("state", "present", ("api_token", "refresh_token", "client_id"), True),
        ("state", "absent", ("token", "token_file"), True),
    )
    secret_results = TokenOperation.secret_results | {oauth.ID_TOKEN, oauth.REFRESH_TOKEN}

    def source(self) -> TokenSource:
        """See TokenOperation."""
        return vidb_tokens(self)
