# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cost of a command: wall clock, processor time of all its processes, memory of the largest one."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """One run. `wall` and `cpu` are seconds, `memory` is MiB."""

    wall: float
    cpu: float
    memory: float


@dataclass
class Costs:
    """All runs of one contestant in one scenario."""

    runs: list[Cost] = field(default_factory=list)
    scale: float = 1.0
    """The factor by which a sample is multiplied to represent the whole."""
    why_not: str = ""
    """Why there are no runs."""

    @property
    def wall(self) -> float:
        return statistics.median(run.wall for run in self.runs) * self.scale

    @property
    def cpu(self) -> float:
        return statistics.median(run.cpu for run in self.runs) * self.scale

    @property
    def memory(self) -> float:
        return statistics.median(run.memory for run in self.runs)

    @property
    def spread(self) -> tuple[float, float]:
        """The shortest and the longest wall clock."""
        walls = [run.wall * self.scale for run in self.runs]
        return min(walls), max(walls)


def measured(command: Sequence[str], cwd: Path, environ: Mapping[str, str], expect: str = "") -> Cost:
    """Run a command to its end. Exit when it fails, or when its output does not contain the expected text."""
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(environ), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode != 0 or expect not in text:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{text[-3000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
