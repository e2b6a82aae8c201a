# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make test` lists the failed tests at its end, whichever of its two runs they failed in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.checkout import CHECKOUT

PASSES, FAILS = "def test_sample(): pass\n", "def test_sample(): assert False\n"
BREAKS = "import pytest\n@pytest.fixture\ndef broken(): 1 / 0\ndef test_sample(broken): pass\n"
CONFORMANCE, UNIT = "tests/conformance/test_first.py", "tests/unit/test_second.py"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A folder with this Makefile and these hooks, in which nothing must be installed."""
    for python in ("bin", "conformance/bin"):
        program = tmp_path / ".venv" / python / "python"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        program.chmod(0o700)
    for name in ("Makefile", "tests/conftest.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("tests", "failed"),
    [
        ({CONFORMANCE: FAILS, UNIT: PASSES}, [f"FAILED {CONFORMANCE}::test_sample"]),
        ({CONFORMANCE: PASSES, UNIT: BREAKS}, [f"ERROR {UNIT}::test_sample"]),
        ({CONFORMANCE: FAILS, UNIT: FAILS}, [f"FAILED {name}::test_sample" for name in (CONFORMANCE, UNIT)]),
        ({CONFORMANCE: PASSES, UNIT: PASSES}, []),
    ],
)
def test_names_of_failed_tests_come_last(sample: Path, tests: dict[str, str], failed: list[str]) -> None:
    for name, content in tests.items():
        (sample / name).parent.mkdir(parents=True)
        (sample / name).write_text(content)
    stamps = ("WORKFLOWS", "OPENBAO", "COLLECTION", "CORES", "CONFORMANCE")
    environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(sample), "PYTEST_XDIST_AUTO_NUM_WORKERS": "1"}

    done = subprocess.run(
        ["make", "test", *(f"{stamp}=" for stamp in stamps)],
        cwd=sample, env=environ, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip

    lines = done.stdout.splitlines()
    assert bool(done.returncode) == bool(failed)
    assert lines[len(lines) - len(failed) :] == failed
    summaries = [line for line in lines if " in " in line and line.split()[1].startswith(("passed", "failed", "error"))]
    assert len(summaries) == len(tests)
    # Without failures the summary of the second run is the last line.
    assert failed or lines[-1] == summaries[-1]
