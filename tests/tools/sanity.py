"""Run every test of `ansible-test sanity` on a copy of this checkout. Arguments, if any, go to ansible-test.

ansible-test insists on a folder ansible_collections/sddc/tokens that is no symbolic link, keeps its state in the home
directory, and fetches a pip of its own from a host that is often out of reach. So it gets a copy, a home below .venv
(where its tools stay installed from run to run), and the pip that comes with Python.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import ansible_test
from ansible_test._util.target.common.constants import CONTROLLER_PYTHON_VERSIONS, REMOTE_ONLY_PYTHON_VERSIONS

CHECKOUT = Path(__file__).resolve().parents[2]
SANDBOX = CHECKOUT / ".venv" / "sanity"
HOME = CHECKOUT / ".venv" / "home"
PYTHONS = SANDBOX / "pythons"
COPY = SANDBOX / "ansible_collections" / "sddc" / "tokens"

# What ansible-test runs in place of get-pip.
BOOTSTRAP_PIP = """\
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
"""


def copy_checkout() -> None:
    """Make COPY equal to the files that git tracks or would track."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.split("\0")
    shutil.rmtree(COPY, ignore_errors=True)
    for name in filter(None, names):
        source, target = CHECKOUT / name, COPY / name
        if source.exists():  # a file that git tracks may have been deleted
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    # Else ansible-test asks the checkout's repository, which ignores .venv, and tests nothing.
    subprocess.run(["git", "init", "--quiet", COPY], check=True)


def prepare_home() -> None:
    """Make the pip of ansible-test quiet, and provide its bootstrap under the name of each pip it may ask for."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    requirements = Path(ansible_test.__path__[0], "_internal", "python_requirements.py").read_text()
    for version in re.findall(r"pip='([\d.]+)'", requirements):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(BOOTSTRAP_PIP)
    (HOME / ".pip").mkdir(exist_ok=True)
    (HOME / ".pip" / "pip.conf").write_text("[global]\nquiet = 1\n")


def link_pythons() -> list[str]:
    """Fill PYTHONS with the Pythons of this machine that can create virtual environments; return their versions."""
    env = dict(os.environ)
    if shutil.which("pyenv"):  # whose commands run only the versions that are named
        installed = subprocess.run(["pyenv", "versions", "--bare"], check=True, capture_output=True, text=True)
        env["PYENV_VERSION"] = ":".join(installed.stdout.split())
    shutil.rmtree(PYTHONS, ignore_errors=True)
    PYTHONS.mkdir(parents=True)
    found = []
    for version in (*REMOTE_ONLY_PYTHON_VERSIONS, *CONTROLLER_PYTHON_VERSIONS):
        probe = [f"python{version}", "-c", "import ensurepip, sys; print(sys.executable)"]
        try:
            path = subprocess.run(probe, env=env, check=True, capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            print(f"ansible-test sanity: skipping Python {version}, which is not on this machine", flush=True)
        else:
            (PYTHONS / f"python{version}").symlink_to(path)
            found.append(version)
    return found


def main(arguments: list[str]) -> int:
    copy_checkout()
    prepare_home()
    targets = [f"--target-python={version}" for version in link_pythons()]
    env = {**os.environ, "HOME": str(HOME), "PATH": f"{PYTHONS}:{os.environ['PATH']}"}
    for name in ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH"):  # which lead to the checkout instead of the copy
        env.pop(name, None)
    command = ["ansible-test", "sanity", "--color", "no", *targets, *arguments]
    return subprocess.run(command, cwd=COPY, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
