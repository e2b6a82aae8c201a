"""Run every static check on this checkout, show what they find, and end with one line for each.

The tools keep what they write (caches, ansible-test's virtual environments) below .venv, not in the user's home.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"
HOME = VENV / "home"

TYPED_TESTS = (
    "tests/benchmark/bench",
    "tests/conformance",
    "tests/lab",
    "tests/lab/demo",
    "tests/lab/run",
    "tests/support",
    "tests/tools",
)

CHECKS = {
    "ruff check": ["ruff", "check", "--quiet"],
    "ruff format": ["ruff", "format", "--check", "--quiet"],
    "mypy plugins": ["mypy", "-p", "ansible_collections.sddc.tokens.plugins"],
    "mypy event sources": ["mypy", "-p", "ansible_collections.sddc.tokens.extensions.eda"],
    "mypy tests": ["mypy", "--python-version=3.11", *(path for path in TYPED_TESTS if (CHECKOUT / path).exists())],
    "ansible-lint": ["ansible-lint", "--nocolor", "-q"],
    "antsibull-docs": ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "."],
    "antsibull-changelog": ["antsibull-changelog", "lint"],
    "ansible-test sanity": [sys.executable, "tests/tools/sanity.py"],
}


def main() -> int:
    HOME.mkdir(exist_ok=True)
    env = {
        **os.environ,
        "HOME": str(HOME),
        "MYPYPATH": f"{VENV / 'collections'}:{CHECKOUT / 'tests'}:{CHECKOUT / 'tests' / 'benchmark'}",
        "MYPY_CACHE_DIR": str(VENV / "mypy"),
        "RUFF_CACHE_DIR": str(VENV / "ruff"),
    }
    report, failed = [], False
    for name, command in CHECKS.items():
        print(f"== {name}", flush=True)
        start = time.monotonic()
        passed = subprocess.run(command, cwd=CHECKOUT, env=env, check=False).returncode == 0
        report.append(f"{'passed' if passed else 'FAILED'}  {name} ({time.monotonic() - start:.0f} s)")
        failed |= not passed
    print("\n".join(["== lint", *report]))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
