# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vcf_operations_token: tokens of VCF Operations, whose expiry slides with each request."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from .._clients import vcf_operations
from .._core.argspec import CONNECTION, ArgumentSpec
from .._core.errors import MissingOption
from .._core.outcome import Outcome
from .._core.secret import Secret
from .._core.token import Token
from .._http.session import Session
from .._http.url import BaseUrl
from .._lifecycle.options import LIFECYCLE, REVOCATION, STORED
from .sources import Credential, SessionTokens, TokenOwner, given, joined
from .token_operation import TokenOperation

# The source of local users, which a request need not name.
_LOCAL = "LOCAL"

SERVER = ArgumentSpec(
    {
        "hostname": {"type": "str", "required": True, "environment": ("VCF_OPERATIONS_HOST",)},
        "auth_scheme": {
            "type": "str",
            "choices": list(vcf_operations.SCHEMES),
            "default": vcf_operations.SCHEMES[0],
        },
    }
).merge(CONNECTION)


class User(Credential[vcf_operations.VcfOperationsClient]):
    """A user with a password: a local one, or one of an authentication source."""

    NAME = "username"
    SECRET = "password"
    OPTIONS = ArgumentSpec(
        {
            "username": {"type": "str", "environment": ("VCF_OPERATIONS_USERNAME",)},
            "password": {"type": "str", "no_log": True, "environment": ("VCF_OPERATIONS_PASSWORD",)},
            "auth_source": {"type": "str", "environment": ("VCF_OPERATIONS_AUTH_SOURCE",)},
        },
        alternatives=(("username", "password"),),
    )

    @property
    def principal(self) -> str:
        return joined(self.params["auth_source"] or _LOCAL, self.params["username"])

    def authenticate(self, client: vcf_operations.VcfOperationsClient) -> Token:
        username, password, auth_source = (self.params[name] for name in ("username", "password", "auth_source"))
        if not password:
            raise MissingOption("password", "is required to create a token, together with username")
        return client.acquire_token(username, password, auth_source)


class VcfOperationsTokens(SessionTokens):
    """The tokens of one user."""

    product = "vcf_operations"
    can_revoke = True
    sliding_lifetime = vcf_operations.SLIDING_LIFETIME
    rejection_advice = "Set auth_scheme to the scheme that the release of the server accepts"

    def __init__(
        self, session: Session, credential: Optional[Credential[vcf_operations.VcfOperationsClient]], scheme: str
    ) -> None:
        super().__init__(session, credential)
        self._client = vcf_operations.VcfOperationsClient(session, scheme)
        self._scheme = scheme

    def from_user(self, secret: Secret) -> Token:
        """The expiry is unknown until a request extends it."""
        return Token(secret, self._scheme)

    def create(self) -> Token:
        if self._credential is None:
            raise MissingOption("username", "is required to create a token, together with password")
        return self._credential.authenticate(self._client)

    def is_accepted(self, token: Token, now: float) -> bool:
        return self._client.is_accepted(token.secret)

    def revoke(self, token: Token) -> bool:
        return self._client.release_token(token.secret)


class VcfOperationsToken(TokenOperation):
    """Keep a token valid, or release it."""

    name = "sddc.tokens.vcf_operations_token"
    argument_spec = ArgumentSpec(
        required_if=(("state", "present", ("username",)), ("state", "absent", ("token", *STORED), True))
    ).merge(SERVER, User.OPTIONS, LIFECYCLE, REVOCATION)
    token_owner = TokenOwner("vcf_operations", ("hostname", "auth_source"), ("username", "password"))

    def source(self) -> VcfOperationsTokens:
        session = self.open_session(BaseUrl.parse(self.params["hostname"]), vcf_operations.error_facts)
        return VcfOperationsTokens(session, given((User,), self.params), self.params["auth_scheme"])

    def run(self) -> Outcome:
        """The scheme is that of the task, not that of the task which stored the token."""
        outcome = super().run()
        token = outcome.token and replace(outcome.token, token_type=self.params["auth_scheme"])
        return replace(outcome, token=token)
