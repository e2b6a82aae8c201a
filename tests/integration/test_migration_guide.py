# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide for migration: its playbooks run, those of before and those of after."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from products import EXAMPLE
from support.canaries import leaks
from support.collection import MODULES
from support.cores import DEFAULT
from support.guides import GUIDES, Substitute, files_of, follow
from support.surroundings import surroundings

if TYPE_CHECKING:
    from lab.client import Lab

GUIDE = "migration.md"
TEXT = (GUIDES / GUIDE).read_text()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_playbooks_of_the_guide_for_migration_run_before_and_after(lab: Lab, tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    (home / ".sddc").mkdir(parents=True, mode=0o700)
    work.mkdir()
    environ = {"PATH": f"{DEFAULT.folder}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8"}
    environ |= {"ANSIBLE_COLLECTIONS_PATH": str(DEFAULT.collections), "ANSIBLE_NOCOLOR": "1", **surroundings(lab)}

    done = follow(
        GUIDE,
        work,
        environ,
        {"ansible-playbook before_alb.yml": Substitute("true", "the other collection is not installed")},
    )

    assert done.returncode == 0, done.output
    assert leaks({"output": done.output}, [secret["value"] for secret in lab.secrets()]) == []
    # The first playbook deletes its token, the second is run twice with one.
    counts = lab.counts(EXAMPLE.name, EXAMPLE.host)
    assert (counts["tokens_minted"], counts["tokens_valid"]) == (2, 1)
    changed = [line.split("changed=")[1].split()[0] for line in done.output.splitlines() if "changed=" in line]
    assert changed == ["0", "1", "0", "2"]


def test_the_guide_replaces_requests_by_modules_that_exist() -> None:
    rows = re.findall(r"^\| `[A-Z]+ /[^|]* \| `(\w+)` \|$", TEXT, re.MULTILINE)

    assert len(rows) > 5
    assert set(rows) <= set(MODULES)


def test_the_playbook_that_is_not_run_sends_what_the_modules_replace() -> None:
    (play,) = yaml.safe_load(files_of(GUIDE)["before_alb.yml"])
    requests = [value for task in play["tasks"] for key, value in task.items() if key.startswith("vmware.")]
    paths = {request["path"] for request in requests}

    assert {"securechanneltoken", "securetoken-generate"} <= paths
    assert all(re.search(rf"/api/{path}`", TEXT) for path in paths - {"cloud"})
