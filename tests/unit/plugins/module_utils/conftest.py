# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the lifecycle tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    FileWorld,
    SharedWorld,
    World,
)


@pytest.fixture(params=["memory", "file", "shared"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """A world with each store."""
    return {"memory": World, "file": lambda: FileWorld(tmp_path), "shared": SharedWorld}[request.param]()


@pytest.fixture(params=["memory", "file"])
def local_world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """A world whose store has no clock of its own."""
    return World() if request.param == "memory" else FileWorld(tmp_path)


@pytest.fixture
def file_world(tmp_path: Path) -> FileWorld:
    return FileWorld(tmp_path)
