# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API tokens of the VCF SSO: the API of VCF Operations below /suite-api/api/fleet-management/iam.

https://developer.broadcom.com/xapis/vcf-operations-api/latest/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Optional

from .._core.secret import Secret, authorization
from .._core.token import Token
from .._http.auth import Auth
from .._http.listing import ListingBounds
from .._http.probe import found_or_none, was_deleted
from .._http.response import Response, number
from .._http.session import Session
from .._http.url import segment
from . import oauth, vcf_operations

TOKEN_ID, TOKEN_NAME = "token_id", "token_name"

_REALMS = "/suite-api/api/fleet-management/iam/ssorealms"
_PAGE_SIZE = 100
_BY_EXPIRY = (("sortBy", "EXPIRATION_DATE"), ("sortOrder", "ASCENDING"))
_MINUTE = 60
# Milliseconds exceed this number since 1973, and seconds in the year 5138.
_MILLISECONDS_FROM = 1e11
_PERMISSION_ADVICE = "Check that the user may manage API tokens of the VCF SSO in VCF Operations."


def error_facts(document: Any) -> tuple[str, str]:
    """Code and message of an error response. The server is that of VCF Operations."""
    return vcf_operations.error_facts(document)


class SessionAuth(Auth[Secret]):
    """Acquires a token for the first request, and releases it at the end."""

    def __init__(self, session: Session, username: str, password: Secret, auth_source: Optional[str]) -> None:
        self._client = vcf_operations.VcfOperationsClient(session)
        self._user = (username, password, auth_source)
        self._token: Optional[Secret] = None

    def credential(self) -> Secret:
        if self._token is None:
            self._token = self._client.acquire_token(*self._user).secret
        return self._token

    def headers(self, credential: Secret) -> Mapping[str, Any]:
        return {"Authorization": authorization(vcf_operations.SCHEMES[0], credential)}

    def sign_out(self) -> None:
        """Release the token, if there is one. Raises TokensError."""
        token, self._token = self._token, None
        if token is not None:
            self._client.release_token(token)


class VcfApiClient:
    """The operations of the API. Methods raise ApiError and TransportError."""

    def __init__(self, session: Session, auth: Auth[Any], bounds: ListingBounds) -> None:
        self._session = session
        self._auth = auth
        self._bounds = bounds

    def list_sso_realms(self) -> list[Mapping[str, Any]]:
        """GET /ssorealms. Each has `id`, and `name` if it is known."""
        return self._request("GET", "", doing="list the SSO realms").objects("ssoRealms", "id")

    def query_api_clients(self, realm: str, id_or_name: str) -> list[Mapping[str, Any]]:
        """POST /ssorealms/{realm}/api-clients/query. Each has `clientId`."""
        terms = [_term(field, id_or_name) for field in ("CLIENT_ID", "CLIENT_NAME")]
        search = {"searchTerms": {"anyOf": terms}}
        return self._query(f"{_path(realm)}/api-clients", "apiClients", "clientId", search, "list the API clients")

    def query_api_tokens(self, realm: str, name: Optional[str] = None) -> list[Mapping[str, Any]]:
        """POST /ssorealms/{realm}/api-tokens/query: all tokens, or those of a name. Each has `id`."""
        search = {"searchTerms": {"allOf": [_term("TOKEN_NAME", name)]}} if name else {}
        found = self._query(_tokens(realm), "apiTokens", "id", search, "list the API tokens", _BY_EXPIRY)
        return [token for token in found if name in (None, token.get("tokenName"))]

    def generate_api_token(
        self,
        realm: str,
        api_client: str,
        name: str,
        *,
        description: Optional[str],
        lifetime: Optional[float],
        access_token_lifetime: Optional[float],
    ) -> Token:
        """POST /ssorealms/{realm}/api-tokens. Only this response has the value. Lifetimes are in seconds.

        Raises ApiError: 403, 422 for a lifetime outside of the limits of the realm.
        """
        body = {
            "tokenName": name,
            "apiClientId": api_client,
            "tokenDescription": description,
            "apiTokenTtl": _minutes(lifetime),
            "accessTokenTtl": _minutes(access_token_lifetime),
        }
        response = self._request(
            "POST",
            _tokens(realm),
            doing="create an API token",
            json_body={field: value for field, value in body.items() if value is not None},
            left_behind=f"An API token with the name {name} may exist",
        )
        secret, now = response.secret("token"), self._session.now()
        expires_at, minutes = (
            time_of(response.mapping(), "expirationDate"),
            number(response.mapping().get("apiTokenTtl")),
        )
        if expires_at is None and minutes:
            expires_at = now + minutes * _MINUTE
        facts = {TOKEN_ID: response.field("id", str), TOKEN_NAME: name}
        return Token(secret, oauth.API_TOKEN, now, expires_at, facts=facts)

    def get_api_token(self, realm: str, token_id: str) -> Optional[Mapping[str, Any]]:
        """GET /ssorealms/{realm}/api-tokens/{id}, which returns no value; None if it does not exist."""
        found = found_or_none(
            lambda: self._request("GET", f"{_tokens(realm)}/{segment(token_id, 'token_id')}", doing="read an API token")
        )
        return found.mapping() if found else None

    def delete_api_token(self, realm: str, token_id: str) -> bool:
        """DELETE /ssorealms/{realm}/api-tokens/{id}. Returns False if it does not exist (404)."""
        path = f"{_tokens(realm)}/{segment(token_id, 'token_id')}"
        return was_deleted(lambda: self._request("DELETE", path, doing="delete an API token"), gone=(404,))

    def _query(
        self,
        path: str,
        name: str,
        field: str,
        search: Mapping[str, Any],
        doing: str,
        order: Sequence[tuple[str, str]] = (),
    ) -> list[Mapping[str, Any]]:
        """All pages of a query. Raises ListingTooLong."""
        found: dict[str, Mapping[str, Any]] = {}
        for page in count():
            response = self._request(
                "POST",
                f"{path}/query",
                query=[("page", str(page)), ("pageSize", str(_PAGE_SIZE)), *order],
                doing=doing,
                json_body=search,
                idempotent=True,
            )
            self._bounds.count_page(response)
            # Without entries, the field may be absent.
            entries = response.objects(name, field) if response.mapping().get(name) else []
            self._bounds.count_items(len(entries), response)
            known = len(found)
            found.update((str(entry[field]), entry) for entry in entries)
            # A server that does not know pages returns the same entries again.
            if len(found) in (known, _total(response)):
                break
        return list(found.values())

    def _request(self, method: str, path: str, **arguments: Any) -> Response:
        return self._session.request(
            method,
            f"{_REALMS}{path}",
            auth=self._auth,
            advice={403: _PERMISSION_ADVICE},
            **arguments,
        )


def time_of(token: Mapping[str, Any], name: str) -> Optional[float]:
    """A time of a token in epoch seconds; None if it has none."""
    value = number(token.get(name))
    if value is None or value <= 0:
        return None
    return value / 1000 if value > _MILLISECONDS_FROM else value


def _path(realm: str) -> str:
    return f"/{segment(realm, 'realm')}"


def _tokens(realm: str) -> str:
    return f"{_path(realm)}/api-tokens"


def _term(field: str, value: str) -> Mapping[str, Any]:
    return {"field": field, "operator": "EQUALS", "terms": [value]}


def _minutes(seconds: Optional[float]) -> Optional[int]:
    return None if seconds is None else int(seconds // _MINUTE)


def _total(response: Response) -> Optional[float]:
    info = response.mapping().get("pageInfo")
    return number(info.get("totalCount")) if isinstance(info, dict) else None
