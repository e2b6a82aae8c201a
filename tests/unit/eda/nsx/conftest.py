# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The NSX manager of the lab whose alarms an event source watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from products.csp import SERVER as CSP
from products.nsx import SERVER

if TYPE_CHECKING:
    from lab.client import Lab


@pytest.fixture
def with_password(lab: Lab) -> dict[str, Any]:
    """Arguments that require only the manager."""
    return {**SERVER.options(lab.details), "ca_path": lab.ca_path, "timeout": 60}


@pytest.fixture
def with_api_token(lab: Lab) -> dict[str, Any]:
    """Arguments with which an access token is fetched."""
    return {
        "hostname": lab["nsx"]["url"],
        **CSP.options(lab.details, "csp_"),
        "ca_path": lab.ca_path,
        "timeout": 60,
    }


@pytest.fixture
def quiet(lab: Lab) -> Lab:
    """A manager without an alarm."""
    lab.act("nsx", "clear_alarms", host="127.0.0.1")
    return lab
