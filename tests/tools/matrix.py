# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the unit and integration tests in lanes: one for each ansible-core, on the Python that belongs to it.

Usage: matrix.py [--tests "PATH..."] [LANE...]; without lanes, one for each core; without paths, all fast tests.

A lane is a virtual environment of its own. Tests that span cores span none here: each lane is about its own. The last
lines tell of each lane whether it passed, failed, or was skipped and why.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from support.checkout import CHECKOUT
from support.cores import LANES
from tools.install_cores import ENVIRONMENTS, REQUIREMENTS, installed, known, pinned

WORKFLOWS, LINT = (REQUIREMENTS.with_name(f"requirements-{name}.txt") for name in ("workflows", "lint"))
# What each lane is about: the pinned ansible-core.
CORES = {name: environment[0][0] for name, environment in ENVIRONMENTS.items() if "ansible-core" in environment[0][0]}
TESTS = ("tests/unit", "tests/integration")


def main() -> int:
    """Return the exit code: 0 only when no lane failed and one passed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tests", default=" ".join(TESTS))
    parser.add_argument("lanes", nargs="*")
    arguments = parser.parse_args()
    known(arguments.lanes, CORES)
    report, passed = [], []
    for lane in arguments.lanes or sorted(CORES):
        core = CORES[lane]
        reason = prepared(lane, LANES / lane)
        if reason:
            report.append(f"skipped  {core}: {reason}")
            continue
        print(f"== {core}", flush=True)
        start = time.monotonic()
        passed.append(tested(LANES / lane, arguments.tests.split()))
        report.append(f"{'passed ' if passed[-1] else 'FAILED '}  {core} ({time.monotonic() - start:.0f} s)")
    print("\n".join(["== matrix", *report]))
    return int(not passed or not all(passed))


def prepared(lane: str, environment: Path) -> str:
    """Install what a lane needs, unless it is there; say why when it cannot be."""
    lines = [CORES[lane] if line == pinned("ansible-core") else line for line in REQUIREMENTS.read_text().splitlines()]
    wanted = "\n".join([*lines, WORKFLOWS.read_text(), LINT.read_text()])
    stamp = environment / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    environment.parent.mkdir(parents=True, exist_ok=True)
    requirements = environment.with_name(f"{environment.name}.txt")
    requirements.write_text("\n".join(lines))
    reason = installed(environment, lane, ["-r", str(requirements), "-r", str(WORKFLOWS), "-c", str(LINT)])
    if not reason:
        stamp.write_text(wanted)
    return reason


def tested(environment: Path, paths: list[str]) -> bool:
    """Run the fast tests in the virtual environment of a lane; tell whether they passed."""
    programs = environment / "bin"
    command = [
        str(programs / "python"),
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-n",
        "auto",
        "--dist",
        "worksteal",
        "-m",
        "not slow",
    ]
    environ = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run([*command, *paths], cwd=CHECKOUT, env=environ, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
