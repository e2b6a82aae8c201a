# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vrni_auth_token: tokens of Aria Operations for Networks for local, LDAP and vIDM users."""

from __future__ import annotations

from typing import Optional

from .._clients import vrni
from .._core.argspec import CONNECTION, ArgumentSpec
from .._core.errors import InvalidOption, MissingOption
from .._core.secret import Secret
from .._core.token import Token, jwt_claims
from .._http.session import Session
from .._http.url import BaseUrl
from .._lifecycle.options import LIFECYCLE, REVOCATION, STORED
from .sources import Credential, SessionTokens, TokenOwner, given, joined
from .token_operation import TokenOperation

SERVER = ArgumentSpec({"hostname": {"type": "str", "required": True, "environment": ("VRNI_HOST",)}}).merge(CONNECTION)


class VidmToken(Credential[vrni.VrniClient]):
    """An access token of the vIDM appliance."""

    NAME = "vidm_token"
    SECRET = "vidm_token"
    OPTIONS = ArgumentSpec({"vidm_token": {"type": "str", "no_log": True}}, alternatives=(("vidm_token",),))

    @property
    def principal(self) -> str:
        secret = self.params["vidm_token"]
        return f"VIDM/{jwt_claims(secret.reveal()).get('sub') or secret.fingerprint}"

    def authenticate(self, client: vrni.VrniClient) -> Token:
        return client.create_vidm_user_token(self.params["vidm_token"])


class User(Credential[vrni.VrniClient]):
    """A local or LDAP user with a password."""

    NAME = "username"
    SECRET = "password"
    OPTIONS = ArgumentSpec(
        {
            "username": {"type": "str", "environment": ("VRNI_USERNAME",)},
            "password": {"type": "str", "no_log": True, "environment": ("VRNI_PASSWORD",)},
            "domain_type": {"type": "str", "choices": ["LOCAL", "LDAP"], "default": "LOCAL"},
            "domain": {"type": "str"},
        },
        alternatives=(("username", "password"),),
        required_if=(("domain_type", "LDAP", ("domain",)),),
    )

    @property
    def principal(self) -> str:
        return joined(*(self.params[name] for name in ("domain_type", "domain", "username")))

    def authenticate(self, client: vrni.VrniClient) -> Token:
        username, password, domain_type, domain = (
            self.params[name] for name in ("username", "password", "domain_type", "domain")
        )
        if not password:
            raise MissingOption("password", "is required to create a token, together with username")
        return client.create_auth_token(username, password, domain_type, domain)


CREDENTIALS = ArgumentSpec(mutually_exclusive=(("vidm_token", "username"), ("vidm_token", "domain"))).merge(
    VidmToken.OPTIONS, User.OPTIONS
)


class VrniTokens(SessionTokens):
    """The tokens of one user."""

    product = "vrni"
    can_revoke = True

    def __init__(self, session: Session, credential: Optional[Credential[vrni.VrniClient]]) -> None:
        super().__init__(session, credential)
        self._client = vrni.VrniClient(session)

    def from_user(self, secret: Secret) -> Token:
        """The expiry is unknown: the token is opaque."""
        return Token(secret, vrni.SCHEME)

    def create(self) -> Token:
        if self._credential is None:
            raise MissingOption("username", "is required to create a token, together with password")
        return self._credential.authenticate(self._client)

    def is_accepted(self, token: Token, now: float) -> bool:
        return self._client.is_accepted(token.secret)

    def revoke(self, token: Token) -> bool:
        return self._client.delete_auth_token(token.secret)


class VrniAuthToken(TokenOperation):
    """Keep an auth token valid, or revoke it."""

    name = "sddc.tokens.vrni_auth_token"
    argument_spec = ArgumentSpec(
        required_if=(
            ("state", "present", ("username", "vidm_token"), True),
            ("state", "absent", ("token", *STORED), True),
        )
    ).merge(SERVER, CREDENTIALS, LIFECYCLE, REVOCATION)
    token_owner = TokenOwner("vrni", ("hostname", "domain_type", "domain"), ("username", "password", "vidm_token"))

    def source(self) -> VrniTokens:
        params = self.params
        if params["domain"] and params["domain_type"] == "LOCAL":
            raise InvalidOption("domain", "is only for LDAP users", advice="Set domain_type: LDAP, or remove domain.")
        session = self.open_session(BaseUrl.parse(params["hostname"]), vrni.error_facts)
        return VrniTokens(session, given((VidmToken, User), params))
