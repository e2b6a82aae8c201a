# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task with two servers: what is said of one, in an option or a variable, never speaks for the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from products.nsx import BY_CSP, INSTANCE, SERVER, nsx
from products.vcenter import VIDB_BY_TASK, vcenter
from support.entries import entry, token_set
from support.in_process import operation_of
from support.kit import OMIT
from support.playbooks import ROUTES, Ansible, Route
from support.tasks import failing, says, succeeded

from ansible_collections.sddc.tokens.plugins.module_utils._clients import nsx as client
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._http.auth import UNSIGNED
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl

if TYPE_CHECKING:
    from lab.client import Lab

VARIABLE = "VMWARE_VALIDATE_CERTS"
UNVERIFIED = {**VIDB_BY_TASK, "ca_path": OMIT}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_variable_that_turns_off_verification_is_named_and_does_not_speak_for_the_second_server(
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


def test_nothing_is_said_of_a_variable_that_an_option_overrides_or_that_turns_nothing_off(ansible: Ansible) -> None:
    tasks = [
        {**vcenter(validate_certs=True, **VIDB_BY_TASK), "environment": {VARIABLE: "no"}},
        {**vcenter(**VIDB_BY_TASK), "environment": {VARIABLE: "yes"}},
    ]

    run = succeeded(ansible.play(tasks))

    assert VARIABLE not in run.output


def test_a_variable_that_turns_off_the_verification_of_an_entry_is_named(ansible: Ansible) -> None:
    tasks = [token_set("listed", entry("vcenter", ca_path=OMIT, vidb_ca_path="{{ ca_path }}"))]

    run = succeeded(ansible.play(tasks, environ={VARIABLE: "0"}))

    assert says(run, f"The environment variable {VARIABLE} turns off the verification")


def test_an_unverified_target_leaves_the_server_of_the_tokens_verified(ansible: Ansible, lab: Lab) -> None:
    unverified = {**BY_CSP, **INSTANCE, "force": True, "wait": False, "validate_certs": False, "ca_path": OMIT}
    tasks = [
        failing(nsx("issuer_unverified", **unverified)),
        nsx("issuer_verified", **unverified, csp_ca_path="{{ ca_path }}"),
        nsx("issuer_not_verified", **unverified, csp_validate_certs=False),
    ]

    run = succeeded(ansible.play(tasks))

    assert "certificate" in run["issuer_unverified"]["msg"]
    assert [run[name]["action"] for name in ("issuer_verified", "issuer_not_verified")] == ["reauthenticated"] * 2
    assert len(lab.requests("csp")) == 2


@pytest.mark.parametrize("prefix", ["", "csp_"])
def test_a_client_certificate_is_shown_to_its_own_server_only(lab: Lab, prefix: str) -> None:
    params: dict[str, Any] = {
        **SERVER.options(lab.details),
        **{name: lab["nsx"][name] for name in ("client_cert", "client_key")},
        **{"validate_certs": True, "ca_path": lab.ca_path, "csp_validate_certs": True, "csp_ca_path": None},
        **{"proxy_url": None, "timeout": 60, "retries": 0},
    }
    operation = operation_of("nsx_service_instance_info")(params, Runtime())
    # The second server is the same one here, for it asks for certificates.
    session = operation.open_session(BaseUrl.parse(lab["nsx"]["url"]), client.error_facts, prefix=prefix)
    reader = client.NsxClient(session, UNSIGNED)

    if prefix:
        with pytest.raises(ApiError) as refused:
            reader.list_tier0s()
        assert refused.value.status in (401, 403)
    else:
        assert reader.list_tier0s()
    operation.close()
