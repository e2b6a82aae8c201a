# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's store in place of a real OpenBao. What an administrator does there, an action of the lab does here."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from lab.client import Lab
from support.bao import Bao

NAME = "vault"
_HOST = "127.0.0.1"


@dataclass
class LabStore(Bao):
    """The store of a running lab."""

    lab: Lab = field(kw_only=True)

    def token_for(self, policy: str, name: str = "limited") -> str:
        return str(self.lab.act(NAME, "create_token", host=_HOST, name=name, policy=_capabilities(policy)))

    def app_role(self, policy: str, name: str = "machine", secret_id_num_uses: int = 0) -> dict[str, str]:
        order = {"name": name, "policy": _capabilities(policy), "secret_id_num_uses": secret_id_num_uses}
        return {"auth_method": "approle", **self.lab.act(NAME, "create_secret_id", host=_HOST, **order)}

    def revoke_role_tokens(self) -> None:
        self.lab.revoke_tokens(NAME)

    def token_count(self) -> int:
        return self.lab.counts(NAME).get("tokens_valid", 0)


def store_of(lab: Lab, ca_path: str = "") -> LabStore:
    """The store of a lab."""
    return LabStore(lab[NAME]["url"], ca_path or lab.ca_path, lab[NAME]["token"], lab=lab)


@contextlib.contextmanager
def running() -> Iterator[LabStore]:
    """Start a lab of its own, whose log and state a test of the products does not see, and end it."""
    with Lab.start() as lab, tempfile.TemporaryDirectory() as folder:
        yield store_of(lab, _trusted(lab, Path(folder)))


def _trusted(lab: Lab, folder: Path) -> str:
    """Write what is beside the CA certificate of a real server, too: a certificate for a proxy, and its key."""
    authority, path = trustme.CA(), folder / "store-ca.pem"
    path.write_bytes(Path(lab.ca_path).read_bytes() + authority.cert_pem.bytes())
    leaf = authority.issue_cert(_HOST)
    leaf.cert_chain_pems[0].write_to_path(folder / "store-cert.pem")
    leaf.private_key_pem.write_to_path(folder / "store-key.pem")
    return str(path)


def _capabilities(policy: str) -> dict[str, list[str]]:
    """Convert a policy in the language of the store."""
    rules = re.findall(r'path\s+"([^"]+)"\s+{\s*capabilities\s*=\s*\[([^]]*)]', policy)
    return {path: re.findall(r'"(\w+)"', listed) for path, listed in rules}
