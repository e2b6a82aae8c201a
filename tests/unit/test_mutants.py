# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make mutants` generates the intended faults, and its list matches the code."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
import yaml

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.checkout import CHECKOUT
from tools import mutant_trials, mutants
from tools.mutations import mutations_of

LISTED = yaml.safe_load(mutants.LIST.read_text())


def test_each_named_mutant_applies_to_the_code_and_its_tests_exist() -> None:
    named = list(mutants.named_mutants(LISTED["named"]))

    assert len(named) >= 9
    for mutant in named:
        compile(mutant.text, mutant.path, "exec")
        for test in mutant.tests:
            file, _separator, name = test.partition("::")
            assert name.partition("[")[0] in (CHECKOUT / file).read_text(), test


def test_each_accepted_mutant_would_be_generated_and_has_a_reason() -> None:
    accepted = LISTED["accepted"]

    assert all(entry["reason"] for entry in accepted)
    assert len(list(mutants.generated_mutants([]))) >= len(list(mutants.generated_mutants(accepted))) + len(accepted)


@pytest.mark.parametrize(
    ("line", "change", "faults"),
    [
        ("if a: call(b)", "negate a condition", ["if (not (a)): call(b)"]),
        ("if a: call(b)", "drop a call", ["if a: pass"]),
        ("return [b for b in a if b]", "negate a condition", ["return [b for b in a if (not (b))]"]),
        ("return a < b", "swap a comparison", ["return (a <= b)"]),
        ("return a is b", "swap a comparison", ["return (a is not b)"]),
        ("return a and b", "swap and and or", ["return (a or b)"]),
        ("return a", "return None", ["return None"]),
        ("return False", "return None", []),
        ("raise ValueError('ä')", "drop a raise", ["pass"]),
        ("a = ('ä', True, 7)", "replace True with False", ["a = ('ä', False, 7)"]),
        ("a = ('ä', True, 7)", "replace 7 with 8", ["a = ('ä', True, 8)"]),
        ("a: Literal[1] = f'{2}'", "replace 1 with 2", []),
    ],
)
def test_a_fault_changes_one_place_of_a_function(line: str, change: str, faults: list[str]) -> None:
    source = f"SIZE = 1\n\n\ndef function(a, b=2):\n    {line}\n"

    found = [mutation for mutation in mutations_of(source) if mutation.change == change]

    assert [mutation.applied(source) for mutation in found] == [source.replace(line, fault) for fault in faults]
    assert {mutation.line for mutation in found} <= {5}


SOURCE = """\
import contextlib


class Sized(list):
    @property
    def size(self):
        return len(self) + (
            1
        )

    @size.setter
    def size(self, size):
        self[:] = range(size)

    def append(self, item):
        super().append(item)


@contextlib.contextmanager
def entered(items):
    items.append(1)
    yield items
"""


def seen_with(change: str, line: int) -> tuple[int, ...]:
    """What a module shows, when it was loaded before it was mutated."""
    found = [mutation for mutation in mutations_of(SOURCE) if (mutation.change, mutation.line) == (change, line)]
    module: dict[str, Any] = {}
    exec(compile(SOURCE, "/checkout/plugins/sized.py", "exec", dont_inherit=True), module)  # noqa: S102
    functions = [found for found in gc.get_objects() if isinstance(found, FunctionType)]
    for mutation in found:
        mutant_trials.apply("plugins/sized.py", mutant_trials.codes_of(mutation.applied(SOURCE)), functions)
    sized = module["Sized"]()
    sized.append(1)
    with module["entered"](sized):
        return len(sized), sized.size


@pytest.mark.parametrize(
    ("change", "line", "seen"),
    [
        ("none", 1, (2, 3)),
        ("replace 1 with 2", 8, (2, 4)),
        ("drop a call", 16, (0, 1)),
        ("drop a call", 21, (1, 2)),
    ],
)
def test_a_mutant_replaces_the_code_of_functions_that_are_loaded(change: str, line: int, seen: tuple[int, int]) -> None:
    assert seen_with(change, line) == seen


def test_each_line_of_a_statement_has_the_tests_of_its_first_line() -> None:
    first = mutant_trials.first_lines(SOURCE)

    assert [first[line] for line in (7, 8, 9, 13, 21)] == [7, 7, 7, 13, 21]
