# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that CHANGELOG.rst is what antsibull-changelog generates, and that the fragments can be released.

CHANGELOG.rst in git ends with the last release, at which antsibull-changelog writes it. The tarball and the docs site
have one that begins with the version of galaxy.yml, made from the fragments.

Usage: changelog.py [--write]. With --write it writes CHANGELOG.rst anew, after changelogs/changelog.yaml was edited.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

sys.path[0] = str(Path(__file__).resolve().parents[1])

from support.checkout import CHECKOUT, COLLECTION, copied

FILE = CHECKOUT / "CHANGELOG.rst"
_TOOL = str(Path(sys.executable).with_name("antsibull-changelog"))


def released() -> str:
    """The changelog of all releases."""
    return _generated("generate")


def upcoming() -> str:
    """The changelog with the version of galaxy.yml, whether it has been released or not."""
    return _generated("release", "--update-existing") if _fragments() else released()


def _generated(*command: str) -> str:
    """What a command of antsibull-changelog writes in a copy of this checkout. Raises SystemExit where it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, COLLECTION)
        copied(copy)
        done = subprocess.run(
            [_TOOL, *command], cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"antsibull-changelog {command[0]}: {done.stdout}")
        return (copy / FILE.name).read_text()


def _fragments() -> list[Path]:
    return sorted((CHECKOUT / "changelogs" / "fragments").glob("*.y*ml"))


def problems() -> list[str]:
    """What is wrong, a sentence for each."""
    version = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"]
    releases = yaml.safe_load((CHECKOUT / "changelogs" / "changelog.yaml").read_text())["releases"]
    found = []
    if not FILE.exists() or FILE.read_text() != released():
        found.append("CHANGELOG.rst is not what antsibull-changelog generates; run tests/tools/changelog.py --write")
    if _fragments() and version in releases:
        found.append(f"there are fragments, but {version} has been released; raise version in galaxy.yml")
    elif _fragments() and f"\nv{version}\n" not in upcoming():
        found.append(f"the fragments make no section for {version}")
    return found


def main(arguments: Sequence[str]) -> int:
    """Return the exit code."""
    if list(arguments) == ["--write"]:
        FILE.write_text(released())
        return 0
    found = problems()
    print("\n".join(found), end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
