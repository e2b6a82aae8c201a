# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CONTRIBUTING, followed word for word by a newcomer in an empty folder."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from support.checkout import CHECKOUT
from support.guides import Substitute, follow


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_newcomer_gets_from_a_clone_to_passing_tests_with_the_commands_of_contributing(tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    # Neither this checkout nor its tests may be used.
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if str(CHECKOUT) not in part)
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    later = Substitute("make --dry-run lint test > /dev/null", "these run wherever this test does")
    long = Substitute("make --dry-run mutants > /dev/null", "these take 20 minutes")

    done = follow(
        CHECKOUT / "CONTRIBUTING.md",
        work,
        {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **pip},
        {
            "git clone https://github.com/sddc-tokens/sddc.tokens.git": Substitute(
                f"git clone --quiet {shlex.quote(str(CHECKOUT))} sddc.tokens",
                "no public host can be reached: what this checkout has committed is cloned instead",
            ),
            "make lint": later,
            "make test": later,
            "make mutants": long,
            'make mutants ARGS="--named"': long,
            'make mutants ARGS="--generated --minutes 5 plugins/module_utils/_lifecycle/record.py"': long,
        },
    )

    assert done.returncode == 0, done.output
    passed = [line for line in done.output.splitlines() if " passed" in line]
    assert len(passed) == sum(command.startswith((".venv/bin/pytest", "make unit")) for command in done.commands) == 3
