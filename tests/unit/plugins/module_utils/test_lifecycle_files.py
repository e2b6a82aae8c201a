# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Token files with other content: those of others are refused, damaged ones are moved aside."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ForeignRecord
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    FileWorld,
    World,
    record_of,
)


def value(token: Token | None) -> str:
    return token.secret.reveal() if token else ""


FOREIGN = pytest.mark.parametrize(
    "other", [{"product": "another"}, {"host": "other.example.com"}, {"principal": "somebody else"}], ids=str
)


@FOREIGN
@pytest.mark.parametrize(
    "options", [{}, {"renew": "always"}, {"check_mode": True}, {"state": "absent"}, {"verify": False}], ids=str
)
def test_the_token_of_another_product_server_or_user_is_refused_unchanged(
    world: World, other: dict[str, str], options: dict[str, Any]
) -> None:
    before = world.keep(current=world.server.mint(), **other)
    run = world.run(**options)
    assert isinstance(run.error, ForeignRecord)
    assert next(iter(other.values())) in run.error.cause
    assert "replace_foreign" in run.error.advice
    assert (run.calls, world.record()) == ([], before)


@FOREIGN
def test_a_token_of_another_user_is_replaced_with_consent_and_never_sent(world: World, other: dict[str, str]) -> None:
    foreign = world.server.mint()
    world.keep(current=foreign, **other)
    assert world.run(replace_foreign=True, state="absent").result == (False, "none")
    assert world.run(replace_foreign=True, check_mode=True).result == (True, "created")
    run = world.run(replace_foreign=True)
    assert run.result == (True, "created")
    assert len(run.warnings) == 1
    assert not any(value(foreign) in call for call in run.calls)
    assert record_of(world).belongs_to("memory", "memory.example.com", "me")
    assert value(record_of(world).current) == world.server.minted[-1]


@pytest.mark.parametrize("options", [{}, {"state": "absent"}, {"check_mode": True}, {"replace_foreign": True}], ids=str)
@pytest.mark.parametrize(
    "content", [b"a shopping list", b"{}", b'{"a": 1}', b'{"current": null, "version": 1}', b'{"version": 2}', b"\x00"]
)
def test_a_file_of_another_kind_is_refused_before_any_request_and_left_unchanged(
    file_world: FileWorld, content: bytes, options: dict[str, Any]
) -> None:
    file_world.path.write_bytes(content)
    file_world.path.chmod(0o644)
    run = file_world.run(**options)
    assert isinstance(run.error, ForeignRecord)
    assert run.calls == []
    assert (file_world.path.read_bytes(), file_world.path.stat().st_mode & 0o777) == (content, 0o644)
    assert not list(file_world.path.parent.glob("*damaged*"))


@pytest.mark.parametrize("content", [b"", b" \n", b'{"version": 1', b'{"version": 1, "product": 5}'])
def test_a_damaged_file_of_ours_is_moved_aside(file_world: FileWorld, content: bytes) -> None:
    file_world.path.write_bytes(content)
    assert file_world.run().result == (True, "created")
    assert [path.read_bytes() for path in file_world.path.parent.glob("*damaged*")] == [content]


def test_damaged_file_is_reported_moved_aside_and_replaced(file_world: FileWorld) -> None:
    file_world.path.write_bytes(b'{"version": 1, ')
    file_world.path.chmod(0o600)
    run = file_world.run()
    aside = [path for path in file_world.path.parent.iterdir() if "damaged" in path.name]
    assert run.result == (True, "created")
    assert [path.read_bytes() for path in aside] == [b'{"version": 1, ']
    assert any(aside[0].name in warning for warning in run.warnings)
    assert file_world.run().result == (False, "reused")
