# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real OpenBao server for tests: in memory, over TLS, with a root token that is made when it starts.

Where it does not run, the lab's store takes its place in the tests that need nothing else: see `lab_store`.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

WHY_NOT = "OpenBao is not installed, or does not run on this machine"
# With this variable, tests run as where OpenBao is not installed.
_HIDDEN = "TESTS_WITHOUT_OPENBAO"
_READY = b"Development mode should NOT be used in production"
# It listens on the port after its own, too.
_ATTEMPTS = 20
# Seconds. It only catches hangs.
_PATIENCE = 120


@dataclass
class Bao:
    """A running server. `ca_path` is its CA certificate."""

    address: str
    ca_path: str
    root_token: str
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that its own tools read, too."""
        values = {"ADDR": self.address, "TOKEN": self.root_token, "CACERT": self.ca_path}
        return {f"{prefix}_{name}": value for prefix in ("BAO", "VAULT") for name, value in values.items()}

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, token: str = "") -> requests.Response:
        """One request below /v1, as root where no token is given."""
        return self.http.request(
            method,
            f"{self.address}/v1/{path}",
            headers={"X-Vault-Token": token or self.root_token},
            json=body,
            verify=self.ca_path,
            timeout=60,
        )

    def do(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The same, which must succeed."""
        response = self.call(method, path, body)
        response.raise_for_status()
        return dict(response.json()) if response.content else {}

    def document(self, path: str, mount: str = "secret") -> dict[str, str]:
        """What is stored there; empty where nothing is."""
        response = self.call("GET", f"{mount}/data/{path}")
        return dict(response.json()["data"]["data"] or {}) if response.ok else {}

    def token_for(self, policy: str, name: str = "limited") -> str:
        """A token that may do what a policy says, and no more."""
        self.do("PUT", f"sys/policies/acl/{name}", {"policy": policy})
        return str(self.do("POST", "auth/token/create", {"policies": [name]})["auth"]["client_token"])

    def app_role(self, policy: str, name: str = "machine", secret_id_num_uses: int = 0) -> dict[str, str]:
        """The options of a role that may do what a policy says, and no more."""
        if "approle/" not in self.do("GET", "sys/auth"):
            self.do("POST", "sys/auth/approle", {"type": "approle"})
        self.do("PUT", f"sys/policies/acl/{name}", {"policy": policy})
        settings = {"token_policies": [name], "secret_id_num_uses": secret_id_num_uses}
        self.do("POST", f"auth/approle/role/{name}", settings)
        role_id = self.do("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
        secret_id = self.do("POST", f"auth/approle/role/{name}/secret-id", {})["data"]["secret_id"]
        return {"auth_method": "approle", "role_id": role_id, "secret_id": secret_id}

    def revoke_role_tokens(self) -> None:
        """Revoke all tokens that were issued for a role."""
        self.do("POST", "sys/leases/revoke-prefix/auth/approle", {})

    def token_count(self) -> int:
        """How many tokens of the server are valid."""
        return len(self.do("LIST", "auth/token/accessors")["data"]["keys"])


def executable() -> str | None:
    """The server's binary, where it is installed and runs on this machine."""
    if os.environ.get(_HIDDEN):
        return None
    found = shutil.which("bao", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        return None
    works = subprocess.run([found, "version"], check=False, capture_output=True).returncode == 0
    return found if works else None


@contextlib.contextmanager
def running(binary: str) -> Iterator[Bao]:
    """Start a server, and end it."""
    with tempfile.TemporaryDirectory() as folder:
        process, bao = _started(binary, Path(folder))
        try:
            yield bao
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def running_cluster(binary: str, certificates: Path) -> Iterator[tuple[Bao, Bao]]:
    """Start a leader and a standby, with the certificates of another server, and end them.

    The standby answers reads by itself, a moment later than the leader.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as ending:
        leader, standby = (_node(binary, Path(folder) / name, certificates, ending) for name in ("leader", "standby"))
        keys = leader.do("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        leader.root_token = standby.root_token = keys["root_token"]
        unseal = {"key": keys["keys"][0]}
        leader.do("PUT", "sys/unseal", unseal)
        _wait_until(lambda: leader.call("GET", "sys/health").status_code == 200)
        leader.do("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        # A standby becomes a voter when it has been healthy for so long, and is behind from then on.
        leader.do("POST", "sys/storage/raft/autopilot/configuration", {"server_stabilization_time": "1s"})
        authority = Path(leader.ca_path).read_text()
        join = {"leader_api_addr": leader.address, "leader_ca_cert": authority}
        _wait_until(lambda: standby.call("POST", "sys/storage/raft/join", join).ok)
        _wait_until(lambda: standby.call("PUT", "sys/unseal", unseal).ok)
        _wait_until(lambda: standby.call("GET", "sys/health").status_code == 429)
        _wait_until(lambda: all(server["voter"] for server in _servers(leader)))
        _wait_until(lambda: standby.call("GET", "secret/config").ok)
        yield leader, standby


def _servers(node: Bao) -> list[dict[str, Any]]:
    servers: list[dict[str, Any]] = node.do("GET", "sys/storage/raft/configuration")["data"]["config"]["servers"]
    return servers


def _node(binary: str, folder: Path, certificates: Path, ending: contextlib.ExitStack) -> Bao:
    (authority,), (certificate,), (key,) = (certificates.glob(f"*-{name}.pem") for name in ("ca", "cert", "key"))
    address, cluster = (f"127.0.0.1:{_free_port()}" for _use in range(2))
    folder.mkdir()
    settings = {
        "storage": {"raft": {"path": str(folder), "node_id": folder.name}},
        "listener": {
            "tcp": {
                "address": address,
                "cluster_address": cluster,
                "tls_cert_file": str(certificate),
                "tls_key_file": str(key),
            }
        },
        "api_addr": f"https://{address}",
        "cluster_addr": f"https://{cluster}",
        "disable_mlock": True,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    process = subprocess.Popen(
        [binary, "server", f"-config={folder / 'settings.json'}"],
        env={**os.environ, "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("wb"),
    )
    ending.callback(process.wait)
    ending.callback(process.kill)
    node = Bao(f"https://{address}", str(authority), "")
    _wait_until(lambda: node.call("GET", "sys/seal-status").ok)
    return node


def _wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(requests.ConnectionError):
            if is_so():
                return
        time.sleep(0.1)
    raise RuntimeError("OpenBao has no cluster")


def _started(binary: str, folder: Path) -> tuple[subprocess.Popen[bytes], Bao]:
    token = secrets.token_hex(16)
    for _attempt in range(_ATTEMPTS):
        port = _free_port()
        process = subprocess.Popen(
            [
                *(binary, "server", "-dev", "-dev-tls", "-dev-no-store-token"),
                *(f"-dev-tls-cert-dir={folder}", f"-dev-listen-address=127.0.0.1:{port}"),
            ],
            env={**os.environ, "HOME": str(folder), "BAO_DEV_ROOT_TOKEN_ID": token},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        # Its last line when it is ready; without it the port was taken.
        assert process.stdout is not None
        for line in process.stdout:
            if _READY in line:
                # What it prints later must not fill the pipe.
                threading.Thread(target=process.stdout.read, daemon=True).start()
                ca_path = next(folder.glob("*-ca.pem"))
                return process, Bao(f"https://127.0.0.1:{port}", str(ca_path), token)
        process.wait()
    raise RuntimeError("OpenBao does not start")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
