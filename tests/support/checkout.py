# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This checkout as a copy, as the published tarball, and as the collection that users install from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
COLLECTION = Path("ansible_collections", "sddc", "tokens")


def copied(target: Path) -> None:
    """Make a folder equal to the files that git tracks or would track, without caches and build results."""
    shutil.rmtree(target, ignore_errors=True)
    for name in _tracked():
        source, copy = CHECKOUT / name, target / name
        if source.is_symlink() or source.exists():  # a file that git tracks may have been deleted
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)


def built(folder: Path) -> Path:
    """The tarball of the collection, built in a folder from a copy of this checkout.

    Raises subprocess.CalledProcessError when ansible-galaxy refuses.
    """
    with tempfile.TemporaryDirectory() as temporary:
        copied(Path(temporary, "tokens"))
        return packed(Path(temporary, "tokens"), folder)


def packed(source: Path, folder: Path) -> Path:
    """The tarball of the collection in `source`, built in place."""
    _galaxy("build", "--force", "--output-path", str(folder), str(source))
    (tarball,) = folder.glob("sddc-tokens-*.tar.gz")
    return tarball


def installed(tarball: Path, collections: Path) -> Path:
    """The folder of the collection after the tarball was installed into an empty collections folder."""
    _galaxy("install", "--offline", "-p", str(collections), str(tarball))
    return collections / COLLECTION


def _tracked() -> Iterator[str]:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    return filter(None, names.split("\0"))


def _galaxy(*arguments: str) -> None:
    command = [sys.executable, "-m", "ansible", "galaxy", "collection", *arguments]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH"))}
    subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
