# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vcenter_registered_token and its broker: an option or a variable of one server does not apply to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from products.vcenter import VIDB_BY_TASK, vcenter
from support.entries import entry, token_set
from support.kit import OMIT
from support.playbooks import EACH_ROUTE, Ansible, Route
from support.tasks import failing, says, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

VARIABLE = "VMWARE_VALIDATE_CERTS"
UNVERIFIED = {**VIDB_BY_TASK, "ca_path": OMIT}


@pytest.mark.parametrize("route", EACH_ROUTE)
def test_a_variable_that_disables_verification_is_named_and_not_used_for_the_second_server(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    tasks = [
        failing(vcenter("broker_unverified", **UNVERIFIED)),
        vcenter("broker_verified", **UNVERIFIED, vidb_ca_path="{{ ca_path }}"),
    ]

    run = succeeded(ansible.play(tasks, route=route, environ={VARIABLE: "False"}))

    assert "certificate" in run["broker_unverified"]["msg"]
    assert run["broker_verified"]["action"] == "registered"
    assert len(lab.requests("vidb")) == 2, "the grant and the expansion of the second task"
    assert says(run, f"The environment variable {VARIABLE} turns off the verification")


def test_there_is_no_warning_about_an_overridden_or_harmless_variable(ansible: Ansible) -> None:
    tasks = [
        {**vcenter(validate_certs=True, **VIDB_BY_TASK), "environment": {VARIABLE: "no"}},
        {**vcenter(**VIDB_BY_TASK), "environment": {VARIABLE: "yes"}},
    ]

    run = succeeded(ansible.play(tasks))

    assert VARIABLE not in run.output


def test_a_variable_that_disables_the_verification_of_an_entry_is_named(ansible: Ansible) -> None:
    tasks = [token_set("listed", entry("vcenter", ca_path=OMIT, vidb_ca_path="{{ ca_path }}"))]

    run = succeeded(ansible.play(tasks, environ={VARIABLE: "0"}))

    assert says(run, f"The environment variable {VARIABLE} turns off the verification")
