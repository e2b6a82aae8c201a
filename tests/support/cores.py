# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ansible-cores that are here: that of the tests' own virtual environment, and what tools/install_cores.py adds."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

VENV = Path(__file__).resolve().parents[2] / ".venv"
CORES = VENV / "cores"


@dataclass(frozen=True)
class Core:
    """An installed ansible-core."""

    version: str
    folder: Path
    collections: Path = VENV / "collections"

    @property
    def ansible_playbook(self) -> str:
        return str(self.folder / "ansible-playbook")

    @property
    def python(self) -> str:
        return str(self.folder / "python")

    @property
    def masks_secrets(self) -> bool:
        """Whether it has the Secrets API."""
        return self.version != "default" and tuple(map(int, self.version.split("."))) >= (2, 22)

    @property
    def why_not(self) -> str:
        """Why it cannot be used; empty when it can."""
        if Path(self.ansible_playbook).exists():
            return ""
        reason = self.folder.parent / "skipped"
        return reason.read_text().strip() if reason.exists() else f"ansible-core {self.version} is not installed"


DEFAULT = Core("default", Path(sys.executable).parent)
OTHERS = tuple(Core(version, CORES / version / "bin") for version in ("2.16", "2.22"))
BETWEEN = tuple(Core(version, CORES / version / "bin") for version in ("2.18", "2.20", "2.21"))
# Those of the fast tests, and all, for slow ones.
EVERY = (DEFAULT, *OTHERS)
ALL = (*EVERY, *BETWEEN)
