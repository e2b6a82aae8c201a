# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else sees a run: the syslog, the process list, and ansible-runner, which stores everything."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from support.cores import DEFAULT, Core
from support.playbooks import Ansible, Run, finished

SYSLOG = Path("/dev/log")
_BETWEEN_LOOKS = 0.1


def why_no_syslog() -> str:
    """The reason why the syslog cannot be read; empty if it can."""
    if os.geteuid() != 0:
        return f"only root may listen at {SYSLOG}"
    return f"another program listens at {SYSLOG}" if SYSLOG.exists() and not _lock_path().exists() else ""


@contextlib.contextmanager
def syslog() -> Iterator[list[str]]:
    """Listen on the syslog socket and collect the lines. Only one test at a time does so."""
    with _lock_path().open("w") as lock, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # While this process holds the lock, only a test that was killed can have left it.
        SYSLOG.unlink(missing_ok=True)
        listener.bind(str(SYSLOG))
        lines: list[str] = []
        thread = threading.Thread(target=_collect, args=(listener, lines))
        thread.start()
        try:
            yield lines
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
                end.sendto(_END, str(SYSLOG))
            thread.join()
            SYSLOG.unlink()


_END = b"the test ends"


def _collect(listener: socket.socket, lines: list[str]) -> None:
    while (line := listener.recv(1 << 20)) != _END:
        lines.append(line.decode(errors="replace"))


def _lock_path() -> Path:
    return Path(tempfile.gettempdir()) / "sddc-tokens-tests-syslog.lock"


@contextlib.contextmanager
def command_lines() -> Iterator[set[str]]:
    """Read the arguments of all processes repeatedly, as any user of the machine may."""
    seen: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_BETWEEN_LOOKS):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


class RunByRunner(Ansible):
    """Runs plays with ansible-runner, as AWX does. What it stores is in `written`."""

    def _run(self, core: Core, arguments: list[str], environ: Mapping[str, str], record: Path) -> Run:
        play, *rest = arguments
        artifacts = self.folder / "written"
        command = [str(DEFAULT.folder / "ansible-runner"), "run", str(self.folder), "--playbook", play]
        command += ["--project-dir", str(self.folder), "--inventory", str(self.folder / "inventory.yml")]
        command += ["--artifact-dir", str(artifacts), f"--cmdline={' '.join(rest)}"]
        done = finished(command, self.folder, core, environ)
        files = {str(path): path.read_text(errors="replace") for path in artifacts.rglob("*") if path.is_file()}
        return Run(done.returncode, done.stdout, done.stderr, {}, files)
