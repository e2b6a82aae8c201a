# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write registered results to a file for a test, without a module and without output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """`names`: the variables to write, where they are defined; `dest`: the file."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        known = task_vars or {}
        found = {name: known[name] for name in self._task.args["names"] if name in known}
        Path(self._task.args["dest"]).write_text(json.dumps(found, default=str))
        return {"changed": False}
