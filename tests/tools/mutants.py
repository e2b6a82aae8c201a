# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put faults into copies of the collection, and report those that no test detects.

Usage: mutants.py [--named | --generated] [--minutes N] [--seed N] [PATH...]; PATH... restricts both kinds to these
files.

Named mutants are those of mutants.yml, each with the tests that must detect it. The run fails if none does, or if the
text to replace no longer exists. Generated mutants are small faults in the code that decides about tokens; each is
tried with the unit tests that are nearest to its file. Survivors are reported for review: a mutant that is not a fault
is added to mutants.yml with a reason. Within the given time a sample is tried, always the same with the same seed.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import yaml

sys.path[0] = str(Path(__file__).resolve().parents[1])

from tools.mutations import mutations_of

CHECKOUT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_suffix(".yml")
COLLECTION = "ansible_collections.sddc.tokens"
# The files in which faults are generated.
SCOPE = (
    "plugins/module_utils/_lifecycle",
    "plugins/module_utils/_http",
    "plugins/module_utils/_core",
    "plugins/plugin_utils",
)
# Loaded once, before the process is copied for each mutant. No module of the collection may be among them.
PRELOADED = ("pytest", "requests", "yaml", "jinja2", "aiohttp", "trustme", "jwt", "ansible.constants")
MOST_TEST_FILES = 8
# The output of the last tests in a copy.
OUTPUT = ".venv/output"
# Timeout for the tests of one mutant, in seconds. A fault that causes a hang counts as detected.
LONGEST = 240
# Failed tests, and tests that could not be collected. Anything else, such as no test at all, does not count.
_NOTICED = (1, 2)
QUIET = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow")


@dataclass(frozen=True)
class Mutant:
    """A fault in a file, and the tests that should detect it."""

    name: str
    path: str
    text: str
    tests: tuple[str, ...]
    is_named: bool


@dataclass(frozen=True)
class Outcome:
    """The result of a mutant."""

    mutant: Mutant
    is_detected: bool
    seconds: float


class Unusable(Exception):
    """The list of mutants does not match the code."""


def main(arguments: list[str]) -> int:
    """Return 1 if a named mutant was not detected."""
    parser = argparse.ArgumentParser(prog="mutants.py")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--named", action="store_true", help="only the named mutants")
    kinds.add_argument("--generated", action="store_true", help="only generated mutants")
    parser.add_argument("--minutes", type=float, default=18, help="time for generated mutants (default: 18)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", default="0", help="selects the sample")
    parser.add_argument("paths", nargs="*", help="files to mutate, below the checkout")
    options = parser.parse_args(arguments)
    listed = yaml.safe_load(LIST.read_text())
    try:
        named = [] if options.generated else list(_chosen(named_mutants(listed["named"]), options.paths))
    except Unusable as error:
        print(error)
        return 1
    generated = [] if options.named else list(_chosen(generated_mutants(listed["accepted"] or []), options.paths))
    generated.sort(key=lambda mutant: hashlib.sha256(f"{options.seed} {mutant.name}".encode()).digest())
    for name in PRELOADED:
        importlib.import_module(name)
    end = time.monotonic() + 60 * options.minutes
    mutants = [*named, *generated]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [copied(Path(folder) / str(number)) for number in range(options.processes)]
        # Tests that fail in a copy without a fault would detect everything.
        if mutants and not passes(copies[0], sorted({test for mutant in mutants for test in mutant.tests})):
            print((copies[0] / OUTPUT).read_text())
            print("The tests fail in a copy of the checkout without any fault. Run make unit first.")
            return 1
        outcomes = tried(mutants, copies, end)
    return report(outcomes, len(mutants))


def _chosen(mutants: Iterator[Mutant], paths: Sequence[str]) -> Iterator[Mutant]:
    return (mutant for mutant in mutants if not paths or any(mutant.path.startswith(path) for path in paths))


def named_mutants(listed: Sequence[Mapping[str, Any]]) -> Iterator[Mutant]:
    """The mutants of the list. Raises Unusable for a text that does not occur exactly once in its file."""
    for entry in listed:
        source = (CHECKOUT / entry["path"]).read_text()
        if source.count(entry["text"]) != 1:
            raise Unusable(f"{entry['path']} has the text of '{entry['name']}' {source.count(entry['text'])} times")
        mutated = source.replace(entry["text"], entry["replacement"])
        yield Mutant(entry["name"], entry["path"], mutated, tuple(entry["tests"]), is_named=True)


def generated_mutants(accepted: Sequence[Mapping[str, str]]) -> Iterator[Mutant]:
    """All small faults in the scope, except those that were accepted as harmless."""
    judged = {(entry["path"], entry["change"], entry["line"]) for entry in accepted}
    for path in sorted(file for folder in SCOPE for file in (CHECKOUT / folder).glob("*.py")):
        name, source = str(path.relative_to(CHECKOUT)), path.read_text()
        lines = source.splitlines()
        for mutation in mutations_of(source):
            line = lines[mutation.line - 1].strip()
            if (name, mutation.change, line) not in judged:
                title = f"{name}:{mutation.line}: {mutation.change}: {line}"
                yield Mutant(title, name, mutation.applied(source), nearest_tests(name), is_named=False)


@cache
def nearest_tests(path: str) -> tuple[str, ...]:
    """The unit test files named for a file, then those with the fewest imports between them and the file."""
    distances = {path: 0}
    frontier = {path}
    subject = Path(path).stem.rstrip("s")
    found = sorted(file for file in imports() if Path(file).name.startswith(f"test_{subject}"))
    while frontier and len(found) < MOST_TEST_FILES:
        frontier = {file for file, used in imports().items() if used & frontier and file not in distances}
        distances.update(dict.fromkeys(frontier, len(distances)))
        tests = {file for file in frontier if Path(file).name.startswith("test_")}
        found += sorted(tests - set(found))
    return tuple(found[:MOST_TEST_FILES])


@cache
def imports() -> dict[str, set[str]]:
    """The imports of each file of the collection and of its unit tests among these files, by paths."""
    files = [*(CHECKOUT / "plugins").rglob("*.py"), *(CHECKOUT / "tests" / "unit" / "plugins").rglob("*.py")]
    files += (CHECKOUT / "tests" / "support").glob("*.py")
    return {str(file.relative_to(CHECKOUT)): set(_imports_of(file)) for file in files}


def _imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{_package(node, file)}.{alias.name}" for alias in node.names] + [_package(node, file)]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            place = name.removeprefix(f"{COLLECTION}.").replace(".", "/") + ".py"
            yield from (path for path in (place, f"tests/{place}") if (CHECKOUT / path).exists())


def _package(node: ast.ImportFrom, file: Path) -> str:
    if node.level == 0:
        return str(node.module)
    parts = file.relative_to(CHECKOUT).parts[: -node.level]
    return ".".join((*parts, *([node.module] if node.module else [])))


def tried(mutants: Sequence[Mutant], copies: Sequence[Path], end: float) -> list[Outcome]:
    """Try mutants until the time is over, several concurrently, each in a copy of its own."""
    unused: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        unused.put(copy)

    def outcome(mutant: Mutant) -> Outcome | None:
        if time.monotonic() > end and not mutant.is_named:
            return None
        copy = unused.get()
        try:
            return tried_in(copy, mutant)
        finally:
            unused.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        return [found for found in pool.map(outcome, mutants) if found]


def copied(folder: Path) -> Path:
    """A copy of what git tracks or would add, with an environment that uses it in place of the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, folder / name)
    collections = folder / ".venv" / "collections" / "ansible_collections" / "sddc"
    collections.mkdir(parents=True)
    (collections / "tokens").symlink_to("../../../..")
    (folder / ".venv" / "bin").symlink_to(CHECKOUT / ".venv" / "bin")
    return folder


def tried_in(copy: Path, mutant: Mutant) -> Outcome:
    """Run the tests of a mutant with the fault in the copy."""
    file, start = copy / mutant.path, time.monotonic()
    original = file.read_text()
    file.write_text(mutant.text)
    try:
        code = exit_code_of_tests(copy, mutant.tests, LONGEST)
    finally:
        file.write_text(original)
    return Outcome(mutant, code in _NOTICED or code < 0, time.monotonic() - start)


def passes(copy: Path, tests: Sequence[str]) -> bool:
    """Whether tests succeed in an unchanged copy."""
    return exit_code_of_tests(copy, tests, None) == 0


def exit_code_of_tests(copy: Path, tests: Sequence[str], seconds: float | None) -> int:
    """Run tests in a separate process. The code is negative if it is killed, as after a timeout."""
    process = multiprocessing.get_context("fork").Process(target=_run_tests, args=(copy, tests))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode or 0


def _run_tests(copy: Path, tests: Sequence[str]) -> None:
    """Run in the process of a mutant: exit as pytest does."""
    output = os.open(copy / OUTPUT, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for descriptor in (0, 1, 2):
        os.dup2(output, descriptor)
    collections = str(copy / ".venv" / "collections")
    os.environ.update(PYTHONPATH=collections, ANSIBLE_COLLECTIONS_PATH=collections, PYTHONDONTWRITEBYTECODE="1")
    # A file may change twice within the resolution of its timestamp, with which bytecode is compared.
    sys.dont_write_bytecode = True
    sys.path[:] = [path for path in sys.path if not path.startswith(f"{CHECKOUT}/") or "site-packages" in path]
    for name in [name for name in sys.modules if name.split(".")[0] in ("tools", "ansible_collections")]:
        del sys.modules[name]
    os.chdir(copy)
    pytest = importlib.import_module("pytest")
    os._exit(int(pytest.main([*QUIET, "--rootdir", str(copy), *tests])))


def report(outcomes: Sequence[Outcome], total: int) -> int:
    """Print the results, survivors last."""
    survivors = [outcome for outcome in outcomes if not outcome.is_detected]
    detected = len(outcomes) - len(survivors)
    print(f"{len(outcomes)} of {total} mutants were tried in the given time. {detected} were detected.")
    for is_named, title in ((False, "Generated, and not detected:"), (True, "Named, and not detected:")):
        found = sorted(outcome.mutant.name for outcome in survivors if outcome.mutant.is_named == is_named)
        if found:
            print("\n".join([title, *(f"  {name}" for name in found)]))
    return int(any(outcome.mutant.is_named for outcome in survivors))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
