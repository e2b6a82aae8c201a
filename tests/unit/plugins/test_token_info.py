# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a token file says whether its token is valid, and why not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Optional

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.plugins.module_utils._operations.token_info import TokenInfo


def keep(path: Path, expires_in: Optional[float], role: str = "current") -> None:
    now = time.time()
    expires_at = None if expires_in is None else now + expires_in
    token = Token(Secret("the-token"), "NetworkInsight", issued_at=now - 3600, expires_at=expires_at)
    with FileStore(str(path), Runtime(warn=pytest.fail)).exclusive(10) as writer:
        writer.write(Record("product", "product.example.com", "somebody", **{role: token}))


def entry_of(path: Path, min_remaining: float = 300) -> dict[str, Any]:
    outcome = TokenInfo({"paths": [str(path)], "stores": None, "min_remaining": min_remaining}, Runtime()).run()
    (entry,) = outcome.values["token_files"]
    assert isinstance(entry, dict)
    return entry


@pytest.mark.parametrize(
    ("expires_in", "status"),
    [(7200, "valid"), (None, "valid"), (200, "expiring"), (-1, "expired"), (-7200, "expired")],
)
def test_the_remaining_lifetime_determines_the_status_of_a_token(
    tmp_path: Path, expires_in: Optional[float], status: str
) -> None:
    keep(tmp_path / "token.json", expires_in)

    entry = entry_of(tmp_path / "token.json")

    assert (entry["status"], entry["usable"], entry["error"]) == (status, status == "valid", None)


def test_a_file_without_a_usable_token_has_its_own_status(tmp_path: Path) -> None:
    (tmp_path / "damaged.json").write_text("{")
    (tmp_path / "damaged.json").chmod(0o600)
    keep(tmp_path / "pending.json", 7200, role="pending")

    entries = {name: entry_of(tmp_path / f"{name}.json") for name in ("missing", "damaged", "pending")}

    assert {name: entry["status"] for name, entry in entries.items()} == {
        "missing": "missing",
        "damaged": "unusable",
        "pending": "unusable",
    }
    assert [bool(entry["error"]) for entry in entries.values()] == [True, True, False]
    assert not any(entry["usable"] for entry in entries.values())
