# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make mutants` generates the intended faults, and its list matches the code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import mutants
from tools.mutations import mutations_of

LISTED = yaml.safe_load(mutants.LIST.read_text())


def test_each_named_mutant_applies_to_the_code_and_its_tests_exist() -> None:
    named = list(mutants.named_mutants(LISTED["named"]))

    assert len(named) >= 9
    for mutant in named:
        compile(mutant.text, mutant.path, "exec")
        for test in mutant.tests:
            file, _separator, name = test.partition("::")
            assert name.partition("[")[0] in (mutants.CHECKOUT / file).read_text(), test


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
        ("raise ValueError('ä')", "drop a raise", ["pass"]),
        ("a = ('ä', True, 7)", "replace a constant", ["a = ('ä', False, 7)", "a = ('ä', True, 8)"]),
        ("a: Literal[1] = f'{2}'", "replace a constant", []),
    ],
)
def test_a_fault_changes_one_place_of_a_function(line: str, change: str, faults: list[str]) -> None:
    source = f"SIZE = 1\n\n\ndef function(a, b=2):\n    {line}\n"

    found = [mutation for mutation in mutations_of(source) if mutation.change == change]

    assert [mutation.applied(source) for mutation in found] == [source.replace(line, fault) for fault in faults]
    assert {mutation.line for mutation in found} <= {5}


def test_a_generated_mutant_is_tried_first_with_the_tests_named_for_its_file() -> None:
    tests = mutants.nearest_tests("plugins/module_utils/_http/retry.py")

    assert tests[0] == "tests/unit/plugins/module_utils/test_retry.py"
    assert 1 < len(tests) <= mutants.MOST_TEST_FILES
