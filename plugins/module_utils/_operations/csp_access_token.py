# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job of csp_access_token: an access token, and an OpenID token, of VMware Cloud Services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Optional

from .._clients import csp, oauth
from .._core.argspec import (
    CONNECTION_OPTIONS,
    LIFECYCLE_OPTIONS,
    ArgumentSpec,
    option_from,
    prefixed,
)
from .._core.errors import InvalidOption, TokenRejected
from .._core.token import Token, iso8601
from .._http.session import Session
from .._http.url import BaseUrl
from .._lifecycle.source import TokenSource
from .base import Operation, TokenOperation
from .oauth_tokens import OAuthTokens

CREDENTIAL_OPTIONS: ArgumentSpec = {
    "hostname": option_from("CSP_HOST", type="str", default="console.cloud.vmware.com"),
    "api_token": option_from("CSP_API_TOKEN", "NSXT_VMC_TOKEN", type="str", no_log=True),
    "client_id": option_from("CSP_CLIENT_ID", type="str"),
    "client_secret": option_from("CSP_CLIENT_SECRET", type="str", no_log=True),
}
CREDENTIALS = (("api_token",), ("client_id", "client_secret"))

_NO_ID_TOKEN = "Generate an API token with the OpenID scope, a check box in the console; OAuth apps may have none."


class CspTokens(OAuthTokens):
    """The access tokens of an API token or of an OAuth app, which are in `credentials` by option."""

    product = "csp"

    def __init__(self, session: Session, credentials: Mapping[str, Any], *, require_id_token: bool) -> None:
        super().__init__(session)
        self._client = csp.CspClient(session)
        self._credentials = credentials
        self._require_id_token = require_id_token

    @property
    def principal(self) -> Optional[str]:
        """See TokenSource."""
        api_token, client_id = self._credentials["api_token"], self._credentials["client_id"]
        if api_token:
            return f"API token {api_token.fingerprint}"
        return f"OAuth app {client_id}" if client_id else None

    def create(self) -> Token:
        """See TokenSource. Raises TokenRejected when an OpenID token is required and none came."""
        api_token, client_id, client_secret = (self._credentials[name] for group in CREDENTIALS for name in group)
        if api_token:
            token = self._client.authorize_api_token(api_token)
        elif client_id and client_secret:
            token = self._client.authorize_client(client_id, client_secret)
        else:
            raise InvalidOption("api_token", "is needed to get an access token, or client_id and client_secret")
        if self.lack(token):
            raise TokenRejected(
                "no OpenID token came with the access token",
                doing="get an OpenID token",
                host=self.host,
                advice=_NO_ID_TOKEN,
                left_behind=f"The access token {token.fingerprint} ends by itself at {iso8601(token.expires_at)}",
            )
        return token

    def lack(self, token: Token) -> str:
        """See TokenSource."""
        return "no OpenID token" if self._require_id_token and oauth.ID_TOKEN not in token.companions else ""


def csp_tokens(operation: Operation, *, prefix: str = "", require_id_token: bool) -> CspTokens:
    """The tokens for the credentials among an operation's options, whose names start with `prefix`."""
    credentials = prefixed(operation.params, prefix, CREDENTIAL_OPTIONS)
    base_url = BaseUrl.parse(credentials["hostname"], f"{prefix}hostname")
    session = operation.open_session(base_url, csp.error_facts, is_target=not prefix)
    return CspTokens(session, credentials, require_id_token=require_id_token)


class CspAccessToken(TokenOperation):
    """Keep an access token, or forget it."""

    name = "sddc.tokens.csp_access_token"
    argument_spec: ClassVar[ArgumentSpec] = {
        **CREDENTIAL_OPTIONS,
        "require_id_token": {"type": "bool", "default": False, "no_log": False},
        **LIFECYCLE_OPTIONS,
        **CONNECTION_OPTIONS,
    }
    alternatives = CREDENTIALS
    mutually_exclusive = (*TokenOperation.mutually_exclusive, ("api_token", "client_id"))
    required_together = (("client_id", "client_secret"),)
    required_if = (
        ("state", "present", ("api_token", "client_id"), True),
        ("state", "absent", ("token", "token_file"), True),
    )
    secret_results = TokenOperation.secret_results | {oauth.ID_TOKEN}

    def source(self) -> TokenSource:
        """See TokenOperation."""
        return csp_tokens(self, require_id_token=self.params["require_id_token"])
