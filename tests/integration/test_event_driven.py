# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook that rotates tokens, with the real ansible-rulebook: it does that, and nothing else."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUER
from support.rulebooks import Start

if TYPE_CHECKING:
    from lab.client import Lab

ROTATE = "sddc.tokens.rotate_tokens"
# The poll interval is short, so that unwanted runs would have happened.
QUICK = {"token_expiry_interval": 0.2}


def kept(file: Path) -> dict[str, Any]:
    """The content of a token file; empty if it is missing."""
    with suppress(FileNotFoundError):
        content: dict[str, Any] = json.loads(file.read_text())
        return content
    return {}


def current(file: Path) -> str | None:
    """The current token of a token file that no run is about to replace."""
    record = kept(file)
    return record["current"]["token"] if record.get("current") and not record["pending"] else None


def make_due(file: Path) -> None:
    """Make a token as old as it is five minutes before its expiry. By default it is renewed ten minutes before."""
    record = kept(file)
    aged = record["current"]["expires_at"] - time.time() - 300
    for moment in ("issued_at", "expires_at"):
        record["current"][moment] -= aged
    new = file.with_name("due")
    new.touch(mode=0o600)
    new.write_text(json.dumps(record))
    new.replace(file)


def test_tokens_are_created_and_rotated_when_due_and_the_old_ones_revoked(
    lab: Lab, start_rulebook: Start, tmp_path: Path
) -> None:
    aging, vanishing = tmp_path / "aging.json", tmp_path / "vanishing.json"
    tokens = [
        {"product": EXAMPLE.name, "token_file": str(aging), "revoke_old": True},
        {"product": ISSUER.name, "token_file": str(vanishing), "require_id_token": True},
    ]

    with start_rulebook(ROTATE, variables={**QUICK, "token_rotation_tokens": tokens}) as rulebook:
        rulebook.until(lambda: current(aging) and current(vanishing), "both token files hold a token")
        first = current(aging)
        make_due(aging)
        rulebook.until(lambda: current(aging) not in (None, first), "the token is replaced")
        rulebook.until(lambda: kept(aging)["superseded"] == [], "the old token is revoked")

        vanishing.unlink()
        rulebook.until(lambda: current(vanishing), "the missing token file holds a token again")
        rulebook.until(lambda: rulebook.recaps == rulebook.plays, "the last run is over")

    counts = lab.counts(EXAMPLE.name)
    assert (counts["tokens_minted"], counts["tokens_valid"], counts["tokens_revoked"]) == (2, 1, 1)
    assert len(lab.requests(ISSUER.name)) == 2
    # The number of runs depends on what the source sees first. None of them failed.
    assert rulebook.output.count("failed=0") == rulebook.recaps
    # The token of the file is the valid one.
    assert lab.revoke_tokens(EXAMPLE.name, tokens=[current(aging)]) == 1


@pytest.mark.slow
def test_a_failed_rotation_is_tried_again_later(lab: Lab, start_rulebook: Start, tmp_path: Path) -> None:
    path = tmp_path / "token.json"
    variables = {
        **QUICK,
        "token_rotation_tokens": [{"product": EXAMPLE.name, "token_file": str(path)}],
        "token_expiry_repeat_after": 3,
    }
    lab.fault(EXAMPLE.name, "status", method="POST", status=500)

    with start_rulebook(ROTATE, variables=variables) as rulebook:
        rulebook.until(path.exists, "the token file is there")
        rulebook.until(lambda: rulebook.recaps >= 2, "a second run")

    assert lab.counts(EXAMPLE.name)["tokens_valid"] == 1
