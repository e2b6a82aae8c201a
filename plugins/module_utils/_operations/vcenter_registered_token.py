# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job of vcenter_registered_token: make an access token usable that is too large to be one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Optional

from .._clients import vcenter, vidb
from .._core.argspec import (
    CONNECTION_OPTIONS,
    ArgumentSpec,
    option_from,
    with_prefix,
)
from .._core.errors import InvalidOption, TokenRejected
from .._core.outcome import Outcome
from .._core.secret import Secret
from .._core.token import Token, jwt_claims
from .._http.url import BaseUrl, Link
from .access import (
    Access,
    GivenAccess,
    KeptAccess,
    StoredAccess,
)
from .base import Operation
from .vidb_access_token import (
    CREDENTIAL_OPTIONS,
    VidbTokens,
    vidb_tokens,
)

_VIDB = "vidb_"
_OVERFLOW_LINK = "ovl"
_ISSUER = "iss"
_CREDENTIALS = ("vidb_refresh_token", "vidb_api_token", "vidb_client_id")


class VcenterRegisteredToken(Operation):
    """Expand, register and prove an overflow token."""

    name = "sddc.tokens.vcenter_registered_token"
    argument_spec: ClassVar[ArgumentSpec] = {
        "hostname": option_from("VMWARE_HOST", type="str", required=True),
        "access_token": option_from("VCENTER_ACCESS_TOKEN", type="str", no_log=True),
        "token_file": {"type": "path", "no_log": False},
        **with_prefix(_VIDB, CREDENTIAL_OPTIONS),
        "expanded_access_token": {"type": "str", "no_log": True},
        "trusted_issuers": {"type": "list", "elements": "str", "default": []},
        "probe_path": {"type": "str", "default": "/api/vcenter/datacenter?names=none-of-this-name"},
        "return_token": {"type": "bool", "default": True, "no_log": False},
        **CONNECTION_OPTIONS,
        "validate_certs": option_from("VMWARE_VALIDATE_CERTS", **CONNECTION_OPTIONS["validate_certs"]),
    }
    alternatives = (
        ("access_token",),
        ("token_file", "vidb_refresh_token"),
        ("token_file", "vidb_api_token"),
        ("token_file", "vidb_client_id", "vidb_client_secret"),
    )
    mutually_exclusive = (
        ("access_token", "token_file"),
        *(("access_token", name) for name in _CREDENTIALS),
        ("vidb_api_token", "vidb_client_id"),
        ("vidb_api_token", "vidb_refresh_token"),
    )
    required_together = (("vidb_client_id", "vidb_client_secret"),)
    required_one_of = (("access_token", "token_file", *_CREDENTIALS),)
    secret_results = frozenset(("token", "headers"))

    def run(self) -> Outcome:
        """See Operation."""
        base_url = BaseUrl.parse(self.params["hostname"])
        probe = Link.parse_path(self.params["probe_path"], base_url, "probe_path")
        issuers = [BaseUrl.parse(text, "trusted_issuers").authority for text in self.params["trusted_issuers"]]
        self._session = self.open_session(base_url, vcenter.error_facts)
        token = self._access().token()
        if token is None:
            self.runtime.warn("Check mode creates no access token, so that it is not known whether it overflows.")
            return Outcome(True, "registered", verified=False)
        client = vcenter.VcenterClient(self._session, token.secret)
        link = self._overflow_link(token)
        if link is None:
            return self._outcome(False, "none", token, verified=False)
        if client.is_accepted(probe):
            return self._outcome(False, "none", token, verified=True)
        if self.runtime.check_mode:
            return self._outcome(True, "registered", token, verified=False)
        client.create_registered_token(self._expanded(token, link, issuers))
        if not client.is_accepted(probe):
            raise TokenRejected(
                "the token is not accepted though its registration succeeded",
                doing="use the registered access token",
                host=self._session.host,
                advice="The expanded token may lack rights, or belong to another token: get both anew.",
            )
        return self._outcome(True, "registered", token, verified=True)

    def _access(self) -> Access:
        params = self.params
        if params["access_token"]:
            return GivenAccess(params["access_token"])
        if any(params[name] for name in _CREDENTIALS):
            return KeptAccess(vidb_tokens(self, prefix=_VIDB), params["token_file"], self.runtime)
        return StoredAccess(params["token_file"], VidbTokens.product, self.runtime, self._session.now())

    def _overflow_link(self, token: Token) -> Optional[Link]:
        """Where the token's full claims are; None where it is no overflow token."""
        link = _claims(token).get(_OVERFLOW_LINK)
        if link is None:
            return None
        if not isinstance(link, str):
            raise InvalidOption("access_token", "has an overflow claim (ovl) that is no link")
        return Link.parse(link, "access_token (its claim ovl)")

    def _expanded(self, token: Token, link: Link, issuers: list[str]) -> Secret:
        given = self.params["expanded_access_token"]
        if given:
            return given  # type: ignore[no-any-return]
        if link.base_url.authority not in (*issuers, *_issuer_of(token)):
            raise InvalidOption(
                "access_token",
                f"has an overflow link that leads to {link.base_url}, which is not its issuer",
                advice="If that host may see the token, add it to trusted_issuers.",
            )
        session = self.open_session(link.base_url, vidb.error_facts, is_target=False)
        return vidb.expand_access_token(session, link, token.secret)

    def _outcome(self, changed: bool, action: str, token: Token, *, verified: bool) -> Outcome:
        # What else came with the token belongs to the module that gets tokens.
        return Outcome(changed, action, replace(token, companions={}), verified, self._session.now())


def _claims(token: Token) -> Mapping[str, Any]:
    return jwt_claims(token.secret.reveal())


def _issuer_of(token: Token) -> list[str]:
    """The host and port that the token names as its issuer, where it does."""
    issuer = _claims(token).get(_ISSUER)
    try:
        return [BaseUrl.parse(str(issuer), "iss").authority] if issuer else []
    except InvalidOption:
        return []
