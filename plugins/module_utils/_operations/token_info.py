# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""token_info: report stored tokens and their remaining lifetime, without secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Optional

from .._core.argspec import TRANSPORT, ArgumentSpec
from .._core.errors import InvalidOption, StoreError
from .._core.outcome import Outcome
from .._core.runtime import Runtime
from .._core.token import Token, iso8601
from .._lifecycle.file_store import FileStore
from .._lifecycle.options import LIFECYCLE
from .._lifecycle.record import Record
from .._lifecycle.store import Store
from .._lifecycle.store_options import TOKEN_STORE
from .base import Operation
from .selection import there_is
from .vault_store import shared_store


class TokenInfo(Operation):
    """Read token files and stores. Nothing is written, and no product is contacted."""

    name = "sddc.tokens.token_info"
    argument_spec = ArgumentSpec(
        {
            "paths": {"type": "list", "elements": "path"},
            "stores": {"type": "list", "elements": "dict", "spec": TOKEN_STORE},
            "min_remaining": LIFECYCLE.options["min_remaining"],
            **TRANSPORT.options,
        },
        required_one_of=(("paths", "stores"),),
    )

    def __init__(self, params: Mapping[str, Any], runtime: Runtime) -> None:
        super().__init__(params, runtime)
        # An event source runs again and again, and signs in once.
        self._stores = [
            (options["url"], f"{options['mount']}/{options['path']}", shared_store(self, options, "stores"))
            for options in params["stores"] or ()
        ]

    def run(self) -> Outcome:
        """Report what is unusable as an entry with an error, not as a failure."""
        given = map(os.path.abspath, self.params["paths"] or ())
        paths = dict.fromkeys(path for each in given for path in self._files(each))
        files = [self._file(path) for path in paths]
        stores = [
            {**self._entry(path, store, f"There is no token in {store.location}."), "url": url}
            for url, path, store in self._stores
        ]
        return Outcome(False, "none", values={"token_files": files, "token_stores": stores})

    def _files(self, path: str) -> list[str]:
        if not os.path.isdir(path):
            return [path]
        try:
            found = sorted(entry.path for entry in os.scandir(path))
        except OSError as error:
            raise InvalidOption(
                "paths",
                f"contains a folder that cannot be read: {path}: {error.strerror}",
                advice="Check that the user who runs the task can read it.",
            ) from None
        files = [file for file in found if file.endswith(".json")]
        if not files:
            self.runtime.warn(
                f"The folder {path} contains no file whose name ends with .json. Check the option paths "
                f"{there_is(map(os.path.basename, found), self.runtime.redactor)}."
            )
        return files

    def _file(self, path: str) -> dict[str, Any]:
        store = FileStore(path, self.runtime, read_only=True)
        return self._entry(path, store, f"There is no file {path}.")

    def _entry(self, path: str, store: Store, missing: str) -> dict[str, Any]:
        try:
            record, _version = store.read()
        except StoreError as error:
            return _without_token(path, "unusable", str(error))
        if record is None:
            return _without_token(path, "missing", missing)
        return self._described(path, record)

    def _described(self, path: str, record: Record) -> dict[str, Any]:
        token, now = record.current, self.runtime.clock.time() + record.offset_of(self.runtime.clock)
        expires_in = token.expires_in(now) if token else None
        status = self._status(token, now)
        return {
            "path": path,
            "product": record.product,
            "host": record.host,
            "principal": record.principal,
            "issued_at": iso8601(token.issued_at) if token else None,
            "expires_at": iso8601(token.expires_at) if token else None,
            "expires_in": None if expires_in is None else max(0, int(expires_in)),
            "fingerprint": token.fingerprint if token else None,
            "usable": status == "valid",
            "status": status,
            "error": None,
        }

    def _status(self, token: Optional[Token], now: float) -> str:
        if token is None:
            return "unusable"
        if token.is_lasting(now, self.params["min_remaining"]):
            return "valid"
        return "expired" if token.has_expired(now) else "expiring"


def _without_token(path: str, status: str, error: str) -> dict[str, Any]:
    facts = ("product", "host", "principal", "issued_at", "expires_at", "expires_in", "fingerprint")
    return {"path": path, **dict.fromkeys(facts), "usable": False, "status": status, "error": error}
