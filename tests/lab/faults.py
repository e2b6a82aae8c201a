# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The active faults and the requests that they match. `fault_kinds` defines what they do."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

from . import typed
from .fault_kinds import KINDS, Answer, Call, Kind
from .product import Handler, host_of


@dataclass
class Match:
    """The requests that a fault matches. `path` is a regular expression that is searched in the raw path and query."""

    product: str
    host: str | None = None
    method: str | None = None
    path: str | None = None

    def fits(self, product: str, request: web.Request) -> bool:
        """Whether the request matches."""
        return (
            self.product == product
            and self.host in (None, host_of(request))
            and self.method in (None, request.method)
            and (self.path is None or re.search(self.path, request.raw_path) is not None)
        )


@dataclass
class Fault:
    """A rule: after `skip` matching requests the fault affects the next `times` (0: until it is cleared)."""

    id: int
    match: Match
    kind: Kind
    skip: int = 0
    times: int = 1
    struck: int = 0
    cleared: asyncio.Event = field(default_factory=asyncio.Event)

    def as_json(self) -> dict[str, Any]:
        """Return the rule as the control API shows it."""
        return {
            "id": self.id,
            "match": asdict(self.match),
            "kind": self.kind.name,
            "parameters": asdict(self.kind),  # type: ignore[call-overload]
            "skip": self.skip,
            "times": self.times,
            "struck": self.struck,
        }

    def strikes_now(self) -> bool:
        """Count a matching request and return whether the fault affects it."""
        if self.skip:
            self.skip -= 1
            return False
        self.struck += 1
        return True

    @property
    def is_spent(self) -> bool:
        """Whether the fault has affected as many requests as it should."""
        return bool(self.times) and self.struck >= self.times


@dataclass
class _Order:
    """The JSON of `POST /faults`."""

    match: dict[str, Any]
    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)
    skip: int = 0
    times: int = 1


class FaultTable:
    """The active faults, in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def order(self, values: Mapping[str, Any]) -> Fault:
        """Add a fault."""
        order = typed.build(_Order, values)
        if order.kind not in KINDS:
            raise typed.Mismatch(f"kind: {order.kind!r} is not one of {', '.join(sorted(KINDS))}")
        if order.skip < 0 or order.times < 0:
            raise typed.Mismatch("skip and times must not be negative")
        match = typed.build(Match, order.match)
        _compiled(match.path)
        kind = typed.build(KINDS[order.kind], order.parameters)
        fault = Fault(next(self._ids), match, kind, order.skip, order.times)
        self._faults.append(fault)
        return fault

    def all(self) -> list[Fault]:
        """Return all faults that were not cleared, including those that are used up."""
        return list(self._faults)

    def pick(self, product: str, request: web.Request) -> list[Fault]:
        """Return the faults for this request: every matching modifier, and the first of the others."""
        struck: list[Fault] = []
        for fault in self._faults:
            taken = not fault.kind.is_modifier and any(not other.kind.is_modifier for other in struck)
            if not taken and not fault.is_spent and fault.match.fits(product, request) and fault.strikes_now():
                struck.append(fault)
        return struck

    def clear(self, number: int | None = None) -> int:
        """Clear one fault or all. Requests that a fault delays continue at once."""
        chosen = [fault for fault in self._faults if number in (None, fault.id)]
        for fault in chosen:
            fault.cleared.set()
            self._faults.remove(fault)
        return len(chosen)


def _compiled(pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as problem:
        raise typed.Mismatch(f"path: {pattern!r} is not a valid regular expression: {problem}") from problem


async def strike(faults: list[Fault], request: web.Request, handler: Handler) -> web.StreamResponse:
    """Handle the request with the faults, modifiers outermost."""

    async def work() -> web.StreamResponse:
        response = await handler(request)
        request["entry"].work_status = response.status
        return response

    answer: Answer = work
    for fault in sorted(faults, key=lambda fault: fault.kind.is_modifier):
        answer = fault.kind.bound(Call(request, answer, fault.cleared))
    return await answer()
