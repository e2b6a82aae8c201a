# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rulebooks with the real ansible-rulebook, during and after the run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import yaml

from support.canaries import leaks
from support.cores import DEFAULT

if TYPE_CHECKING:
    from lab.client import Lab

# Only catches hangs.
SECONDS = 240.0
_PAUSE = 0.05
INVENTORY = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}}


class Start(Protocol):
    """Starts a rulebook, with the facts that `running` accepts."""

    def __call__(self, rulebook: str, **facts: Any) -> AbstractContextManager[Rulebook]:
        """Start it by its path or its name."""


class Rulebook:
    """A running ansible-rulebook with its output."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, temporary: Path) -> None:
        self.process = process
        self.temporary = temporary
        self._output = folder / "output"

    @property
    def output(self) -> str:
        """The output so far, of both streams."""
        return self._output.read_text(errors="replace")

    @property
    def plays(self) -> int:
        """The number of playbooks started so far."""
        return self.output.count("\nPLAY [")

    @property
    def recaps(self) -> int:
        """The number of playbooks that have ended so far."""
        return self.output.count("PLAY RECAP")

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the condition is true."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert self.process.poll() is None, f"ansible-rulebook ended before {what}:\n{self.output}"
            assert time.monotonic() < deadline, f"not within {SECONDS:.0f} s: {what}:\n{self.output}"
            time.sleep(_PAUSE)

    def until_said(self, text: str) -> None:
        """Wait until it has printed the text."""
        self.until(lambda: text in self.output, f"it prints {text!r}")

    def wait_for_processes(self) -> None:
        """Wait until all processes that it has started have ended."""
        deadline = time.monotonic() + SECONDS
        while left := self._processes():
            assert time.monotonic() < deadline, f"still running: {left}"
            time.sleep(_PAUSE)

    def _processes(self) -> list[str]:
        """The commands of its running processes: they share its folder for temporary files."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"TMPDIR={self.temporary}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
        return found

    def stop(self) -> int:
        """Stop it as systemd does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)


@contextmanager
def running(
    rulebook: str,
    folder: Path,
    *,
    lab: Lab,
    environ: Mapping[str, str],
    variables: Mapping[str, Any] | None = None,
    arguments: Sequence[str] = (),
    collections: Path = DEFAULT.collections,
) -> Iterator[Rulebook]:
    """Run a rulebook, by its path or by its name in a collection, in a folder of its own.

    At the end it is stopped, and its output and files must not contain a secret of the lab.
    """
    need_java()
    folder.mkdir(parents=True)
    (folder / "inventory.yml").write_text(yaml.safe_dump(INVENTORY))
    (folder / "variables.yml").write_text(yaml.safe_dump(dict(variables or {})))
    command = ["ansible-rulebook", "--rulebook", rulebook, "-i", "inventory.yml", "--vars", "variables.yml", *arguments]
    # Not below the folder, whose path is too long: since 2.21, ansible-core opens a Unix socket among its temporary
    # files.
    with tempfile.TemporaryDirectory(prefix="rulebook-") as name:
        temporary = Path(name)
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(
                [str(Path(sys.executable).with_name(command[0])), *command[1:]],
                cwd=folder,
                env={**surroundings(folder, temporary, collections), **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        started = Rulebook(process, folder, temporary)
        try:
            yield started
        finally:
            if process.poll() is None:
                started.stop()
        assert leaks(written(started), [secret["value"] for secret in lab.secrets()]) == []


def need_java() -> None:
    """Skip the test if ansible-rulebook is not installed."""
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("ansible-rulebook requires Java 17, which is not installed")


def surroundings(folder: Path, temporary: Path, collections: Path) -> dict[str, str]:
    """A minimal environment: no variable of AWX, no proxy, no Python path of the caller."""
    java = {"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}
    return {
        **java,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_NOCOWS": "1",
        # Otherwise the Java machine ends the process before Python receives a signal.
        "JAVA_TOOL_OPTIONS": "-Xrs",
    }


def written(rulebook: Rulebook) -> dict[str, str]:
    """The output, and the content of the folder for temporary files."""
    left = (path for path in rulebook.temporary.rglob("*") if path.is_file())
    return {
        "output": rulebook.output,
        **{str(path.relative_to(rulebook.temporary)): path.read_text(errors="replace") for path in left},
    }
