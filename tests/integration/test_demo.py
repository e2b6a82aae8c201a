# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo checks itself: its exit code says whether everything happened as it tells."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.checkout import CHECKOUT


@pytest.mark.slow
def test_the_demo_shares_one_token_between_two_machines_and_revokes_everything(tmp_path: Path) -> None:
    command = [sys.executable, str(CHECKOUT / "tests" / "lab" / "demo")]
    environ = {**os.environ, "HOME": str(tmp_path)}

    run = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)

    assert run.returncode == 0, run.stdout[-3000:] + run.stderr
    (shared,) = re.findall(r"^  Two machines +(.+?)  ", run.stdout, re.MULTILINE)
    assert shared == "1 token created, 1 task changed nothing"
