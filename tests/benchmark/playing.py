# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node of the benchmark: inventories of lab addresses, and ansible-playbook as users run it."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import Cost, measured
from products import EXAMPLE
from scenarios import IN_PROCESS, Contestant

if TYPE_CHECKING:
    from lab.client import Lab
    from support.bao import Bao

COLLECTIONS = Path(__file__).resolve().parents[2] / ".venv" / "collections"
ANSIBLE_PLAYBOOK = (sys.executable, "-m", "ansible", "playbook")


class Controller:
    """Runs plays of contestants in its own folder."""

    def __init__(self, lab: Lab, folder: Path, trust_store: Path, hosts: int, store: Bao | None = None) -> None:
        self.lab = lab
        self.store = store
        self._documents = itertools.count(1)
        self._addresses = lab.add_addresses(hosts) if hosts else []
        self.folder = folder
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "SSL_CERT_FILE": str(trust_store),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
        }
        # Thousands of tokens of one user, which the product would not allow.
        lab.change_settings(EXAMPLE.name, **EXAMPLE.settings)

    def play(self, contestant: Contestant, hosts: int) -> Cost:
        """Run the contestant's play on this number of hosts, or on its sample. Exit if it fails."""
        details = self.lab[EXAMPLE.name]
        number = contestant.sample or hosts
        folder = self._tokens_of(contestant.name)
        user = {name: details[name] for name in ("username", "password")}
        port = urllib.parse.urlsplit(details["url"]).port
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "port": port,
            **user,
            "folder": str(folder),
            "shared_address": self._addresses[0],
            "kept": str(self._tokens_of(IN_PROCESS)),
            **contestant.variables,
        }
        if contestant.in_store:
            variables["store"] = self._document(contestant.anew)
        if contestant.anew:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        servers = {f"host-{number:04}": address for number, address in enumerate(self._addresses[:number])}
        inventory: dict[str, Any] = {name: {"address": address} for name, address in servers.items()}
        if contestant.at_once:
            tokens = [
                {
                    "name": name,
                    "product": EXAMPLE.name,
                    "hostname": f"{address}:{port}",
                    "token_file": str(folder / f"{name}.json"),
                    **user,
                }
                for name, address in servers.items()
            ]
            inventory = {"localhost": {"tokens": tokens}}
        self.write("inventory.json", {"all": {"hosts": inventory, "vars": variables}})
        self.write("play.json", [{"hosts": "all", "gather_facts": False, "tasks": list(contestant.tasks)}])
        return self.measured_play()

    def _document(self, anew: bool) -> dict[str, str]:
        """The options of a document, which is another one each time with `anew`."""
        assert self.store is not None
        path = f"bench/{next(self._documents) if anew else 'kept'}"
        return {"url": self.store.address, "ca_path": self.store.ca_path, "token": self.store.root_token, "path": path}

    def _tokens_of(self, name: str) -> Path:
        return self.folder / name.replace(" ", "-")

    def measured_play(self) -> Cost:
        """Run play.json on inventory.json."""
        return measured([*ANSIBLE_PLAYBOOK, "-i", "inventory.json", "play.json"], self.folder, self.environ)

    def write(self, name: str, document: Any) -> None:
        """Write a file that only this user can read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(document))
