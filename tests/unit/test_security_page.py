# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of threats names existing tests."""

from __future__ import annotations

import ast
import re

from support.checkout import CHECKOUT

PAGE = (CHECKOUT / "docs" / "security.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`( \(slow\))?")
THREATS = re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]


def functions(path: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((CHECKOUT / path).read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def is_slow(test: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "pytest.mark.slow" for decorator in test.decorator_list)


def test_each_test_named_on_the_page_exists_and_is_marked_slow_as_documented() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) == PAGE.count("::") > 20
    for path, name, slow in named:
        tests = functions(path)
        assert name in tests, f"{path}::{name}"
        assert is_slow(tests[name]) == bool(slow), f"{path}::{name}"


def test_each_threat_names_its_mitigation_its_limits_and_a_test() -> None:
    assert len(THREATS) > 8
    for threat in THREATS:
        title = threat.splitlines()[0]
        assert [threat.count(part) for part in ("**Protected.**", "**Not protected.**", "**Tests.**")] == [1, 1, 1], (
            title
        )
        assert NAMED.search(threat.split("**Tests.**")[1]), title
