# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens in a store that machines share: a real OpenBao, and the lab's products."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, JOBS, KITS
from support.bao import Bao
from support.canaries import leaks
from support.in_process import done
from support.kit import Job, Kit
from support.playbooks import AS_MODULE, IN_PROCESS, Ansible, Route, Task, module
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

PATH = "sddc/example"


@pytest.fixture(autouse=True)
def empty(bao: Bao) -> None:
    bao.do("DELETE", f"secret/metadata/{PATH}")


def store_of(bao: Bao, **options: Any) -> dict[str, Any]:
    """The option token_store."""
    return {"path": PATH, "url": bao.address, "ca_path": bao.ca_path, "token": bao.root_token, **options}


def kept(register: str, bao: Bao, lease: str | None = None, **options: Any) -> Task:
    """The example, with its token in the store."""
    return EXAMPLE.task(register, token_store=store_of(bao, lease=lease), **options)


@pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)
def test_two_machines_share_one_token_and_its_end(ansible: Ansible, lab: Lab, bao: Bao, route: Route) -> None:
    run = succeeded(ansible.play([kept("first", bao), kept("second", bao)], route=route, arguments=["-vvv"]))

    assert [run[name]["action"] for name in ("first", "second")] == ["created", "reused"]
    assert lab.counts(EXAMPLE.name)["tokens_minted"] == 1
    assert bao.document(PATH)["token"] == run["first"]["token"] == run["second"]["token"]
    assert run["second"]["request_count"] == 2, "the store, and the proof"
    secrets = [bao.root_token, *(secret["value"] for secret in lab.secrets())]
    assert leaks({"output": run.output}, secrets) == []

    run = succeeded(ansible.play([kept("ended", bao, state="absent")], route=route))
    assert run["ended"]["action"] == "revoked"
    assert lab.counts(EXAMPLE.name)["tokens_valid"] == 0
    assert "token" not in bao.document(PATH)


def test_a_lease_that_requests_may_outlast_is_refused_with_the_least_that_would_do(
    ansible: Ansible, lab: Lab, bao: Bao
) -> None:
    run = succeeded(ansible.play([failing(kept("short", bao, lease="2m", timeout=30, retries=3))]))

    assert "240 s" in run["short"]["msg"]
    assert lab.requests() == []


WITH_A_FILE = {name: job for name, job in JOBS.items() if job.keeps}


@pytest.mark.parametrize("name", WITH_A_FILE)
def test_every_job_with_a_token_file_does_the_same_with_a_store(lab: Lab, bao: Bao, tmp_path: Path, name: str) -> None:
    job, file = WITH_A_FILE[name], str(tmp_path / "token.json")

    def actions(job: Job, **options: Any) -> list[str]:
        for earlier in job.before:
            actions(earlier, **options)
        run = done(job, lab.details, file, **options)
        assert not run.result.get("failed"), run.said
        return run.actions

    lab.reset()
    in_store = actions(job, token_file="", token_store=store_of(bao))
    assert not list(tmp_path.iterdir())
    counted = {kit: lab.counts(kit) for kit in KITS}
    lab.reset()

    assert actions(job) == in_store
    assert {kit: lab.counts(kit) for kit in KITS} == counted


TAKERS = [kit for kit in KITS.values() if kit.from_file]


@pytest.mark.parametrize("kit", TAKERS, ids=lambda kit: kit.name)
def test_a_token_of_another_product_is_taken_from_the_store(ansible: Ansible, lab: Lab, bao: Bao, kit: Kit) -> None:
    (issue,) = KITS[kit.needs[0]].tokens
    module = next(name for name in issue if name.startswith("sddc.tokens."))
    issue = {**issue, module: {**issue[module], "token_store": store_of(bao)}}

    succeeded(ansible.play([issue]))
    issued = len(lab.requests(kit.needs[0]))

    run = succeeded(ansible.play([kit.task("taken", token_store=store_of(bao), **kit.from_file)]))

    assert run["taken"]["changed"]
    # An overflow token may be expanded, but no token is requested.
    assert "POST" not in {entry.method for entry in lab.requests(kit.needs[0])[issued:]}


def test_the_lookup_returns_the_token_of_a_store_and_signs_out(ansible: Ansible, lab: Lab, bao: Bao) -> None:
    role = bao.app_role(f'path "secret/data/{PATH}" {{ capabilities = ["read"] }}')
    options = {"url": bao.address, "ca_path": bao.ca_path, **role}
    before = bao.token_count()

    run = succeeded(ansible.play([kept("kept", bao), looked_up("found", options)]))

    assert run["found"]["ansible_facts"]["found"] == run["kept"]["token"]
    assert bao.token_count() == before


def test_the_lookup_says_what_is_wrong_without_a_secret(ansible: Ansible, bao: Bao) -> None:
    options = {"url": bao.address, "ca_path": bao.ca_path, "token": "a-token-that-is-wrong"}

    run = ansible.play([failing(looked_up("found", options)), failing(looked_up("typo", {**options, "tokn": "x"}))])

    assert "permission denied" in run["found"]["msg"]
    assert "there is no option tokn. Did you mean token?" in run["typo"]["msg"]
    assert leaks({"output": run.output}, [options["token"]]) == []


@pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)
def test_token_info_reports_each_document_without_a_secret(ansible: Ansible, lab: Lab, bao: Bao, route: Route) -> None:
    asked = [store_of(bao), store_of(bao, path="sddc/none"), store_of(bao, token="a-token-that-is-wrong")]

    run = succeeded(
        ansible.play([kept("kept", bao), module("token_info", "info", stores=asked)], route=route, arguments=["-vvv"])
    )

    found, missing, refused = run["info"]["token_stores"]
    assert run["info"]["token_files"] == []
    assert (found["url"], found["path"], found["product"]) == (bao.address, f"secret/{PATH}", EXAMPLE.name)
    assert (found["fingerprint"], found["status"]) == (run["kept"]["fingerprint"], "valid")
    assert [entry["status"] for entry in (missing, refused)] == ["missing", "unusable"]
    assert "permission denied" in refused["error"]
    secrets = [bao.root_token, asked[2]["token"], *(secret["value"] for secret in lab.secrets())]
    assert leaks({"output": run.output, "result": str(run["info"])}, secrets) == []


def test_token_info_has_its_former_name_too(ansible: Ansible, tmp_path: Path) -> None:
    tasks = [module("token_file_info", "info", paths=[str(tmp_path)])]

    run = ansible.play(tasks, environ={"ANSIBLE_DEPRECATION_WARNINGS": "true"})

    assert run["info"]["token_files"] == []
    assert "Use sddc.tokens.token_info instead." in run.output


def looked_up(register: str, options: Mapping[str, Any]) -> Task:
    """Set a fact to what the lookup returns."""
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return {
        "name": "Look it up",
        "ansible.builtin.set_fact": {register: f"{{{{ lookup('sddc.tokens.token_store', {PATH!r}, {given}) }}}}"},
        "register": register,
    }
