# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies of an Avi controller that the lab does not give: an object without its uuid, or gone during its update."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.hostile_server import (
    HostileServer,
    hostile_server,
    recorded,
    run_at,
)
from products.avi import KIT

if TYPE_CHECKING:
    from lab.client import Lab


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileServer]:
    with hostile_server(tmp_path_factory.mktemp("authority")) as server:
        yield server


def test_an_object_without_its_uuid_is_named(lab: Lab, server: HostileServer, tmp_path: Path) -> None:
    file = str(tmp_path / "token.json")
    replies, _kept = recorded(KIT.jobs["deletes"], lab, file)
    listing = json.loads(replies[1].body)
    del listing["results"][0]["uuid"]
    body = json.dumps(listing).encode()
    server.starts_anew(
        replies, f"HTTP/1.1 200 Lie\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body, 1
    )

    assert "the list 'results'" in run_at(server, KIT.jobs["deletes"], lab, file).message


def test_an_object_that_is_deleted_during_its_update_is_created_anew(
    lab: Lab, server: HostileServer, tmp_path: Path
) -> None:
    job, file = KIT.jobs["updates"], str(tmp_path / "token.json")
    replies, _kept = recorded(job, lab, file)
    created, _kept = recorded(KIT.jobs["creates"], lab, file)
    # The object that the update needs is gone when the controller refuses: to read it is a request that nobody knows.
    # It says that it closes the connection, or the request that follows might be lost on it.
    refused = b"HTTP/1.1 412 Changed meanwhile\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    server.starts_anew([*replies, created[2]], refused, 2)

    assert run_at(server, job, lab, file).result["action"] == "created"
