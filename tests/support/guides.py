# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides, run as a reader follows them: files are written, commands are typed into one shell.

A file is a fenced block whose introduction ends with the name of the file in backquotes and a colon. Commands are the
lines of the blocks marked `console`. Commands that a test cannot run are replaced, and the reason is printed. The
guide marks them.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"
NOT_RUN = " # not run in tests"
_BLOCK = re.compile(r"(?P<before>[^\n]*)\n*^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"`(?P<name>[^`\s]+)`[^`]*:$")
# Only catches hangs.
_SECONDS = 1500


@dataclass(frozen=True)
class Substitute:
    """What a test types in place of a command, and why. `runs_it` says that the command itself is run in some way."""

    command: str
    reason: str
    runs_it: bool = False


@dataclass(frozen=True)
class _Step:
    """A file to write, or, without a name, commands to type."""

    text: str
    name: str = ""


@dataclass(frozen=True)
class Followed:
    """The result of a guide."""

    returncode: int
    output: str
    commands: tuple[str, ...]


def follow(
    guide: str | Path, folder: Path, environ: Mapping[str, str], substitutes: Mapping[str, Substitute] | None = None
) -> Followed:
    """Write the guide's files and type its commands in order, until one fails. `guide` may be an absolute path.

    Raises AssertionError for a substitute that replaces nothing, and for a command of a guide that is not run and not
    marked, or marked and run.
    """
    replaced = dict(substitutes or {})
    lines = ["set -eo pipefail"]
    commands: list[str] = []
    for step in _steps((GUIDES / guide).read_text()):
        if step.name:
            lines += _writing(step)
            continue
        for line in _lines(step.text):
            command = line.removesuffix(NOT_RUN)
            commands.append(command)
            typed = _typed(line, replaced.pop(command, None), must_be_marked=isinstance(guide, str))
            lines += [f"echo {shlex.quote('+ ' + command)}", typed]
    assert not replaced, f"{guide} has no such commands: {list(replaced)}"
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Followed(done.returncode, done.stdout, tuple(commands))


def typed_script(script: str, substitutes: Mapping[str, Substitute]) -> str:
    """A script of a guide with the substitutes in place of its lines; others have no effect."""
    return "\n".join(_typed(line, substitutes.get(line.removesuffix(NOT_RUN))) for line in script.splitlines())


def files_of(guide: str) -> dict[str, str]:
    """The files that a guide has its reader write, by name."""
    return {step.name: step.text for step in _steps((GUIDES / guide).read_text()) if step.name}


def _typed(line: str, substitute: Substitute | None, must_be_marked: bool = True) -> str:
    command = line.removesuffix(NOT_RUN)
    is_run = substitute is None or substitute.runs_it
    if must_be_marked:
        assert line.endswith(NOT_RUN) != is_run, f"must {'not ' * is_run}end with '{NOT_RUN}': {command}"
    if substitute is None:
        return command
    print(f"not typed: {command!r}: {substitute.reason}")
    return substitute.command


def _steps(text: str) -> Iterator[_Step]:
    for block in _BLOCK.finditer(text):
        named = _FILE.search(block["before"])
        if block["language"] == "console":
            yield _Step(block["text"])
        elif named:
            yield _Step(block["text"], named["name"])


def _lines(text: str) -> list[str]:
    """The commands of a block with their marks: its lines, with continuation lines joined."""
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def _writing(step: _Step) -> list[str]:
    name = f'"$HOME"/{step.name[2:]}' if step.name.startswith("~/") else shlex.quote(step.name)
    return [
        f'mkdir -p "$(dirname {name})"',
        f"cat > {name} <<'END OF THE FILE'",
        step.text.rstrip("\n"),
        "END OF THE FILE",
    ]
