# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sddc_manager_token: access tokens of SDDC Manager, renewed with their refresh tokens."""

from __future__ import annotations

from typing import Optional

from .._clients import oauth, sddc_manager
from .._core.argspec import CONNECTION, ArgumentSpec
from .._core.errors import ApiError, InvalidOption, MissingOption
from .._core.secret import Secret
from .._core.token import Token
from .._http.session import Session
from .._http.url import BaseUrl
from .._lifecycle.options import LIFECYCLE, REVOCATION, STORED
from .sources import OAuthTokens, TokenOwner
from .token_operation import TokenOperation


def _refresh_token(token: Token) -> Optional[Secret]:
    return token.companions.get(oauth.REFRESH_TOKEN)


class SddcManagerTokens(OAuthTokens):
    """The tokens of one user. Only a refresh token can be revoked. An access token is valid until it expires."""

    product = "sddc_manager"
    # Unlike other OAuth servers, SDDC Manager has a request that verifies an access token.
    verifies_offline = False
    renewed_by = oauth.REFRESH_TOKEN
    can_revoke = True
    revokes_access = False

    def __init__(
        self,
        session: Session,
        *,
        username: Optional[str],
        password: Optional[Secret],
        refresh_token: Optional[Secret],
    ) -> None:
        super().__init__(session)
        self._client = sddc_manager.SddcManagerClient(session)
        self._username = username
        self._password = password
        self._refresh_token = refresh_token

    @property
    def principal(self) -> Optional[str]:
        return self._username

    def from_user(self, secret: Secret) -> Token:
        """With the refresh token, if the user set it."""
        given = {oauth.REFRESH_TOKEN: self._refresh_token} if self._refresh_token else {}
        return oauth.access_token_of(secret, companions=given)

    @property
    def credential(self) -> Optional[Secret]:
        return self._password

    def create(self) -> Token:
        if not self._username or not self._password:
            raise MissingOption("password", "is required to create a token, together with username")
        return self._client.create_token(self._username, self._password)

    def replace(self, old: Token) -> Token:
        """Refresh the token, or sign in when the refresh token is refused."""
        refresh_token = _refresh_token(old)
        if refresh_token:
            try:
                return self._client.refresh_access_token(refresh_token)
            except ApiError as error:
                if not sddc_manager.is_refusal(error):
                    raise
        return self.create()

    def is_accepted(self, token: Token, now: float) -> bool:
        return self._client.is_accepted(token.secret)

    def is_revocable(self, token: Token, kept: Optional[Token] = None) -> bool:
        """Only for a refresh token that `kept` does not share: refreshed access tokens share one."""
        refresh_token = _refresh_token(token)
        return refresh_token is not None and (kept is None or refresh_token != _refresh_token(kept))

    def is_revoked(self, token: Token, now: float) -> bool:
        refresh_token = _refresh_token(token)
        return refresh_token is None or not self._client.is_refreshable(refresh_token)

    def revoke(self, token: Token) -> bool:
        refresh_token = _refresh_token(token)
        return refresh_token is not None and self._client.invalidate_refresh_token(refresh_token)


class SddcManagerToken(TokenOperation):
    """Keep an access token valid with its refresh token, or revoke the refresh token."""

    name = "sddc.tokens.sddc_manager_token"
    argument_spec = ArgumentSpec(
        {
            "hostname": {"type": "str", "required": True, "environment": ("SDDC_MANAGER_HOST",)},
            "username": {"type": "str", "environment": ("SDDC_MANAGER_USERNAME",)},
            "password": {"type": "str", "no_log": True, "environment": ("SDDC_MANAGER_PASSWORD",)},
            "refresh_token": {"type": "str", "no_log": True},
        },
        alternatives=(("username", "password"),),
        mutually_exclusive=(("refresh_token", *STORED),),
        required_if=(("state", "present", ("username",)), ("state", "absent", ("token", *STORED), True)),
    ).merge(LIFECYCLE, REVOCATION, CONNECTION)
    secret_results = TokenOperation.secret_results | {oauth.REFRESH_TOKEN}
    token_owner = TokenOwner("sddc_manager", ("hostname",), ("username", "password"))

    def source(self) -> SddcManagerTokens:
        params = self.params
        if params["refresh_token"] and not params["token"]:
            raise InvalidOption("refresh_token", "is set without token", advice="Set both options to the pair.")
        return SddcManagerTokens(
            self.open_session(BaseUrl.parse(params["hostname"]), sddc_manager.error_facts),
            username=params["username"],
            password=params["password"],
            refresh_token=params["refresh_token"],
        )
