# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job of AWX with the real ansible-runner: its folder as AWX creates it, its environment and its output.

A folder and a home of its own replace the container of a job. The process environment replaces the content of the
image: the programs, and the trust store.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from support.canaries import leaks
from support.checkout import CHECKOUT
from support.cores import DEFAULT

if TYPE_CHECKING:
    from lab.client import Lab

# Only catches hangs.
_SECONDS = 500
# The variables that AWX sets for every job, in addition to those of the credentials.
_SETTINGS = {
    "ANSIBLE_FORCE_COLOR": "True",
    "ANSIBLE_HOST_KEY_CHECKING": "False",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
    "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
    "ANSIBLE_RETRY_FILES_ENABLED": "False",
    "MAX_EVENT_RES": "700000",
    "AWX_HOST": "https://awx.example.com",
}


class _Unsafe(str):
    """A string that must not be templated."""


class _Dumper(yaml.SafeDumper):
    """Writes extra variables as AWX does: those of a launch are marked as unsafe."""


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


@dataclass(frozen=True)
class Job:
    """A finished job."""

    folder: Path
    home: Path
    status: int
    output: str
    events: list[dict[str, Any]]

    @property
    def statistics(self) -> dict[str, Any]:
        """The data of the last event: counts of each host, and the values of set_stats (`artifact_data`)."""
        (found,) = [event["event_data"] for event in self.events if event["event"] == "playbook_on_stats"]
        return dict(found)

    def texts(self) -> dict[str, str]:
        """Everything that the job left, except its input: the variables that AWX injected."""
        places = [path for root in (self.folder, self.home) for path in root.rglob("*") if path.is_file()]
        texts = {str(path): path.read_text(errors="replace") for path in places}
        del texts[str(self.folder / "env" / "envvars")]
        for path, text in texts.items():
            if path.endswith("/command"):  # ansible-runner stores the environment there, AWX stores a masked one
                texts[path] = json.dumps({**json.loads(text), "env": None})
        return {**texts, "output": self.output}


class Worker:
    """Runs jobs, each in its own folder and with its own home."""

    def __init__(self, folder: Path, project: Path, trusted: str) -> None:
        self.folder, self._project, self._trusted = folder, project, trusted

    def trust(self, trusted: str) -> None:
        """Run further jobs in an image with this file of CA certificates."""
        self._trusted = trusted

    def start(self, job: Mapping[str, Any], name: str = "job") -> subprocess.Popen[str]:
        """Start a job that the controller has prepared. Call `finished` at the end."""
        folder, home = self.folder / name, self.folder / f"{name}-home"
        home.mkdir(parents=True)
        shutil.copytree(self._project, folder / "project", symlinks=True)
        self._write(folder, job)
        command = ["ansible-runner", "run", str(folder), "-p", job["playbook"], "--ident", str(job["id"])]
        image = {
            "PATH": f"{DEFAULT.folder}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "SSL_CERT_FILE": self._trusted,
        }
        return subprocess.Popen(
            command, env=image, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
        )

    def finished(self, process: subprocess.Popen[str], job: Mapping[str, Any], name: str = "job") -> Job:
        """Wait for a job. A hanging one fails the test."""
        try:
            output = process.communicate(timeout=_SECONDS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        folder = self.folder / name
        paths = sorted(folder.glob(f"artifacts/{job['id']}/job_events/*.json"), key=_number)
        events = [json.loads(path.read_text()) for path in paths]
        return Job(folder, self.folder / f"{name}-home", process.returncode, output, events)

    def run(self, job: Mapping[str, Any], name: str = "job") -> Job:
        """Run one job."""
        return self.finished(self.start(job, name), job, name)

    def run_all(self, jobs: Iterable[Mapping[str, Any]]) -> list[Job]:
        """Run jobs concurrently, as the slices of one launch."""
        started = [(self.start(job, f"job{job['id']}"), job) for job in jobs]
        return [self.finished(process, job, f"job{job['id']}") for process, job in started]

    def _write(self, folder: Path, job: Mapping[str, Any]) -> None:
        launched: Mapping[str, Any] = job["unsafe_variables"]
        unsafe = {name: _Unsafe(value) if isinstance(value, str) else value for name, value in launched.items()}
        # AWX stores facts only if the job template says so. Here they always are, to see what would be stored.
        settings = {"suppress_ansible_output": False, "fact_cache_type": "jsonfile"}
        paths = {
            "ANSIBLE_COLLECTIONS_PATH": f"{folder}/requirements_collections:~/.ansible/collections",
            "ANSIBLE_ROLES_PATH": f"{folder}/requirements_roles:~/.ansible/roles",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{folder}/cp",
            "AWX_PRIVATE_DATA_DIR": str(folder),
            "JOB_ID": str(job["id"]),
        }
        script = f"#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(job['inventory'])!r})\n"
        verbosity = f"-{'v' * job['verbosity']}" if job["verbosity"] else ""
        (folder / "cp").mkdir()
        _put(folder / "env" / "envvars", json.dumps({**_SETTINGS, **paths, **job["environment"]}))
        _put(folder / "env" / "extravars", yaml.dump({**job["variables"], **unsafe}, Dumper=_Dumper))
        _put(folder / "env" / "settings", json.dumps(settings))
        limit = f"--limit {shlex.quote(job['limit'])}" if job["limit"] else ""
        _put(folder / "env" / "cmdline", f"-u root {limit} {verbosity}".strip())
        _put(folder / "inventory" / "hosts", script, 0o700)


def check_that_it_keeps_its_secrets(lab: Lab, *jobs: Job, further: Iterable[str] = ()) -> None:
    """Check that the jobs succeeded, and that no secret of the lab, nor a further one, is in what they left."""
    secrets = [*further, *(secret["value"] for secret in lab.secrets())]
    for job in jobs:
        assert job.status == 0, job.output
        assert leaks(job.texts(), secrets) == []
        # Neither set_stats nor cacheable facts: AWX stores both.
        assert job.statistics["artifact_data"] == {}


def _number(path: Path) -> int:
    return int(path.name.partition("-")[0])


def _put(path: Path, text: str, mode: int = 0o600) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode)
    path.write_text(text)


def project_with_the_collection(skeleton: Path, folder: Path) -> Path:
    """A copy of a project that contains this checkout where AWX finds the collections of a project."""
    shutil.copytree(skeleton, folder)
    place = folder / "collections" / "ansible_collections" / "sddc"
    place.mkdir(parents=True)
    (place / "tokens").symlink_to(CHECKOUT)
    return folder
