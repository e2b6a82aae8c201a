# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The access token of a task's requests: where it may be from, and how often it is renewed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._operations.token_providers import KeptToken, StoredToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated
from products import ISSUERS, KITS
from support.in_process import done, operation_of
from support.kit import OMIT, Kit

if TYPE_CHECKING:
    from lab.client import Lab

# The products whose main module creates a token with the credentials of the lab, and stores it.
MAKERS = [
    name
    for name, kit in KITS.items()
    if not kit.needs and "token_file" in operation_of(kit.module).argument_spec.options
]


# The modules that use a token of another product from a file.
TAKERS = {
    module: kit
    for kit in KITS.values()
    for module in kit.promised
    if kit.needs
    and "token_file" in operation_of(module).argument_spec.options
    and operation_of(module).token_owner.product != kit.name
}


def run(module: str, lab: Lab, product: str, **options: Any) -> dict[str, Any]:
    operation = operation_of(module)
    validated = Validated(operation, {"ca_path": lab.ca_path, "hostname": lab[product]["url"], **options})
    assert validated.error is None
    return execute(operation, validated.params, Runtime())


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("module", TAKERS)
def test_a_stored_token_is_sent_only_to_its_own_product(lab: Lab, tmp_path: Path, maker: str, module: str) -> None:
    file, made = str(tmp_path / "token.json"), KITS[maker]
    taker, known = TAKERS[module], operation_of(module).argument_spec.options
    options = {name: value for name, value in taker.from_file.items() if value != OMIT and name in known}
    creating = next(job for job in made.jobs.values() if job.module == made.module)
    assert not done(creating, lab.details, file, token_file=file).message
    lab.clear_requests()

    result = run(module, lab, taker.name, token_file=file, **options)

    (issuer,) = taker.needs
    if maker == issuer:
        assert lab.requests(taker.name)
        return
    assert f"{file} holds a {maker} token, but a {issuer} token is required" in str(result["msg"])
    assert (lab.requests(taker.name), result["request_count"]) == ([], 0)


@pytest.fixture(params=ISSUERS, ids=lambda kit: kit.name)
def issuer(request: pytest.FixtureRequest) -> Kit:
    """A product whose tokens others use."""
    kit: Kit = request.param
    return kit


@pytest.fixture
def another_task(lab: Lab, tmp_path: Path, issuer: Kit) -> Iterator[Callable[[], KeptToken]]:
    """The access of one more task that shares a token file with the others."""
    begun: list[Operation] = []

    def another_task() -> KeptToken:
        operation = operation_of(issuer.module)
        options = {"ca_path": lab.ca_path, "token_file": str(tmp_path / "token.json")}
        validated = Validated(operation, {**options, **issuer.server.options(lab.details)})
        begun.append(operation(operation.argument_spec.typed(validated.params), Runtime()))
        return KeptToken(begun[-1].source(), begun[-1])

    yield another_task
    for operation in begun:
        operation.close()


def test_tasks_that_share_a_file_renew_a_refused_token_once(
    lab: Lab, issuer: Kit, another_task: Callable[[], KeptToken]
) -> None:
    tasks = [another_task() for number in range(8)]
    refused = [task.token() for task in tasks]
    lab.fault(issuer.name, "delay", seconds=0.3)

    with ThreadPoolExecutor(len(tasks)) as pool:
        renewed = list(pool.map(lambda task, token: task.renewed(token), tasks, refused))
    late = another_task().token()

    (first,) = {token.secret for token in refused if token}
    (second,) = {token.secret for token in [*renewed, late] if token}
    assert first != second
    assert None not in renewed
    assert len(lab.requests(issuer.name)) == 2


def test_a_valid_token_that_is_refused_is_renewed_again_only_if_the_first_renewal_helped(
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


def test_a_refused_stored_token_is_replaced_only_by_another_one_in_its_file(
    tmp_path: Path, issuer: Kit, another_task: Callable[[], KeptToken]
) -> None:
    keeper = another_task()
    first = keeper.token()
    stored = StoredToken(FileStore(str(tmp_path / "token.json"), Runtime(), read_only=True), issuer.name, Runtime())
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


def test_a_task_renews_each_token_that_expires_during_its_run(
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
