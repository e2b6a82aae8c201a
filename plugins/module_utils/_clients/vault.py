# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HashiCorp Vault and OpenBao: secrets of a KV secrets engine, version 2, and sign-in.

https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
https://openbao.org/api-docs/secret/kv/kv-v2/
"""

from __future__ import annotations

import copy
import datetime
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from .._core.errors import ApiError
from .._core.secret import Secret
from .._http.auth import Auth
from .._http.response import Response
from .._http.session import Session
from .._http.url import segment

# A proxy or agent may require this header.
_REQUEST = {"X-Vault-Request": "true"}
_INDEX = "X-Vault-Index"
_FORWARD = {"X-Vault-Inconsistent": "forward-active-node"}
# Statuses of a node that does not have the latest write yet. OpenBao returns 429.
_BEHIND = (412,)
_FRACTION = re.compile(r"\.\d+")
_SEALED_ADVICE = "Check that the store is unsealed and not overloaded, and run the task again."
_PERMISSION_ADVICE = "Check that the token of the store is valid, and that its policy allows this path."


@dataclass(frozen=True)
class SecretVersion:
    """A version of a secret. Times are epoch seconds of the server's clock.

    `data` is None when the version was deleted or there never was one; `number` is 0 then.
    """

    data: Optional[Mapping[str, Any]]
    number: int
    created_at: float
    read_at: float
    clock_offset: float


def error_facts(document: Any) -> tuple[str, str]:
    """The messages of an error response. There are no codes, so the code is empty."""
    errors = document.get("errors") if isinstance(document, dict) else None
    texts = [" ".join(error.split()) for error in errors or [] if isinstance(error, str)]
    return "", "; ".join(texts)


class VaultAuth(ABC):
    """A way to sign in."""

    @abstractmethod
    def sign_in(self, client: VaultClient) -> Secret:
        """The token of the store. Raises ApiError."""


class VaultClient:
    """The operations of the API. The client signs in with the first request."""

    def __init__(self, session: Session, namespace: str, auth: VaultAuth) -> None:
        self._session = session
        self._headers = {**_REQUEST, **({"X-Vault-Namespace": namespace} if namespace else {})}
        self._sign_in = _SignIn(self, auth)
        self._signer = _TokenSigner(self._sign_in)
        # The last state that this process has seen, so that it can read its own writes.
        self._index: Optional[str] = None

    def for_another_document(self) -> VaultClient:
        """A client that shares the session and the sign-in, but not the state of the server that this one has seen."""
        client = copy.copy(self)
        client._signer, client._index = _TokenSigner(self._sign_in), None
        return client

    @property
    def host(self) -> str:
        """The server, as messages name it."""
        return self._session.host

    def read_secret_version(self, mount: str, path: str) -> SecretVersion:
        """GET /v1/<mount>/data/<path>: the latest version. Raises ApiError: 403, 503."""
        response = self._request(
            "GET", f"/v1/{_path(mount)}/data/{_path(path)}", doing="read the store", accept=_is_missing
        )
        document = response.json_or_none()
        data = document.get("data") if isinstance(document, dict) else None
        if response.status == 404:
            if isinstance(data, dict) and isinstance(data.get("metadata"), dict):
                return self._version(response, None, data["metadata"])
            return self._version(response, None, {"version": 0})
        if not isinstance(data, dict) or not isinstance(data.get("metadata"), dict):
            raise response.bad("the response has no version of a document")
        found = data.get("data")
        return self._version(response, found if isinstance(found, dict) else None, data["metadata"])

    def create_secret_version(self, mount: str, path: str, data: Mapping[str, Any], cas: int) -> SecretVersion:
        """POST /v1/<mount>/data/<path>. Raises ApiError: 400 when `cas` is not the latest version."""
        response = self._request(
            "POST",
            f"/v1/{_path(mount)}/data/{_path(path)}",
            doing="write the store",
            json_body={"options": {"cas": cas}, "data": data},
        )
        return self._version(response, data, response.field("data", dict))

    def read_mount(self, mount: str) -> str:
        """GET /v1/sys/internal/ui/mounts/<mount>: the version of its KV engine. Raises ApiError: 403."""
        response = self._request("GET", f"/v1/sys/internal/ui/mounts/{_path(mount)}", doing="read the store's mount")
        options = response.field("data", dict).get("options")
        return str((options or {}).get("version") or "1")

    def read_metadata(self, mount: str, path: str) -> Optional[Mapping[str, Any]]:
        """GET /v1/<mount>/metadata/<path>. Returns None without metadata, or when the policy does not allow it."""
        response = self._request(
            "GET",
            f"/v1/{_path(mount)}/metadata/{_path(path)}",
            doing="read the store's settings",
            accept=lambda response: response.status == 403 or _is_missing(response),
        )
        return response.field("data", dict) if response.ok else None

    def update_metadata(self, mount: str, path: str, settings: Mapping[str, Any]) -> bool:
        """POST /v1/<mount>/metadata/<path>. Returns whether the policy allows it."""
        response = self._request(
            "POST",
            f"/v1/{_path(mount)}/metadata/{_path(path)}",
            doing="set up the store",
            json_body=settings,
            accept=lambda response: response.status == 403,
            idempotent=True,
        )
        return response.ok

    def login(self, mount: str, body: Mapping[str, Any], doing: str) -> Secret:
        """POST /v1/auth/<mount>/login. Raises ApiError: 400, 403, 500."""
        response = self._session.request(
            "POST", f"/v1/auth/{_path(mount)}/login", doing=doing, headers=self._headers, json_body=body
        )
        auth = response.field("auth", dict)
        token = auth.get("client_token")
        if not isinstance(token, str) or not token:
            raise response.bad("the response has no token")
        return response.sendable(token, "the token")

    def revoke_self(self, token: Secret, *, may_be_invalid: bool = False) -> None:
        """POST /v1/auth/token/revoke-self. Raises ApiError. A batch token cannot be revoked."""
        self._session.request(
            "POST",
            "/v1/auth/token/revoke-self",
            doing="sign out of the store",
            headers={**self._headers, "X-Vault-Token": token},
            json_body={},
            accept=lambda response: response.status in ((400, 403) if may_be_invalid else (400,)),
            idempotent=True,
        )

    def sign_out(self) -> None:
        """Revoke the token if this client has signed in. Raises ApiError."""
        self._sign_in.end()

    def _request(self, method: str, path: str, **arguments: Any) -> Response:
        headers = {**self._headers, **_FORWARD, **({_INDEX: self._index} if self._index else {})}
        response = self._session.request(
            method,
            path,
            headers=headers,
            auth=self._signer,
            advice={403: _PERMISSION_ADVICE, 503: _SEALED_ADVICE},
            transient=_BEHIND,
            **arguments,
        )
        self._index = response.headers.get(_INDEX) or self._index
        self._signer.note_success()
        return response

    def _version(
        self, response: Response, data: Optional[Mapping[str, Any]], metadata: Mapping[str, Any]
    ) -> SecretVersion:
        number = metadata.get("version")
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise response.bad("the response has no usable version number")
        offset = response.clock_offset or 0.0
        created_at = _time(metadata.get("created_time")) if number else 0.0
        if created_at is None:
            raise response.bad("the response has no time of the version")
        return SecretVersion(data, number, created_at, response.received_at + offset, offset)


class _SignIn:
    """The sign-in that clients share. Safe to use from several threads."""

    def __init__(self, client: VaultClient, auth: VaultAuth) -> None:
        self._client = client
        self._auth = auth
        self._lock = threading.Lock()
        self._token: Optional[Secret] = None
        # Tokens that the server has refused, perhaps because a policy forbids a path.
        self._refused: list[Secret] = []

    def token(self) -> Secret:
        """The token of the sign-in. Raises ApiError."""
        with self._lock:
            if self._token is None:
                self._token = self._auth.sign_in(self._client)
            return self._token

    def token_after(self, refused: Secret) -> Optional[Secret]:
        """Another token than the refused one, by a new sign-in unless that was done; None without one."""
        with self._lock:
            if self._token == refused:
                self._refused.append(refused)
                self._token = self._auth.sign_in(self._client)
            return None if self._token == refused else self._token

    def end(self) -> None:
        """Revoke the tokens of this sign-in, but never a token that the user set."""
        if isinstance(self._auth, GivenToken):
            return
        while self._refused:
            self._client.revoke_self(self._refused.pop(), may_be_invalid=True)
        token, self._token = self._token, None
        if token:
            self._client.revoke_self(token)


class _TokenSigner(Auth[Secret]):
    """Signs the requests of one client, and asks for another token once when the server refuses it."""

    def __init__(self, sign_in: _SignIn) -> None:
        self._sign_in = sign_in
        self._has_renewed = False

    def credential(self) -> Secret:
        return self._sign_in.token()

    def headers(self, credential: Secret) -> Mapping[str, Any]:
        return {"X-Vault-Token": credential}

    def is_refusal(self, error: ApiError) -> bool:
        """The server returns 403 for an invalid token, and also for a path that the policy forbids."""
        return error.status == 403

    def renewed(self, refused: Secret, error: ApiError) -> Optional[Secret]:
        if self._has_renewed:
            return None
        self._has_renewed = True
        return self._sign_in.token_after(refused)

    def note_success(self) -> None:
        """From now on, a refusal may mean that the token has expired."""
        self._has_renewed = False


@dataclass(frozen=True)
class GivenToken(VaultAuth):
    """A token that the user set. It is never revoked."""

    token: Secret

    def sign_in(self, client: VaultClient) -> Secret:
        return self.token


@dataclass(frozen=True)
class AppRole(VaultAuth):
    """POST auth/<mount>/login with a role id and its secret id."""

    mount: str
    role_id: str
    secret_id: Optional[Secret]

    def sign_in(self, client: VaultClient) -> Secret:
        secret_id = {"secret_id": self.secret_id} if self.secret_id else {}
        return client.login(self.mount, {"role_id": self.role_id, **secret_id}, "sign in to the store")


@dataclass(frozen=True)
class JwtRole(VaultAuth):
    """POST auth/<mount>/login with a role and a JWT of an identity provider or of a service account."""

    mount: str
    role: str
    jwt: Secret

    def sign_in(self, client: VaultClient) -> Secret:
        return client.login(self.mount, {"role": self.role, "jwt": self.jwt}, "sign in to the store")


def _is_missing(response: Response) -> bool:
    """Whether a 404 means that the secret does not exist. For an unknown namespace or mount, it has a message."""
    return response.status == 404 and not error_facts(response.json_or_none())[1]


def _path(text: str) -> str:
    """Percent-encode a path of several segments. The server would redirect a path that is not normalized."""
    return "/".join(segment(part, "token_store") for part in text.strip("/").split("/"))


def _time(text: Any) -> Optional[float]:
    """Convert an RFC 3339 time in UTC with nanoseconds to epoch seconds."""
    try:
        whole = datetime.datetime.strptime(_FRACTION.sub("", str(text)), "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None
    fraction = _FRACTION.search(str(text))
    return whole.replace(tzinfo=datetime.timezone.utc).timestamp() + (float(fraction[0]) if fraction else 0.0)
