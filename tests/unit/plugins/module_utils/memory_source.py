# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A product and a store in memory, for tests of the lifecycle in which a run is killed at any step.

Time passes only when a test says so: on the server, whose clock a source learns from its first response.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    DamagedRecord,
    ResponseLost,
    StoreBusy,
    StoreError,
    TokensError,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle import file_store
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.refusal import Refusal
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.source import TokenSource
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.store import ANY_VERSION, Store, Stored, Writer

HOST, PRINCIPAL, SCHEME = "memory.example.com", "me", "Bearer"


class Crash(BaseException):
    """The process is killed here."""


@dataclass
class Steps:
    """All effects of a run, in order. The process is killed at one of these steps, and does nothing more."""

    crash_at: Optional[int] = None
    done: list[str] = field(default_factory=list)
    _number: int = 0
    has_died: bool = False

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One effect, with a possible kill before it and one after it."""
        self._maybe_die()
        yield
        self.done.append(name)
        self._maybe_die()

    def _maybe_die(self) -> None:
        self._number += 1
        if self.has_died or self._number == self.crash_at:
            self.has_died = True
            raise Crash


@dataclass
class Server:
    """The state of the product. `offset` is its clock minus that of the test's machine."""

    lifetime: Optional[float] = 3600.0
    offset: float = 0.0
    alive: dict[str, Optional[float]] = field(default_factory=dict)
    minted: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    refuses_new_tokens: bool = False
    cannot_revoke_now: bool = False
    does_not_revoke: bool = False
    gateway_blocks_revocations: bool = False
    loses_responses: bool = False
    is_down: bool = False
    is_down_for_probes: bool = False
    gives_companions: bool = False
    names: dict[str, str] = field(default_factory=dict)
    """The tokens by their names."""
    gives_names: bool = False
    is_slow: bool = False
    """Whether a token whose response was lost does not exist yet when it is looked for."""

    def now(self) -> float:
        return time.time() + self.offset

    def mint(self, age: float = 0.0) -> Token:
        """A token that is valid until it expires, issued `age` seconds ago."""
        value = f"token-{len(self.minted):03}-{'x' * 12}"
        # A document has whole seconds.
        issued_at = float(int(self.now() - age))
        expires_at = None if self.lifetime is None else issued_at + self.lifetime
        self.minted.append(value)
        self.alive[value] = expires_at
        companions = {"id_token": Secret(f"companion-of-{value}")} if self.gives_companions else {}
        return Token(Secret(value), SCHEME, issued_at, expires_at, companions=companions)

    def accepts(self, token: Optional[Token]) -> bool:
        """Whether the token is valid."""
        return token is not None and token.secret.reveal() in self.working()

    def working(self) -> set[str]:
        """The values of all valid tokens."""
        return {value for value, end in self.alive.items() if end is None or end > self.now()}


class MemorySource(TokenSource):
    """The server, as the lifecycle sees it in one run."""

    product = "memory"
    can_revoke = True

    def __init__(self, server: Server, steps: Steps, *, can_revoke: bool = True) -> None:
        self.can_revoke = can_revoke  # type: ignore[misc]
        self._server, self._steps = server, steps
        self._offset: Optional[float] = None
        self._name: Optional[str] = None
        self.principal_of_options: Optional[str] = PRINCIPAL
        self.before_call: Callable[[str], None] = lambda call: None

    @property
    def host(self) -> str:
        return HOST

    @property
    def principal(self) -> Optional[str]:
        return self.principal_of_options

    @property
    def clock_offset(self) -> Optional[float]:
        return self._offset

    def from_user(self, secret: Secret) -> Token:
        return Token(secret, SCHEME)

    def missing(self, token: Token) -> str:
        return "companion" if self._server.gives_companions and not token.companions else ""

    def announce(self) -> Optional[str]:
        self._name = f"name-{len(self._server.minted):03}" if self._server.gives_names else None
        return self._name

    def revoke_announced(self, name: str) -> bool:
        with self._call(f"revoke named {name}"):
            if self._server.cannot_revoke_now:
                raise TokensError("the server is busy", doing="revoke a token", host=HOST)
            value = None if self._server.is_slow else self._server.names.pop(name, None)
            return self._server.alive.pop(value or "", 0) != 0

    def create(self) -> Token:
        with self._call("create"):
            token = self._server.mint()
            if self._name:
                self._server.names[self._name] = token.secret.reveal()
                token = replace(token, facts={"token_name": self._name})
            if self._server.refuses_new_tokens:
                del self._server.alive[token.secret.reveal()]
        if self._server.loses_responses:
            raise ResponseLost("the connection was closed", left_behind="A token may be left")
        return token

    def is_accepted(self, token: Token, now: float) -> bool:
        with self._call(f"probe {token.secret.reveal()}"):
            if self._server.is_down_for_probes:
                raise ResponseLost("the connection was closed", doing="check a token", host=HOST)
            return self._server.accepts(token)

    def revoke(self, token: Token) -> bool:
        with self._call(f"revoke {token.secret.reveal()}"):
            if self._server.cannot_revoke_now:
                raise TokensError("the server is busy", doing="revoke a token", host=HOST)
            was_alive = self._server.accepts(token)
            if not self._server.does_not_revoke:
                self._server.alive.pop(token.secret.reveal(), None)
            return was_alive

    @contextmanager
    def _call(self, call: str) -> Iterator[None]:
        self.before_call(call)
        with self._steps.step(call):
            self._server.calls.append(call)
            if self._server.is_down:
                raise TokensError("the server is down", host=HOST)
            self._offset = self._server.offset
            yield


class MemoryStore(Store):
    """The second store: a record in memory, with a possible kill before and after each change."""

    location = "memory"

    def __init__(self) -> None:
        self.record: Optional[Record] = None
        self.is_damaged = False
        self.refusal: Optional[Refusal] = None
        self.aside = 0
        self.timeouts: list[float] = []
        self.steps = Steps()
        self.before_exclusive: Callable[[], object] = lambda: None
        self.reserve_error: Optional[StoreError] = None
        self.write_error: Optional[StoreError] = None
        self._version = 0
        self._lock = threading.Lock()

    def is_empty(self) -> bool:
        return self.record is None and not self.is_damaged

    def read(self) -> Stored:
        if self.is_damaged:
            raise DamagedRecord("the record in memory is damaged")
        return Stored(self.record, self._version if self.record else None)

    @contextmanager
    def exclusive(self, timeout: float, version: Hashable = ANY_VERSION) -> Iterator[Writer]:
        self.timeouts.append(timeout)
        self.before_exclusive()
        if not self._lock.acquire(timeout=timeout):
            raise StoreBusy("another task writes")
        try:
            yield MemoryWriter(self)
        finally:
            self._lock.release()

    def put(self, record: Optional[Record], *, is_damaged: bool = False) -> None:
        """Replace the stored record, regardless of locks."""
        self.record, self.is_damaged = record, is_damaged
        self._version += 1


class MemoryWriter(Writer):
    """The right to write into memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def reserve(self) -> None:
        if self._store.reserve_error:
            raise self._store.reserve_error

    def write(self, record: Record) -> None:
        if self._store.write_error:
            raise self._store.write_error
        with self._store.steps.step("write"):
            self._store.put(record)

    def refusal(self) -> Optional[Refusal]:
        return self._store.refusal

    def note_refusal(self, refusal: Refusal) -> None:
        self._store.refusal = refusal

    def remove(self) -> None:
        with self._store.steps.step("remove"):
            self._store.put(None)

    def move_aside(self) -> str:
        with self._store.steps.step("move aside"):
            self._store.put(None)
            self._store.aside += 1
        return "It was moved aside."


class SteppedFileStore(FileStore):
    """The first store: a file, with a possible kill before and after each change on disk, and without syncing."""

    def __init__(self, path: Path, runtime: Runtime, steps: Steps) -> None:
        super().__init__(str(path), runtime)
        self._steps = steps

    @contextmanager
    def exclusive(  # type: ignore[override]
        self, timeout: float, version: Hashable = ANY_VERSION
    ) -> Iterator[Writer]:
        original = file_store.os
        with super().exclusive(timeout) as writer:
            file_store.os = _SteppedOs(self._steps)  # type: ignore[assignment]
            try:
                yield writer
            finally:
                file_store.os = original


class _SteppedOs:
    """The module os, whose changes on disk are steps."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        original = getattr(os, name)
        if name == "fsync":
            return lambda descriptor: None
        step = {"replace": "write", "unlink": "remove", "rename": "move aside"}.get(name)
        if step is None:
            return original

        def stepped(*args: Any) -> Any:
            with self._steps.step(step):
                return original(*args)

        return stepped
