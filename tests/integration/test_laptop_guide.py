# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide for laptops, followed word for word in an empty home."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.canaries import leaks
from support.checkout import built
from support.guides import Substitute, follow
from support.surroundings import exports

if TYPE_CHECKING:
    from lab.client import Lab

CRON = "*/10 * * * * $HOME/.sddc/rotate >> $HOME/.sddc/rotate.log 2>&1"


def editor(lab: Lab, folder: Path) -> Path:
    """An editor that fills in the placeholders of the guide."""
    filled_in, program = folder / "filled-in", folder / "editor"
    filled_in.write_text(exports(lab))
    program.write_text(f'#!/bin/sh\ncat {shlex.quote(str(filled_in))} > "$1"\n')
    program.chmod(0o700)
    return program


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_laptop_guide_works_word_for_word_and_leaves_no_files(lab: Lab, tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **pip}
    environ["EDITOR"] = str(editor(lab, tmp_path))

    done = follow(
        "laptop.md",
        work,
        environ,
        {
            "ansible-galaxy collection install sddc.tokens": Substitute(
                f"ansible-galaxy collection install --offline {shlex.quote(str(built(tmp_path)))}",
                "no Galaxy can be reached: the tarball of this checkout is installed instead",
            ),
            f"(crontab -l 2>/dev/null || true; echo '{CRON}') | crontab -": Substitute(
                f"sh -c {shlex.quote(CRON.split(maxsplit=5)[5])}",
                "a test leaves the crontab of its user alone: what the line runs is run at once",
            ),
        },
    )

    assert done.returncode == 0, done.output
    log = (home / ".sddc" / "rotate.log").read_text()
    assert log.count("5 tokens: 0 changed, 0 failed, 5 unchanged.") == 2, log
    page = (home / ".sddc" / "report.html").read_text()
    assert leaks({"output": done.output, "log": log, "page": page}, [secret["value"] for secret in lab.secrets()]) == []
    counts = {product: lab.counts(product, f"{product}.example.com") for product in ("avi", "nsx", "vcenter", "vrni")}
    assert counts["nsx"]["reauths"] == 2
    assert counts["vcenter"]["registrations"] == 1
    assert counts["avi"]["engine_tokens"] == counts["avi"]["tokens_valid"] == 2
    assert counts["avi"]["sessions_open"] == 0
    assert counts["vrni"]["tokens_valid"] == 0
    sddc_manager = lab.counts("sddc_manager", "sddc-manager.example.com")
    assert (sddc_manager["sign_ins"], sddc_manager["refresh_tokens_valid"]) == (1, 0)
