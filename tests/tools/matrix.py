# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the unit and integration tests in lanes: one for each ansible-core, on the Python that belongs to it.

A further lane, `oldest-requests`, runs the tests of module_utils on the oldest Python and `requests` of a managed node.

Usage: matrix.py [--tests "PATH..."] [LANE...]; without lanes, all; without paths, all fast tests of a lane.

A lane is a virtual environment of its own, and its tests use no other core. The last lines say for each lane whether it
passed, failed, or was skipped and why.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from support.checkout import CHECKOUT
from support.cores import LANES
from tools.install_cores import ENVIRONMENTS, REQUIREMENTS, installed, known, pinned, pip_install

WORKFLOWS, LINT, OLD = (REQUIREMENTS.with_name(f"requirements-{name}.txt") for name in ("workflows", "lint", "oldest"))
# The subject of each lane: the pinned ansible-core, or the pinned `requests`.
ABOUT = {name: environment[0][0] for name, environment in ENVIRONMENTS.items()}
OLDEST = "oldest-requests"
TESTS = ("tests/unit", "tests/integration")
TESTS_OF_OLDEST = ("tests/unit/plugins/module_utils",)


def main() -> int:
    """Return the exit code: 0 only if no lane failed and one passed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tests", type=str.split)
    parser.add_argument("lanes", nargs="*")
    arguments = parser.parse_args()
    known(arguments.lanes, ABOUT)
    report, passed = [], []
    for lane in arguments.lanes or sorted(ABOUT):
        reason = prepared(lane, LANES / lane)
        if reason:
            report.append(f"skipped  {ABOUT[lane]}: {reason}")
            continue
        print(f"== {ABOUT[lane]}", flush=True)
        start = time.monotonic()
        passed.append(tested(LANES / lane, arguments.tests or (TESTS_OF_OLDEST if lane == OLDEST else TESTS)))
        report.append(f"{'passed ' if passed[-1] else 'FAILED '}  {ABOUT[lane]} ({time.monotonic() - start:.0f} s)")
    print("\n".join(["== matrix", *report]))
    return int(not passed or not all(passed))


def prepared(lane: str, environment: Path) -> str:
    """Install what a lane requires, unless it is installed. Return why not if that is impossible."""
    requirements = OLD.read_text() if lane == OLDEST else _with_core(ABOUT[lane])
    wanted = "\n".join([requirements, WORKFLOWS.read_text(), LINT.read_text()])
    stamp = environment / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    environment.parent.mkdir(parents=True, exist_ok=True)
    file = environment.with_name(f"{environment.name}.txt")
    file.write_text(requirements)
    more = [] if lane == OLDEST else ["-r", str(WORKFLOWS), "-c", str(LINT)]
    reason = installed(environment, lane, ["-r", str(file), *more])
    if reason:
        return reason
    if lane == OLDEST:
        # A control node does not run there, but the part of the oldest core that is shipped with modules does.
        pip_install(environment, ["--no-deps", "--ignore-requires-python", ABOUT["2.16"]])
    stamp.write_text(wanted)
    return ""


def _with_core(core: str) -> str:
    """The requirements of the tests, with another ansible-core."""
    return REQUIREMENTS.read_text().replace(pinned("ansible-core"), core)


def tested(environment: Path, paths: Sequence[str]) -> bool:
    """Run the fast tests in the virtual environment of a lane, and return whether they passed."""
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
