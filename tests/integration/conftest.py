# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests that run plays: through the real ansible-playbook, or in the process of the test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from products import EXAMPLE, ISSUER
from support.in_process_plays import InProcess
from support.playbooks import Ansible

if TYPE_CHECKING:
    from lab.client import Lab


@pytest.fixture
def ansible(lab: Lab, tmp_path: Path) -> Ansible:
    """Plays with the lab's details in `lab`, those of two products once more, and the path of its CA certificate."""
    return Ansible(tmp_path, _variables(lab))


@pytest.fixture
def in_process(lab: Lab, tmp_path: Path) -> InProcess:
    """The same without ansible-playbook, for tests of requests and results."""
    return InProcess(tmp_path, _variables(lab))


def _variables(lab: Lab) -> dict[str, Any]:
    products = {"example": lab[EXAMPLE.name], "issuer": lab[ISSUER.name]}
    return {"lab": lab.details, "ca_path": lab.ca_path, **products}
