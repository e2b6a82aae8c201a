# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for NSX and the server of their tokens: an option for one server does not apply to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._clients import nsx as client
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._http.auth import UNSIGNED
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl
from products.nsx import BY_CSP, INSTANCE, SERVER, nsx
from support.in_process import operation_of
from support.kit import OMIT
from support.playbooks import Ansible
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab


def test_without_verification_of_the_target_the_token_server_is_still_verified(ansible: Ansible, lab: Lab) -> None:
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
def test_a_client_certificate_is_sent_to_its_own_server_only(lab: Lab, prefix: str) -> None:
    params: dict[str, Any] = {
        **SERVER.options(lab.details),
        **{name: lab["nsx"][name] for name in ("client_cert", "client_key")},
        **{"validate_certs": True, "ca_path": lab.ca_path, "csp_validate_certs": True, "csp_ca_path": None},
        **{"proxy_url": None, "timeout": 60, "retries": 0},
    }
    operation = operation_of("nsx_service_instance_info")(params, Runtime())
    # Here the second server is the same one, because it requests certificates.
    session = operation.open_session(BaseUrl.parse(lab["nsx"]["url"]), client.error_facts, prefix=prefix)
    reader = client.NsxClient(session, UNSIGNED)

    if prefix:
        with pytest.raises(ApiError) as refused:
            reader.list_tier0s()
        assert refused.value.status in (401, 403)
    else:
        assert reader.list_tier0s()
    operation.close()
