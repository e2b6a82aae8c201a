# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect to NSX: the options that all its operations share, and the ways to sign in."""

from __future__ import annotations

from typing import Any, Optional

from .._clients import nsx, nsx_auth, oauth
from .._core.argspec import CONNECTION, VERIFICATION, ArgumentSpec
from .._core.errors import InvalidOption, MissingOption
from .._core.secret import Secret, basic_authorization
from .._core.token import Token
from .._http.auth import UNSIGNED, Auth, StaticAuth
from .._http.listing import ListingBounds
from .._http.url import BaseUrl
from .._lifecycle.options import STORED
from . import csp_access_token
from .base import Operation
from .csp_access_token import CREDENTIALS, CspTokens, csp_tokens
from .stores import store_of
from .token_providers import GivenToken, KeptToken, StoredToken, TokenAuth, TokenProvider, stored_or

_CSP = "csp_"
OPEN_ID_ADVICE = "Get one with csp_access_token and require_id_token: true."
_ISSUED = (*STORED, "csp_api_token", "csp_client_id")
# Options of which a task that only reads requires one.
READERS = ("username", "access_token", *_ISSUED, "client_cert")
SIGN_IN = ArgumentSpec(
    {
        "hostname": {"type": "str", "required": True, "environment": ("NSXT_MANAGER_HOST",)},
        "access_token": {"type": "str", "no_log": True, "environment": ("NSX_ACCESS_TOKEN",)},
        "open_id_token": {
            "type": "str",
            "no_log": True,
            "aliases": ["id_token"],
            "environment": ("NSX_OPEN_ID_TOKEN",),
        },
        "username": {"type": "str", "environment": ("NSXT_USERNAME",)},
        "password": {"type": "str", "no_log": True, "environment": ("NSXT_PASSWORD",)},
        "use_session": {"type": "bool", "default": False},
        "csp_auth_token_header": {"type": "bool", "default": False, "no_log": False},
    },
    alternatives=(("access_token", "open_id_token"),),
    # The OpenID token is issued together with the access token.
    mutually_exclusive=tuple((given, issued) for given in ("access_token", "open_id_token") for issued in _ISSUED),
    required_together=(("username", "password"),),
).merge(stored_or(CREDENTIALS.merge(VERIFICATION).prefixed(_CSP)), CONNECTION)
TOKEN_OWNER = csp_access_token.TOKEN_OWNER.prefixed(_CSP)


class NsxConnection:
    """The connection of one task to NSX, and its clients."""

    def __init__(self, operation: Operation, *, require_id_token: bool, connections: int = 1) -> None:
        self._operation = operation
        self._params = operation.params
        base_url = BaseUrl.parse(self._params["hostname"])
        self.session = operation.open_session(base_url, nsx.error_facts, connections=connections)
        self._tokens = self._token_provider(require_id_token)
        self._reading = self._reading_auth()

    @property
    def host(self) -> str:
        """The server as errors name it."""
        return self.session.host

    def reader(self, narrowing: str = "") -> Optional[nsx.NsxClient]:
        """A client that reads; None in check mode when a token would have to be created for it.

        `narrowing` is the advice when there are more objects than one task may read.
        """
        if isinstance(self._reading, TokenAuth) and not self._reading.has_credential():
            return None
        return nsx.NsxClient(self.session, self._reading, ListingBounds(narrowing))

    def reauthenticator(self) -> nsx.NsxClient:
        """A client that signs with an access token and an OpenID token. Raises MissingOption."""
        if self._tokens is None:
            raise MissingOption("access_token", "is required to re-authenticate")
        return nsx.NsxClient(self.session, TokenAuth(self._tokens, self._headers_with_open_id_token))

    def _reading_auth(self) -> Auth[Any]:
        """Sign with username and password, else with a token, else not at all: then client_cert authenticates."""
        username, password = self._params["username"], self._params["password"]
        if username and password and self._params["use_session"]:
            auth = nsx_auth.SessionAuth(self.session, username, password)
            self._operation.at_end(auth.sign_out)
            return auth
        if username and password:
            return StaticAuth({"Authorization": basic_authorization(username, password)})
        return UNSIGNED if self._tokens is None else TokenAuth(self._tokens, self._headers)

    def _headers(self, token: Token, open_id_token: Optional[Secret] = None) -> dict[str, Secret]:
        return nsx_auth.bearer_headers(
            token.secret,
            open_id_token=open_id_token,
            csp_auth_token_header=self._params["csp_auth_token_header"],
        )

    def _headers_with_open_id_token(self, token: Token) -> dict[str, Secret]:
        open_id_token = token.companions.get(oauth.ID_TOKEN)
        if open_id_token is None:
            option = next(name for name in STORED if self._params[name])
            raise InvalidOption(option, "contains no OpenID token", advice=OPEN_ID_ADVICE)
        return self._headers(token, open_id_token)

    def _token_provider(self, require_id_token: bool) -> Optional[TokenProvider]:
        params = self._params
        if params["access_token"]:
            return GivenToken(params["access_token"], params["open_id_token"])
        if params["csp_api_token"] or params["csp_client_id"]:
            source = csp_tokens(self._operation, prefix=_CSP, require_id_token=require_id_token)
            return KeptToken(source, self._operation)
        store = store_of(self._operation, read_only=True)
        return StoredToken(store, CspTokens.product, self._operation.runtime) if store else None
