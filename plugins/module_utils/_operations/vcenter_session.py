# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vcenter_session: API sessions of vCenter, from a password or an access token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from .._clients import vcenter, vcenter_session
from .._core.argspec import CONNECTION, ArgumentSpec
from .._core.errors import MissingOption
from .._core.secret import Secret
from .._core.token import Token, jwt_claims
from .._http.session import Session
from .._http.url import BaseUrl
from .._lifecycle.options import LIFECYCLE, REVOCATION, STORED
from .sources import Credential, SessionTokens, TokenOwner, given
from .token_operation import TokenOperation

SERVER = CONNECTION.merge(
    ArgumentSpec(
        {
            "hostname": {"type": "str", "required": True, "environment": ("VMWARE_HOST",)},
            "validate_certs": {**CONNECTION.options["validate_certs"], "environment": ("VMWARE_VALIDATE_CERTS",)},
        }
    )
)


class User(Credential[vcenter_session.VcenterSessionClient]):
    """A user with a password."""

    NAME = "username"
    SECRET = "password"
    OPTIONS = ArgumentSpec(
        {
            "username": {"type": "str", "environment": ("VMWARE_USER",)},
            "password": {"type": "str", "no_log": True, "environment": ("VMWARE_PASSWORD",)},
        },
        alternatives=(("username", "password"),),
    )

    @property
    def principal(self) -> str:
        return str(self.params["username"])

    def authenticate(self, client: vcenter_session.VcenterSessionClient) -> Token:
        if not self.params["password"]:
            raise MissingOption("password", "is required to create a session, together with username")
        return client.create_session(self.principal, self.secret)


class AccessToken(Credential[vcenter_session.VcenterSessionClient]):
    """An access token of the single sign-on of VMware Cloud Foundation. Requires vCenter 9.1."""

    NAME = "access_token"
    SECRET = "access_token"
    OPTIONS = ArgumentSpec(
        {"access_token": {"type": "str", "no_log": True, "environment": ("VCENTER_ACCESS_TOKEN",)}},
        alternatives=(("access_token",),),
    )

    @property
    def principal(self) -> str:
        return str(jwt_claims(self.secret.reveal()).get("sub") or f"access token {self.secret.fingerprint}")

    def authenticate(self, client: vcenter_session.VcenterSessionClient) -> Token:
        # vCenter takes no access token for a session.
        return client.create_session_by_assertion(client.issue_assertion(self.secret))


class VcenterSessions(SessionTokens):
    """The sessions of one user. vCenter does not say when they end."""

    product = "vcenter"
    can_revoke = True
    has_known_expiry = False

    def __init__(
        self, session: Session, credential: Optional[Credential[vcenter_session.VcenterSessionClient]]
    ) -> None:
        super().__init__(session, credential)
        self._client = vcenter_session.VcenterSessionClient(session)

    def from_user(self, secret: Secret) -> Token:
        return Token(secret, vcenter_session.HEADER)

    def headers(self, token: Token) -> Mapping[str, Secret]:
        return {vcenter_session.HEADER: token.secret}

    def create(self) -> Token:
        if self._credential is None:
            raise MissingOption("username", "is required to create a session, together with password")
        return self._credential.authenticate(self._client)

    def is_accepted(self, token: Token, now: float) -> bool:
        return self._client.is_accepted(token.secret)

    def revoke(self, token: Token) -> bool:
        return self._client.delete_session(token.secret)


class VcenterSession(TokenOperation):
    """Keep a session open, or end it."""

    name = "sddc.tokens.vcenter_session"
    argument_spec = ArgumentSpec(
        mutually_exclusive=(("access_token", "username"),),
        required_if=(
            ("state", "present", ("username", "access_token"), True),
            ("state", "absent", ("token", *STORED), True),
        ),
    ).merge(SERVER, User.OPTIONS, AccessToken.OPTIONS, LIFECYCLE, REVOCATION)
    token_owner = TokenOwner("vcenter", ("hostname",), ("username", "password", "access_token"))

    def source(self) -> VcenterSessions:
        session = self.open_session(BaseUrl.parse(self.params["hostname"]), vcenter.error_facts)
        return VcenterSessions(session, given((User, AccessToken), self.params))
