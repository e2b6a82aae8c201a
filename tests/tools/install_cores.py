"""Install the oldest and the newest ansible-core beside the tests' own, each where a Python for it is found.

Each gets a virtual environment in .venv/cores/VERSION; where there is no Python for it, the file `skipped` in that
folder says so, and the tests that need it are skipped with that sentence.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# What a core runs on: the newest of these that is found.
CORES = {
    "2.16": ("ansible-core==2.16.19", ("3.12", "3.11", "3.10")),
    "2.22": ("ansible-core==2.22.0rc1", ("3.14", "3.13", "3.12")),
}
REQUESTS = "requests==2.34.2"


def main() -> int:
    folder = Path(sys.argv[1])
    for version, (requirement, pythons) in CORES.items():
        core = folder / version
        shutil.rmtree(core, ignore_errors=True)
        python = next(filter(None, map(found, pythons)), None)
        if python is None:
            core.mkdir(parents=True)
            reason = f"ansible-core {version} needs Python {' or '.join(reversed(pythons))}, and none is found"
            (core / "skipped").write_text(reason + "\n")
            print(f"Skipped: {reason}")
            continue
        print(f"Installing {requirement} for Python {version_of(python)}")
        subprocess.run([python, "-m", "venv", core], check=True)
        pip = [str(core / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "--only-binary", ":all:", requirement, REQUESTS], check=True)
    return 0


def found(version: str) -> str | None:
    """A Python of this version that runs: on the path, or one that pyenv has built."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]
    return next((path for path in candidates if path and version_of(path) == version), None)


def version_of(python: str) -> str:
    command = [python, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
