# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command of `ansible-test` on a copy of this checkout, with the ansible-core of the Python that runs this.

Usage: run_ansible_test.py sanity|units [ARGUMENT...]; the arguments are passed to ansible-test. `sanity` runs all its
tests on all Pythons of this machine, `units` the unit tests on the Python that runs this.

ansible-test requires a folder ansible_collections/sddc/tokens that is not a symbolic link, stores its state in the home
directory, and downloads its own pip, and with some cores a tool, from hosts that are often unreachable. Therefore it
gets a copy, a home below .venv (where its tools stay installed from run to run; one for each core), the pip of the
Python installation, and only tools from the package index.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import ansible_test
from ansible.release import __version__ as core_version
from ansible_test._util.target.common.constants import CONTROLLER_PYTHON_VERSIONS, REMOTE_ONLY_PYTHON_VERSIONS

sys.path[0] = str(Path(__file__).resolve().parents[1])

from support.checkout import CHECKOUT, COLLECTION, copied

# One for each core: they may run at the same time.
FOLDER = CHECKOUT / ".venv" / "ansible-test" / core_version
HOME = FOLDER / "home"

# The script that ansible-test runs in place of get-pip.
BOOTSTRAP_PIP = """\
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
"""


def copy_checkout(folder: Path) -> Path:
    """Return a copy of the checkout in a place that ansible-test accepts."""
    copied(copy := folder / COLLECTION)
    # Otherwise ansible-test uses the checkout's repository, which ignores .venv, and tests nothing.
    subprocess.run(["git", "init", "--quiet", copy], check=True)
    return copy


def prefer_the_index() -> None:
    """Use the package index for the tools of this virtual environment's ansible-test.

    That of core 2.22 pins a commit of dill, for Python 3.15, which is not tested here.
    """
    for path in Path(ansible_test.__path__[0], "_data", "requirements").glob("*.txt"):
        text = path.read_text()
        released = re.sub(r"^(\w+) @ https://\S+$", r"\1", text, flags=re.MULTILINE)
        if released != text:
            path.write_text(released)


def prepare_home() -> None:
    """Make the pip of ansible-test quiet, and provide its bootstrap script under the name of each version of pip."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    requirements = Path(ansible_test.__path__[0], "_internal", "python_requirements.py").read_text()
    for version in re.findall(r"pip='([\d.]+)'", requirements):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(BOOTSTRAP_PIP)
    (HOME / ".pip").mkdir(exist_ok=True)
    (HOME / ".pip" / "pip.conf").write_text("[global]\nquiet = 1\n")


def link_pythons(folder: Path) -> list[str]:
    """Link the Pythons of this machine that can create virtual environments, and return their versions."""
    env = dict(os.environ)
    if shutil.which("pyenv"):  # whose commands run only the versions that are named
        installed = subprocess.run(["pyenv", "versions", "--bare"], check=True, capture_output=True, text=True)
        env["PYENV_VERSION"] = ":".join(installed.stdout.split())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    found = []
    for version in (*REMOTE_ONLY_PYTHON_VERSIONS, *CONTROLLER_PYTHON_VERSIONS):
        probe = [f"python{version}", "-c", "import ensurepip, sys; print(sys.executable)"]
        try:
            path = subprocess.run(probe, env=env, check=True, capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            print(f"ansible-test: skipping Python {version}, which is not installed", flush=True)
        else:
            (folder / f"python{version}").symlink_to(path)
            found.append(version)
    return found


def main(command: str, arguments: list[str]) -> int:
    """Return the exit code of ansible-test."""
    copy = copy_checkout(FOLDER)
    prefer_the_index()
    prepare_home()
    pythons = link_pythons(FOLDER / "pythons")
    if command == "sanity":
        arguments = [*(f"--target-python={version}" for version in pythons), *arguments]
    else:
        arguments = ["--venv", "--requirements", f"--python={sys.version_info[0]}.{sys.version_info[1]}", *arguments]
    programs = Path(sys.executable).parent
    env = {
        **os.environ,
        "HOME": str(HOME),
        "PATH": os.pathsep.join(map(str, (FOLDER / "pythons", programs, os.environ["PATH"]))),
    }
    for name in ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH"):  # which lead to the checkout instead of the copy
        env.pop(name, None)
    return subprocess.run(
        ["ansible-test", command, "--color", "no", *arguments], cwd=copy, env=env, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
