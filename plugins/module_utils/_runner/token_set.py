# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""token_set: many tokens in one task. Each entry runs as the module of its product, in threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Optional

from .._core.errors import InvalidOption, SomeFailed, TokensError
from .._core.outcome import Outcome
from .._core.runtime import Runtime
from .._core.secret import Secret
from .._operations.base import Operation
from .entries import SHARED, Entry, TokenSetSpec, groups_by_store, validated_entries
from .execution import execute

_MOST_THREADS = 64
_MOST_NAMED = 5
# Number of tokens from which on a task reports its progress.
_LONG = 20
_FACTS = ("action", "changed", "expires_at", "expires_in", "fingerprint")

Result = Mapping[str, Any]


class TokenSet(Operation):
    """Keep each token of a list valid. A failed entry does not stop the others."""

    name = "sddc.tokens.token_set"
    argument_spec = TokenSetSpec(
        {
            # TokenSetSpec finds the secrets of each entry.
            "tokens": {"type": "list", "elements": "dict", "required": True, "no_log": False},
            "concurrency": {"type": "int", "default": 8},
            **SHARED.options,
        }
    )

    def __init__(self, params: Mapping[str, Any], runtime: Runtime) -> None:
        super().__init__(params, runtime)
        for secret in self.argument_spec.secrets_in(params):
            runtime.redactor.hide(Secret(secret))
        self._request_count = 0
        self._lock = threading.Lock()

    @property
    def request_count(self) -> int:
        """The HTTP requests of all entries, and those to their stores."""
        return self._request_count + super().request_count

    def run(self) -> Outcome:
        params = self.params
        if not 1 <= params["concurrency"] <= _MOST_THREADS:
            raise InvalidOption("concurrency", f"must be between 1 and {_MOST_THREADS}")
        self._resources.connections = params["concurrency"]
        entries = validated_entries(params["tokens"], _plain({name: params[name] for name in SHARED.options}))
        results = self._run_all(entries)
        self._warn(entries, results)
        self._request_count = sum(result["request_count"] for result in results)
        changed = any(result["changed"] for result in results)
        return Outcome(
            changed,
            "updated" if changed else "none",
            values={"tokens": [_reported(entry, result) for entry, result in zip(entries, results)]},
            error=_summary(entries, results),
            diff=_diff(entries, results),
        )

    def _run_all(self, entries: Sequence[Entry]) -> list[Result]:
        """The results, in the order of the entries."""
        results: dict[str, Result] = {}
        groups = groups_by_store(entries)

        def run_group(group: Sequence[Entry]) -> int:
            results.update({entry.name: self._run_one(entry) for entry in group})
            return len(group)

        progress = _quarters(len(entries))
        done = 0
        with ThreadPoolExecutor(max_workers=min(self.params["concurrency"], len(groups) or 1)) as pool:
            for handled in pool.map(run_group, groups):
                done += handled
                while progress and done >= progress[0]:
                    self._notify(f"{progress.pop(0)} of {len(entries)} tokens done")
        return [results[entry.name] for entry in entries]

    def _run_one(self, entry: Entry) -> Result:
        runtime = replace(
            self.runtime,
            notify=lambda message: self._notify(f"token '{entry.name}': {message}"),
            resources=self._resources,
        )
        return execute(entry.operation, entry.params, runtime, diff_mode=True)

    def _notify(self, message: str) -> None:
        with self._lock:
            self.runtime.notify(message)

    def _warn(self, entries: Sequence[Entry], results: Sequence[Result]) -> None:
        """Pass on each warning once, with the names of its entries."""
        names: dict[str, list[str]] = {}
        for entry, result in zip(entries, results):
            for warning in (*entry.warnings, *result["warnings"]):
                names.setdefault(warning, []).append(entry.name)
        for warning, warned in names.items():
            self.runtime.warn(f"{'token' if len(warned) == 1 else 'tokens'} {_listed(warned)}: {warning}")


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as a user sets them, with secrets in plain text."""
    return {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in params.items()
        if value is not None
    }


def _quarters(number: int) -> list[int]:
    """The numbers of tokens after which progress is reported; empty for a short list."""
    return [number * quarter // 4 for quarter in (1, 2, 3)] if number >= _LONG else []


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in names[:_MOST_NAMED])
    return listed if len(names) <= _MOST_NAMED else f"{listed} and {len(names) - _MOST_NAMED} more"


def _reported(entry: Entry, result: Result) -> dict[str, Any]:
    """The entry in the result, without secrets."""
    facts = {name: result.get(name) for name in _FACTS}
    return {"name": entry.name, "product": entry.product, **facts, "error": result.get("msg")}


def _diff(entries: Sequence[Entry], results: Sequence[Result]) -> dict[str, Any]:
    """Before and after of each changed token, by name."""
    before, after = {}, {}
    for entry, result in zip(entries, results):
        if result["changed"]:
            shown = result.get("diff", {"before": {}, "after": {}})
            before[entry.name] = shown["before"]
            after[entry.name] = {"action": result["action"], **shown["after"]}
    return {"before": before, "after": after}


def _failed(entries: Sequence[Entry], results: Sequence[Result]) -> Iterator[tuple[str, str]]:
    for entry, result in zip(entries, results):
        if result.get("failed"):
            yield entry.name, result["msg"]


def _summary(entries: Sequence[Entry], results: Sequence[Result]) -> Optional[TokensError]:
    failed = list(_failed(entries, results))
    if not failed:
        return None
    name, message = failed[0]
    return SomeFailed(
        f"{len(failed)} of {len(entries)} tokens failed: {_listed([name for name, _message in failed])}. "
        f"The first error, of token '{name}': {message}",
        advice="See 'error' of each entry in the result 'tokens'.",
    )
