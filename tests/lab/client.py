# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the lab. It starts the lab, returns its addresses, and calls its control API.

It requires only the command of the lab, and `requests`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

RUN = Path(__file__).resolve().parent / "run"
# Seconds. They only catch hangs, also on a busy machine.
_START_SECONDS = 240.0
_REQUESTS_SECONDS = 240.0
_CONTROL_SECONDS = 300.0


class LabError(Exception):
    """The lab did not start, or refused a control request."""


@dataclass(frozen=True)
class LoggedRequest:
    """One request that a product received."""

    number: int
    time: float
    product: str
    host: str
    method: str
    path: str
    query: str
    headers: list[list[str]]
    body: str
    peer: str
    connection: int
    status: int | None
    work_status: int | None
    fault: str | None
    done: bool
    seconds: float

    def header(self, name: str) -> str | None:
        """Return the value of a header; the case of its name is ignored."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def parameters(self) -> dict[str, str]:
        """Return the query, decoded."""
        return dict(urllib.parse.parse_qsl(self.query, keep_blank_values=True))

    @property
    def line(self) -> str:
        """Return method, path and query, such as `GET /a?b=c`."""
        return f"{self.method} {self.path}{'?' if self.query else ''}{self.query}"


class Lab:
    """A running lab."""

    def __init__(self, details: Mapping[str, Any], process: subprocess.Popen[bytes] | None = None) -> None:
        self.details = details
        self.process = process
        self.ca_path: str = details["ca_path"]
        self._control: str = details["control"]["url"]
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = self.ca_path

    @classmethod
    @contextlib.contextmanager
    def start(
        cls, addresses: int = 0, state_file: str | os.PathLike[str] | None = None, arguments: Sequence[str] = ()
    ) -> Iterator[Lab]:
        """Start a lab, with further arguments of its command, and stop it at the end."""
        with tempfile.TemporaryDirectory(prefix="lab-") as folder:
            path = Path(state_file) if state_file else Path(folder) / "lab.json"
            path.unlink(missing_ok=True)
            command = [sys.executable, str(RUN), "--state-file", str(path), "--addresses", str(addresses), *arguments]
            process = subprocess.Popen(command)
            try:
                with contextlib.closing(cls(awaited(path, process), process)) as lab:
                    yield lab
            finally:
                _stop(process)

    @classmethod
    def attach(cls, state_file: str | os.PathLike[str]) -> Lab:
        """Use a running lab."""
        return cls(json.loads(Path(state_file).read_text(encoding="utf-8")))

    def close(self) -> None:
        """Close the connection to the control API. The lab continues to run."""
        self._session.close()

    def __getitem__(self, product: str) -> dict[str, str]:
        """Return a product's part of the state file: `lab[product]["url"]`."""
        details: dict[str, str] = self.details[product]
        return details

    def url(self, product: str, host: str | None = None) -> str:
        """Return a product's URL, on the first address or on another one."""
        url = self[product]["url"]
        return url if host is None else f"https://{host}:{urllib.parse.urlsplit(url).port}"

    # The log.

    def requests(self, product: str | None = None, host: str | None = None, after: int = 0) -> list[LoggedRequest]:
        """Return the request log."""
        return self._log({"product": product, "host": host, "after": after})

    def wait_for_requests(
        self,
        count: int = 1,
        product: str | None = None,
        host: str | None = None,
        *,
        after: int = 0,
        timeout: float = _REQUESTS_SECONDS,
        finished: bool = True,
    ) -> list[LoggedRequest]:
        """Return the request log after `count` requests have finished, or only arrived (and are held by a fault)."""
        query = {"product": product, "host": host, "after": after, "count": count, "wait": timeout}
        found = self._log(query if finished else {**query, "arrived": 1})
        if sum(entry.done or not finished for entry in found) < count:
            raise LabError(f"only {len(found)} of {count} requests within {timeout} seconds")
        return found

    def clear_requests(self) -> None:
        """Clear the request log."""
        self._call("DELETE", "/requests")

    def _log(self, query: Mapping[str, Any]) -> list[LoggedRequest]:
        return [LoggedRequest(**entry) for entry in self._call("GET", "/requests", query=query)["requests"]]

    # Counts and secrets.

    def state(self, product: str | None = None, host: str | None = None) -> dict[str, dict[str, dict[str, int]]]:
        """Return the counts by product and host."""
        return self._call("GET", "/state", query={"product": product, "host": host})  # type: ignore[no-any-return]

    def counts(self, product: str, host: str = "127.0.0.1") -> dict[str, int]:
        """Return the counts of one product on one host; they are empty before the first request."""
        return self.state(product, host)[product].get(host, {})

    def secrets(self) -> list[dict[str, str]]:
        """Return every secret that was ever created: `kind` and `value`."""
        return self._call("GET", "/secrets")["secrets"]  # type: ignore[no-any-return]

    # Faults.

    def fault(
        self,
        product: str,
        kind: str,
        *,
        host: str | None = None,
        method: str | None = None,
        path: str | None = None,
        skip: int = 0,
        times: int = 1,
        **parameters: Any,
    ) -> int:
        """Add a fault and return its id."""
        match = {"product": product, "host": host, "method": method, "path": path}
        order = {"match": match, "kind": kind, "parameters": parameters, "skip": skip, "times": times}
        return int(self._call("POST", "/faults", body=order)["id"])

    def faults(self) -> list[dict[str, Any]]:
        """List the faults with the number of requests that each has affected."""
        return self._call("GET", "/faults")["faults"]  # type: ignore[no-any-return]

    def clear_faults(self, fault: int | None = None) -> None:
        """Clear one fault or all. Delayed requests continue at once."""
        self._call("DELETE", "/faults" if fault is None else f"/faults/{fault}")

    # Settings, actions and the rest.

    def settings(self, product: str, host: str | None = None) -> dict[str, Any]:
        """Return a product's settings."""
        return self._call("GET", f"/settings/{product}", query={"host": host})  # type: ignore[no-any-return]

    def change_settings(self, product: str, host: str | None = None, **values: Any) -> dict[str, Any]:
        """Change a product's settings, for one host or for all."""
        return self._call("PATCH", f"/settings/{product}", query={"host": host}, body=values)  # type: ignore[no-any-return]

    def act(self, product: str, action: str, **values: Any) -> Any:
        """Run a product's action and return its result."""
        return self._call("POST", f"/actions/{product}/{action}", body=values)["result"]

    def expire_tokens(
        self, product: str | None = None, host: str | None = None, tokens: list[str] | None = None
    ) -> int:
        """Expire the given tokens, or all."""
        return self._end_tokens("expired", product, host, tokens)

    def revoke_tokens(
        self, product: str | None = None, host: str | None = None, tokens: list[str] | None = None
    ) -> int:
        """Revoke the given tokens, or all."""
        return self._end_tokens("revoked", product, host, tokens)

    def _end_tokens(self, ending: str, product: str | None, host: str | None, tokens: list[str] | None) -> int:
        body = {"ending": ending, "product": product, "host": host, "tokens": tokens}
        return int(self._call("POST", "/tokens", body=body)["ended"])

    def addresses(self) -> list[str]:
        """Return the further addresses on which the products listen."""
        return self._call("GET", "/addresses")["addresses"]  # type: ignore[no-any-return]

    def add_addresses(self, count: int, certificate: str = "good") -> list[str]:
        """Listen on more addresses. `certificate` is good, expired, wrong_name or untrusted."""
        body = {"count": count, "certificate": certificate}
        return self._call("POST", "/addresses", body=body)["addresses"]  # type: ignore[no-any-return]

    def tunnels(self) -> list[str]:
        """Return the `name:port` of every tunnel that was requested from the proxy."""
        return self._call("GET", "/tunnels")["tunnels"]  # type: ignore[no-any-return]

    def reset(self) -> None:
        """Restore the initial state: states, faults, log and settings."""
        self._call("POST", "/reset")

    def _call(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
    ) -> Any:
        response = self._session.request(
            method, self._control + path, params=query, json=body, timeout=2 * _REQUESTS_SECONDS
        )
        content = response.json() if response.content else None
        if not response.ok:
            raise LabError(f"{method} {path}: {content['error'] if content else response.status_code}")
        return content


def awaited(path: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return the content of the state file as soon as it exists. It is written atomically."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            details: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return details
        if process.poll() is not None:
            raise LabError(f"the lab exited with code {process.returncode}")
        time.sleep(0.02)
    raise LabError(f"the lab did not start within {_START_SECONDS:.0f} seconds")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
