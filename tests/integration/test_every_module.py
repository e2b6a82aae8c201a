# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The promises of every module: module_defaults groups, equal results on every route, no async."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUER, KITS, TAKER
from support.canaries import leaks
from support.canary_plays import tokens
from support.kit import Kit
from support.playbooks import AS_MODULE, IN_PROCESS, OVER_SSH, Ansible, Route, Run, Task, module
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

MODULES = Path(__file__).resolve().parents[2] / "plugins" / "modules"
FILE = "{{ playbook_dir }}/token.json"
LOCAL = pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)
# Values that differ from run to run, and from lab to lab.
VOLATILE = {
    *("token", "id_token", "refresh_token", "headers", "fingerprint", "issued_at", "expires_at", "expires_in"),
    *(
        "verified_at",
        "uuid",
        "url",
        "ova_properties",
        "cluster_uuid",
        "exception",
        "principal",
        "token_id",
        "token_name",
    ),
}
# The same in a warning: times, fingerprints and seconds.
MEASURED = r"\d{4}-\d\d-\d\dT[\d:]+Z|\b[0-9a-f]{12}\b|\b\d+ s\b"


def defaults_for(kit: Kit) -> dict[str, Any]:
    """The defaults for the group of a product."""
    return {f"group/sddc.tokens.{kit.group or kit.name}": {**kit.server.templates(), **kit.group_defaults}}


@LOCAL
def test_group_defaults_of_all_products_reach_every_module_and_break_none(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    defaults = {"group/sddc.tokens.all": {"ca_path": "{{ ca_path }}", "timeout": 20, "retries": 1}}
    tasks, expected = [], {}
    for kit in KITS.values():
        defaults |= defaults_for(kit)
        for name, options in kit.by_defaults.items():
            given = {option: value for option, value in options.items() if option != "action"}
            # Those that require its tokens use them by its name.
            register = kit.name if name == kit.module else name
            tasks.append({"name": name, f"sddc.tokens.{name}": given, "register": register})
            expected[register] = options["action"]

    run = succeeded(ansible.play(tasks, route=route, keywords={"module_defaults": defaults}, arguments=["-vvv"]))

    assert {name: result["action"] for name, result in run.by_host["sddc"].items()} == expected
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_the_credentials_of_a_product_can_be_set_in_its_group_defaults(ansible: Ansible, lab: Lab) -> None:
    (of_group,) = defaults_for(EXAMPLE).values()
    defaults = {f"group/sddc.tokens.{EXAMPLE.name}": {**of_group, "ca_path": "{{ ca_path }}"}}
    tasks = [module(name, name) for name in EXAMPLE.by_defaults]

    run = succeeded(ansible.play(tasks, keywords={"module_defaults": defaults}))

    actions = {name: options["action"] for name, options in EXAMPLE.by_defaults.items()}
    assert {name: result["action"] for name, result in run.by_host["sddc"].items()} == actions


def every_kind_of_result(kits: Iterable[Kit]) -> list[Task]:
    """Each module in success, failure and check mode, with warnings and diffs."""
    return [
        *tokens(),
        *(task for kit in kits for task in kit.results),
        ISSUER.task("kept", token_file=FILE),
        module("token_info", "files", paths=[FILE, "/no/such/file.json"]),
        failing(module("token_info", "files_misplaced")),
    ]


def steady(value: Any) -> Any:
    """A result with placeholders for values that differ from run to run."""
    if isinstance(value, dict):
        return {key: "volatile" if key in VOLATILE else steady(item) for key, item in value.items()}
    if isinstance(value, list):
        return [steady(item) for item in value]
    return value


def results_of(run: Run) -> dict[str, Any]:
    results = {}
    for name, result in run.by_host["sddc"].items():
        results[name] = steady(result)
        # Newer cores add the place in the playbook that caused a warning.
        texts = [re.sub(r".*msg=(['\"])(.*?)\1, .*", r"\2", text) for text in result.get("warnings", ())]
        results[name]["warnings"] = [
            re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z|\b[0-9a-f]{12}\b|\b\d+ s\b", "...", text) for text in texts
        ]
    return results


# A play has a time limit, so no play has all of them. A few are enough for the fast tests.
SOME = (EXAMPLE, ISSUER, TAKER)
OTHERS = tuple(kit for kit in KITS.values() if kit not in SOME)


@pytest.mark.parametrize(
    ("route", "kits"),
    [
        pytest.param(AS_MODULE, SOME, id="some as a module"),
        pytest.param(AS_MODULE, OTHERS, id="others as a module", marks=pytest.mark.slow),
        pytest.param(OVER_SSH, SOME, id="some over ssh", marks=pytest.mark.slow),
        pytest.param(OVER_SSH, OTHERS, id="others over ssh", marks=pytest.mark.slow),
    ],
)
def test_every_module_gives_the_same_results_on_every_route_and_none_shows_a_secret(
    ansible: Ansible, lab: Lab, route: Route, kits: Iterable[Kit]
) -> None:
    told, logged = {}, {}
    for route_taken in (IN_PROCESS, route):
        lab.reset()
        for file in ansible.folder.glob("*.json"):
            file.unlink()
        for kit in KITS.values():
            for fault in kit.faults:
                lab.fault(kit.name, **fault)
        arguments = ["-vvv", "--diff"]
        run = succeeded(ansible.play(every_kind_of_result(kits), route=route_taken, arguments=arguments))
        told[route_taken.name] = results_of(run)
        logged[route_taken.name] = [
            (entry.product, entry.method, re.sub(r"[0-9a-f-]{36}$", "", entry.path)) for entry in lab.requests()
        ]
        assert ("EXEC" in run.output) != route_taken.in_process
        mine = ["a-wrong-api-token", "a-secret-for-nothing", "a-wrong-password"]
        assert leaks({"output": run.output}, [*mine, *(value["value"] for value in lab.secrets())]) == []
        for name, result in run.by_host["sddc"].items():
            if "headers" in result:
                assert any(value.endswith(result["token"]) for value in result["headers"].values()), name

    for name, result in told[IN_PROCESS.name].items():
        assert told[route.name][name] == result, name
        assert bool(result.get("failed")) == name.endswith(("refused", "misplaced")), name
    assert any(result["warnings"] for result in told[IN_PROCESS.name].values())
    assert logged[route.name] == logged[IN_PROCESS.name]


def test_no_module_runs_with_async(ansible: Ansible, lab: Lab) -> None:
    names = sorted(path.stem for path in MODULES.glob("*.py"))
    tasks = [{**failing(module(name, name)), "async": 30, "poll": 0} for name in names]

    run = succeeded(ansible.play(tasks))

    assert len(names) > 10
    for name in names:
        assert "cannot run with async" in run[name]["msg"], name
    assert lab.requests() == []
