# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the operations on NSX reach it: their shared options, and the ways to sign in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Optional, TypeVar

from .._clients import nsx
from .._core.argspec import CONNECTION, ArgumentSpec
from .._core.errors import ApiError
from .._core.secret import Secret, basic_authorization
from .._core.token import Token
from .._http.url import BaseUrl
from .base import Operation
from .csp_access_token import CREDENTIALS, CspTokens, csp_tokens
from .token_providers import GivenToken, KeptToken, StoredToken, TokenProvider, token_file_or

_CSP = "csp_"
# How a manager answers a token that has expired, by its release.
REFUSED = (401, 403)

T = TypeVar("T")

_ISSUED = ("token_file", "csp_api_token", "csp_client_id")
# The options one of which a reader needs.
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
    # The OpenID token comes with the access token, wherever that comes from.
    mutually_exclusive=tuple((given, issued) for given in ("access_token", "open_id_token") for issued in _ISSUED),
    required_together=(("username", "password"),),
).merge(token_file_or(CREDENTIALS.prefixed(_CSP)), CONNECTION)


class NsxAccess:
    """The server, and what signs requests to it."""

    def __init__(self, operation: Operation, *, require_id_token: bool, connections: int = 1) -> None:
        self._operation = operation
        self._params = operation.params
        self._reading_headers: Optional[Mapping[str, Secret]] = None
        self._reading_token: Optional[Token] = None
        base_url = BaseUrl.parse(self._params["hostname"])
        self.session = operation.open_session(base_url, nsx.error_facts, connections=connections)
        self.tokens = self._token_provider(require_id_token)

    @property
    def host(self) -> str:
        """The server as errors name it."""
        return self.session.host

    def bearer_headers(self, access_token: Secret) -> dict[str, Secret]:
        """What signs a request with an access token."""
        return nsx.bearer_headers(access_token, csp_auth_token_header=self._params["csp_auth_token_header"])

    def reader(self) -> Optional[nsx.NsxClient]:
        """A client for the readings, signed in by whatever the options give: name and password, with a session or
        without; an access token; a client certificate. None in check mode when a token would have to be created."""
        if self._reading_headers is None:
            self._reading_headers = self._signed_in()
        return None if self._reading_headers is None else nsx.NsxClient(self.session, self._reading_headers)

    def _signed_in(self) -> Optional[Mapping[str, Secret]]:
        username, password = self._params["username"], self._params["password"]
        if username and password and self._params["use_session"]:
            headers = nsx.create_session(self.session, username, password)
            self._operation.at_end(lambda: nsx.destroy_session(self.session, headers))
            return headers
        if username and password:
            return {"Authorization": basic_authorization(username, password)}
        if self.tokens is None:
            # The certificate of the connection says who it is.
            return {}
        self._reading_token = self.tokens.token()
        return None if self._reading_token is None else self.bearer_headers(self._reading_token.secret)

    def read(self, reading: Callable[[nsx.NsxClient], T]) -> Optional[T]:
        """Read, and once more with another token where the server refuses the first and there is a way to get one.
        None in check mode when a token would have to be created. Raises ApiError."""
        reader = self.reader()
        if reader is None:
            return None
        try:
            return reading(reader)
        except ApiError as error:
            another = self._another_reader() if error.status in REFUSED else None
            if another is None:
                raise
            return reading(another)

    def _another_reader(self) -> Optional[nsx.NsxClient]:
        another = self.tokens.renewed(self._reading_token) if self.tokens and self._reading_token else None
        if another is None:
            return None
        self._reading_token, self._reading_headers = another, self.bearer_headers(another.secret)
        return nsx.NsxClient(self.session, self._reading_headers)

    def _token_provider(self, require_id_token: bool) -> Optional[TokenProvider]:
        params, runtime = self._params, self._operation.runtime
        if params["access_token"]:
            return GivenToken(params["access_token"], params["open_id_token"])
        if params["csp_api_token"] or params["csp_client_id"]:
            source = csp_tokens(self._operation, prefix=_CSP, require_id_token=require_id_token)
            return KeptToken(source, params["token_file"], runtime)
        if params["token_file"]:
            return StoredToken(params["token_file"], CspTokens.product, runtime)
        return None
