# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The access token that signs the requests of a task: whose it may be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils.execution import Validated, execute
from ansible_collections.sddc.tokens.plugins.module_utils.operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils.operations.csp_access_token import CspAccessToken
from ansible_collections.sddc.tokens.plugins.module_utils.operations.nsx_service_instance_info import (
    NsxServiceInstanceInfo,
)
from ansible_collections.sddc.tokens.plugins.module_utils.operations.nsx_service_reauth import NsxServiceReauth
from ansible_collections.sddc.tokens.plugins.module_utils.operations.sddc_manager_token import SddcManagerToken
from ansible_collections.sddc.tokens.plugins.module_utils.operations.vcenter_registered_token import (
    VcenterRegisteredToken,
)
from ansible_collections.sddc.tokens.plugins.module_utils.operations.vidb_access_token import VidbAccessToken

if TYPE_CHECKING:
    from lab.client import Lab

PATH = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"
MAKERS: dict[str, tuple[type[Operation], tuple[str, ...]]] = {
    "csp": (CspAccessToken, ("api_token",)),
    "sddc_manager": (SddcManagerToken, ("username", "password")),
    "vidb": (VidbAccessToken, ("api_token",)),
}


def run(operation: type[Operation], lab: Lab, product: str, **options: Any) -> dict[str, Any]:
    validated = Validated(operation, {"hostname": lab[product]["url"], "ca_path": lab.ca_path, **options})
    assert validated.error is None
    return execute(operation, validated.params, check_mode=False, diff_mode=False, environ={}, notify=lambda text: None)


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize(
    ("operation", "product", "issuer", "options"),
    [
        (NsxServiceReauth, "nsx", "csp", {"service_instances": [PATH], "force": True}),
        (NsxServiceInstanceInfo, "nsx", "csp", {}),
        (VcenterRegisteredToken, "vcenter", "vidb", {}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_token_of_a_file_is_sent_only_to_the_product_that_it_is_for(
    lab: Lab,
    tmp_path: Path,
    maker: str,
    operation: type[Operation],
    product: str,
    issuer: str,
    options: dict[str, Any],
) -> None:
    file = str(tmp_path / "token.json")
    made, credentials = MAKERS[maker]
    assert "msg" not in run(made, lab, maker, token_file=file, **{name: lab[maker][name] for name in credentials})

    result = run(operation, lab, product, token_file=file, **options)

    if maker == issuer:
        assert lab.requests(product)
        return
    assert f"{file} holds a token of {maker}, where one of {issuer} is needed" in str(result["msg"])
    assert (lab.requests(product), result["request_count"]) == ([], 0)
