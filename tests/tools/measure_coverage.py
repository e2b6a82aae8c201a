# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the unit and integration tests, and report which lines and branches of plugins/ they have run.

Usage: measure_coverage.py [PATH...]; without paths all fast tests.

It measures every Python process of one virtual environment: pytest, ansible-playbook with its forks, and modules, which
run from an archive. It does not measure other ansible-cores or Pythons, or a process that was killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

import coverage

from support.checkout import CHECKOUT, COLLECTION
from support.cores import LANES, VENV
from tools.matrix import TESTS, prepared, tested

LEAST = 95
PLUGINS = CHECKOUT / "plugins"
FOLDER = VENV / "coverage"
SETTINGS = f"""\
[run]
branch = true
parallel = true
data_file = {FOLDER}/data
concurrency = multiprocessing,thread
patch = _exit
sigterm = true
include =
    {PLUGINS}/*
    */{COLLECTION}/plugins/*
disable_warnings = no-data-collected,module-not-measured,couldnt-parse

[paths]
plugins =
    {PLUGINS}
    */{COLLECTION}/plugins

[report]
# An archive of a module has some, this checkout has none.
omit = */__init__.py
show_missing = true
skip_covered = true
"""
# Tests start programs in environments of their own, so no variable could enable measurement in these.
STARTER = """\
import os; os.environ["COVERAGE_PROCESS_START"] = {settings!r}; import coverage; coverage.process_startup()
"""


def main(paths: list[str]) -> int:
    """Return the exit code: 0 only if the tests passed and coverage is sufficient."""
    environment = LANES / "coverage"
    reason = prepared("2.19", environment)
    if reason:
        sys.exit(reason)
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("data*"):
        old.unlink()
    settings = FOLDER / "settings"
    settings.write_text(SETTINGS)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "measure.pth").write_text(STARTER.format(settings=str(settings)))

    passed = tested(environment, paths or TESTS)

    measured = coverage.Coverage(config_file=str(settings))
    measured.combine([str(FOLDER)], strict=True)
    measured.get_data().touch_files([str(path) for path in PLUGINS.rglob("*.py")])
    return int(measured.report() < LEAST or not passed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
