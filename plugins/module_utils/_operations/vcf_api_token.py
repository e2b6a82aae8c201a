# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vcf_api_token: keep an API token of the VCF SSO, with which access tokens are requested."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from .._clients import oauth, vcf_api, vidb
from .._core.argspec import DURATION, VERIFICATION, ArgumentSpec
from .._core.errors import ApiError, InvalidOption, MissingOption, TokenRejected
from .._core.outcome import Outcome
from .._core.secret import Secret
from .._core.token import Token
from .._http.session import Session
from .._http.url import BaseUrl
from .._lifecycle.options import LIFECYCLE, REVOCATION, STORED
from .._lifecycle.source import TokenSource
from .sources import TokenOwner
from .token_operation import TokenOperation
from .vcf_api_connection import SIGN_IN, Named, VcfApiConnection

_VIDB = "vidb_"
_DAY, _MINUTE = 86400, 60
# Seconds: the limits of the API.
_LIFETIMES = {"lifetime": (30 * _DAY, 180 * _DAY), "access_token_lifetime": (30 * _MINUTE, 480 * _MINUTE)}
_RANDOM_BYTES = 8
# The facts that are stored with a token, and not returned.
_REALM, _API_CLIENT = "realm", vidb.API_CLIENT
_NAME = "_name"


class VcfApiTokens(TokenSource):
    """The API tokens of one client in one realm. Only the broker knows whether one is valid."""

    product = "vcf_api"
    can_revoke = True
    # Seconds. Other tasks use the old token until they read the new one.
    longest_grace = _DAY

    def __init__(
        self, connection: VcfApiConnection, broker: Optional[Session], params: Mapping[str, Any], *, is_read_only: bool
    ) -> None:
        """`broker` is the session with the identity broker; None without its address. An exchange creates an access
        token, so with `is_read_only` there is none."""
        self._connection = connection
        self._broker = broker
        self._params = params
        self._name = ""
        self._is_read_only = is_read_only

    @property
    def host(self) -> str:
        return self._connection.session.host

    @property
    def principal(self) -> Optional[str]:
        """The realm and the client as the options name them."""
        parts = (f"{name} {self._params[name]}" for name in (_REALM, _API_CLIENT) if self._params[name])
        return ", ".join(parts) or None

    @property
    def credential(self) -> Optional[Secret]:
        return self._connection.credential

    @property
    def clock_offset(self) -> Optional[float]:
        offset = self._connection.session.clock_offset
        return self._broker.clock_offset if offset is None and self._broker else offset

    def from_user(self, secret: Secret) -> Token:
        return Token(secret, oauth.API_TOKEN)

    def announce(self) -> str:
        self._name = f"{self._params['token_name']}-{secrets.token_hex(_RANDOM_BYTES)}"
        return self._name

    def revoke_announced(self, name: str) -> bool:
        """Delete the tokens of this name, which no other task can have chosen."""
        client, realm = self._connection.client, self._connection.realm.id
        found = [str(token["id"]) for token in client.query_api_tokens(realm, name)]
        deleted = [client.delete_api_token(realm, token_id) for token_id in found]
        return any(deleted)

    def create(self) -> Token:
        if self._broker is None:
            raise MissingOption("vidb_hostname", "is required to create an API token")
        api_client = self._connection.api_client(self._params[_API_CLIENT])
        realm = self._connection.realm
        token = self._connection.client.generate_api_token(
            realm.id,
            api_client.id,
            self._name,
            description=self._params["description"],
            lifetime=self._params["lifetime"],
            access_token_lifetime=self._params["access_token_lifetime"],
        )
        facts = {
            **token.facts,
            **_named(_REALM, realm),
            **_named(_API_CLIENT, api_client),
            vidb.BROKER: self._broker.host,
        }
        return replace(token, facts=facts)

    def is_accepted(self, token: Token, now: float) -> bool:
        """Exchange it at the broker for an access token, which is not used. Raises InvalidOption for another broker."""
        if self._is_read_only:
            return self._is_listed(token)
        if self._broker is None:
            raise MissingOption("vidb_hostname", "is required to verify an API token")
        vidb.check_broker(token, self._broker.host, "vidb_hostname")
        try:
            vidb.VidbClient(self._broker, self._params["vidb_tenant"]).token_by_api_token(token.secret)
        except ApiError as error:
            if error.code != vidb.INVALID_GRANT:
                raise
            return False
        return True

    def is_revocable(self, token: Token, kept: Optional[Token] = None) -> bool:
        return vcf_api.TOKEN_ID in token.facts and _REALM in token.facts

    def revoke(self, token: Token) -> bool:
        return self._connection.client.delete_api_token(token.facts[_REALM], token.facts[vcf_api.TOKEN_ID])

    def is_revoked(self, token: Token, now: float) -> bool:
        """By the broker if its address is known, otherwise by VCF Operations."""
        if self._broker:
            return not self.is_accepted(token, now)
        return not self._is_listed(token)

    def _is_listed(self, token: Token) -> bool:
        """Whether VCF Operations has its id and its last characters, which does not prove that it works."""
        facts = token.facts
        found = self._connection.client.get_api_token(facts[_REALM], facts[vcf_api.TOKEN_ID])
        return found is not None and token.secret.reveal().endswith(str(found.get("tokenLastChars") or ""))

    def belongs_to(self, principal: str, token: Token) -> bool:
        """The options can name realm and client by id or by name, or not at all."""
        return all(
            Named(token.facts.get(part, ""), token.facts.get(part + _NAME, "")).is_called(self._params[part])
            for part in (_REALM, _API_CLIENT)
            if self._params[part]
        )


def _named(part: str, found: Named) -> dict[str, str]:
    return {part: found.id, **({part + _NAME: found.name} if found.name else {})}


class VcfApiToken(TokenOperation):
    """Keep an API token valid, or delete it."""

    name = "sddc.tokens.vcf_api_token"
    argument_spec = ArgumentSpec(
        {
            "api_client": {"type": "str"},
            "token_name": {"type": "str", "default": "sddc.tokens", "no_log": False},
            "token_id": {"type": "str", "no_log": False},
            "description": {"type": "str"},
            "lifetime": {"type": DURATION},
            "access_token_lifetime": {"type": DURATION, "no_log": False},
            "vidb_hostname": {"type": "str", "environment": ("VIDB_HOST",)},
            "vidb_tenant": {"type": "str", "default": "CUSTOMER", "environment": ("VIDB_TENANT",)},
            **VERIFICATION.prefixed(_VIDB).options,
            **{name: option for name, option in LIFECYCLE.options.items() if name != "token"},
            "min_remaining": {"type": DURATION, "default": "14d"},
            "revoke_old": REVOCATION.options["revoke_old"],
        },
        mutually_exclusive=(("token_id", *STORED),),
        required_if=(("state", "present", STORED, True), ("state", "absent", ("token_id", *STORED), True)),
    ).merge(SIGN_IN)
    secret_results = frozenset(("token",))
    token_owner = TokenOwner("vcf_api", ("hostname", _REALM, _API_CLIENT), ("username", "password", "access_token"))

    def source(self) -> VcfApiTokens:
        params = self.params
        for option, (least, most) in _LIFETIMES.items():
            if params[option] is not None and not least <= params[option] <= most:
                raise InvalidOption(option, f"must be between {least} s and {most} s")
        broker = None
        if params["vidb_hostname"]:
            base_url = BaseUrl.parse(params["vidb_hostname"], "vidb_hostname")
            broker = self.open_session(base_url, vidb.error_facts, prefix=_VIDB)
        return VcfApiTokens(VcfApiConnection(self), broker, params, is_read_only=self.runtime.check_mode)

    def run(self) -> Outcome:
        if self.params["token_id"]:
            return self._delete_by_id(self.params["token_id"])
        outcome = super().run()
        token = outcome.token
        if token is None:
            return outcome
        values = {name: token.facts.get(name) for name in (vcf_api.TOKEN_ID, vcf_api.TOKEN_NAME)}
        return replace(outcome, token=replace(token, signs_requests=False), values=values)

    def _delete_by_id(self, token_id: str) -> Outcome:
        """Delete a token that any task or person may have created."""
        connection = VcfApiConnection(self)
        client, realm = connection.client, connection.realm.id
        found = client.get_api_token(realm, token_id)
        if found is None:
            return Outcome(False, "none", verified=False)
        values = {vcf_api.TOKEN_ID: token_id, vcf_api.TOKEN_NAME: found.get("tokenName")}
        if self.runtime.check_mode:
            return Outcome(True, "revoked", verified=False, values=values)
        client.delete_api_token(realm, token_id)
        if self.params["verify"] and client.get_api_token(realm, token_id) is not None:
            raise TokenRejected(
                "the API token still exists after its deletion was confirmed",
                doing="delete an API token",
                host=connection.session.host,
                advice="Run the task again in some seconds.",
            )
        return Outcome(True, "revoked", verified=self.params["verify"], values=values)
