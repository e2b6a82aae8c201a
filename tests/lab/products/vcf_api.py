# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API tokens of the VCF SSO, which VCF Operations 9.1 manages.

Vendor pages: the fleet management part of the API reference of VCF Operations, its operations on SSO realms, API
clients and API tokens.

Known from those pages and from vcf-operations: the calls and their fields; the value of a token is in the response that
creates it, and in no other one; 204 for a deletion; lifetimes are minutes, and their limits; pages are numbered from 0;
the terms of a search. Known from public reports: an API token that is exchanged gives an access token. Assumed: times
are milliseconds, an unset field is absent, a name may exist several times, an unknown id is 404, a term that is out of
its limits is 422, an expired token stays listed, and the form of the value (a vendor's sample shows it).

The server has the sign-in of VCF Operations, and accepts an access token of the VCF SSO, too. Its API is also on the
server of the product vcf_operations, because it is one product for the user.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from aiohttp import web

from ..product import Refusal, Shared, action, credentials, host_of, json_object
from ..tokens import Token
from .vcf_operations import VcfOperations, VcfOperationsSettings, VcfOperationsState

_API = "/suite-api/api/fleet-management/iam/ssorealms"
_KIND = "api"
_MINUTE, _DAY = 60, 86400
_API_TOKEN_MINUTES, _ACCESS_TOKEN_MINUTES = (43_200, 259_200), (30, 480)
_FIELDS = {"TOKEN_NAME": "tokenName", "CLIENT_ID": "clientId", "CLIENT_NAME": "clientName"}


@dataclass(kw_only=True)
class VcfApiSettings(VcfOperationsSettings):
    """The settings that a test may change."""

    realms: int = 1
    longest_page: int = 100
    """The most entries of a page, whatever a request asks for."""
    times: Literal["ms", "s", "absent"] = "ms"
    """The unit of the times of a token."""
    deletes: bool = True
    """Whether a deletion ends the token, or the server only says so."""


@dataclass
class ApiToken:
    """One API token. The ledger has its value, its expiry and its last use."""

    id: str
    realm: str
    name: str
    client: str
    created_at: float
    record: Token
    description: str = ""
    access_token_minutes: int = 30
    type: Literal["API_CLIENT", "USER"] = "API_CLIENT"


@dataclass
class VcfApiState(VcfOperationsState):
    """The state of a host besides its tokens."""

    api_tokens: dict[str, ApiToken] = field(default_factory=dict)
    generated: int = 0
    deletions: int = 0


class VcfApi(VcfOperations):
    """The primary node, with an identity broker."""

    name = "vcf_api"
    guest_of = "vcf_operations"
    # The variables are those of that product.
    environment: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.realms = [(str(uuid.uuid4()), name) for name in ("Corporate", "Laboratory")]
        self.clients = [(f"{name.lower()}-{uuid.uuid4().hex[:8]}", name) for name in ("Automation", "Backup")]

    def default_settings(self) -> VcfApiSettings:
        return VcfApiSettings()

    def new_state(self, host: str) -> VcfApiState:
        return VcfApiState()

    def routes(self) -> Iterable[web.RouteDef]:
        return (*super().routes(), *self.guest_routes())

    def guest_routes(self) -> Iterable[web.RouteDef]:
        tokens = f"{_API}/{{realm}}/api-tokens"
        return (
            web.get(_API, self.get_sso_realms),
            web.post(f"{_API}/{{realm}}/api-clients/query", self.query_api_clients),
            web.post(tokens, self.generate_api_token),
            web.post(f"{tokens}/query", self.query_api_tokens),
            web.get(f"{tokens}/{{id}}", self.get_api_token),
            web.delete(f"{tokens}/{{id}}", self.delete_api_token),
        )

    def details(self, url: str) -> dict[str, str]:
        (_id, realm), *_others = self.realms
        (client_id, client), *_others = self.clients
        return {
            **super().details(url),
            "realm": realm,
            "api_client": client,
            "api_client_id": client_id,
            "tenant": "CUSTOMER",
        }

    def counts(self, host: str) -> dict[str, int]:
        state = self._state(host)
        return {
            **super().counts(host),
            "api_tokens_valid": sum(each.record.is_valid(self.now(host)) for each in state.api_tokens.values()),
            "generated": state.generated,
            "deletions": state.deletions,
        }

    # The operations.

    async def get_sso_realms(self, request: web.Request) -> web.Response:
        """Return all realms."""
        self._presented(request)
        found = [{"id": realm, "name": name, "issues": []} for realm, name in self._realms(host_of(request))]
        return web.json_response({"ssoRealms": found})

    async def query_api_clients(self, request: web.Request) -> web.Response:
        """Return a page of the API clients that match the search."""
        self._realm(request)
        clients = [{"clientId": client, "clientName": name} for client, name in self.clients]
        return await self._page(request, "apiClients", clients)

    async def generate_api_token(self, request: web.Request) -> web.Response:
        """Create an API token, and return it with its value."""
        realm, host = self._realm(request), host_of(request)
        body = await json_object(request)
        name, client = body.get("tokenName"), body.get("apiClientId")
        invalid = {}
        if not isinstance(name, str) or not 3 <= len(name) <= 255:
            invalid["tokenName"] = "size must be between 3 and 255"
        if client not in dict(self.clients):
            invalid["apiClientId"] = "does not exist"
        minutes = _limited(body, "apiTokenTtl", _API_TOKEN_MINUTES, invalid)
        access = _limited(body, "accessTokenTtl", _ACCESS_TOKEN_MINUTES, invalid)
        if invalid:
            raise Refusal(422, "Invalid request body.", fields=invalid)
        token = self._add(host, realm, str(name), str(client), minutes * _MINUTE)
        token.description, token.access_token_minutes = str(body.get("tokenDescription") or ""), access
        self._state(host).generated += 1
        return web.json_response({**self._described(host, token), "token": token.record.value})

    async def query_api_tokens(self, request: web.Request) -> web.Response:
        """Return a page of the API tokens that match the search, without their values."""
        realm, host = self._realm(request), host_of(request)
        tokens = [each for each in self._state(host).api_tokens.values() if each.realm == realm]
        tokens.sort(key=lambda token: token.record.expires_at)
        return await self._page(request, "apiTokens", [self._described(host, token) for token in tokens])

    async def get_api_token(self, request: web.Request) -> web.Response:
        """Return an API token without its value."""
        return web.json_response(self._described(host_of(request), self._api_token(request)))

    async def delete_api_token(self, request: web.Request) -> web.Response:
        """Delete an API token."""
        token, host = self._api_token(request), host_of(request)
        self._state(host).deletions += 1
        if self.settings(host).deletes:
            del self._state(host).api_tokens[token.id]
            token.record.ended = "revoked"
        return web.Response(status=204)

    @action
    def make_api_token(
        self,
        host: str = "127.0.0.1",
        name: str = "script",
        age_days: float = 0,
        used_days_ago: float | None = None,
        lifetime_days: float = 90,
        user: bool = False,
    ) -> str:
        """Create an API token in the first realm, as a person does, and return its id."""
        client = "" if user else self.clients[-1][0]
        token = self._add(host, self.realms[0][0], name, client, (lifetime_days - age_days) * _DAY)
        token.created_at -= age_days * _DAY
        token.type = "USER" if user else "API_CLIENT"
        token.record.used_at = None if used_days_ago is None else self.now(host) - used_days_ago * _DAY
        return token.id

    # Internal methods.

    def _state(self, host: str) -> VcfApiState:
        state = self.state(host)
        assert isinstance(state, VcfApiState)
        return state

    def settings(self, host: str) -> VcfApiSettings:
        settings = super().settings(host)
        assert isinstance(settings, VcfApiSettings)
        return settings

    def _presented(self, request: web.Request) -> Token:
        value = credentials(request, "Bearer")
        if value is None:
            return super()._presented(request)
        token = self.shared.ledger.find("vidb", value)
        if token is None or not token.is_valid(self.now(host_of(request))):
            raise Refusal(401, "The access token is invalid or has expired.", 1512)
        return token

    def _realms(self, host: str) -> list[tuple[str, str]]:
        return self.realms[: self.settings(host).realms]

    def _realm(self, request: web.Request) -> str:
        self._presented(request)
        realm = request.match_info["realm"]
        if realm not in dict(self._realms(host_of(request))):
            raise Refusal(404, f"SSO realm {realm} does not exist.")
        return realm

    def _api_token(self, request: web.Request) -> ApiToken:
        realm = self._realm(request)
        token = self._state(host_of(request)).api_tokens.get(request.match_info["id"])
        if token is None or token.realm != realm:
            raise Refusal(404, f"API token {request.match_info['id']} does not exist.")
        return token

    def _add(self, host: str, realm: str, name: str, client: str, seconds: float) -> ApiToken:
        now, number = self.now(host), str(uuid.uuid4())
        text = f"{number}#{secrets.token_urlsafe(48)}#{int(now)}"
        value = "vidb_" + base64.urlsafe_b64encode(text.encode()).decode()
        self.shared.secrets.remember("vcf_api token", value)
        record = Token(value, self.name, host, _KIND, client or "user@example.com", now + seconds)
        self.shared.ledger.add(record)
        token = ApiToken(number, realm, name, client, now, record)
        self._state(host).api_tokens[number] = token
        return token

    def _described(self, host: str, token: ApiToken) -> dict[str, Any]:
        """Return the fields of an API token, without its value."""
        record, now = token.record, self.now(host)
        clients = dict(self.clients)
        fields: dict[str, Any] = {
            "id": token.id,
            "tokenName": token.name,
            "tokenDescription": token.description,
            "tokenLastChars": record.value[-4:],
            "tokenStatus": "ACTIVE" if record.is_valid(now) else "EXPIRED",
            "tokenType": token.type,
            "apiClientId": token.client,
            "clientId": token.client,
            "clientName": clients.get(token.client, ""),
            "principalName": record.principal,
            "principalStatus": "ACTIVE",
            "accessTokenTtl": token.access_token_minutes,
            "apiTokenTtl": int((record.expires_at - token.created_at) // _MINUTE),
        }
        unit = {"ms": 1000, "s": 1}.get(self.settings(host).times)
        times = {"creationDate": token.created_at, "expirationDate": record.expires_at, "lastUsedDate": record.used_at}
        if unit:
            fields |= {name: int(value * unit) for name, value in times.items() if value is not None}
        return {name: value for name, value in fields.items() if value != ""}

    async def _page(self, request: web.Request, name: str, entries: list[dict[str, Any]]) -> web.Response:
        """Return the page that a query asks for, of the entries that match its search."""
        body = await json_object(request)
        found = [entry for entry in entries if _matches(entry, body.get("searchTerms") or {})]
        size = min(_number(request, "pageSize", 20), self.settings(host_of(request)).longest_page)
        page = _number(request, "page", 0)
        shown = found[page * size : (page + 1) * size]
        info = {"page": page, "pageSize": size, "totalCount": len(found)}
        return web.json_response({name: shown, "pageInfo": info, "links": []})


def _limited(body: dict[str, Any], name: str, limits: tuple[int, int], invalid: dict[str, str]) -> int:
    least, most = limits
    minutes = body.get(name, least)
    if not isinstance(minutes, int) or not least <= minutes <= most:
        invalid[name] = f"must be between {least} and {most}"
        return least
    return minutes


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isdecimal():
        raise Refusal(422, "Invalid query.", fields={name: "must be a number"})
    return int(text)


def _matches(entry: dict[str, Any], groups: dict[str, Any]) -> bool:
    alternatives = [_has(entry, term) for term in groups.get("anyOf") or ()]
    return all(_has(entry, term) for term in groups.get("allOf") or ()) and (not alternatives or any(alternatives))


def _has(entry: dict[str, Any], term: dict[str, Any]) -> bool:
    value = str(entry.get(_FIELDS.get(str(term.get("field")), ""), ""))
    terms = [str(each) for each in term.get("terms") or ()]
    if term.get("operator") == "LIKE":
        return any(each.lower() in value.lower() for each in terms)
    return value in terms


PRODUCT = VcfApi
