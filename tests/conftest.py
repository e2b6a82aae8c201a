# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share: one lab for each worker, back at its start for each test."""

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
    """Register the markers here: ansible-test runs the unit tests with settings of its own."""
    config.addinivalue_line(
        "markers", "slow: takes more than some seconds; `make test-all` runs it, `make test` does not"
    )


@pytest.fixture(scope="session")
def running_lab() -> Iterator[Lab]:
    from lab.client import Lab

    with Lab.start() as lab:
        yield lab


@pytest.fixture
def lab(running_lab: Lab) -> Lab:
    running_lab.reset()
    return running_lab
