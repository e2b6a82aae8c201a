# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refused credential is tried once, however many tasks wait for the same store."""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.lifecycle import Lifecycle
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.options import LifecycleOptions
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.refusal import Refusal
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.store import ANY_VERSION, Writer
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import (
    MemorySource,
    Server,
    Steps,
)

TASKS = 12
PASSWORD = "a-wrong-password"


class Queue:
    """Counts those that wait for the right to write. The first one keeps it until all of them do."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()
        self.is_full = threading.Event()

    def join(self) -> None:
        with self._lock:
            self._left -= 1
            if not self._left:
                self.is_full.set()


class QueuedStore(FileStore):
    def __init__(self, path: str, queue: Queue) -> None:
        super().__init__(path, Runtime())
        self._queue = queue

    @contextmanager
    def exclusive(  # type: ignore[override]
        self, timeout: float, version: Hashable = ANY_VERSION
    ) -> Iterator[Writer]:
        self._queue.join()
        with super().exclusive(timeout) as writer:
            yield writer


class RefusedSource(MemorySource):
    """A server that refuses the password once all tasks wait."""

    def __init__(self, server: Server, queue: Queue, password: str, status: int = 401) -> None:
        super().__init__(server, Steps())
        self._queue, self._password, self._status = queue, password, status

    @property
    def credential(self) -> Optional[Secret]:
        return Secret(self._password)

    def create(self) -> Token:
        assert self._queue.is_full.wait(60)
        self._server.calls.append("create")
        raise ApiError(self._status, code="7", message="no", doing="sign in", host="h", advice="Check the password.")


def outcomes(path: Path, server: Server, passwords: list[str], status: int = 401) -> list[TokensError]:
    """The errors of tasks that wait for one store, one for each password."""
    queue = Queue(len(passwords))

    def run(password: str) -> TokensError:
        source = RefusedSource(server, queue, password, status)
        with pytest.raises(TokensError) as caught:
            Lifecycle(source, LifecycleOptions(), QueuedStore(str(path), queue), Runtime()).run()
        return caught.value

    with ThreadPoolExecutor(len(passwords)) as pool:
        return list(pool.map(run, passwords))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


def test_tasks_that_wait_for_a_refused_task_do_not_try_again(path: Path) -> None:
    server = Server()
    errors = outcomes(path, server, [PASSWORD] * TASKS)
    assert server.calls == ["create"]
    facts = {(error.status, error.code, error.doing, error.host) for error in errors if isinstance(error, ApiError)}
    assert facts == {(401, "7", "sign in", "h")}
    assert sum("did not try again" in error.advice for error in errors) == TASKS - 1


def test_another_credential_is_tried(path: Path) -> None:
    server = Server()
    outcomes(path, server, [PASSWORD, "another-wrong-password"])
    assert server.calls == ["create"] * 2


def test_an_error_of_a_server_is_not_a_refusal(path: Path) -> None:
    server = Server()
    outcomes(path, server, [PASSWORD] * 2, status=500)
    assert server.calls == ["create"] * 2


def test_a_task_that_starts_after_the_refusal_tries_again(path: Path) -> None:
    """The password may be right by then."""
    server = Server()
    for _task in range(2):
        outcomes(path, server, [PASSWORD])
    assert server.calls == ["create"] * 2


def test_a_stored_refusal_does_not_contain_the_credential(path: Path) -> None:
    outcomes(path, Server(), [PASSWORD])
    content = path.with_name("token.json.lock").read_bytes()
    assert PASSWORD.encode() not in content
    assert Secret(PASSWORD).fingerprint.encode() not in content
    assert os.stat(path.with_name("token.json.lock")).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"digest": 1}', b"x" * 200_000])
def test_other_content_of_a_lock_file_is_not_a_refusal(path: Path, content: bytes) -> None:
    path.with_name("token.json.lock").write_bytes(content)
    store = FileStore(str(path), Runtime())
    refusal = Refusal.of(ApiError(401), Secret(PASSWORD), 1.0)
    with store.exclusive(0) as writer:
        assert writer.refusal() is None
        writer.note_refusal(refusal)
    with store.exclusive(0) as writer:
        assert writer.refusal() == refusal
        assert refusal.concerns(Secret(PASSWORD), 0.5)
        assert not refusal.concerns(Secret(PASSWORD), 1.5)
