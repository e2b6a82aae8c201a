# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try mutants of functions with the unit tests that run the mutated statement.

The tests are imported once. Each mutant is tried in a fork of that process, which replaces the code of the mutated
function, so that a trial takes about as long as its tests. A first run without any mutant finds out which tests run
which statements. Statements that run only during an import, or only in other processes, have no tests here.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import multiprocessing
import os
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from multiprocessing import connection
from types import CodeType, FunctionType
from typing import Generic, TypeVar
from unittest.mock import patch

import pytest

from lab.client import Lab
from support.checkout import CHECKOUT

# Forks share the position in a file, so pytest must not capture output in files.
ARGUMENTS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow", "--capture=sys", "--hypothesis-seed=0")
# A test hangs that takes this time, in seconds, and so many times as long as without any mutant.
_HANGS, _TIMES = 60, 10
# The same for the time of the processor, which does not depend on what else the machine does.
_LOOPS = 5

_FORK = multiprocessing.get_context("fork")
_Statement = tuple[str, int]
_TEMPORARY = tempfile.gettempdir()
_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Mutant:
    """A file with a fault in a line."""

    name: str
    path: str
    line: int
    text: str


@dataclass(frozen=True)
class Outcome:
    """Whether a test failed, and how many tests run the statement."""

    name: str
    is_noticed: bool
    tests: int


@dataclass(frozen=True)
class Run:
    """A test without any mutant: why it fails, what it takes, and which statements it runs."""

    test: int
    failure: str
    processor: float
    seconds: float
    statements: frozenset[_Statement]


class Trials:
    """A plugin for pytest that tries mutants with the collected tests until a time is over."""

    def __init__(self, mutants: Sequence[Mutant], processes: int, end: float) -> None:
        self._mutants = mutants
        self._processes = processes
        self._end = end
        self.failures: list[str] = []
        self.outcomes: list[Outcome] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed:
            return None
        for path in {mutant.path for mutant in self._mutants}:
            importlib.import_module("ansible_collections.sddc.tokens." + path.removesuffix(".py").replace("/", "."))
        functions = [found for found in gc.get_objects() if isinstance(found, FunctionType)]
        # Forks then share these objects, which a collection of garbage would write to.
        gc.freeze()
        with contextlib.ExitStack() as stack:
            labs = [stack.enter_context(Lab.start()) for _process in range(self._processes)]
            runs = _in_forks(labs, range(len(session.items)), _run_all, session)
            self.failures = [run.failure for run in runs if run.failure]
            if not self.failures:
                tests = _tests_by_statement(runs)
                self.outcomes = _in_forks(labs, self._mutants, _try_all, session, functions, tests, self._end)
        return True


def _in_forks(
    labs: Sequence[Lab], tasks: Sequence[_Task], function: Callable[..., list[_Result]], *arguments: object
) -> list[_Result]:
    """Share tasks among forks, each with a lab."""
    shares = [tasks[start :: len(labs)] for start in range(len(labs))]
    forks = [_Fork(_with_lab, lab, function, share, *arguments) for lab, share in zip(labs, shares, strict=True)]
    results = [fork.result() for fork in forks]
    if None in results:
        raise RuntimeError("A process that shares the work has died")
    return [result for part in results for result in part or []]


def _with_lab(lab: Lab, function: Callable[..., _Result], *arguments: object) -> _Result:
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    # A lab of its own for each fork: they must not use the same connections.
    with patch.object(Lab, "start", side_effect=lambda: contextlib.nullcontext(Lab(lab.details))):
        return function(*arguments)


class _Fork(Generic[_Result]):
    """A call in a process of its own, with a folder of its own for temporary files."""

    def __init__(self, function: Callable[..., _Result], *arguments: object) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mutant-", dir=_TEMPORARY)
        self._receiver, sender = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(target=self._send, args=(sender, function, arguments))
        self._process.start()
        sender.close()

    def _send(
        self, sender: connection.Connection, function: Callable[..., _Result], arguments: Sequence[object]
    ) -> None:
        os.environ.update(TMPDIR=self._folder.name, PYTEST_DEBUG_TEMPROOT=self._folder.name)
        tempfile.tempdir = None
        sender.send(function(*arguments))

    def result(self) -> _Result | None:
        """Return None when the process dies."""
        try:
            connection.wait([self._receiver, self._process.sentinel])
            return self._receiver.recv() if self._receiver.poll() else None
        except EOFError:
            return None
        finally:
            self._process.kill()
            self._process.join()
            self._folder.cleanup()


class _Failures:
    """A plugin that keeps why a test fails."""

    text = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.text += f"{report.nodeid}\n{report.longreprtext}\n"


def _run_all(tests: Sequence[int], session: pytest.Session) -> list[Run]:
    import coverage  # `ansible-test units` runs the tests of this file without it

    measured = coverage.Coverage(data_file=None, include=[f"{CHECKOUT}/plugins/*"])
    measured.start()
    failures, runs = _Failures(), []
    session.config.pluginmanager.register(failures)
    for test, following in zip(tests, [*tests[1:], None], strict=False):
        measured.switch_context(str(test))
        start, processor, failures.text = time.monotonic(), time.process_time(), ""
        _run(session, test, following)
        runs.append((test, failures.text, time.process_time() - processor, time.monotonic() - start))
    measured.stop()
    statements: dict[str, set[_Statement]] = defaultdict(set)
    data = measured.get_data()
    for file in data.measured_files():
        path = os.path.relpath(file, CHECKOUT)
        starts = first_lines((CHECKOUT / path).read_text())
        for line, contexts in data.contexts_by_lineno(file).items():
            for context in contexts:
                statements[context].add((path, starts.get(line, line)))
    return [Run(*run, frozenset(statements[str(run[0])])) for run in runs]


def first_lines(source: str) -> dict[int, int]:
    """Return the first line of the innermost statement at each line."""
    found: dict[int, int] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and node.end_lineno:
            for line in range(node.lineno, node.end_lineno + 1):
                found[line] = max(found.get(line, 0), node.lineno)
    return found


def _tests_by_statement(runs: Sequence[Run]) -> Mapping[_Statement, Sequence[Run]]:
    """Return the tests of each statement, the fastest first."""
    tests = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.seconds):
        for statement in run.statements:
            tests[statement].append(run)
    return tests


def _try_all(
    mutants: Sequence[Mutant],
    session: pytest.Session,
    functions: Sequence[FunctionType],
    tests: Mapping[_Statement, Sequence[Run]],
    end: float,
) -> list[Outcome]:
    outcomes = []
    for mutant in mutants:
        if time.monotonic() < end:
            chosen = tests.get((mutant.path, first_lines(mutant.text)[mutant.line]), [])
            # None: the fault has killed the process.
            result = _Fork(_fails, chosen, session, functions, mutant.path, codes_of(mutant.text)).result()
            outcomes.append(Outcome(mutant.name, result is not False, len(chosen)))
    return outcomes


def _fails(
    runs: Sequence[Run],
    session: pytest.Session,
    functions: Sequence[FunctionType],
    path: str,
    codes: Mapping[tuple[str, int], CodeType],
) -> bool:
    """Whether one of the tests fails with the code of a mutant."""
    apply(path, codes, functions)
    for run, following in zip(runs, [*runs[1:], None], strict=False):
        limit = ceil(time.process_time() + _LOOPS + _TIMES * run.processor)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        session.items[run.test].add_marker(pytest.mark.timeout(_HANGS + _TIMES * run.seconds))
        _run(session, run.test, following.test if following else None)
        if session.testsfailed:
            return True
    return False


def _run(session: pytest.Session, test: int, following: int | None) -> None:
    session.config.hook.pytest_runtest_protocol(
        item=session.items[test], nextitem=None if following is None else session.items[following]
    )


def apply(path: str, codes: Mapping[tuple[str, int], CodeType], functions: Sequence[FunctionType]) -> None:
    """Replace the code of the functions of a file."""
    for function in functions:
        old = function.__code__
        code = codes.get((old.co_qualname, old.co_firstlineno)) if old.co_filename.endswith(f"/{path}") else None
        if code and code.co_freevars == old.co_freevars:
            function.__code__ = code
        elif code and not code.co_freevars:
            # The fault has removed the only use of super().
            function.__code__ = code.replace(co_freevars=old.co_freevars)


def codes_of(source: str) -> dict[tuple[str, int], CodeType]:
    """Compile a file, and return the code of its functions by their names and first lines."""
    module = compile(source, "mutant", "exec", dont_inherit=True)
    return {(code.co_qualname, code.co_firstlineno): code for code in _codes(module)}


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
