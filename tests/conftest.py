# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of all tests: one lab for each worker, reset before each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

TESTS = Path(__file__).resolve().parent
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))

if TYPE_CHECKING:
    from lab.client import Lab


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers here: ansible-test runs the unit tests with its own settings."""
    config.addinivalue_line(
        "markers", "slow: takes more than a few seconds; `make test-all` runs it, `make test` does not"
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--failed-to", type=Path, help="append the names of failed tests to this file")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write to the file of `--failed-to`. The workers of xdist leave that to the process that started them."""
    config = terminalreporter.config
    file: Path | None = config.getoption("failed_to", None)
    if file is None or hasattr(config, "workerinput"):
        return
    reports = [(kind, report) for kind in ("failed", "error") for report in terminalreporter.getreports(kind)]
    if reports:
        with file.open("a") as stream:
            stream.writelines(f"{kind.upper()} {report.nodeid}\n" for kind, report in reports)


@pytest.fixture(scope="session")
def running_lab() -> Iterator[Lab]:
    from lab.client import Lab

    with Lab.start() as lab:
        yield lab


@pytest.fixture
def lab(running_lab: Lab) -> Lab:
    running_lab.reset()
    return running_lab
