# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vcenter_registered_token: register an overflow access token with vCenter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from .._clients import vcenter, vidb
from .._core.argspec import VERIFICATION, ArgumentSpec
from .._core.errors import InvalidOption, MissingOption, TokenRejected
from .._core.outcome import Outcome
from .._core.secret import Secret
from .._core.token import Token, jwt_claims
from .._http.url import BaseUrl, Link
from .._lifecycle.options import LIFECYCLE, STORED
from .base import Operation
from .stores import store_of
from .token_providers import GivenToken, KeptToken, StoredToken, TokenProvider, stored_or
from .vcenter_session import SERVER, AccessToken
from .vidb_access_token import ALONE, CREDENTIALS, TOKEN_OWNER, VidbTokens, vidb_tokens

_VIDB = "vidb_"
_OVERFLOW_LINK = "ovl"
_ISSUER = "iss"
_CREDENTIALS = tuple(_VIDB + name for name in (*ALONE, "refresh_token", "client_id"))


class VcenterRegisteredToken(Operation):
    """Expand, register and verify an overflow token."""

    name = "sddc.tokens.vcenter_registered_token"
    argument_spec = SERVER.merge(
        AccessToken.OPTIONS,
        ArgumentSpec(
            {
                "expanded_access_token": {"type": "str", "no_log": True},
                "trusted_issuers": {"type": "list", "elements": "str", "default": []},
                "probe_path": {"type": "str", "default": "/api/vcenter/datacenter"},
                **{name: LIFECYCLE.options[name] for name in ("min_remaining", "return_token")},
            },
            mutually_exclusive=tuple(("access_token", name) for name in (*STORED, *_CREDENTIALS)),
            required_one_of=(("access_token", *STORED, *_CREDENTIALS),),
        ),
        stored_or(CREDENTIALS.merge(VERIFICATION).prefixed(_VIDB)),
    )
    secret_results = frozenset(("token", "headers"))
    unattended = ArgumentSpec(required_one_of=(("access_token", *STORED),))
    token_owner = TOKEN_OWNER.prefixed(_VIDB)

    def run(self) -> Outcome:
        base_url = BaseUrl.parse(self.params["hostname"])
        probe = Link.parse_path(self.params["probe_path"], base_url, "probe_path")
        issuers = [_trusted_issuer(*entry) for entry in enumerate(self.params["trusted_issuers"], start=1)]
        self._session = self.open_session(base_url, vcenter.error_facts)
        provider = self._token_provider()
        token = provider.token()
        if token is None:
            self.runtime.warn("Check mode creates no access token, so it is unknown whether one must be registered.")
            return Outcome(True, "registered", verified=False)
        client = vcenter.VcenterClient(self._session, token.secret)
        link = self._overflow_link(token)
        if link is None:
            return self._unregistered(provider, token, verified=False)
        if client.is_accepted(probe):
            return self._unregistered(provider, token, verified=True)
        self._check_issuer(token, link, issuers)
        if self.runtime.check_mode:
            return self._outcome(True, "registered", token, verified=False)
        client.create_registered_token(self._expanded(token, link))
        if not client.is_accepted(probe):
            raise TokenRejected(
                "vCenter does not accept the token although its registration succeeded",
                doing="use the registered access token",
                host=self._session.host,
                advice="Get both tokens again, and check the permissions of their user.",
            )
        return self._outcome(True, "registered", token, verified=True)

    def _token_provider(self) -> TokenProvider:
        params = self.params
        if params["access_token"]:
            return GivenToken(params["access_token"])
        if any(params[name] for name in _CREDENTIALS):
            return KeptToken(vidb_tokens(self, prefix=_VIDB), self)
        store = store_of(self, read_only=True)
        if store is None:
            raise MissingOption("access_token", "is needed, or token_file, or token_store")
        return StoredToken(store, VidbTokens.product, self.runtime)

    def _overflow_link(self, token: Token) -> Optional[Link]:
        """The link to the full claims of an overflow token; None for another token. Raises InvalidOption."""
        link = _claims(token).get(_OVERFLOW_LINK)
        if link is None:
            return None
        if not isinstance(link, str):
            raise InvalidOption("access_token", "is not a link", source="its claim ovl")
        try:
            return Link.parse(link, "access_token")
        except InvalidOption as error:
            raise InvalidOption("access_token", error.reason, source="its claim ovl", advice=error.advice) from None

    def _check_issuer(self, token: Token, link: Link, issuers: list[str]) -> None:
        """Raises InvalidOption when the link leads to a host that is neither the issuer nor a trusted issuer."""
        if self.params["expanded_access_token"]:
            return
        if link.base_url.authority not in (*issuers, *_issuer_of(token)):
            raise InvalidOption(
                "access_token",
                f"has an overflow link to {link.base_url}, which is not its issuer",
                advice="Add that host to trusted_issuers if the token may be sent to it.",
            )

    def _expanded(self, token: Token, link: Link) -> Secret:
        given = self.params["expanded_access_token"]
        if given:
            return given  # type: ignore[no-any-return] # params are untyped
        session = self.open_session(link.base_url, vidb.error_facts, prefix=_VIDB)
        return vidb.expand_access_token(session, link, token.secret)

    def _unregistered(self, provider: TokenProvider, token: Token, *, verified: bool) -> Outcome:
        """Nothing was registered. The task may have renewed the token in its file."""
        done = provider.stored_action
        return self._outcome(done is not None, done or "none", token, verified=verified)

    def _outcome(self, changed: bool, action: str, token: Token, *, verified: bool) -> Outcome:
        # The companions of the token are results of vidb_access_token.
        return Outcome(changed, action, replace(token, companions={}), verified, self._session.now())


def _trusted_issuer(number: int, text: str) -> str:
    try:
        return BaseUrl.parse(text).authority
    except InvalidOption as error:
        raise InvalidOption(
            "trusted_issuers", f"has an invalid entry: number {number} {error.reason}", advice=error.advice
        ) from None


def _claims(token: Token) -> Mapping[str, Any]:
    return jwt_claims(token.secret.reveal())


def _issuer_of(token: Token) -> list[str]:
    """The host and port of the issuer claim; empty without a valid one."""
    issuer = _claims(token).get(_ISSUER)
    try:
        return [BaseUrl.parse(str(issuer), "iss").authority] if issuer else []
    except InvalidOption:
        return []
