# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes of a service instance: invented names and values of a server do not reach Ansible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from products.nsx import INSTANCE, instances
from support.playbooks import EACH_ROUTE, Ansible, Route
from support.tasks import succeeded

if TYPE_CHECKING:
    from lab.client import Lab


@pytest.mark.parametrize("route", EACH_ROUTE)
def test_reserved_names_and_lone_surrogates_in_attributes_do_no_harm(ansible: Ansible, lab: Lab, route: Route) -> None:
    odd = {"__ansible_type": "_EncryptedString", "__ansible_vault": "x", "key": "k", "value": "half \ud800 of one"}
    path = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"
    found = {"id": INSTANCE["service_instance_id"], "path": path, "attributes": [odd]}
    body = {"results": [found], "result_count": 1}
    lab.fault("nsx", "status", path="/service-instances", status=200, body=body, times=0)

    run = succeeded(ansible.play([instances("odd", **INSTANCE, alarms=False)], route=route))

    (attribute,) = run["odd"]["service_instances"][0]["attributes"]
    assert set(attribute) == {"key", "value"}
    assert attribute["value"].startswith("half ")
