# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How AWX updates a project from its repository: at once, or never if nothing starts its jobs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from .awx_model import BASE, Item
from .awx_rules import playbooks_in


def updated(project: Item, folder: str | None, number: int, now: float, *, started: bool) -> dict[str, Any]:
    """Update a project from the folder with the content of its repository, and return the record of the update."""
    failed = started and not folder
    project.values["status"] = "failed" if failed else "successful" if started else "pending"
    if started:
        project.playbooks = playbooks_in(Path(folder)) if folder else []
        listing = "\n".join(project.playbooks)
        project.values["scm_revision"] = hashlib.sha1(listing.encode()).hexdigest() if folder else ""  # noqa: S324 - a revision as git has it
    return {
        "id": number,
        "type": "project_update",
        "url": f"{BASE}/project_updates/{number}/",
        "status": project.values["status"],
        "failed": failed,
        "finished": now if started else None,
        "event_processing_finished": started,
        "scm_revision": project.values["scm_revision"],
        "scm_url": project.values["scm_url"],
    }


def output_of(update: dict[str, Any]) -> str:
    """Return the output of an update."""
    return f"fatal: repository '{update['scm_url']}' not found\n" if update["failed"] else ""
