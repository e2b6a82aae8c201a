# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed versions of ansible-core: that of the virtual environment, and those of tools/install_cores.py."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from support.checkout import CHECKOUT, COLLECTION

VENV = CHECKOUT / ".venv"
CORES = VENV / "cores"
# ansible-test puts the checkout where Ansible finds it. Otherwise a link in the virtual environment does.
COLLECTIONS = CHECKOUT.parents[2] if CHECKOUT.match(str(COLLECTION)) else VENV / "collections"
# The virtual environments of the lanes of `make matrix`, each named for its core.
LANES = VENV / "lanes"


@dataclass(frozen=True)
class Core:
    """An installed ansible-core."""

    version: str
    folder: Path
    collections: Path = COLLECTIONS

    @property
    def ansible_playbook(self) -> str:
        return str(self.folder / "ansible-playbook")

    @property
    def python(self) -> str:
        return str(self.folder / "python")

    @property
    def release(self) -> tuple[int, ...]:
        """Its version as numbers for comparison, such as (2, 19)."""
        installed = version("ansible-core") if self.version == "default" else self.version
        return tuple(map(int, installed.split(".")[:2]))

    @property
    def masks_secrets(self) -> bool:
        """Whether it has the Secrets API."""
        return self.release >= (2, 22)

    @property
    def why_not(self) -> str:
        """The reason why it cannot be used; empty if it can."""
        if Path(self.ansible_playbook).exists():
            return ""
        reason = self.folder.parent / "skipped"
        return reason.read_text().strip() if reason.exists() else f"ansible-core {self.version} is not installed"


def _others(*versions: str) -> Iterable[Core]:
    """Further cores. A lane of `make matrix` tests one core only."""
    return () if LANES in Path(sys.prefix).parents else (Core(name, CORES / name / "bin") for name in versions)


def _programs() -> Path:
    """The folder with the programs of the tests' core: beside Python, unless ansible-test provides them elsewhere."""
    beside = Path(sys.executable).parent
    elsewhere = shutil.which("ansible-playbook")
    return beside if (beside / "ansible-playbook").exists() or not elsewhere else Path(elsewhere).parent


DEFAULT = Core("default", _programs())
OTHERS = tuple(_others("2.16", "2.22"))
BETWEEN = tuple(_others("2.18", "2.20", "2.21"))
# Those of the fast tests, and all, for slow ones.
EVERY = (DEFAULT, *OTHERS)
ALL = (*EVERY, *BETWEEN)


def fast_on_default(cores: Iterable[Core] = EVERY) -> list[Any]:
    """The cores as parameters of a test that is slow on all but the default one. A lane runs it on its core, fast."""
    return [
        pytest.param(core, id=f"core {core.version}", marks=[] if core is DEFAULT else pytest.mark.slow)
        for core in cores
    ]
