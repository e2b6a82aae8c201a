# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vault and OpenBao: a shared store of tokens, as far as the collection uses it.

It has one KV secrets engine, version 2, at `secret/`; sign-in with a token or an AppRole; and tokens with policies. A
test creates roles and tokens with actions. Vendor pages: "KV secrets engine - version 2 (API)", "AppRole auth method
(API)" and "Token auth method (API)".

Status and body of each response are those of OpenBao 2.7.2, with which `tests/integration/test_lab_store.py` compares
them. Errors about a body that is not valid JSON, or that has a field of a wrong type, have another text. Everything
else is missing: other engines and auth methods, namespaces, standbys, sealing, `patch`, `undelete`, `destroy`,
`subkeys`, `delete_version_after`, renewal and lookup of tokens, and the method LIST (`?list=true` does the same).
"""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ..product import Product, Refusal, Settings, Shared, action, credentials, host_of
from ..tokens import Token
from .vault_documents import Document, check_cas, integer

Policy = Mapping[str, list[str]]

_MOUNT = "secret"
_ROLE = "sddc"
_FOLDER = {f"{_MOUNT}/{kind}/sddc/*": ["create", "read", "update"] for kind in ("data", "metadata")}
_DENIED = "permission denied"
_DENIED_BY_POLICY = f"1 error occurred:\n\t* {_DENIED}\n\n"
_WRONG_ROLE = "invalid role or secret ID"
_ENGINE = {
    "config": {"default_lease_ttl": 0, "force_no_cache": False, "max_lease_ttl": 0},
    "deprecation_status": "supported",
    "description": "key/value secret storage",
    "external_entropy_access": False,
    "local": False,
    "options": {"version": "2"},
    "path": f"{_MOUNT}/",
    "plugin_version": "",
    "running_plugin_version": "v2.7.2+builtin.bao",
    "running_sha256": "",
    "seal_wrap": False,
    "type": "kv",
}


@dataclass(kw_only=True)
class VaultSettings(Settings):
    """The settings that a test may change."""

    lifetime: float = 32 * 86400
    """Seconds from sign-in to the expiry of a token."""


@dataclass
class Role:
    """An AppRole. A secret ID is valid for so many sign-ins; 0 is any number."""

    role_id: str
    secret_ids: dict[str, int] = field(default_factory=dict)


@dataclass
class VaultState:
    """The state of a host besides its tokens. A token has the policy with the name of its principal."""

    documents: dict[str, Document] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)


class Vault(Product[VaultState, VaultSettings]):
    """The server."""

    name = "vault"
    revocable = "tokens_valid"
    # The tools of OpenBao prefer BAO_*, those of Vault know VAULT_* only.
    environment = (
        *((f"{prefix}_ADDR", "url") for prefix in ("BAO", "VAULT")),
        *((f"{prefix}_TOKEN", "token") for prefix in ("BAO", "VAULT")),
        *((f"{prefix}_CACERT", "ca_path") for prefix in ("BAO", "VAULT")),
    )

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        # The root token is not in the ledger: no test may end it for others.
        self._root = shared.secrets.make("vault root token")
        self._role_id = str(uuid.uuid4())
        self._secret_id = shared.secrets.make("vault secret ID")

    def default_settings(self) -> VaultSettings:
        return VaultSettings()

    def new_state(self, host: str) -> VaultState:
        """Return a store with one role, which may use the documents below `sddc/`."""
        return VaultState(policies={_ROLE: _FOLDER}, roles={_ROLE: Role(self._role_id, {self._secret_id: 0})})

    def routes(self) -> Iterable[web.RouteDef]:
        data, metadata = (f"/v1/{_MOUNT}/{kind}/{{path:.+}}" for kind in ("data", "metadata"))
        return (
            web.get(data, self.read_data),
            web.post(data, self.write_data),
            web.put(data, self.write_data),
            web.delete(data, self.delete_data),
            web.get(f"/v1/{_MOUNT}/metadata{{path:(/.*)?}}", self.read_metadata),
            web.post(metadata, self.write_metadata),
            web.put(metadata, self.write_metadata),
            web.delete(metadata, self.delete_metadata),
            web.get(f"/v1/sys/internal/ui/mounts/{_MOUNT}{{path:(/.*)?}}", self.read_mount),
            web.get("/v1/sys/internal/ui/mounts/{path:.+}", self.refuse_mount),
            web.post("/v1/auth/approle/login", self.log_in),
            web.post("/v1/auth/token/revoke-self", self.revoke_self),
            web.route("*", "/v1/{path:.*}", self.refuse_path),
        )

    def details(self, url: str) -> dict[str, str]:
        return {
            "url": url,
            "token": self._root,
            "role_id": self._role_id,
            "secret_id": self._secret_id,
            "ca_path": str(self.shared.authority.ca_path),
        }

    def counts(self, host: str) -> dict[str, int]:
        return {"documents": len(self.state(host).documents)}

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        return web.json_response({"errors": [refusal.message] if refusal.message else []}, status=refusal.status)

    @action
    def create_token(self, host: str, name: str, policy: dict[str, list[str]]) -> str:
        """Create a policy with a name, and a token with this policy. A policy is the capabilities for each path."""
        self.state(host).policies[name] = policy
        return self._new_token(host, name)

    @action
    def create_secret_id(
        self, host: str, name: str, policy: dict[str, list[str]], secret_id_num_uses: int = 0
    ) -> dict[str, str]:
        """Create an AppRole with a policy, both with a name, if there is none, and another secret ID for it."""
        state = self.state(host)
        state.policies[name] = policy
        role = state.roles.setdefault(name, Role(str(uuid.uuid4())))
        secret_id = self.shared.secrets.make("vault secret ID")
        role.secret_ids[secret_id] = secret_id_num_uses
        return {"role_id": role.role_id, "secret_id": secret_id}

    # Sign-in.

    async def log_in(self, request: web.Request) -> web.Response:
        """Sign in with an AppRole."""
        host, body = host_of(request), await _body(request)
        if not body.get("role_id"):
            raise Refusal(500, "missing role_id")
        if not body.get("secret_id"):
            raise Refusal(400, "missing secret_id")
        roles = self.state(host).roles.items()
        name, role = next((item for item in roles if item[1].role_id == body["role_id"]), ("", Role("")))
        left = role.secret_ids.get(body["secret_id"])
        if left is None:
            raise Refusal(400, _WRONG_ROLE)
        if left > 1:
            role.secret_ids[body["secret_id"]] = left - 1
        elif left == 1:
            del role.secret_ids[body["secret_id"]]
        policies = sorted(("default", name))
        auth = {
            "client_token": self._new_token(host, name),
            "accessor": uuid.uuid4().hex[:24],
            "policies": policies,
            "token_policies": policies,
            "metadata": {"role_name": name},
            "lease_duration": int(self.settings(host).lifetime),
            "renewable": True,
            "entity_id": str(uuid.uuid4()),
            "token_type": "service",
            "orphan": True,
            "mfa_requirement": None,
            "num_uses": 0,
        }
        return _response(None, auth=auth)

    async def revoke_self(self, request: web.Request) -> web.Response:
        """Revoke the token of the request."""
        token = self._token(request)
        if token is None:
            raise Refusal(400, "the lab does not revoke its root token")
        token.ended = "revoked"
        return web.Response(status=204)

    # Documents.

    async def read_mount(self, request: web.Request) -> web.Response:
        """Return the secrets engine, to a token that may do anything there."""
        rules = self._rules(request)
        if rules is not None and not any(path.startswith(f"{_MOUNT}/") for path in rules):
            return await self.refuse_mount(request)
        return _response({**_ENGINE, "accessor": f"kv_{uuid.uuid4().hex[:8]}", "uuid": str(uuid.uuid4())})

    async def refuse_mount(self, request: web.Request) -> web.Response:
        """Refuse an engine that does not exist, or that the token may not use."""
        self._token(request)
        path = request.path.removeprefix("/v1/sys/internal/ui/mounts/").strip("/")
        error = "preflight capability check returned 403, please ensure client's policies grant access to path"
        raise Refusal(403, f'{error} "{path}/"')

    async def read_data(self, request: web.Request) -> web.Response:
        """Return the latest version or another one."""
        self._check(request, "read")
        document = self._document(request)
        version = document and document.found(integer(request.query.get("version"), "version must be an integer"))
        if not document or not version:
            raise Refusal(404)
        is_deleted = version.deleted_at is not None
        data = {"data": None if is_deleted else version.data, "metadata": document.shown(version)}
        return _response(data, 404 if is_deleted else 200)

    async def write_data(self, request: web.Request) -> web.Response:
        """Write a version."""
        body = await _body(request)
        document = self._document(request)
        self._check(request, "update" if document else "create")
        if "data" not in body:
            raise Refusal(400, "no data provided")
        if not isinstance(body["data"], dict | None):
            raise Refusal(400, "data must be an object")
        check_cas(body, document)
        document = document or self._new_document(request)
        return _response(document.shown(document.write(body["data"], self.now(host_of(request)))))

    async def delete_data(self, request: web.Request) -> web.Response:
        """Delete the latest version; its metadata stays."""
        self._check(request, "delete")
        document = self._document(request)
        version = document and document.found(0)
        if version and version.deleted_at is None:
            version.deleted_at = self.now(host_of(request))
        return web.Response(status=204)

    async def read_metadata(self, request: web.Request) -> web.Response:
        """Return the metadata of a document, or list a folder."""
        if request.query.get("list") == "true":
            return self._list(request)
        self._check(request, "read")
        document = self._document(request)
        if not document:
            raise Refusal(404)
        return _response(document.metadata())

    def _list(self, request: web.Request) -> web.Response:
        path = request.match_info["path"].strip("/")
        folder = f"{path}/" if path else ""
        self._check(request, "list", f"{_MOUNT}/metadata/{folder}")
        below = [name.removeprefix(folder) for name in self._documents(request) if name.startswith(folder)]
        keys = sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in below})
        if not keys:
            raise Refusal(404)
        return _response({"keys": keys})

    async def write_metadata(self, request: web.Request) -> web.Response:
        """Change the metadata of a document. It need not have a version."""
        body = await _body(request)
        document = self._document(request)
        self._check(request, "update" if document else "create")
        (document or self._new_document(request)).change(body, self.now(host_of(request)))
        return web.Response(status=204)

    async def delete_metadata(self, request: web.Request) -> web.Response:
        """Delete a document with all its versions."""
        self._check(request, "delete")
        self._documents(request).pop(request.match_info["path"], None)
        return web.Response(status=204)

    async def refuse_path(self, request: web.Request) -> web.Response:
        """Refuse a path that the lab does not have."""
        path = request.match_info["path"]
        self._check(request, "", path)
        raise Refusal(404, f'no handler for route "{path}". route entry not found.')

    # Internal methods.

    def _documents(self, request: web.Request) -> dict[str, Document]:
        return self.state(host_of(request)).documents

    def _document(self, request: web.Request) -> Document | None:
        return self._documents(request).get(request.match_info["path"].strip("/"))

    def _new_document(self, request: web.Request) -> Document:
        now = self.now(host_of(request))
        return self._documents(request).setdefault(request.match_info["path"], Document(now, now))

    def _new_token(self, host: str, principal: str) -> str:
        value = f"s.{self.shared.secrets.make('vault token', 24)}"
        expires_at = self.now(host) + self.settings(host).lifetime
        self.shared.ledger.add(Token(value, self.name, host, "service", principal, expires_at))
        return value

    def _token(self, request: web.Request) -> Token | None:
        """Return the valid token of the request, or None for the root token."""
        host = host_of(request)
        value = request.headers.get("X-Vault-Token") or credentials(request, "Bearer") or ""
        if hmac.compare_digest(value.encode(), self._root.encode()):
            return None
        token = self.shared.ledger.find(self.name, value, host)
        if token is None or not token.is_valid(self.now(host)):
            raise Refusal(403, _DENIED)
        return token

    def _rules(self, request: web.Request) -> Policy | None:
        """Return the policy of the request's token, or None for the root token."""
        token = self._token(request)
        return self.state(host_of(request)).policies[token.principal] if token else None

    def _check(self, request: web.Request, capability: str, path: str = "") -> None:
        """Refuse a request that the policy of its token does not allow. The most specific path counts."""
        rules = self._rules(request)
        if rules is None:
            return
        path = path or request.path.removeprefix("/v1/")
        matching = [pattern for pattern in rules if _matches(pattern, path)]
        if not matching or capability not in rules[max(matching, key=len)]:
            raise Refusal(403, _DENIED_BY_POLICY)


def _matches(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


async def _body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request. The content type is ignored; no body is an empty object."""
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as problem:
        raise Refusal(400, "failed to decode JSON input") from problem
    if not isinstance(body, dict):
        raise Refusal(400, "failed to decode JSON input")
    return body


def _response(data: Any, status: int = 200, auth: Mapping[str, Any] | None = None) -> web.Response:
    body = {"request_id": str(uuid.uuid4()), "lease_id": "", "renewable": False, "lease_duration": 0, "data": data}
    return web.json_response({**body, "wrap_info": None, "warnings": None, "auth": auth}, status=status)


PRODUCT = Vault
