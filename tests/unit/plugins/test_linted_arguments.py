# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `main` of each action, with which ansible-lint checks the arguments of tasks."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from ansible.module_utils import basic

from support.collection import COLLECTION, MODULES
from support.in_process import operation_of


@pytest.mark.parametrize("name", MODULES)
def test_an_action_gives_linters_the_options_of_its_module(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    spec = operation_of(name).argument_spec
    given: dict[str, Any] = {}
    monkeypatch.setattr(basic, "AnsibleModule", lambda **arguments: given.update(arguments))

    importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.action.{name}").main()

    required = {option for option, facts in given["argument_spec"].items() if facts.get("required")}
    assert set(given["argument_spec"]) == set(spec.options)
    assert required == {
        option for option, facts in spec.options.items() if facts.get("required") and not facts.get("environment")
    }


@pytest.mark.parametrize("name", MODULES)
def test_an_action_without_a_linter_checks_the_arguments_and_runs_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    operation = operation_of(name)
    monkeypatch.setattr(basic, "AnsibleModule", lambda **_arguments: None)
    monkeypatch.setattr(operation, "run", lambda _self: pytest.fail("the operation has run"))

    assert importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.action.{name}").main() is None
