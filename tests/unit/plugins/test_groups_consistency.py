# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules, actions and groups belong together, and a default for a group breaks none of its members."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated
from products import JOBS, KITS
from support.canary_plays import everything
from support.collection import COLLECTION, GROUPS, HTTP_MODULES, MODULES, PLUGINS, PRODUCTS, doc
from support.in_process import operation_of

PACKAGE = f"ansible_collections.{COLLECTION}.plugins"

each_module = pytest.mark.parametrize("name", MODULES)


@each_module
def test_module_and_action_run_the_operation_of_their_name(name: str) -> None:
    operation = operation_of(name)
    action = importlib.import_module(f"{PACKAGE}.action.{name}").ActionModule
    tree = ast.parse((PLUGINS / "modules" / f"{name}.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "run_module"]

    assert operation.name == f"{COLLECTION}.{name}"
    assert action.operation is operation
    assert [ast.unparse(argument) for call in calls for argument in call.args] == [operation.__name__]


def test_each_module_has_one_action() -> None:
    assert sorted(path.stem for path in PLUGINS.glob("action/*.py")) == MODULES


def modules_of(product: str) -> list[str]:
    return [name for name in HTTP_MODULES if name.startswith(f"{product}_")]


def test_groups_contain_the_modules_that_belong_to_them() -> None:
    groups: dict[str, list[str]] = {"all": HTTP_MODULES}
    for product in PRODUCTS:
        groups.setdefault(KITS[product].group or product, []).extend(modules_of(product))

    assert {group: sorted(modules) for group, modules in groups.items()} == GROUPS


def test_every_module_that_uses_a_product_is_in_the_fault_hostile_server_and_canary_tests() -> None:
    assert set(KITS) == set(PRODUCTS)
    assert {job.module for job in JOBS.values()} == set(HTTP_MODULES)
    assert _modules(everything()) == set(MODULES)


@pytest.mark.parametrize("product", KITS)
def test_a_kit_has_every_module_of_its_product_in_each_of_its_lists(product: str) -> None:
    kit = KITS[product]
    found = {
        "promised": set(kit.promised),
        "jobs": {job.module for job in kit.jobs.values()},
        "asks": _modules([*kit.asks, *kit.asks_without_secret]),
        "successes": _modules(kit.successes),
        "results": _modules(kit.results),
        "by_defaults": set(kit.by_defaults),
    }

    assert found == {name: set(modules_of(product)) for name in found}
    assert kit.refusals
    assert kit.environment
    assert kit.rotation


def _modules(tasks: Iterable[Mapping[str, Any]]) -> set[str]:
    return {key.removeprefix(f"{COLLECTION}.") for task in tasks for key in _keys(task)} & set(MODULES)


def _keys(task: Mapping[str, Any]) -> set[str]:
    """The keys of a task, and of those in its blocks."""
    return {*task, *(key for part in ("block", "rescue", "always") for inner in task.get(part, ()) for key in inner)}


@each_module
def test_module_documents_its_groups(name: str) -> None:
    membership = doc(name)["attributes"].get("action_group", {}).get("membership", [])

    assert sorted(membership) == sorted(f"{COLLECTION}.{group}" for group, members in GROUPS.items() if name in members)


def shared_options() -> list[tuple[str, str]]:
    """Each option that all members of a group have, by group."""
    specs = {
        group: [set(operation_of(name).argument_spec.options) for name in members if name in MODULES]
        for group, members in GROUPS.items()
    }
    return [(group, option) for group, found in specs.items() for option in sorted(set.intersection(*found))]


VALUES = {
    "str": "word",
    "path": "/a/path",
    "bool": True,
    "int": 2,
    "float": 2,
    "duration": "2m",
    "raw": {"key": "word"},
    "dict": {"key": "word"},
}


def value_for(spec: Mapping[str, Any]) -> Any:
    """Any value that an option accepts."""
    if "spec" in spec:
        return {name: value_for(option) for name, option in spec["spec"].options.items() if option.get("required")}
    if spec["type"] == "list":
        return [VALUES[spec["elements"]]]
    return spec["choices"][0] if "choices" in spec else VALUES[spec["type"]]


def minimal_arguments(operation: type[Operation], option: str) -> list[dict[str, Any]]:
    """Argument sets around one option, the smallest that the rules allow."""
    spec, options = operation.argument_spec, operation.argument_spec.options
    base = {name for name in options if options[name].get("required")} | {option}
    choices = [group for group in spec.required_one_of if base.isdisjoint(group)]
    sets = [base]
    for group in choices:
        sets = [{*chosen, name} for chosen in sets for name in group]
    for rule in spec.required_if:
        sets += [{*chosen, *(rule[2] if len(rule) < 4 else ())} for chosen in sets]
        sets += [{*chosen, name} for chosen in sets for name in rule[2] if len(rule) == 4]
    for group in spec.required_together:
        sets = [{*chosen, *(group if chosen & set(group) else ())} for chosen in sets]
    return [{name: value_for(options[name]) for name in chosen} for chosen in sets]


@pytest.mark.parametrize(("group", "option"), shared_options())
def test_a_group_default_breaks_none_of_its_members(group: str, option: str) -> None:
    specs = [operation_of(name).argument_spec.options[option] for name in GROUPS[group]]
    meaning = [{fact: spec.get(fact) for fact in ("type", "elements", "choices", "no_log")} for spec in specs]
    assert meaning == meaning[:1] * len(meaning)

    for name in GROUPS[group]:
        operation = operation_of(name)
        errors = [Validated(operation, arguments).error for arguments in minimal_arguments(operation, option)]
        assert None in errors, (name, errors)
