# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page on reliability names existing tests, all that belong to it, and their numbers."""

from __future__ import annotations

import ast
import re

import pytest

from ansible_collections.sddc.tokens.tests.integration.test_faults_matrix import FAULTS
from support.checkout import CHECKOUT

PAGE = (CHECKOUT / "docs" / "reliability.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
SUITES = (
    "tests/integration/test_crashes.py",
    "tests/integration/test_faults_matrix.py",
    "tests/integration/test_load.py",
    "tests/integration/test_single_flight.py",
    "tests/integration/test_token_store_cluster.py",
    "tests/integration/test_token_store_cost.py",
    "tests/integration/test_token_store_crashes.py",
    "tests/integration/test_token_store_faults.py",
    "tests/unit/plugins/module_utils/test_fuzz_responses.py",
)


def functions(path: str) -> set[str]:
    """The names of a file's tests."""
    tree = ast.parse((CHECKOUT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def constant(path: str, name: str) -> int:
    """A named constant of a file."""
    for node in ast.parse((CHECKOUT / path).read_text()).body:
        if isinstance(node, ast.Assign):
            target = ast.unparse(node.targets[0]).strip("()").split(", ")
            if name in target:
                value = ast.literal_eval(node.value)
                return int(value[target.index(name)] if isinstance(value, tuple) else value)
    raise LookupError(name)


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_each_test_named_on_the_page_exists(path: str, name: str) -> None:
    assert name in functions(path)


@pytest.mark.parametrize("path", SUITES)
def test_the_page_names_each_test_of_its_suites(path: str) -> None:
    assert functions(path) == {name for of, name in NAMED if of == path}


def test_the_page_has_the_numbers_of_the_suites() -> None:
    fuzz, load = SUITES[-1], SUITES[2]
    numbers = (
        f"each of {len(FAULTS)} faults",
        f"`make test` sends {constant(fuzz, 'FAST')} responses for each job,",
        f"`make test-all` {constant(fuzz, 'WHOLE')};",
        f"{constant(load, 'FEW')} and {constant(load, 'MANY'):,} hosts, {constant(load, 'FORKS')} forks",
        f"{constant(load, 'TASKS_IN_ONE_PROCESS'):,} tasks in one process",
    )

    text = " ".join(PAGE.split())
    assert [words for words in numbers if words not in text] == []
