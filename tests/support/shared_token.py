# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token of the example in a shared store, and what must hold after anything that happens to it."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.sddc.tokens.plugins.module_utils._clients.vault import _time as moment
from products import EXAMPLE
from support.bao import Bao
from support.canaries import leaks
from support.in_process import Done, done

if TYPE_CHECKING:
    from lab.client import Lab

KEEP, RENEW, REVOKE = "creates and keeps", "renews", "revokes"
MINTS = re.compile("|".join(EXAMPLE.mints))
_VERSIONS = 200
# Seconds. It only catches hangs.
PATIENCE = 240


@dataclass(frozen=True)
class SharedToken:
    """A document, and a host of the example whose tokens nobody else creates."""

    lab: Lab
    bao: Bao
    path: str
    host: str = "127.0.0.1"

    def options(self, *, url: str = "", token: str = "", lease: float = 60, **more: Any) -> dict[str, Any]:
        """The options of a task, without waits for retries; some go to the store."""
        timeout = more.pop("timeout", lease / 2)
        store = {
            "path": self.path,
            "url": url or self.bao.address,
            "ca_path": self.bao.ca_path,
            "token": token or self.bao.root_token,
            "lease": lease,
            **more.pop("store", {}),
        }
        return {
            "hostname": self.lab.url(EXAMPLE.name, self.host),
            "token_file": "",
            "token_store": store,
            "timeout": timeout,
            "retries": 0,
            "lock_timeout": PATIENCE,
            **more,
        }

    def run(self, job: str = KEEP, **more: Any) -> Done:
        """Run a job of the example in this process. `clock` is the clock of the machine."""
        clock = {"clock": more.pop("clock")} if "clock" in more else {}
        return done(EXAMPLE.jobs[job], self.lab.details, **clock, **self.options(**more))

    def keep_history(self) -> None:
        """Start with an empty document whose versions all stay readable."""
        self.bao.do("POST", f"secret/metadata/{self.path}", {"max_versions": _VERSIONS, "cas_required": True})
        self.bao.do("POST", f"secret/data/{self.path}", {"options": {"cas": 0}, "data": {"schema": "1"}})

    def fields(self) -> dict[str, str]:
        """The document."""
        return self.bao.document(self.path)

    def end_lease(self) -> None:
        """Shorten the lease in the document, so that a test need not wait for its end."""
        found = self.bao.do("GET", f"secret/data/{self.path}")["data"]
        body = {"options": {"cas": found["metadata"]["version"]}, "data": {**found["data"], "lease_seconds": "0"}}
        self.bao.do("POST", f"secret/data/{self.path}", body)

    def valid(self) -> int:
        """How many tokens the product accepts."""
        return self.lab.counts(EXAMPLE.name, self.host).get("tokens_valid", 0)

    def minted(self) -> int:
        """How many tokens the product has created."""
        return self.lab.counts(EXAMPLE.name, self.host).get("tokens_minted", 0)

    def wait_until(self, is_so: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """The document as soon as it is so."""
        end = time.monotonic() + PATIENCE
        while not is_so(fields := self.fields()):
            assert time.monotonic() < end, fields
            time.sleep(0.02)
        return fields

    def assert_settled(self, orphans: int = 0, about: object = "") -> None:
        """One working token is stored and no other is left, except orphans, which nobody can know.

        A further task changes nothing, not even a lease that ended by itself, and the document shows no secret.
        """
        again = self.run()
        assert not again.result.get("failed"), (about, again.message)
        assert (again.result["action"], again.result["changed"]) == ("reused", False), (about, again.result)
        fields = self.fields()
        assert fields["fingerprint"] == again.result["fingerprint"], about
        assert "pending_token" not in fields, about
        kept = 1 + ("superseded_token" in fields)
        assert self.valid() == kept + orphans, (about, self.lab.counts(EXAMPLE.name, self.host))
        self.assert_private(again)

    def assert_private(self, *runs: Done, **texts: str) -> None:
        """No secret is in the metadata of the document, in its fields beside the tokens, or in what tasks said."""
        public = {name: value for name, value in self.fields().items() if not name.endswith("token")}
        metadata = self.bao.do("GET", f"secret/metadata/{self.path}")["data"]
        said = "\n".join(run.said for run in runs)
        places = {"fields": json.dumps(public), "metadata": json.dumps(metadata), "said": said, "path": self.path}
        secrets = [self.bao.root_token, *(secret["value"] for secret in self.lab.secrets())]
        assert leaks({**places, **texts}, secrets) == []

    def history(self) -> list[tuple[float, dict[str, str]]]:
        """All versions of the document, with the time of each."""
        found = []
        for number in sorted(map(int, self.bao.do("GET", f"secret/metadata/{self.path}")["data"]["versions"])):
            version = self.bao.do("GET", f"secret/data/{self.path}?version={number}")["data"]
            found.append((moment(version["metadata"]["created_time"]) or 0.0, version["data"]))
        return found

    def assert_history(self) -> None:
        """No lease began while another one ran, and each token was stored as pending before it was used."""
        history = self.history()
        for (written_at, before), (created_at, fields) in itertools.pairwise(history):
            about = [{name: value[:40] for name, value in fields.items()} for _time, fields in history]
            holder = before.get("lease_holder")
            if holder and fields.get("lease_holder", holder) != holder:
                assert created_at >= written_at + float(before["lease_seconds"]), ("two leases", about)
            token = fields.get("token")
            if token and token != before.get("token"):
                assert token == before.get("pending_token"), ("a token was not stored first", about)
