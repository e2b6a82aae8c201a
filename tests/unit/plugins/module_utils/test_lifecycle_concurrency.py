# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many tasks that share one token file: one of them creates the token, and the others use it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import StoreError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.lifecycle import Lifecycle
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.options import LifecycleOptions
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import (
    MemorySource,
    Server,
    Steps,
)
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    FileWorld,
    World,
)


def value(token: Token | None) -> str:
    return token.secret.reveal() if token else ""


def test_many_tasks_that_share_a_file_create_one_token(tmp_path: Path) -> None:
    server, path = Server(), str(tmp_path / "token.json")
    options = LifecycleOptions(lock_timeout=60)
    tokens: list[str] = []

    def work() -> None:
        source = MemorySource(server, Steps())
        outcome = Lifecycle(source, options, FileStore(path, Runtime()), Runtime()).run()
        tokens.append(value(outcome.token))

    threads = [threading.Thread(target=work) for _number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.minted) == 1
    assert tokens == server.minted * 12


def test_task_that_waited_for_the_lock_uses_the_token_of_the_other_one() -> None:
    world = World()
    made: list[Token] = []

    def make_one() -> None:
        if not made:
            made.append(world.server.mint())
            world.keep(current=made[0])

    world.store.before_exclusive = make_one
    run = world.run()
    assert run.result == (False, "reused")
    assert run.outcome is not None
    assert run.outcome.token == made[0]
    assert "create" not in run.calls


def test_probe_of_a_valid_token_does_not_wait_for_the_lock(file_world: FileWorld) -> None:
    file_world.keep(current=file_world.server.mint())
    with FileStore(str(file_world.path), Runtime()).exclusive(0):
        assert file_world.run(lock_timeout=0).result == (False, "reused")


def test_lock_timeout_fails_before_anything_is_created(file_world: FileWorld) -> None:
    with FileStore(str(file_world.path), Runtime()).exclusive(0):
        run = file_world.run(lock_timeout=0.1)
    assert isinstance(run.error, StoreError)
    assert run.calls == []


def test_unrelated_files_of_the_folder_stay(file_world: FileWorld) -> None:
    neighbour = file_world.path.with_name("token.json.backup")
    neighbour.write_text("mine")
    file_world.run()
    file_world.run(state="absent")
    assert neighbour.read_text() == "mine"
    assert sorted(os.listdir(file_world.path.parent)) == ["token.json.backup", "token.json.lock"]
