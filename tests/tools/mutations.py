# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small faults in a source text, each of which some test should detect."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
# Conditions that only a type checker evaluates.
_NEVER_RUN = ("TYPE_CHECKING",)


@dataclass(frozen=True)
class Mutation:
    """A fault: its description, its place, and the source with it. Offsets are in bytes."""

    change: str
    line: int
    start: int
    end: int
    replacement: str

    def applied(self, source: str) -> str:
        content = source.encode()
        return (content[: self.start] + self.replacement.encode() + content[self.end :]).decode()


def mutations_of(source: str) -> Iterator[Mutation]:
    """All faults of the kinds below in the code of functions."""
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def mutation(change: str, node: ast.expr | ast.stmt, replacement: str) -> Mutation:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        return Mutation(change, node.lineno, start, starts[node.end_lineno - 1] + node.end_col_offset, replacement)

    for node in _called(ast.parse(source)):
        for change, where, replacement in _faults(node):
            yield mutation(change, where, replacement)


def _called(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes in the bodies of functions, without annotations and f-strings (whose parts have no position)."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for statement in node.body:
                yield from _nodes(statement)


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    # Nested functions are found separately.
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.JoinedStr)):
        return
    yield node
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name != "annotation":
                yield from _nodes(child)


def _faults(node: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt, str]]:
    if isinstance(node, (ast.If, ast.While, ast.IfExp)) and ast.unparse(node.test) not in _NEVER_RUN:
        yield "negate a condition", node.test, f"(not ({ast.unparse(node.test)}))"
    if isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield "negate a condition", test, f"(not ({ast.unparse(test)}))"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "drop a call", node, "pass"
    if isinstance(node, ast.Raise):
        yield "drop a raise", node, "pass"
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        swapped = ast.Compare(node.left, [_SWAPPED[type(node.ops[0])]()], node.comparators)
        yield "swap a comparison", node, f"({ast.unparse(swapped)})"
    if isinstance(node, ast.BoolOp):
        other = ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield "swap and and or", node, f"({ast.unparse(other)})"
    # In a condition None is as good as False, which is replaced below.
    if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) not in ("None", "False"):
        yield "return None", node, "return None"
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int)):
        other_value = not node.value if isinstance(node.value, bool) else node.value + 1
        yield f"replace {node.value} with {other_value}", node, repr(other_value)
