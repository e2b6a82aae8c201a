# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The access token that signs the requests of a task: whose it may be, and how often it is renewed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._operations.csp_access_token import (
    CspAccessToken,
    csp_tokens,
)
from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_instance_info import (
    NsxServiceInstanceInfo,
)
from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_reauth import NsxServiceReauth
from ansible_collections.sddc.tokens.plugins.module_utils._operations.token_providers import KeptToken, StoredToken
from ansible_collections.sddc.tokens.plugins.module_utils._operations.vcenter_registered_token import (
    VcenterRegisteredToken,
)
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated
from products import KITS
from support.in_process import operation_of

if TYPE_CHECKING:
    from lab.client import Lab

PATH = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"
# The products whose main module creates a token with the credentials of the lab, and keeps it.
MAKERS = [
    name
    for name, kit in KITS.items()
    if not kit.needs and "token_file" in operation_of(kit.module).argument_spec.options
]


def run(operation: type[Operation], lab: Lab, product: str, **options: Any) -> dict[str, Any]:
    validated = Validated(operation, {"ca_path": lab.ca_path, "hostname": lab[product]["url"], **options})
    assert validated.error is None
    return execute(operation, validated.params, Runtime())


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
    kit = KITS[maker]
    assert "msg" not in run(operation_of(kit.module), lab, maker, token_file=file, **kit.server.options(lab.details))

    result = run(operation, lab, product, token_file=file, **options)

    if maker == issuer:
        assert lab.requests(product)
        return
    assert f"{file} holds a token of {maker}, where one of {issuer} is needed" in str(result["msg"])
    assert (lab.requests(product), result["request_count"]) == ([], 0)


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("with_file", [False, True])
def test_a_refusal_that_lasts_costs_one_renewal_however_many_instances_and_threads_meet_it(
    lab: Lab, tmp_path: Path, concurrency: int, with_file: bool
) -> None:
    paths = [PATH.replace("fw-01", f"fw-{number:02d}") for number in range(1, 13)]
    lab.fault("nsx", "status", method="POST", times=0, status=403, body={"error_message": "no permission"})
    credentials = {"csp_hostname": lab["csp"]["url"], "csp_api_token": lab["csp"]["api_token"]}
    file = {"token_file": str(tmp_path / "csp.json")} if with_file else {}

    result = run(
        NsxServiceReauth,
        lab,
        "nsx",
        service_instances=paths,
        force=True,
        concurrency=concurrency,
        **credentials,
        **file,
    )

    assert len(lab.requests("csp")) == 2
    assert ["answered 403" in item["error"] for item in result["instances"]] == [True] * len(paths)
    posts = lab.requests("nsx")
    assert {request.path for request in posts} == {f"/policy/api/v1{path}" for path in paths}
    assert len({request.header("Authorization") for request in posts}) == 2
    assert len(posts) <= len(paths) + concurrency, "who begins with the renewed token has none to replay with"


@pytest.fixture
def another_task(lab: Lab, tmp_path: Path) -> Iterator[Callable[[], KeptToken]]:
    """The access of one more task that shares a token file with the others."""
    begun: list[Operation] = []

    def another_task() -> KeptToken:
        validated = Validated(CspAccessToken, {"hostname": lab["csp"]["url"], "ca_path": lab.ca_path, "api_token": "-"})
        runtime = Runtime()
        begun.append(CspAccessToken({**validated.params, "api_token": Secret(lab["csp"]["api_token"])}, runtime))
        return KeptToken(
            csp_tokens(begun[-1], require_id_token=True), {"token_file": str(tmp_path / "csp.json")}, runtime
        )

    yield another_task
    for operation in begun:
        operation.close()


def test_tasks_that_share_a_file_and_whose_token_is_refused_at_once_renew_it_once(
    lab: Lab, another_task: Callable[[], KeptToken]
) -> None:
    tasks = [another_task() for number in range(8)]
    refused = [task.token() for task in tasks]
    lab.fault("csp", "delay", seconds=0.3)

    with ThreadPoolExecutor(len(tasks)) as pool:
        renewed = list(pool.map(lambda task, token: task.renewed(token), tasks, refused))
    late = another_task().token()

    (first,) = {token.secret for token in refused if token}
    (second,) = {token.secret for token in [*renewed, late] if token}
    assert first != second
    assert None not in renewed
    assert len(lab.requests("csp")) == 2


def test_a_valid_token_that_is_refused_is_renewed_again_only_if_the_first_renewal_has_helped(
    another_task: Callable[[], KeptToken],
) -> None:
    helped, in_vain = another_task(), another_task()
    for task in (helped, in_vain):
        token = task.token()
        assert token is not None
        renewed = task.renewed(token)
        assert renewed is not None
        if task is helped:
            task.confirm(renewed)
        assert (task.renewed(renewed) is not None) == (task is helped)


def test_a_stored_token_that_is_refused_is_replaced_only_by_another_one_in_its_file(
    lab: Lab, tmp_path: Path, another_task: Callable[[], KeptToken]
) -> None:
    keeper = another_task()
    first = keeper.token()
    stored = StoredToken(str(tmp_path / "csp.json"), "csp", Runtime())
    assert first is not None
    assert stored.token().secret == first.secret
    assert stored.renewed(first) is None

    second = keeper.renewed(first)

    assert second is not None
    assert stored.token().secret == first.secret, "the file is read once unless the token is refused"
    for _thread in range(2):
        again = stored.renewed(first)
        assert again is not None
        assert again.secret == stored.token().secret == second.secret
    assert stored.renewed(second) is None


def test_a_task_that_outlives_its_tokens_renews_each_that_has_expired(
    another_task: Callable[[], KeptToken],
) -> None:
    task = another_task()
    secrets = []
    for _life in range(3):
        token = task.token()
        assert token is not None
        secrets.append(token.secret)
        assert task.renewed(replace(token, expires_at=1.0)) is not None

    assert len(set(secrets)) == 3
