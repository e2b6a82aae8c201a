# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the molecule scenarios twice in a row, the second time at -vvv, and search their output and files for secrets.

Usage: molecule.py [SCENARIO ...]; without one, all. Its files, including the log of the last run, are below .ansible.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[0] = str(CHECKOUT / "tests")

from support.canaries import leaks

HOME = CHECKOUT / ".ansible"
# Shared by all scenarios. By default molecule would share it with other checkouts with the same folder name, too.
SHARED = HOME / "molecule"
LOG = HOME / "molecule.log"
# The file into which extensions/molecule/default/destroy.yml writes all secrets that the lab has created.
SECRETS = HOME / "molecule-secrets.json"
MOLECULE = (sys.executable, "-m", "molecule")
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "ANSIBLE_HOME": str(HOME),
    "MOLECULE_EPHEMERAL_DIRECTORY": str(SHARED),
    "SDDC_TOKENS_LAB_SECRETS": str(SECRETS),
    "NO_COLOR": "1",
}
# Scenarios use the lab on addresses of their own, so that two can run at the same time.
TEST = ("test", "--workers=2", "--continue-on-failure", "--no-command-borders")


def main(scenarios: Sequence[str]) -> int:
    """Return the exit code: 0 only if all passed both times and no secret was found."""
    selected = [f"--scenario-name={name}" for name in scenarios] or ["--all"]
    # The state of an interrupted run would count as created and prepared.
    destroyed()
    problems = []
    for title, verbosity in (("first run", []), ("second run, at -vvv", ["-vvv"])):
        print(f"== molecule, {title}", flush=True)
        start = time.monotonic()
        output, returncode, secrets = run([*verbosity, *TEST, *selected])
        print(f"{'passed' if returncode == 0 else 'FAILED'} ({time.monotonic() - start:.0f} s)", flush=True)
        if returncode:
            problems.append(f"{title}: scenarios failed, see {LOG.relative_to(CHECKOUT)}")
            print(ending(output), flush=True)
        if not secrets:
            problems.append(f"{title}: the lab created no secret to search for")
        problems += [f"{title}: {leak}" for leak in leaks({"output": output, **left()}, secrets)]
        if problems:
            break
    print("\n".join(problems), file=sys.stderr)
    return int(bool(problems))


def run(arguments: Sequence[str]) -> tuple[str, int, list[str]]:
    """Run molecule once. Return its output, its exit code, and the secrets of its lab."""
    SECRETS.unlink(missing_ok=True)
    try:
        done = molecule(*arguments)
        LOG.write_text(done.stdout)
        found = json.loads(SECRETS.read_text())["secrets"] if SECRETS.exists() else []
        return done.stdout, done.returncode, [secret["value"] for secret in found]
    finally:
        SECRETS.unlink(missing_ok=True)


def molecule(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command of molecule, with its standard error in its standard output."""
    return subprocess.run(
        [*MOLECULE, *arguments],
        cwd=CHECKOUT,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def destroyed() -> None:
    """Let molecule stop the lab. Exit if it fails."""
    done = molecule("destroy")
    if done.returncode:
        sys.exit(f"{done.stdout}\nmolecule could not stop the lab.")


def left() -> dict[str, str]:
    """The files that scenarios have left."""
    return {str(path): path.read_text(errors="replace") for path in SHARED.rglob("*") if path.is_file()}


def ending(output: str, lines: int = 150) -> str:
    """The end of a long output."""
    return "\n".join(output.splitlines()[-lines:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
