# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the requests that two clients send to the lab for the same operations.

A product's file has a table of operations, each with the call of the vendor's client and that of ours, and a table of
deliberate differences with their reasons. A difference that is not in the table is an error, and so is an entry that no
longer occurs.
"""

from __future__ import annotations

import json
import urllib.parse
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session, SessionOptions
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl

if TYPE_CHECKING:
    from lab.client import Lab, LoggedRequest

# The page size, where a client lists page by page.
PAGE_SIZE = 2
# A word that must be encoded in a path.
RESERVED = "a b/c?d#e"
ESCAPED = (
    "The vendor's client escapes blanks only, and so requests another path. An id must be one segment of the path."
)

Difference = tuple[str | None, str | None]
"""The values that the vendor's client and ours send. None means no such value."""

# These belong to the HTTP library and not to the API. avisdk reports its own timeout in `timeout`.
_OF_THE_LIBRARY = ("host", "user-agent", "accept-encoding", "connection", "content-length", "timeout")
# Each client has its own session with other values.
_OF_THE_SESSION = ("x-csrftoken", "x-xsrf-token", "vmware-api-session-id")


@dataclass(frozen=True)
class Operation:
    """The same request of an API by the vendor's client and by ours. `before` runs before each of the two."""

    theirs: Callable[[Any], object]
    ours: Callable[[Any], object]
    before: Callable[[Any], object] = id


@dataclass(frozen=True)
class Deliberate:
    """A deliberate difference in all these operations, with the reason."""

    operations: tuple[str, ...]
    aspect: str
    theirs: str | None
    ours: str | None
    reason: str


def session(lab: Lab, product: str, module: ModuleType, url: str | None = None) -> Session:
    """Open a session of our client as our modules do."""
    options = SessionOptions(ca_path=lab.ca_path, retries=0)
    base_url = BaseUrl.parse(url or lab[product]["url"])
    return Session(base_url, options, error_facts=module.error_facts, runtime=Runtime())


def differences(lab: Lab, product: str, operation: Operation, clients: Any) -> dict[str, Difference]:
    """Run the operation with both clients and return the differences of their requests by aspect."""
    theirs = _sent(lab, product, operation, operation.theirs, clients)
    ours = _sent(lab, product, operation, operation.ours, clients)
    assert theirs, "the vendor's client sent no request"
    if len(theirs) != len(ours):
        return {"requests": (_sequence(theirs), _sequence(ours))}
    found: dict[str, set[Difference]] = defaultdict(set)
    for their, our in zip(theirs, ours, strict=True):
        for aspect in {**their, **our}:
            if their.get(aspect) != our.get(aspect):
                found[aspect].add((their.get(aspect), our.get(aspect)))
    return {aspect: _only(pairs) for aspect, pairs in found.items()}


def meant(table: Iterable[Deliberate], name: str) -> dict[str, Difference]:
    """Return the differences of one operation that the table documents, by aspect."""
    return {entry.aspect: (entry.theirs, entry.ours) for entry in table if name in entry.operations}


def assert_told_once(table: Iterable[Deliberate], operations: Iterable[str]) -> None:
    """Check that each difference of an operation has one entry with a reason."""
    told = [(name, entry.aspect) for entry in table for name in entry.operations]
    assert len(told) == len(set(told))
    assert {name for name, _aspect in told} <= set(operations)
    assert all(entry.reason for entry in table)


def _sent(
    lab: Lab, product: str, operation: Operation, act: Callable[[Any], object], clients: Any
) -> list[dict[str, str]]:
    operation.before(clients)
    lab.clear_requests()
    act(clients)
    return [dict(_aspects(entry)) for entry in lab.requests(product)]


def _sequence(requests: Iterable[dict[str, str]]) -> str:
    return ", ".join(f"{request['method']} {request['path']}" for request in requests)


def _only(pairs: set[Difference]) -> Difference:
    """Return the one difference; where requests differ in several ways, everything that each client sends."""
    if len(pairs) == 1:
        return pairs.pop()
    theirs, ours = (sorted(str(pair[side]) for pair in pairs) for side in (0, 1))
    return " | ".join(theirs), " | ".join(ours)


def _aspects(entry: LoggedRequest) -> Iterator[tuple[str, str]]:
    """Return the compared aspects of a request, by name. Order and case are ignored where HTTP ignores them."""
    yield "method", entry.method
    yield "path", entry.path
    for part in filter(None, entry.query.split("&")):
        name, _mark, value = part.partition("=")
        yield f"query {name}", value
    for name, value in ((name.lower(), value) for name, value in entry.headers):
        if name == "cookie":
            for cookie in value.split(";"):
                yield f"cookie {cookie.partition('=')[0].strip()}", "present"
        elif name not in _OF_THE_LIBRARY:
            yield f"header {name}", "present" if name in _OF_THE_SESSION else value
    if entry.body:
        yield "body", _canonical(entry.body, entry.header("Content-Type") or "")


def _canonical(body: str, content_type: str) -> str:
    """Return a body in a form in which equivalent bodies are equal."""
    if content_type.startswith("application/x-www-form-urlencoded"):
        return json.dumps(sorted(urllib.parse.parse_qsl(body, keep_blank_values=True)))
    return json.dumps(json.loads(body), sort_keys=True)
