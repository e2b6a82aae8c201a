# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the lifecycle with a server and a store, in memory or on disk, any of which can be killed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    DamagedRecord,
    TokensError,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.outcome import Outcome
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import SYSTEM_CLOCK, Clock, Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Run as PlaybookRun
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import fields_of
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import record_of as record_in
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.lifecycle import Lifecycle
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.options import LifecycleOptions
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record, serialized
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.shared_store import Documents, SharedStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.store import Store
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_documents import MemoryDocuments
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import (
    HOST,
    PRINCIPAL,
    Crash,
    MemorySource,
    MemoryStore,
    Server,
    SteppedFileStore,
    Steps,
)


@dataclass
class Run:
    """The result of a run."""

    outcome: Optional[Outcome] = None
    error: Optional[BaseException] = None
    warnings: list[str] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)
    calls: list[str] = field(default_factory=list)

    @property
    def result(self) -> tuple[bool, str]:
        assert self.outcome is not None, self.error
        return self.outcome.changed, self.outcome.action


def is_unfinished(record: Record) -> bool:
    """Whether a renewal was interrupted, or a replaced token is still stored."""
    return bool(record.pending or record.superseded)


class World:
    """A server, a store, and runs between them."""

    def __init__(self) -> None:
        self.server = Server()
        self.store = MemoryStore()
        self.clock: Clock = SYSTEM_CLOCK
        self.playbook_run: Optional[PlaybookRun] = None
        self.session_documents: Optional[Documents] = None
        self.source_type: type[MemorySource] = MemorySource
        self.prepare: Callable[[MemorySource], None] = lambda source: None

    def run(
        self,
        *,
        crash_at: Optional[int] = None,
        can_revoke: bool = True,
        in_store: bool = True,
        check_mode: bool = False,
        **options: Any,
    ) -> Run:
        """Run the lifecycle once, and keep its failure or its kill."""
        run = Run(steps=Steps(crash_at))
        source = self.source_type(self.server, run.steps, can_revoke=can_revoke)
        self.prepare(source)
        runtime = Runtime(check_mode, warn=run.warnings.append, clock=self.clock, run=self.playbook_run)
        seen = len(self.server.calls)
        store = self.store_of(runtime, run.steps) if in_store else None
        chosen = LifecycleOptions.from_params({"revoke_old": in_store, **options})
        try:
            run.outcome = Lifecycle(source, chosen, store, runtime, self.session_documents).run()
        except (TokensError, Crash) as error:
            run.error = error
        run.calls = self.server.calls[seen:]
        return run

    def store_of(self, runtime: Runtime, steps: Steps) -> Store:
        """The store, as one run sees it."""
        self.store.steps = steps
        return self.store

    def record(self) -> Optional[Record]:
        """The stored record; None if there is none or it is damaged."""
        return self.store.record

    def has_record(self) -> bool:
        """Whether anything is stored."""
        return not self.store.is_empty()

    def keep(self, **tokens: Any) -> Record:
        """Store a record, as an earlier run would."""
        record = Record(**{"product": "memory", "host": HOST, "principal": PRINCIPAL, **tokens})
        self.put(record)
        return record

    def put(self, record: Record) -> None:
        """Store a record, whoever owns it."""
        self.store.put(record)

    def damage(self) -> None:
        """Make the stored content unreadable."""
        self.store.put(None, is_damaged=True)

    def pass_time(self, seconds: float) -> None:
        """Move the server's clock forward."""
        self.server.offset += seconds

    def let_the_lease_end(self) -> None:
        """Wait until a run that was killed can no longer write, in a store with leases."""


class FileWorld(World):
    """The same with a token file."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.path = folder / "token.json"

    def store_of(self, runtime: Runtime, steps: Steps) -> Store:
        return SteppedFileStore(self.path, runtime, steps)

    def record(self) -> Optional[Record]:
        try:
            return FileStore(str(self.path), Runtime(), read_only=True).read().record
        except DamagedRecord:
            return None

    def has_record(self) -> bool:
        return self.path.exists()

    def put(self, record: Record) -> None:
        self.path.write_bytes(serialized(record))
        self.path.chmod(0o600)

    def damage(self) -> None:
        self.path.write_bytes(b'{"version": 1, ')
        self.path.chmod(0o600)


def record_of(world: World) -> Record:
    """The stored record, which must exist."""
    found = world.record()
    assert found is not None
    return found


class SharedWorld(World):
    """The same with a document that machines share."""

    LEASE, NEEDED = 120.0, 60.0

    def __init__(self) -> None:
        super().__init__()
        self.documents = MemoryDocuments(self.server)

    def store_of(self, runtime: Runtime, steps: Steps) -> Store:
        self.documents.steps = steps
        return SharedStore(
            self.documents, runtime, lease=self.LEASE, needed=self.NEEDED, local_lock=lambda timeout: nullcontext()
        )

    def let_the_lease_end(self) -> None:
        self.pass_time(self.LEASE + 3)

    def record(self) -> Optional[Record]:
        try:
            return record_in(self.documents.version.fields) if self.has_record() else None
        except ValueError:
            return None

    def has_record(self) -> bool:
        return any(name in str(self.documents.version.fields) for name in ("token", "announced"))

    def put(self, record: Record) -> None:
        self.documents.put(fields_of(record, {}))

    def damage(self) -> None:
        self.documents.put({"schema": "1", "token": "without a type"})
