# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job of csp_access_token: an access token, and an OpenID token, of VMware Cloud Services."""

from __future__ import annotations

from typing import ClassVar, Optional

from ansible_collections.sddc.tokens.plugins.module_utils.apis import csp
from ansible_collections.sddc.tokens.plugins.module_utils.base_url import BaseUrl
from ansible_collections.sddc.tokens.plugins.module_utils.errors import InvalidOption, TokenRejected
from ansible_collections.sddc.tokens.plugins.module_utils.lifecycle import TokenSource
from ansible_collections.sddc.tokens.plugins.module_utils.operations.base import TokenOperation
from ansible_collections.sddc.tokens.plugins.module_utils.options import (
    CONNECTION_OPTIONS,
    LIFECYCLE_OPTIONS,
    ArgumentSpec,
    option_from,
)
from ansible_collections.sddc.tokens.plugins.module_utils.secrets import Secret
from ansible_collections.sddc.tokens.plugins.module_utils.tokens import Token, claimed_time, iso8601, jwt_claims
from ansible_collections.sddc.tokens.plugins.module_utils.transport import Session

_NO_ID_TOKEN = (
    "Generate an API token with the OpenID scope (a check box in the console), or set require_id_token: false."
)


class CspTokens(TokenSource):
    """The access tokens of an API token or of an OAuth app."""

    product = "csp"
    can_revoke = False

    def __init__(
        self,
        session: Session,
        *,
        api_token: Optional[Secret],
        client_id: Optional[str],
        client_secret: Optional[Secret],
        require_id_token: bool,
    ) -> None:
        self._session = session
        self._client = csp.CspClient(session)
        self._api_token = api_token
        self._client_id = client_id
        self._client_secret = client_secret
        self._require_id_token = require_id_token

    @property
    def host(self) -> str:
        """See TokenSource."""
        return self._session.host

    @property
    def principal(self) -> Optional[str]:
        """See TokenSource."""
        if self._api_token:
            return f"API token {self._api_token.fingerprint}"
        return f"OAuth app {self._client_id}" if self._client_id else None

    @property
    def clock_offset(self) -> Optional[float]:
        """See TokenSource."""
        return self._session.clock_offset

    def adopt(self, secret: Secret) -> Token:
        """See TokenSource."""
        return csp.described(secret)

    def create(self) -> Token:
        """See TokenSource. Raises TokenRejected when an OpenID token is required and none came."""
        if self._api_token:
            token = self._client.authorize_api_token(self._api_token)
        elif self._client_id and self._client_secret:
            token = self._client.authorize_client(self._client_id, self._client_secret)
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

    def is_accepted(self, token: Token) -> bool:
        """See TokenSource. There is no cheap authenticated read: the token's own claims decide."""
        claims = jwt_claims(token.secret.reveal())
        now = self._session.now()
        expires_at, valid_from = claimed_time(claims, "exp"), claimed_time(claims, "nbf")
        return (expires_at is None or expires_at > now) and (valid_from is None or valid_from <= now + 60)

    def revoke(self, token: Token) -> bool:
        """The product has no revocation; see can_revoke."""
        return False

    def lack(self, token: Token) -> str:
        """See TokenSource."""
        return "no OpenID token" if self._require_id_token and csp.ID_TOKEN not in token.companions else ""


class CspAccessToken(TokenOperation):
    """Keep an access token, or forget it."""

    name = "sddc.tokens.csp_access_token"
    argument_spec: ClassVar[ArgumentSpec] = {
        "hostname": option_from("CSP_HOST", type="str", default="console.cloud.vmware.com"),
        "api_token": option_from("CSP_API_TOKEN", "NSXT_VMC_TOKEN", type="str", no_log=True),
        "client_id": option_from("CSP_CLIENT_ID", type="str"),
        "client_secret": option_from("CSP_CLIENT_SECRET", type="str", no_log=True),
        "require_id_token": {"type": "bool", "default": False, "no_log": False},
        **LIFECYCLE_OPTIONS,
        **CONNECTION_OPTIONS,
    }
    alternatives = (("api_token",), ("client_id", "client_secret"))
    mutually_exclusive = (*TokenOperation.mutually_exclusive, ("api_token", "client_id"))
    required_together = (("client_id", "client_secret"),)
    required_if = (
        ("state", "present", ("api_token", "client_id"), True),
        ("state", "absent", ("token", "token_file"), True),
    )
    secret_results = TokenOperation.secret_results | {csp.ID_TOKEN}

    def source(self) -> TokenSource:
        """See TokenOperation."""
        params = self.params
        session = self.open_session(BaseUrl.parse(params["hostname"]), csp.error_facts)
        return CspTokens(
            session,
            api_token=params["api_token"],
            client_id=params["client_id"],
            client_secret=params["client_secret"],
            require_id_token=params["require_id_token"],
        )
