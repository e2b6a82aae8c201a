# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put faults into the collection, and report which of them no test notices.

Usage: mutants.py [--named | --generated] [--minutes N] [--seed N] [--tests PATH] [PATH...]; PATH... narrows both kinds
to these files.

Named mutants are those of mutants.yml, each with the tests that must notice it: the run fails when none does, or when
the text is no longer there. Generated mutants are small faults in what decides about tokens; each is tried with all
unit tests that run its statement, until one fails. Those that no test notices are reported, for a person to judge: what
is not a fault goes into mutants.yml with a reason. The given time may be enough for a sample only, which is always the
same with the same seed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path[0] = str(Path(__file__).resolve().parents[1])

from support.checkout import CHECKOUT
from tools.mutant_trials import ARGUMENTS, Mutant, Trials
from tools.mutations import mutations_of

LIST = Path(__file__).with_suffix(".yml")
# The files in which faults are generated.
SCOPE = (
    "plugins/module_utils/_lifecycle",
    "plugins/module_utils/_http",
    "plugins/module_utils/_core",
    "plugins/plugin_utils",
)
TESTS = "tests/unit/plugins"
# Failed tests, and tests that could not be collected. Anything else, such as no test at all, does not count.
_NOTICED = (1, 2)


@dataclass(frozen=True)
class NamedMutant:
    """A file with a fault, and the tests that must notice it."""

    name: str
    path: str
    text: str
    tests: tuple[str, ...]


class Unusable(Exception):
    """The list of mutants does not match the code, or tests fail without any mutant."""


def main(arguments: list[str]) -> int:
    """Return 1 if a named mutant was not noticed, or nothing could be tried."""
    parser = argparse.ArgumentParser(prog="mutants.py")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--named", action="store_true", help="only the named mutants")
    kinds.add_argument("--generated", action="store_true", help="only generated mutants")
    parser.add_argument("--minutes", type=float, default=18, help="time for generated mutants (default: 18)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", default="0", help="another one tries another sample")
    parser.add_argument("--tests", action="append", help=f"tests for generated mutants (default: {TESTS})")
    parser.add_argument("paths", nargs="*", help="files to mutate, below the checkout")
    options = parser.parse_args(arguments)
    listed = yaml.safe_load(LIST.read_text())
    try:
        survivors = [] if options.generated else try_named(named_mutants(listed["named"]), options.paths)
        if not options.named:
            mutants = [mutant for mutant in generated_mutants(listed["accepted"]) if _is_chosen(mutant, options.paths)]
            mutants.sort(key=lambda mutant: hashlib.sha256(f"{options.seed} {mutant.name}".encode()).digest())
            try_generated(mutants, options.tests or [TESTS], options.processes, time.monotonic() + 60 * options.minutes)
    except Unusable as error:
        print(error)
        return 1
    return int(bool(survivors))


def _is_chosen(mutant: Mutant | NamedMutant, paths: Sequence[str]) -> bool:
    return not paths or any(mutant.path.startswith(path) for path in paths)


def named_mutants(listed: Sequence[Mapping[str, Any]]) -> Iterator[NamedMutant]:
    """The mutants of the list. Raises Unusable for a text that does not occur exactly once in its file."""
    for entry in listed:
        source = (CHECKOUT / entry["path"]).read_text()
        if source.count(entry["text"]) != 1:
            raise Unusable(f"{entry['path']} has the text of '{entry['name']}' {source.count(entry['text'])} times")
        mutated = source.replace(entry["text"], entry["replacement"])
        yield NamedMutant(entry["name"], entry["path"], mutated, tuple(entry["tests"]))


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
                yield Mutant(title, name, mutation.line, mutation.applied(source))


def try_named(mutants: Iterator[NamedMutant], paths: Sequence[str]) -> list[str]:
    """Try named mutants in a copy of the checkout, print the result, and return those that no test noticed."""
    chosen = [mutant for mutant in mutants if _is_chosen(mutant, paths)]
    survivors = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = copied(Path(folder))
        # Tests that fail without any fault would notice everything.
        if chosen and exit_code_of_tests(copy, sorted({test for mutant in chosen for test in mutant.tests})):
            raise Unusable("Without any fault tests of named mutants fail. Run make unit first.")
        for mutant in chosen:
            original = (copy / mutant.path).read_text()
            (copy / mutant.path).write_text(mutant.text)
            if exit_code_of_tests(copy, mutant.tests) not in _NOTICED:
                survivors.append(mutant.name)
            (copy / mutant.path).write_text(original)
    print(f"{len(chosen)} named mutants were tried. {len(chosen) - len(survivors)} were noticed.")
    _print("Named, and not noticed:", survivors)
    return survivors


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


def exit_code_of_tests(copy: Path, tests: Sequence[str]) -> int:
    """Run tests in an unchanged copy."""
    collections = str(copy / ".venv" / "collections")
    # A file may change twice within the resolution of its timestamp, with which bytecode is compared.
    variables = {"PYTHONPATH": collections, "ANSIBLE_COLLECTIONS_PATH": collections, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", *ARGUMENTS, *tests]
    return subprocess.run(
        command, cwd=copy, env={**os.environ, **variables}, check=False, capture_output=True
    ).returncode


def try_generated(mutants: Sequence[Mutant], tests: Sequence[str], processes: int, end: float) -> None:
    """Try mutants until the time is over, and print which were not noticed."""
    trials = Trials(mutants, processes, end)
    code = pytest.main([*ARGUMENTS, "--rootdir", str(CHECKOUT), *tests], plugins=[trials])
    if code or trials.failures:
        raise Unusable("\n".join(["Without any fault tests fail. Run make unit first.", *sorted(trials.failures)]))
    noticed = sum(outcome.is_noticed for outcome in trials.outcomes)
    print(f"{len(trials.outcomes)} of {len(mutants)} generated mutants were tried. {noticed} were noticed.")
    survivors = [outcome for outcome in trials.outcomes if not outcome.is_noticed]
    _print("Generated, in a statement that no test runs:", [found.name for found in survivors if not found.tests])
    _print("Generated, and not noticed:", [f"{found.name} ({found.tests} tests)" for found in survivors if found.tests])


def _print(title: str, names: Sequence[str]) -> None:
    if names:
        print("\n".join([title, *(f"  {name}" for name in sorted(names))]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
