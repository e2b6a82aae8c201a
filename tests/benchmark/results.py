# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results: a table and a picture for the documentation, and whether the targets are reached."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ansible.release
import matplotlib as mpl

from measuring import Costs
from scenarios import Target

mpl.use("svg")
from matplotlib import pyplot

_COLOURS = {
    "debug": "#9aa5b1",
    "uri": "#d9822b",
    "in process": "#137cbd",
    "as a module": "#669eff",
    "token_set": "#0f9960",
    "token_file": "#137cbd",
    "token_store": "#0f9960",
}


@dataclass(frozen=True)
class Result:
    """A completed scenario."""

    title: str
    costs: Mapping[str, Costs]
    targets: Sequence[Target]


@dataclass(frozen=True)
class Finding:
    """A target with the measured value."""

    title: str
    target: Target
    ratio: float

    @property
    def reached(self) -> bool:
        return self.ratio <= self.target.limit

    @property
    def row(self) -> str:
        verdict = "yes" if self.reached else "**no**"
        compared = f"{self.target.contestant} / {self.target.other}"
        compared += ", processor time" if self.target.time == "cpu" else ""
        return f"| {self.title} | {compared} | {self.ratio:.3g} | {self.target.limit:.3g} | {verdict} |"


def write(results: Sequence[Result], folder: Path) -> list[Finding]:
    """Write benchmark.md and benchmark.svg into the folder, print the table, return the findings."""
    folder.mkdir(parents=True, exist_ok=True)
    findings = [finding for result in results for finding in _findings(result)]
    table = "\n".join([*_measured_table(results), "", *_findings_table(findings)])
    print(f"\n{table}")
    (folder / "benchmark.md").write_text(f"{_surroundings()}\n\n{table}\n")
    _draw(results, folder / "benchmark.svg")
    return findings


def _findings(result: Result) -> list[Finding]:
    costs = result.costs
    targets = [target for target in result.targets if costs[target.contestant].runs and costs[target.other].runs]
    ratios = [Finding(result.title, target, _ratio(costs, target)) for target in targets]
    if "debug" in costs and "in process" in costs:
        memory = Target("memory: in process", "debug", 1.15)
        ratios.append(Finding(result.title, memory, costs["in process"].memory / costs["debug"].memory))
    return ratios


def _ratio(costs: Mapping[str, Costs], target: Target) -> float:
    time, other = (getattr(costs[name], target.time) for name in (target.contestant, target.other))
    return float(time / other)


def _measured_table(results: Sequence[Result]) -> list[str]:
    rows = [
        "| scenario | contestant | wall, s (shortest to longest) | CPU, s | memory, MiB |",
        "|---|---|---|---|---|",
    ]
    for result in results:
        for name, cost in result.costs.items():
            if not cost.runs:
                rows.append(f"| {result.title} | {name} | not measured: {cost.why_not} | | |")
                continue
            low, high = cost.spread
            sampled = f", a sample times {cost.scale:.3g}" if cost.scale != 1 else ""
            rows.append(
                f"| {result.title} | {name}{sampled} | {cost.wall:.2f} ({low:.2f} to {high:.2f}) | {cost.cpu:.2f} "
                f"| {cost.memory:.0f} |"
            )
    return rows


def _findings_table(findings: Sequence[Finding]) -> list[str]:
    head = ["| scenario | compared | measured | at most | reached |", "|---|---|---|---|---|"]
    return [*head, *(finding.row for finding in findings)]


def _surroundings() -> str:
    return (
        f"Python {platform.python_version()}, ansible-core {ansible.release.__version__}, {os.cpu_count()} cores, "
        f"5 forks, {platform.system()}. Medians; the lab runs on the same machine and takes its share of it."
    )


def _draw(results: Sequence[Result], path: Path) -> None:
    figure, all_axes = pyplot.subplots(len(results), 1, figsize=(8, 1.5 * len(results) + 0.5), squeeze=False)
    for axes, result in zip(all_axes[:, 0], results, strict=True):
        names = [name for name, cost in result.costs.items() if cost.runs][::-1]
        walls = [result.costs[name].wall for name in names]
        bars = axes.barh(names, walls, color=[_COLOURS.get(name, "#8a9ba8") for name in names])
        axes.bar_label(bars, labels=[f" {wall:.2f} s" for wall in walls], fontsize=8)
        axes.set_title(result.title, loc="left", fontsize=10)
        axes.set_xlim(0, max(walls) * 1.15)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.tick_params(axis="x", bottom=False, labelbottom=False)
        axes.tick_params(axis="y", length=0, labelsize=9)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
