# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""csp_access_token: an access token and an OpenID token of VMware Cloud Services."""

from __future__ import annotations

from typing import Optional

from .._clients import csp, oauth
from .._core.argspec import CONNECTION, ArgumentSpec, unprefixed
from .._core.errors import MissingOption, TokenRejected
from .._core.token import Token, iso8601
from .._http.session import Session
from .._http.url import BaseUrl
from .._lifecycle.options import LIFECYCLE, STORED
from .base import Operation
from .sources import Credential, OAuthTokens, TokenOwner, given
from .token_operation import TokenOperation

_NO_ID_TOKEN = "Generate an API token with the OpenID scope in the console. OAuth apps may not get OpenID tokens."


class ApiToken(Credential[csp.CspClient]):
    """An API token of a user."""

    NAME = "api_token"
    SECRET = "api_token"
    OPTIONS = ArgumentSpec(
        {"api_token": {"type": "str", "no_log": True, "environment": ("CSP_API_TOKEN", "NSXT_VMC_TOKEN")}},
        alternatives=(("api_token",),),
    )

    @property
    def principal(self) -> str:
        return f"API token {self.params['api_token'].fingerprint}"

    def authenticate(self, client: csp.CspClient) -> Token:
        return client.authorize_api_token(self.params["api_token"])


class OAuthApp(Credential[csp.CspClient]):
    """The client credentials of an OAuth app."""

    NAME = "client_id"
    SECRET = "client_secret"
    OPTIONS = ArgumentSpec(
        {
            "client_id": {"type": "str", "environment": ("CSP_CLIENT_ID",)},
            "client_secret": {"type": "str", "no_log": True, "environment": ("CSP_CLIENT_SECRET",)},
        },
        alternatives=(("client_id", "client_secret"),),
        required_together=(("client_id", "client_secret"),),
    )

    @property
    def principal(self) -> str:
        return f"OAuth app {self.params['client_id']}"

    def authenticate(self, client: csp.CspClient) -> Token:
        return client.authorize_client(self.params["client_id"], self.params["client_secret"])


CREDENTIALS = ArgumentSpec(
    {"hostname": {"type": "str", "default": "console.cloud.vmware.com", "environment": ("CSP_HOST",)}},
    mutually_exclusive=(("api_token", "client_id"),),
).merge(ApiToken.OPTIONS, OAuthApp.OPTIONS)

TOKEN_OWNER = TokenOwner("csp", ("hostname",), ("api_token", "client_id", "client_secret"))


class CspTokens(OAuthTokens):
    """The access tokens of an API token or of an OAuth app."""

    product = "csp"

    def __init__(
        self, session: Session, credential: Optional[Credential[csp.CspClient]], *, require_id_token: bool
    ) -> None:
        super().__init__(session, credential)
        self._client = csp.CspClient(session)
        self._require_id_token = require_id_token

    def create(self) -> Token:
        """Raises TokenRejected when an OpenID token is required and missing."""
        if self._credential is None:
            raise MissingOption("api_token", "is required to get an access token, or client_id and client_secret")
        token = self._credential.authenticate(self._client)
        if self.missing(token):
            raise TokenRejected(
                "the response has no OpenID token",
                doing="get an OpenID token",
                host=self.host,
                advice=_NO_ID_TOKEN,
                left_behind=f"The access token {token.fingerprint} is valid until {iso8601(token.expires_at)}",
            )
        return token

    def missing(self, token: Token) -> str:
        return "OpenID token" if self._require_id_token and oauth.ID_TOKEN not in token.companions else ""


def csp_tokens(operation: Operation, *, prefix: str = "", require_id_token: bool) -> CspTokens:
    """The tokens for the credentials of an operation, whose options start with `prefix`. Raises InvalidOption."""
    params = unprefixed(operation.params, prefix, CREDENTIALS)
    base_url = BaseUrl.parse(params["hostname"], f"{prefix}hostname")
    session = operation.open_session(base_url, csp.error_facts, prefix=prefix)
    return CspTokens(session, given((ApiToken, OAuthApp), params), require_id_token=require_id_token)


class CspAccessToken(TokenOperation):
    """Keep an access token valid, or remove its file."""

    name = "sddc.tokens.csp_access_token"
    argument_spec = ArgumentSpec(
        {"require_id_token": {"type": "bool", "default": False, "no_log": False}},
        required_if=(
            ("state", "present", ("api_token", "client_id"), True),
            ("state", "absent", ("token", *STORED), True),
        ),
    ).merge(CREDENTIALS, LIFECYCLE, CONNECTION)
    secret_results = TokenOperation.secret_results | {oauth.ID_TOKEN}
    token_owner = TOKEN_OWNER

    def source(self) -> CspTokens:
        return csp_tokens(self, require_id_token=self.params["require_id_token"])
