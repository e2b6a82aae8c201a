# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install versions of ansible-core beside the tests' own, and the oldest Python and `requests` of a managed node.

Usage: install_cores.py FOLDER [NAME...]; without names those that `make test` requires.

Each gets a virtual environment in FOLDER/NAME. If the Python for it is missing, the file `skipped` in that folder says
so, and the tests that require it are skipped with that sentence.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"


def pinned(package: str) -> str:
    """The line of tests/requirements.txt that pins a package."""
    (line,) = (line for line in REQUIREMENTS.read_text().splitlines() if line.startswith(f"{package}=="))
    return line


# The Pythons for each: the first one found is used.
ENVIRONMENTS = {
    # The oldest that is supported, and the newest.
    "2.16": (["ansible-core==2.16.19", "requests==2.34.2"], ("3.11", "3.12")),
    "2.22": (["ansible-core==2.22.0rc1", "requests==2.34.2"], ("3.13", "3.14", "3.12")),
    # Those of Enterprise Linux 9.
    "oldest-requests": (["requests==2.25.1", "urllib3==1.26.5"], ("3.9", "3.10")),
    # Those between, for the slow tests, except 2.17, which molecule refuses; the tests' own, for `make matrix`.
    "2.18": (["ansible-core==2.18.19", "requests==2.34.2"], ("3.11", "3.12", "3.13")),
    "2.19": ([pinned("ansible-core"), pinned("requests")], ("3.11", "3.12", "3.13")),
    "2.20": (["ansible-core==2.20.10", "requests==2.34.2"], ("3.12", "3.13", "3.14")),
    "2.21": (["ansible-core==2.21.5", "requests==2.34.2"], ("3.13", "3.12", "3.14")),
}
WITHOUT_NAMES = ("2.16", "2.22", "oldest-requests")


def main() -> int:
    folder, *names = Path(sys.argv[1]), *sys.argv[2:]
    known(names, ENVIRONMENTS)
    for name in names or WITHOUT_NAMES:
        reason = installed(folder / name, name, ENVIRONMENTS[name][0])
        if reason:
            (folder / name).mkdir(parents=True)
            (folder / name / "skipped").write_text(reason + "\n")
            print(f"Skipped: {reason}")
    return 0


def known(names: Sequence[str], all_names: Iterable[str]) -> None:
    """Exit if one of the names is unknown."""
    unknown = sorted(set(names) - set(all_names))
    if unknown:
        sys.exit(f"Unknown: {', '.join(unknown)}. Known names: {', '.join(all_names)}.")


def installed(environment: Path, name: str, arguments: Sequence[str]) -> str:
    """Replace the installation of a name, with the first Python found for it. Return why not if there is none.

    `arguments` are those of pip. Raises subprocess.CalledProcessError when pip fails.
    """
    requirements, pythons = ENVIRONMENTS[name]
    shutil.rmtree(environment, ignore_errors=True)
    python = next(filter(None, map(found, pythons)), None)
    if python is None:
        return f"{requirements[0]} requires Python {' or '.join(sorted(pythons))}, which was not found"
    print(f"Installing {' and '.join(requirements)} for Python {version_of(python)}", flush=True)
    subprocess.run([python, "-m", "venv", environment], check=True)
    pip_install(environment, arguments)
    return ""


def pip_install(environment: Path, arguments: Sequence[str]) -> None:
    """Install into a virtual environment. Raises subprocess.CalledProcessError when pip fails."""
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "--only-binary", ":all:", *arguments], check=True)


def found(version: str) -> str | None:
    """A working Python of this version, from the path or built by pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]
    return next((path for path in candidates if path and version_of(path) == version), None)


def version_of(python: str) -> str:
    command = [python, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
