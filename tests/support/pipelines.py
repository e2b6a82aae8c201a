# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell steps of a pipeline, run as its system runs them: in which shell, with which variables, after what.

The readers know only what the pipelines of the guide use.
"""

from __future__ import annotations

import re
import string
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from support.guides import Substitute, typed_script

# Only catches hangs.
_SECONDS = 1500
_SETTING = re.compile(r"\$\{\{ (?:vars|secrets)\.(\w+) \}\}")
_MASK = "::add-mask::"


@dataclass(frozen=True)
class Step:
    """A script, its shell, and the variables that it gets from the settings of the system; all of them by default.

    `always` is run after a failure, too. `decides` says whether its own failure fails the job.
    """

    script: str
    shell: Sequence[str]
    settings: frozenset[str] | None = None
    always: bool = False
    decides: bool = True


@dataclass(frozen=True)
class Pipeline:
    """The steps of a job in their order, and the variables that it sets for all of them."""

    steps: Sequence[Step]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """What became of a job: what people see of it, and what the system was asked to mask."""

    succeeded: bool
    log: str
    masked: frozenset[str]


def github(text: str) -> Pipeline:
    """The one job of a workflow."""
    (job,) = yaml.safe_load(text)["jobs"].values()
    steps = [step for step in job["steps"] if "run" in step]
    return Pipeline(
        [
            Step(
                step["run"],
                ("bash", "-e"),
                frozenset(map(_setting, {**job["env"], **step.get("env", {})}.items())),
                always="always()" in step.get("if", ""),
            )
            for step in steps
        ]
    )


def gitlab(text: str) -> Pipeline:
    """The one job of a file."""
    (job,) = yaml.safe_load(text).values()
    shell = ("bash", "-eo", "pipefail")
    return Pipeline(
        [
            Step("\n".join([*job["before_script"], *job["script"]]), shell),
            Step("\n".join(job["after_script"]), shell, always=True, decides=False),
        ],
        job["variables"],
    )


def jenkins(text: str) -> Pipeline:
    """The stages of a declarative pipeline, and the section `always` of its `post`."""
    variables = dict(re.findall(r"^        (\w+) = ['\"](.*)['\"]$", text, re.MULTILINE))
    steps = []
    for part in re.split(r"^        (?=stage\(|always \{)", text, flags=re.MULTILINE)[1:]:
        bound = frozenset(re.findall(r"Variable: '(\w+)'", part))
        scripts = re.findall(r"sh '''\n(.*?)'''", part, re.DOTALL)
        shell = ("sh", "-xe")
        steps += [Step(_dedented(script), shell, bound, always=part.startswith("always")) for script in scripts]
    return Pipeline(steps, {name: value.replace("${env.", "${") for name, value in variables.items()})


def run(
    pipeline: Pipeline,
    folder: Path,
    system: Mapping[str, str],
    settings: Mapping[str, str],
    substitutes: Mapping[str, Substitute],
) -> Ran:
    """Run a job in a folder. `system` is in each environment, `settings` are variables and secrets for some steps."""
    expanded = {name: string.Template(value).substitute(system) for name, value in pipeline.variables.items()}
    environ = {**system, **expanded, "GITHUB_ENV": str(folder / "exported")}
    succeeded, log, masked = True, "", set()
    for step in pipeline.steps:
        if not (succeeded or step.always):
            continue
        given = {name: value for name, value in settings.items() if step.settings is None or name in step.settings}
        (folder / "script").write_text(typed_script(step.script, substitutes))
        (folder / "exported").write_text("")
        done = subprocess.run(
            [*step.shell, str(folder / "script")],
            cwd=folder,
            env={**given, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        lines = done.stdout.splitlines(keepends=True)
        masked |= {line.removeprefix(_MASK).strip() for line in lines if line.startswith(_MASK)}
        log += "".join(line for line in lines if not line.startswith(_MASK))
        environ |= dict(line.split("=", 1) for line in (folder / "exported").read_text().splitlines())
        succeeded = succeeded and (done.returncode == 0 or not step.decides)
    return Ran(succeeded, log, frozenset(masked))


def _setting(variable: tuple[str, str]) -> str:
    """The setting that a variable of a workflow is made from. It has the same name."""
    name, value = variable
    found = _SETTING.fullmatch(value)
    assert found, f"{name} is not set from a variable or secret: {value}"
    assert found[1] == name
    return name


def _dedented(script: str) -> str:
    return "\n".join(line.strip() for line in script.splitlines())
