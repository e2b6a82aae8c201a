# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""token_set in playbooks: the same on both routes, from the environment, and without a secret on any core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from products import ENTRIES, EXAMPLE, ISSUER, KITS
from support.canaries import leaks
from support.cores import Core
from support.entries import entry, token_set
from support.in_process import operation_of
from support.kit import Kit
from support.playbooks import AS_MODULE, EACH_ROUTE, IN_PROCESS, Ansible, Route, Run, Task
from support.tasks import checked, failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

PASSWORD = "{{ example.password }}"
VOLATILE = ("expires_at", "expires_in", "fingerprint")

each_route = pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)


def assert_no_secret(run: Run, lab: Lab) -> None:
    texts = {"output": run.output, "registered": str(run.by_host)}
    assert leaks(texts, [secret["value"] for secret in lab.secrets()]) == []


def misplaced(kit: Kit) -> dict[str, Any]:
    """An entry with the secret in each option that is not secret."""
    options = operation_of(kit.module).argument_spec.options
    places = {option for option, spec in options.items() if not spec.get("no_log")}
    secret = dict.fromkeys(kit.server.credentials[-1:], PASSWORD)
    return entry(kit.name, **{option: [PASSWORD] for option in places - {"hostname"}}, **secret)


def steady(result: dict[str, Any]) -> dict[str, Any]:
    """A result with placeholders for values that differ from run to run."""
    tokens = [{name: token[name] for name in token if name not in VOLATILE} for token in result["tokens"]]
    return {"tokens": tokens, **{name: result[name] for name in ("changed", "action", "request_count")}}


def test_both_routes_give_the_same_results_and_hide_nothing(ansible: Ansible, lab: Lab, core: Core) -> None:
    every = [entry(product) for product in ENTRIES]
    wrong = entry(EXAMPLE.name, name="wrong", password="wrong-password", token_file="{{ playbook_dir }}/wrong.json")
    tasks = [
        checked(token_set("planned", *every)),
        token_set("first", *every),
        token_set("second", *every),
        failing(token_set("partly", wrong, every[0])),
    ]
    results = {}

    for route in (IN_PROCESS, AS_MODULE):
        lab.reset()
        for kit in KITS.values():
            lab.change_settings(kit.name, **kit.settings)
        for path in ansible.folder.glob("*.json*"):
            path.unlink()
        run = succeeded(ansible.play(tasks, route=route, core=core, arguments=["-vvv", "--diff"]))
        results[route.name] = {name: steady(run[name]) for name in ("planned", "first", "second", "partly")}
        assert_no_secret(run, lab)
        assert "censored" not in run.output
        assert ("EXEC" in run.output) != route.in_process

    planned, first, second, partly = results[IN_PROCESS.name].values()
    assert results[AS_MODULE.name] == results[IN_PROCESS.name]
    assert [token["changed"] for token in planned["tokens"]] == [token["changed"] for token in first["tokens"]]
    assert (first["changed"], second["changed"]) == (True, False)
    assert [bool(token["error"]) for token in partly["tokens"]] == [True, False]


@each_route
def test_no_secret_of_an_invalid_entry_is_shown(ansible: Ansible, lab: Lab, core: Core, route: Route) -> None:
    one, two = EXAMPLE.name, ISSUER.name
    wrong: list[list[Any]] = [
        [entry(one, timeout=PASSWORD, retries=[PASSWORD], verify=PASSWORD)],
        [entry(one, passwort=PASSWORD), entry(two, min_remaining=PASSWORD, renew=PASSWORD)],
        [{**entry(one), "product": PASSWORD}, {"name": PASSWORD, "password": PASSWORD}],
        [entry(one, password={"value": [PASSWORD]}, domain=PASSWORD)],
        [entry(one, token=PASSWORD, return_token=True)],
        [f"product={one} password={PASSWORD}", PASSWORD],
        *([misplaced(kit)] for kit in KITS.values() if kit.server.credentials),
    ]
    tasks: list[Task] = [failing(token_set(f"wrong{number}", *tokens)) for number, tokens in enumerate(wrong)]
    tasks.append(failing(token_set("wrong_option", entry(one), retries=PASSWORD)))

    run = succeeded(ansible.play(tasks, route=route, core=core, arguments=["-vvvv"]))

    assert all(run[name]["failed"] and "token" in run[name]["msg"] for name in run.by_host["sddc"])
    assert len(run.by_host["sddc"]) == len(tasks)
    assert lab.requests() == []
    assert_no_secret(run, lab)


@pytest.mark.parametrize("route", EACH_ROUTE)
def test_credentials_of_the_environment_are_used_and_are_not_sent_to_the_host(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    names = {detail: name for name, detail in EXAMPLE.environment.items()}
    others = {detail: name for name, detail in ISSUER.environment.items()}
    environment = {
        names["host"]: "{{ example.url }}",
        names["username"]: "{{ example.username }}",
        names["password"]: PASSWORD,
        others["host"]: "{{ issuer.url }}",
        "KEPT": "kept-for-the-host",
    }
    files = {kit.name: f"{{{{ playbook_dir }}}}/{kit.name}.json" for kit in (ISSUER, EXAMPLE)}
    tokens = [{"product": product, "token_file": file} for product, file in files.items()]
    task = {**token_set("kept", *tokens), "environment": environment}
    defaults = {"group/sddc.tokens.all": {"ca_path": "{{ ca_path }}", "timeout": 20}}

    run = succeeded(
        ansible.play(
            [task],
            route=route,
            keywords={"module_defaults": defaults},
            environ={others["api_token"]: lab[ISSUER.name]["api_token"], names["username"]: "somebody-else"},
            arguments=["-vvv"],
        )
    )

    assert [token["action"] for token in run["kept"]["tokens"]] == ["created", "created"]
    execs = " ".join(line for line in run.output.splitlines() if "EXEC" in line)
    assert ("KEPT=kept-for-the-host" in execs) == (not route.in_process)
    assert [name for name in environment if name != "KEPT" and name in execs] == []
    assert_no_secret(run, lab)


def test_a_task_without_tokens_does_nothing(ansible: Ansible, lab: Lab) -> None:
    run = succeeded(ansible.play([token_set("nothing"), failing({**token_set("async"), "async": 10})]))

    assert (run["nothing"]["tokens"], run["nothing"]["changed"], run["nothing"]["request_count"]) == ([], False, 0)
    assert "cannot run with async" in run["async"]["msg"]
    assert lab.requests() == []
