# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect to the VCF Operations that manages the API tokens of the VCF SSO, and find their realm and client."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from .._clients import vcf_api
from .._clients.oauth import bearer
from .._core.argspec import CONNECTION, ArgumentSpec
from .._core.errors import InvalidOption, MissingOption
from .._core.secret import Secret
from .._http.auth import Auth, StaticAuth
from .._http.listing import ListingBounds
from .._http.url import BaseUrl
from .base import Operation
from .selection import there_is
from .vcf_operations_token import User

SIGN_IN = ArgumentSpec(
    {
        "hostname": {"type": "str", "required": True, "environment": ("VCF_OPERATIONS_HOST",)},
        "access_token": {"type": "str", "no_log": True},
        "realm": {"type": "str"},
    },
    alternatives=(("access_token",),),
    mutually_exclusive=(("access_token", "username"),),
).merge(User.OPTIONS, CONNECTION)


class Named(NamedTuple):
    """A realm or an API client. The name is empty if it has none."""

    id: str
    name: str

    def is_called(self, id_or_name: str) -> bool:
        """Whether this is its id or its name."""
        return id_or_name in (self.id, self.name)


class VcfApiConnection:
    """The connection of one task. It signs in for the first request, and out when the operation ends."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._params = operation.params
        self.session = operation.open_session(BaseUrl.parse(self._params["hostname"]), vcf_api.error_facts)
        self._client: Optional[vcf_api.VcfApiClient] = None
        self._realm: Optional[Named] = None

    @property
    def credential(self) -> Optional[Secret]:
        """The secret that signs in; None without one."""
        secret: Optional[Secret] = self._params["access_token"] or self._params["password"]
        return secret

    @property
    def client(self) -> vcf_api.VcfApiClient:
        """Raises MissingOption without credentials."""
        if self._client is None:
            self._client = vcf_api.VcfApiClient(self.session, self._auth(), ListingBounds())
        return self._client

    @property
    def realm(self) -> Named:
        """The realm that the options name, or the only one. Raises InvalidOption."""
        if self._realm is None:
            wanted = self._params["realm"]
            realms = [Named(str(each["id"]), str(each.get("name") or "")) for each in self.client.list_sso_realms()]
            matching = [each for each in realms if not wanted or each.is_called(wanted)]
            self._realm = self._only("realm", wanted, matching, realms)
        return self._realm

    def api_client(self, wanted: Optional[str]) -> Named:
        """The API client of this id or name. Raises InvalidOption."""
        if not wanted:
            raise MissingOption("api_client", "is required to create an API token")
        entries = self.client.query_api_clients(self.realm.id, wanted)
        clients = [Named(str(each["clientId"]), str(each.get("clientName") or "")) for each in entries]
        return self._only("api_client", wanted, [each for each in clients if each.is_called(wanted)], clients)

    def _only(self, option: str, wanted: Optional[str], matching: list[Named], found: list[Named]) -> Named:
        """The only match. An id comes before a name."""
        chosen = [each for each in matching if each.id == wanted] or matching
        if len(chosen) == 1:
            return chosen[0]
        names = there_is((each.name or each.id for each in found), self._operation.runtime.redactor)
        if not wanted:
            raise InvalidOption(option, f"is required, because there is not exactly one {names}")
        problem = "names several objects" if chosen else "does not exist"
        raise InvalidOption(option, f"{problem} {names}", advice="Set the id or name of one that exists.")

    def _auth(self) -> Auth[Any]:
        params = self._params
        if params["access_token"]:
            return StaticAuth({"Authorization": bearer(params["access_token"])})
        if not params["username"] or not params["password"]:
            raise MissingOption("username", "is required to manage API tokens, together with password")
        auth = vcf_api.SessionAuth(self.session, params["username"], params["password"], params["auth_source"])
        self._operation.at_end(auth.sign_out)
        return auth
