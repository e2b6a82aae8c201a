# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vidb_access_token: access tokens of the VMware Identity Broker (vIDB) of VMware Cloud Foundation."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from .._clients import oauth, vidb
from .._core.argspec import CONNECTION, ArgumentSpec, unprefixed
from .._core.errors import ApiError, MissingOption, StoreError
from .._core.runtime import Runtime
from .._core.secret import Secret
from .._core.token import Token, jwt_claims
from .._http.session import Session
from .._http.url import BaseUrl
from .._lifecycle.options import LIFECYCLE, REVOCATION, STORED
from .._lifecycle.reader import read_token
from .._lifecycle.store import Store
from .._lifecycle.store_options import TOKEN_STORE
from .base import Operation
from .sources import Credential, OAuthTokens, TokenOwner, given, joined
from .stores import store_of
from .token_operation import TokenOperation

_ADVICE = "First run the module that keeps this API token."
SERVER = ArgumentSpec(
    {
        "hostname": {"type": "str", "environment": ("VIDB_HOST",)},
        "tenant": {"type": "str", "default": "CUSTOMER", "environment": ("VIDB_TENANT",)},
    }
)


class ClientCredentials(Credential[vidb.VidbClient]):
    """A client with a secret (RFC 6749, section 4.4)."""

    NAME = "client_id"
    SECRET = "client_secret"
    OPTIONS = ArgumentSpec(
        {
            "client_id": {"type": "str", "environment": ("VIDB_CLIENT_ID",)},
            "client_secret": {"type": "str", "no_log": True, "environment": ("VIDB_CLIENT_SECRET",)},
        },
        alternatives=(("client_id", "client_secret"),),
        required_together=(("client_id", "client_secret"),),
    )

    @property
    def principal(self) -> str:
        return f"client {self.params['client_id']}"

    @property
    def pair(self) -> tuple[str, Secret]:
        """Client id and secret."""
        return self.params["client_id"], self.params["client_secret"]

    def authenticate(self, client: vidb.VidbClient) -> Token:
        return client.token_by_client_credentials(*self.pair)


class RefreshToken(Credential[vidb.VidbClient]):
    """A refresh token (RFC 6749, section 6), optionally with the client to which it was issued."""

    NAME = "refresh_token"
    SECRET = "refresh_token"
    OPTIONS = ArgumentSpec({"refresh_token": {"type": "str", "no_log": True}}, alternatives=(("refresh_token",),))

    @property
    def principal(self) -> str:
        subject = jwt_claims(self.secret.reveal()).get("sub")
        return f"user {subject}" if subject else f"refresh token {self.secret.fingerprint}"

    def authenticate(self, client: vidb.VidbClient) -> Token:
        return self.refresh(client, self.secret)

    def refresh(self, client: vidb.VidbClient, refresh_token: Secret) -> Token:
        """Create a token with a newer refresh token of the same user."""
        return client.token_by_refresh_token(refresh_token, self.pair)

    @property
    def pair(self) -> Optional[tuple[str, Secret]]:
        """Id and secret of the client to which it was issued; None when they are not set."""
        issued_to = given((ClientCredentials,), self.params)
        return issued_to.pair if isinstance(issued_to, ClientCredentials) else None


class ApiToken(Credential[vidb.VidbClient]):
    """An API token. Requires release 9.1 or newer."""

    NAME = "api_token"
    SECRET = "api_token"
    OPTIONS = ArgumentSpec(
        {"api_token": {"type": "str", "no_log": True, "environment": ("VIDB_API_TOKEN",)}},
        alternatives=(("api_token",),),
    )

    @property
    def principal(self) -> str:
        return f"API token {self.params['api_token'].fingerprint}"

    def authenticate(self, client: vidb.VidbClient) -> Token:
        return client.token_by_api_token(self.params["api_token"])


class SubjectToken(Credential[vidb.VidbClient]):
    """An access token of an identity provider that the broker knows (RFC 8693)."""

    NAME = "subject_token"
    SECRET = "subject_token"
    OPTIONS = ArgumentSpec({"subject_token": {"type": "str", "no_log": True}}, alternatives=(("subject_token",),))

    @property
    def principal(self) -> str:
        """The user at the identity provider, whose next token has the same `sub`."""
        subject = jwt_claims(self.secret.reveal()).get("sub")
        return f"subject {subject}" if subject else f"subject token {self.secret.fingerprint}"

    def authenticate(self, client: vidb.VidbClient) -> Token:
        return client.token_by_subject_token(self.secret)


class StoredApiToken(Credential[vidb.VidbClient]):
    """An API token that another task keeps in a store. It is read when it is needed."""

    OPTIONS = ArgumentSpec(
        {
            "api_token_file": {"type": "path", "no_log": False},
            "api_token_store": {"type": "dict", "no_log": False, "spec": TOKEN_STORE},
        },
        alternatives=(("api_token_file",), ("api_token_store",)),
    )
    NAMES = ("api_token_file", "api_token_store")

    def __init__(self, params: Mapping[str, Any], store: Store, runtime: Runtime, broker: str, option: str) -> None:
        """`option` is the one that names the host `broker`."""
        super().__init__(params)
        self._store = store
        self._runtime = runtime
        self._broker = broker
        self._option = option

    @functools.cached_property
    def _token(self) -> Token:
        """Raises StoreError, and InvalidOption for the API token of another broker."""
        token = read_token(self._store, self._runtime.clock, advice=_ADVICE)
        if token.token_type != oauth.API_TOKEN:
            raise StoreError(
                f"{self._store.location} holds a {token.token_type} token, not an API token", advice=_ADVICE
            )
        vidb.check_broker(token, self._broker, self._option)
        return token

    @property
    def principal(self) -> str:
        """The client, which stays the same when its API token is replaced."""
        client = self._token.facts.get(vidb.API_CLIENT)
        return f"API client {client}" if client else f"API token {self.secret.fingerprint}"

    @property
    def secret(self) -> Secret:
        return self._token.secret

    def authenticate(self, client: vidb.VidbClient) -> Token:
        return client.token_by_api_token(self.secret)


_KINDS = (ApiToken, SubjectToken, RefreshToken, ClientCredentials)
# Each of these excludes every other credential.
ALONE = (ApiToken.NAME, *StoredApiToken.NAMES, SubjectToken.NAME)
# A refresh token may require its client, so refresh_token and client_id can be set together.
CREDENTIALS = ArgumentSpec(mutually_exclusive=((*ALONE, "client_id"), (*ALONE, "refresh_token"))).merge(
    SERVER,
    RefreshToken.OPTIONS,
    ApiToken.OPTIONS,
    StoredApiToken.OPTIONS,
    SubjectToken.OPTIONS,
    ClientCredentials.OPTIONS,
)

TOKEN_OWNER = TokenOwner("vidb", ("hostname", "tenant"), (*ALONE, "refresh_token", "client_id", "client_secret"))


class VidbTokens(OAuthTokens):
    """The access tokens of an API token, a refresh token or a client, in one tenant."""

    product = "vidb"
    renewed_by = oauth.REFRESH_TOKEN
    can_revoke = True
    is_checked_offline = True

    def __init__(
        self, session: Session, tenant: str, credential: Optional[Credential[vidb.VidbClient]], *, ends: bool = False
    ) -> None:
        """`ends` is true for `state: absent`: no token will be renewed any more."""
        super().__init__(session, credential)
        self._ends = ends
        self._client = vidb.VidbClient(session, tenant)
        self._tenant = tenant

    @property
    def principal(self) -> Optional[str]:
        return f"{joined(self._tenant)}/{self._credential.principal}" if self._credential else None

    def create(self) -> Token:
        if self._credential is None:
            raise MissingOption(
                "api_token", "is required to get an access token, or refresh_token, or client_id and client_secret"
            )
        return self._credential.authenticate(self._client)

    def replace(self, old: Token) -> Token:
        """Renew with the latest refresh token: with rotation, the others are invalid (RFC 6749, section 6)."""
        latest = old.companions.get(oauth.REFRESH_TOKEN)
        credential = self._credential
        if not isinstance(credential, RefreshToken) or latest in (None, credential.secret):
            return self.create()
        try:
            new = credential.refresh(self._client, latest)
        except ApiError as error:
            if error.code != vidb.INVALID_GRANT:
                raise
            return self.create()
        # Without rotation, the refresh token stays valid.
        return replace(new, companions={oauth.REFRESH_TOKEN: latest, **new.companions})

    def is_revocable(self, token: Token, kept: Optional[Token] = None) -> bool:
        """Only a client with a secret can revoke, and only tokens that were issued to it.

        A revocation may also revoke the refresh token (RFC 7009, section 2.1), so a token from a refresh token is
        revoked only when no renewal follows.
        """
        is_sendable = len(token.secret.reveal()) <= vidb.LONGEST_TO_REVOKE
        may_end_grant = self._ends or isinstance(self._credential, ClientCredentials)
        return self._client_pair is not None and is_sendable and may_end_grant

    def revoke(self, token: Token) -> bool:
        pair = self._client_pair
        return pair is not None and self._client.revoke_access_token(token.secret, pair)

    @property
    def _client_pair(self) -> Optional[tuple[str, Secret]]:
        """Id and secret of the client, or of the client of the refresh token; None without one."""
        credential = self._credential
        return credential.pair if isinstance(credential, (ClientCredentials, RefreshToken)) else None

    def belongs_to(self, principal: str, token: Token) -> bool:
        """An opaque refresh token identifies its user only by being stored with the token."""
        credential = self._credential
        if not isinstance(credential, RefreshToken) or not principal.startswith(f"{joined(self._tenant)}/"):
            return False
        return token.companions.get(oauth.REFRESH_TOKEN) == credential.secret


def vidb_tokens(operation: Operation, *, prefix: str = "") -> VidbTokens:
    """The tokens for the credentials of an operation, whose options start with `prefix`. Raises InvalidOption."""
    params = unprefixed(operation.params, prefix, CREDENTIALS)
    if not params["hostname"]:
        raise MissingOption(f"{prefix}hostname", "is required to get an access token")
    base_url = BaseUrl.parse(params["hostname"], f"{prefix}hostname")
    session = operation.open_session(base_url, vidb.error_facts, prefix=prefix)
    ends = operation.params.get("state") == "absent"
    file, document = StoredApiToken.NAMES
    store = store_of(operation, read_only=True, names=(prefix + file, prefix + document))
    if store:
        kept = StoredApiToken(params, store, operation.runtime, session.host, f"{prefix}hostname")
        return VidbTokens(session, params["tenant"], kept, ends=ends)
    return VidbTokens(session, params["tenant"], given(_KINDS, params), ends=ends)


class VidbAccessToken(TokenOperation):
    """Keep an access token valid, or revoke it if its client can."""

    name = "sddc.tokens.vidb_access_token"
    argument_spec = CREDENTIALS.merge(
        ArgumentSpec(
            {"hostname": {**SERVER.options["hostname"], "required": True}},
            required_if=(
                ("state", "present", (*ALONE, "refresh_token", "client_id"), True),
                ("state", "absent", ("token", *STORED), True),
            ),
        ),
        LIFECYCLE,
        REVOCATION,
        CONNECTION,
    )
    secret_results = TokenOperation.secret_results | {oauth.ID_TOKEN, oauth.REFRESH_TOKEN}
    token_owner = TOKEN_OWNER

    def source(self) -> VidbTokens:
        return vidb_tokens(self)
