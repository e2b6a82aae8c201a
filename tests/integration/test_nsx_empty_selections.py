# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name or a filter that matches nothing in NSX is a warning, or an error, that lists what exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from products.nsx import INSTANCE, instances
from support.in_process_plays import InProcess
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab


def test_a_filter_that_matches_no_service_instance_is_a_warning_that_names_those_that_exist(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        instances("by_service", alarms=False, locale_service_id="defalt"),
        instances("by_instance", alarms=False, **{**INSTANCE, "service_instance_id": "partner-fw-99"}),
        failing(instances("by_gateway", alarms=False, tier0_id="no-such-gateway")),
        instances("every", alarms=False),
        instances("one", alarms=False, **INSTANCE),
    ]

    run = succeeded(in_process.play(tasks))

    (by_service,), (by_instance,) = run["by_service"]["warnings"], run["by_instance"]["warnings"]
    assert "locale_service_id 'defalt'" in by_service
    assert "(found: default, edge-east)" in by_service
    assert "service_instance_id 'partner-fw-99'" in by_instance
    assert "(found: partner-fw-01, " in by_instance
    assert len(by_instance) < 500
    assert run["by_gateway"]["failed"]
    assert "warnings" not in run["every"]
    assert "warnings" not in run["one"]
