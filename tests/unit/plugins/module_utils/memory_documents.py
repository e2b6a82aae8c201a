# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of a shared store in memory, with a place to crash before and after each write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import WriteConflict, WriteUnknown
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import Fields
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.shared_store import Documents, Version
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import Server, Steps


def _without_lease(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if not name.startswith("lease_") and name != "schema"}


class MemoryDocuments(Documents):
    """A server that keeps the versions of one document, in memory, with a place to crash before and after each write.

    `before_write` may raise, or write by itself; `loses_responses` counts writes that go through unnoticed.
    """

    location = "memory"

    def __init__(self, server: Server) -> None:
        self._server = server
        self.version = Version({}, 0, 0.0, 0.0, 0.0)
        self.steps = Steps()
        self.reads = self.writes = 0
        self.before_write: Callable[[Fields], object] = lambda fields: None
        self.loses_responses = 0
        # How many further reads, and writes, a node that is behind answers from this version.
        self.stale: list[Version] = []

    def read(self) -> Version:
        self.reads += 1
        version = self.stale.pop() if self.stale else self.version
        return replace(version, read_at=self._server.now(), clock_offset=self._server.offset)

    def write(self, fields: Fields, replaces: int) -> Version:
        self.before_write(fields)
        self.writes += 1
        if replaces != (self.stale[-1] if self.stale else self.version).number:
            raise WriteConflict("another version is the latest")
        if self.stale:
            self.stale.pop()
            raise WriteConflict("this node is behind")
        with self.steps.step("write" if _without_lease(fields) != _without_lease(self.version.fields) else "lease"):
            self.put(fields)
        if self.loses_responses:
            self.loses_responses -= 1
            raise WriteUnknown("the connection was closed")
        return self.read()

    def put(self, fields: Fields) -> None:
        """Write a version, whoever does it."""
        now = self._server.now()
        self.version = Version(dict(fields), self.version.number + 1, now, now, self._server.offset)
