# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job of vrni_auth_token: tokens of Aria Operations for Networks for local, LDAP and vIDM users."""

from __future__ import annotations

from typing import ClassVar, Optional

from .._clients import vrni
from .._core.argspec import (
    CONNECTION_OPTIONS,
    LIFECYCLE_OPTIONS,
    REVOCATION_OPTIONS,
    ArgumentSpec,
    option_from,
)
from .._core.errors import InvalidOption
from .._core.secret import Secret
from .._core.token import Token, jwt_claims
from .._http.session import Session
from .._http.url import BaseUrl
from .._lifecycle.source import TokenSource
from .base import TokenOperation

USER_OPTIONS: ArgumentSpec = {
    "username": option_from("VRNI_USERNAME", type="str"),
    "password": option_from("VRNI_PASSWORD", type="str", no_log=True),
    "domain_type": {"type": "str", "choices": ["LOCAL", "LDAP"], "default": "LOCAL"},
    "domain": {"type": "str"},
    "vidm_token": {"type": "str", "no_log": True},
}


class VrniTokens(TokenSource):
    """The tokens of one user: with a vIDM token, or with name and password in a domain."""

    product = "vrni"
    can_revoke = True

    def __init__(
        self,
        session: Session,
        *,
        username: Optional[str],
        password: Optional[Secret],
        domain_type: str,
        domain: Optional[str],
        vidm_token: Optional[Secret],
    ) -> None:
        self._session = session
        self._client = vrni.VrniClient(session)
        self._username = username
        self._password = password
        self._domain_type = domain_type
        self._domain = domain
        self._vidm_token = vidm_token

    @property
    def host(self) -> str:
        """See TokenSource."""
        return self._session.host

    @property
    def principal(self) -> Optional[str]:
        """See TokenSource."""
        if self._vidm_token:
            subject = jwt_claims(self._vidm_token.reveal()).get("sub")
            return f"VIDM/{subject or self._vidm_token.fingerprint}"
        if not self._username:
            return None
        return "/".join(part for part in (self._domain_type, self._domain, self._username) if part)

    @property
    def clock_offset(self) -> Optional[float]:
        """See TokenSource."""
        return self._session.clock_offset

    def adopt(self, secret: Secret) -> Token:
        """See TokenSource. The token does not tell when it expires."""
        return Token(secret, vrni.SCHEME)

    def create(self) -> Token:
        """See TokenSource."""
        if self._vidm_token:
            return self._client.create_vidm_user_token(self._vidm_token)
        if not self._username or not self._password:
            raise InvalidOption("password", "is needed to create a token, together with username")
        return self._client.create_auth_token(self._username, self._password, self._domain_type, self._domain)

    def is_accepted(self, token: Token, now: float) -> bool:
        """See TokenSource."""
        return self._client.is_accepted(token.secret)

    def revoke(self, token: Token) -> bool:
        """See TokenSource."""
        return self._client.delete_auth_token(token.secret)


class VrniAuthToken(TokenOperation):
    """Keep an auth token, or end it."""

    name = "sddc.tokens.vrni_auth_token"
    argument_spec: ClassVar[ArgumentSpec] = {
        "hostname": option_from("VRNI_HOST", type="str", required=True),
        **USER_OPTIONS,
        **LIFECYCLE_OPTIONS,
        **REVOCATION_OPTIONS,
        **CONNECTION_OPTIONS,
    }
    alternatives = (("vidm_token",), ("username", "password"))
    mutually_exclusive = (*TokenOperation.mutually_exclusive, ("vidm_token", "username"), ("vidm_token", "domain"))
    required_if = (
        ("state", "present", ("username", "vidm_token"), True),
        ("state", "absent", ("token", "token_file"), True),
        ("domain_type", "LDAP", ("domain",)),
    )

    def source(self) -> TokenSource:
        """See TokenOperation."""
        params = self.params
        if params["domain"] and params["domain_type"] == "LOCAL":
            raise InvalidOption("domain", "is only for LDAP users", advice="Set domain_type: LDAP, or leave it out.")
        session = self.open_session(BaseUrl.parse(params["hostname"]), vrni.error_facts)
        return VrniTokens(
            session,
            username=params["username"],
            password=params["password"],
            domain_type=params["domain_type"],
            domain=params["domain"],
            vidm_token=params["vidm_token"],
        )
