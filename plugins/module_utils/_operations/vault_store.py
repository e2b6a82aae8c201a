# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared store: a document in a KV secrets engine of Vault or OpenBao."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Optional

from .._clients.vault import AppRole, GivenToken, JwtRole, SecretVersion, VaultAuth, VaultClient, error_facts
from .._core.argspec import TRANSPORT
from .._core.errors import (
    ApiError,
    BadResponse,
    InvalidOption,
    ResponseLost,
    StoreError,
    StoreUnavailable,
    TokensError,
    TransportError,
    WriteConflict,
    WriteUnknown,
)
from .._core.runtime import Runtime
from .._core.secret import Secret
from .._http.response import GATEWAY_ERRORS
from .._http.url import BaseUrl
from .._lifecycle.document import Fields
from .._lifecycle.file_lock import FileLock
from .._lifecycle.shared_store import Documents, SharedStore, Version
from .._lifecycle.store_options import TOKEN_STORE
from .base import Operation

_CAS_REFUSED = "check-and-set parameter did not match"
# By default, ten old tokens stay readable, and a client without check-and-set can overwrite the lease.
_SETTINGS = {"max_versions": 1, "cas_required": True}
_UNAVAILABLE = (429, 500, 503, *GATEWAY_ERRORS)
_TOKEN_FILE = "~/.vault-token"
_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"
_LOCKS = "~/.ansible/sddc_tokens/locks"
_PRIVATE_FOLDER = 0o700
# Seconds, unless the requests may take longer.
_LEASE = 120.0
_LONGEST_TOKEN = 64 * 1024
# The options of a store that describe the connection.
_CONNECTION = ("validate_certs", "ca_path", "client_cert", "client_key")


def shared_store(operation: Operation, options: Mapping[str, Any], option: str = "token_store") -> SharedStore:
    """The store that `options`, a value of `option`, describe. Raises InvalidOption."""
    params, runtime = operation.params, operation.runtime
    prefix = operation.argument_spec.prefix_of(option)
    needed = params["timeout"] * (params["retries"] + 1)
    lease = options["lease"] or max(_LEASE, 2 * needed)
    if lease < 2 * needed:
        raise InvalidOption(f"{prefix}lease", f"must be at least {2 * needed:g} s: 2 * timeout * (retries + 1)")
    documents = vault_documents(operation, options, option)
    return SharedStore(
        documents,
        runtime,
        lease=lease,
        needed=needed,
        local_lock=lambda timeout: _local_lock(documents.location, timeout, runtime),
    )


def vault_documents(operation: Operation, options: Mapping[str, Any], option: str) -> VaultDocuments:
    """The document that `options`, a value of `option`, describe. Raises InvalidOption."""
    client = _client(operation, options, operation.argument_spec.prefix_of(option))
    return VaultDocuments(client, options["mount"], options["path"], operation.runtime.warn)


def _client(operation: Operation, options: Mapping[str, Any], prefix: str) -> VaultClient:
    """A client for one document. The documents of a task with the same server and credential share one sign-in."""
    base_url = BaseUrl.parse(options["url"], f"{prefix}url")
    namespace, auth = options["namespace"] or "", _auth(options, prefix)
    resources = operation.store_resources

    def connected() -> VaultClient:
        session = operation.open_store_session(base_url, error_facts, options, prefix=prefix)
        client = VaultClient(session, namespace, auth)
        resources.at_end(client.sign_out)
        return client

    connection = (*(options[name] for name in _CONNECTION), *(operation.params[name] for name in TRANSPORT.options))
    return resources.shared((str(base_url), namespace, auth, connection), connected).for_another_document()


@contextmanager
def _local_lock(location: str, timeout: float, runtime: Runtime) -> Iterator[None]:
    """Let one process of this machine use the store at a time. Without this lock, a wait for the lease takes longer."""
    folder = os.path.expanduser(_LOCKS)
    try:
        os.makedirs(folder, _PRIVATE_FOLDER, exist_ok=True)
    except OSError:
        yield
        return
    path = os.path.join(folder, f"{hashlib.sha256(location.encode()).hexdigest()[:32]}.lock")
    with FileLock(path, location, os.path.basename(location), runtime).held(timeout):
        yield


def _auth(options: Mapping[str, Any], prefix: str) -> VaultAuth:
    method = options["auth_method"]
    mount = options["auth_mount"] or method
    if method == "approle":
        return AppRole(mount, options["role_id"], options["secret_id"])
    if method == "jwt":
        return JwtRole(mount, options["role"], options["jwt"])
    if method == "kubernetes":
        return JwtRole(mount, options["role"], options["jwt"] or _from_file(_SERVICE_ACCOUNT, "jwt", prefix))
    return GivenToken(
        options["token"] or _from_file(_TOKEN_FILE, "token", prefix, ", or sign in with the tool of the store")
    )


def _from_file(path: str, option: str, prefix: str, or_else: str = "") -> Secret:
    """Read a secret from a file of the store's own tools. Raises InvalidOption."""
    content, state = "", "is empty"
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            content = file.read(_LONGEST_TOKEN).strip()
    except FileNotFoundError:
        state = "does not exist"
    except (OSError, UnicodeDecodeError):
        state = "cannot be read"
    if not content:
        variables = " or ".join(TOKEN_STORE.options[option]["environment"])
        raise InvalidOption(
            prefix + option,
            f"is required, because {path} {state}",
            advice=f"Set it or the environment variable {variables}{or_else}.",
        )
    return Secret(content)


class VaultDocuments(Documents):
    """A document of a KV secrets engine. `warn` receives a warning when the policy does not allow its settings."""

    def __init__(self, client: VaultClient, mount: str, path: str, warn: Callable[[str], None]) -> None:
        self._client = client
        self._mount, self._path = mount, path
        self._warn = warn
        # Whether the response to the write that creates the document was lost.
        self._may_have_created = False

    @property
    def location(self) -> str:
        return f"{self._mount}/{self._path} on {self._client.host}"

    def read(self) -> Version:
        with _as_store_errors():
            return _version(self._client.read_secret_version(self._mount, self._path))

    def write(self, fields: Fields, replaces: int) -> Version:
        """Write a version. Only the task that creates the document sets it up: for others, a node that is behind may
        show none."""
        is_first, self._may_have_created = replaces == 0 or self._may_have_created, False
        try:
            with _as_store_errors():
                if replaces == 0:
                    self._check_engine()
                version = _version(self._client.create_secret_version(self._mount, self._path, fields, replaces))
        except StoreError as error:
            cause = error.__cause__
            if isinstance(cause, ApiError) and _CAS_REFUSED in cause.message:
                raise WriteConflict(f"another version of {self.location} is the latest") from None
            if isinstance(cause, (ResponseLost, BadResponse)) or _is_of_gateway(cause):
                self._may_have_created = is_first
                raise WriteUnknown(error.cause, doing=error.doing, host=error.host) from None
            raise
        if is_first:
            self._set_up()
        return version

    def _check_engine(self) -> None:
        """Check that the engine has check-and-set, before the first write. Raises StoreError."""
        try:
            version = self._client.read_mount(self._mount)
        except ApiError as error:
            if error.status != 403:
                raise
            # If it is version 1, the write fails.
            version = "2"
        if version != "2":
            raise StoreError(
                f"the secrets engine at {self._mount} on {self._client.host} is KV version {version}, but version 2 is "
                "required",
                advice=f"Upgrade it, or enable another one: vault secrets enable -path={self._mount} -version=2 kv",
            )

    def _set_up(self) -> None:
        """Set up the document. A failure is a warning: the document itself is written."""
        cause = "The policy of the store does not allow it."
        try:
            if self._client.update_metadata(self._mount, self._path, _SETTINGS):
                return
        except TokensError as error:
            cause = str(error)
        self._warn(
            f"max_versions and cas_required of {self.location} could not be set. {cause} Replaced tokens stay readable "
            "there as older versions. Set max_versions to 1 and cas_required to true."
        )


def _version(found: SecretVersion) -> Version:
    """Convert a version. Values that are not strings, which others have written, are converted to strings."""
    fields = {name: value if isinstance(value, str) else repr(value) for name, value in (found.data or {}).items()}
    return Version(fields, found.number, found.created_at, found.read_at, found.clock_offset)


def _is_of_gateway(cause: Optional[BaseException]) -> bool:
    """Whether a gateway timed out or failed: the server behind it may have processed the request."""
    return isinstance(cause, ApiError) and cause.status in GATEWAY_ERRORS


@contextmanager
def _as_store_errors() -> Iterator[None]:
    """Convert errors of the store's server to StoreError, to distinguish them from errors of the product."""
    try:
        yield
    except BadResponse as error:
        raise _store_error(StoreError, error) from error
    except TransportError as error:
        raise _store_error(StoreUnavailable, error) from error
    except ApiError as error:
        raise _store_error(StoreUnavailable if error.status in _UNAVAILABLE else StoreError, error) from error


def _store_error(kind: type[StoreError], error: TokensError) -> StoreError:
    return kind(error.cause, doing=error.doing, host=error.host, advice=error.advice or error.default_advice)
