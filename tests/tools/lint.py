# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every static check on this checkout, show the findings, and end with one line for each.

Usage: lint.py [NAME...]; without names, every check. As many run at once as there are processors; the output of a check
is shown when it has ended. The tools store their files (caches, ansible-test's virtual environments) below .venv, not
in the user's home.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from support.checkout import CHECKOUT
from support.cores import DEFAULT, OTHERS, VENV
from tools.install_cores import known

HOME = VENV / "home"

TYPED_TESTS = (
    "docs/docsite/conf.py",
    "tests/benchmark/bench",
    "tests/conformance",
    "tests/lab",
    "tests/lab/demo",
    "tests/lab/run",
    "tests/products",
    "tests/support",
    "tests/tools",
)

_SCHEMA = ("check-jsonschema", "--builtin-schema")


def files(pattern: str) -> list[str]:
    """The files of this checkout that match."""
    return sorted(str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob(pattern))


CHECKS = {
    # The default core, the oldest and the newest, each with its own ansible-test. They are first because they are
    # slowest.
    **{
        f"ansible-test sanity, {core.version} core": [core.python, "tests/tools/run_ansible_test.py", "sanity"]
        for core in (DEFAULT, *OTHERS)
    },
    "ruff check": ["ruff", "check", "--quiet"],
    "ruff format": ["ruff", "format", "--check", "--quiet"],
    "mypy plugins": ["mypy", "-p", "ansible_collections.sddc.tokens.plugins"],
    "mypy event sources": ["mypy", "-p", "ansible_collections.sddc.tokens.extensions.eda"],
    "mypy tests": ["mypy", "--python-version=3.11", *(path for path in TYPED_TESTS if (CHECKOUT / path).exists())],
    "ansible-lint": ["ansible-lint", "--nocolor", "-q"],
    "antsibull-docs": [
        "antsibull-docs",
        "lint-collection-docs",
        "--plugin-docs",
        "--validate-collection-refs=self",
        "--check-extra-docs-refs",
        ".",
    ],
    "antsibull-changelog": ["antsibull-changelog", "lint"],
    "changelog": [sys.executable, "tests/tools/changelog.py"],
    "glossary": [sys.executable, "tests/tools/glossary.py"],
    "workflows": [*_SCHEMA, "vendor.github-workflows", *files(".github/workflows/*.y*ml")],
    "actions of workflows": [*_SCHEMA, "vendor.github-actions", *files(".github/actions/*/action.yml")],
    "pre-commit": ["pre-commit", "validate-config", ".pre-commit-config.yaml"],
    "reuse": ["reuse", "lint", "--quiet"],
}
SKIPPED = {f"ansible-test sanity, {core.version} core": core.why_not for core in OTHERS if core.why_not}


def main(names: Sequence[str]) -> int:
    """Return the exit code: 0 only if no check found anything."""
    known(names, CHECKS)
    HOME.mkdir(exist_ok=True)
    chosen = [name for name in names or CHECKS if name not in SKIPPED]
    report = [f"skipped {name}: {SKIPPED[name]}" for name in names or CHECKS if name in SKIPPED]
    print(f"Running {len(chosen)} checks", flush=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        running = [pool.submit(checked, name) for name in chosen]
        for done in as_completed(running):
            print(f"== {done.result().name}\n{done.result().output}", end="", flush=True)
    results = [done.result() for done in running]
    report += [
        f"{'passed' if result.passed else 'FAILED'}  {result.name} ({result.seconds:.0f} s)" for result in results
    ]
    print("\n".join(["== lint", *report]))
    return int(not all(result.passed for result in results))


@dataclass(frozen=True)
class Result:
    """The result of a check."""

    name: str
    passed: bool
    seconds: float
    output: str


def checked(name: str) -> Result:
    """Run a check to its end."""
    env = {
        **os.environ,
        "HOME": str(HOME),
        "MYPYPATH": f"{VENV / 'collections'}:{CHECKOUT / 'tests'}:{CHECKOUT / 'tests' / 'benchmark'}",
        "MYPY_CACHE_DIR": str(VENV / "mypy"),
        "RUFF_CACHE_DIR": str(VENV / "ruff"),
    }
    start = time.monotonic()
    run = subprocess.run(
        CHECKS[name], cwd=CHECKOUT, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return Result(name, run.returncode == 0, time.monotonic() - start, run.stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
