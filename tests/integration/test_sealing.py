# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No output shows a created token: on every core, on every route, at any verbosity, with any callback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUER
from support.canaries import leaks
from support.cores import DEFAULT, EVERY, Core
from support.playbooks import EACH_ROUTE, IN_PROCESS, ROUTES, Ansible, Route, Run, Task

if TYPE_CHECKING:
    from lab.client import Lab

CALLBACKS = {
    "default": {},
    "json": {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
    "jsonl": {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.jsonl"},
    "junit": {"ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit", "JUNIT_OUTPUT_DIR": "written"},
    "tree": {"ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.tree", "ANSIBLE_CALLBACK_TREE_DIR": "written"},
    "log": {"ANSIBLE_LOG_PATH": "written/ansible.log"},
}


def each_core_with(values: Mapping[str, Any]) -> list[Any]:
    """Each core with each value: fast on the default core, slow on the others, which lanes run."""
    return [
        pytest.param(
            core,
            value,
            id=f"core {core.version}-{name}",
            marks=[] if core is DEFAULT else pytest.mark.slow,
        )
        for core in EVERY
        for name, value in values.items()
    ]


BY_ROUTE = {route.name: route for route in ROUTES}
on_each_core_by_each_route = pytest.mark.parametrize(("core", "route"), each_core_with(BY_ROUTE), indirect=["core"])


def every_way_to_print() -> list[Task]:
    """Success, a loop, retries, ignored and rescued failures, and a token that is used and passed in again."""
    return [
        EXAMPLE.task("created"),
        ISSUER.task("exchanged"),
        {**EXAMPLE.task(token="{{ created.token }}"), "name": "Hand it in"},
        {**EXAMPLE.task("in_loop"), "loop": ["first", "second"]},
        {**ISSUER.task("with_retries"), "until": "with_retries.token | length > 4", "retries": 2, "delay": 0},
        {**EXAMPLE.task("refused", password="wrong-{{ example.password }}"), "ignore_errors": True},
        {**ISSUER.task("quoted", api_token="wrong-{{ issuer.api_token }}"), "ignore_errors": True},
        {**EXAMPLE.task("misplaced", timeout="{{ example.password }}"), "ignore_errors": True},
        {
            "name": "Use it",
            "ansible.builtin.uri": {
                "url": "{{ example.url }}/api/ni/info/version",
                "headers": "{{ created.headers }}",
                "ca_path": "{{ ca_path }}",
            },
            "register": "used",
            "no_log": True,
        },
        {**EXAMPLE.task("revoked", token="{{ created.token }}", state="absent")},
    ]


def assert_sealed(run: Run, lab: Lab) -> None:
    texts = {"stdout": run.stdout, "stderr": run.stderr, **run.written}
    assert leaks(texts, [secret["value"] for secret in lab.secrets()]) == []


@on_each_core_by_each_route
def test_no_output_shows_a_secret_on_any_ansible_core_on_any_route(
    ansible: Ansible, lab: Lab, core: Core, route: Route
) -> None:
    run = ansible.play(every_way_to_print(), core=core, route=route, arguments=["-vvvv", "--diff"])

    assert run.returncode == 0, run.output
    assert run["used"]["status"] == 200, "the registered token works"
    assert run["revoked"]["action"] == "revoked"
    assert run["exchanged"]["token"] in [secret["value"] for secret in lab.secrets()]
    assert_sealed(run, lab)


@pytest.mark.parametrize(("core", "callback"), each_core_with({name: name for name in CALLBACKS}), indirect=["core"])
def test_no_callback_shows_a_secret(ansible: Ansible, lab: Lab, core: Core, callback: str) -> None:
    (ansible.folder / "written").mkdir()

    run = ansible.play(every_way_to_print(), core=core, environ=CALLBACKS[callback], arguments=["-vvv"])

    assert run.returncode == 0, run.output
    assert bool(run.written) == (callback in ("junit", "tree", "log")), "the callback wrote to the configured place"
    assert_sealed(run, lab)


def test_the_scan_finds_a_printed_secret(ansible: Ansible, lab: Lab) -> None:
    """This proves that the tests above can fail: no task of this collection has registered the password as a secret."""
    run = ansible.play([{"name": "Print", "ansible.builtin.debug": {"var": "example.password"}}])

    assert leaks({"stdout": run.stdout}, [secret["value"] for secret in lab.secrets()])


@on_each_core_by_each_route
def test_a_core_with_the_secrets_api_masks_the_token_in_later_tasks_and_shows_the_rest(
    ansible: Ansible, lab: Lab, core: Core, route: Route
) -> None:
    if not core.masks_secrets:
        pytest.skip(f"ansible-core {core.version} has no Secrets API: the user must hide later output with no_log")

    run = ansible.play(
        [
            EXAMPLE.task("created"),
            {"name": "Print", "ansible.builtin.debug": {"var": "created"}},
            {"name": "Echo", "ansible.builtin.command": "echo {{ created.token }}"},
            {"name": "Quote", "ansible.builtin.debug": {"msg": "{{ created.token.nope.nope }}"}, "ignore_errors": True},
        ],
        core=core,
        route=route,
        arguments=["-v"],
    )

    assert run.returncode == 0, run.output
    assert_sealed(run, lab)
    assert run["created"]["expires_at"] in run.stdout
    assert "censored" not in run.stdout


@pytest.mark.skipif(
    DEFAULT.masks_secrets, reason="this ansible-core has the Secrets API: the lanes of older ones run this"
)
@pytest.mark.parametrize("route", EACH_ROUTE)
def test_an_older_core_hides_the_whole_result_and_the_summary_of_a_loop(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    run = ansible.play([{**EXAMPLE.task("created"), "loop": [1, 2]}], route=route, arguments=["-v"])

    assert "censored" in run.stdout or "no_log" in run.stdout
    assert run["created"]["results"][0]["fingerprint"] not in run.stdout
    assert_sealed(run, lab)


@on_each_core_by_each_route
def test_without_return_token_the_result_stays_readable_on_every_core(
    ansible: Ansible, lab: Lab, core: Core, route: Route
) -> None:
    file = ansible.folder / "token.json"
    tasks = [
        EXAMPLE.task("created", token_file=str(file), return_token=False),
        EXAMPLE.task("short", token_file=str(file), return_token=False, renew="always", min_remaining=10**6),
    ]

    run = ansible.play(tasks, core=core, route=route, arguments=["-v", "--diff"])

    assert run.returncode == 0, run.output
    assert run["created"]["fingerprint"] in run.stdout
    assert "token" not in run["created"]
    assert "headers" not in run["created"]
    assert "half its life" in run.output.replace("\n", " ")
    assert "censored" not in run.stdout
    assert_sealed(run, lab)


@on_each_core_by_each_route
def test_a_warning_of_a_hidden_result_is_still_shown(ansible: Ansible, core: Core, route: Route) -> None:
    run = ansible.play([EXAMPLE.task("created", min_remaining=10**6)], core=core, route=route)

    assert run.returncode == 0, run.output
    assert "half its life" in " ".join(run.output.split())


@pytest.mark.parametrize("in_process", [True, False])
def test_async_is_refused(ansible: Ansible, lab: Lab, in_process: bool) -> None:
    run = ansible.play(
        [{**EXAMPLE.task("refused"), "async": 30, "poll": 1, "ignore_errors": True}],
        route=IN_PROCESS if in_process else ROUTES[1],
    )

    assert run["refused"]["failed"]
    assert "cannot run with async" in run["refused"]["msg"]
    assert lab.requests() == []
