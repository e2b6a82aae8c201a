# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide for pipelines: its commands, and the shell steps of its pipelines, as they are written."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from products import EXAMPLE
from support.canaries import leaks
from support.checkout import built
from support.cores import DEFAULT
from support.guides import Substitute, files_of, follow
from support.pipelines import Pipeline, github, gitlab, jenkins, run
from support.surroundings import surroundings

if TYPE_CHECKING:
    from lab.client import Lab

GUIDE = "pipelines.md"
READERS: dict[str, Callable[[str], Pipeline]] = {
    ".github/workflows/version.yml": github,
    ".gitlab-ci.yml": gitlab,
    "Jenkinsfile": jenkins,
}
SCHEMAS = {".github/workflows/version.yml": "vendor.github-workflows", ".gitlab-ci.yml": "vendor.gitlab-ci"}
GALAXY = "ansible-galaxy collection install sddc.tokens"
PIP = "pip install --quiet ansible-core requests"
USE = "sh version.sh"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a runner, with nothing installed."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("tarball"))


def checked_out(folder: Path) -> Path:
    """The repository of the guide."""
    for name, text in files_of(GUIDE).items():
        file = folder / "repository" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder / "repository"


def system(lab: Lab, folder: Path, python: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What a runner has in its environment, and the variables and secrets in the settings of the system."""
    settings = surroundings(lab)
    own = {name: settings.pop(name) for name in ("https_proxy", "SSL_CERT_FILE")}
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    repository = str(folder / "repository")
    (folder / "home").mkdir()
    (folder / "temp").mkdir()
    return {
        **own,
        **pip,
        "PATH": f"{python / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "CI_PROJECT_DIR": repository,
        "RUNNER_TEMP": str(folder / "temp"),
        "WORKSPACE": repository,
    }, settings


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fails", [False, True], ids=["success", "failure"])
@pytest.mark.parametrize("name", READERS)
def test_a_pipeline_creates_a_token_hands_it_over_unseen_and_revokes_it_whatever_happens(
    lab: Lab, tmp_path: Path, python: Path, tarball: Path, name: str, fails: bool
) -> None:
    pipeline = READERS[name](files_of(GUIDE)[name])
    environ, settings = system(lab, tmp_path, python)
    substitutes = {
        PIP: Substitute(f"env -u https_proxy {PIP}", "the proxy of the test leads to the lab only", runs_it=True),
        GALAXY: Substitute(
            f"ansible-galaxy collection install --offline {shlex.quote(str(tarball))}",
            "no Galaxy can be reached: the tarball of this checkout is installed instead",
        ),
    }
    if fails:
        substitutes[USE] = Substitute("exit 3", "the job is to fail while it has a token", runs_it=True)

    ran = run(pipeline, checked_out(tmp_path), environ, settings, substitutes)

    counts = lab.counts(EXAMPLE.name, EXAMPLE.host)
    secrets = {secret["value"] for secret in lab.secrets()}
    assert ran.succeeded is not fails, ran.log
    assert ("api_version" in ran.log) is not fails
    assert (counts["tokens_minted"], counts["tokens_valid"]) == (1, 0)
    assert leaks({"log": ran.log}, secrets) == []
    assert ran.masked <= secrets
    assert len(ran.masked) == (READERS[name] is github)


@pytest.mark.parametrize("name", READERS)
def test_the_password_is_given_to_as_few_steps_as_the_system_allows(name: str) -> None:
    steps = READERS[name](files_of(GUIDE)[name]).steps
    with_password = [
        step
        for step in steps
        if step.settings is None or any(setting.endswith("_PASSWORD") for setting in step.settings)
    ]

    assert [step.always for step in steps] == [*[False] * (len(steps) - 1), True]
    if READERS[name] is not gitlab:
        (step,) = with_password
        assert "return_token=false" in step.script


@pytest.mark.slow
def test_the_commands_of_the_guide_for_pipelines_work_word_for_word(lab: Lab, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".sddc").mkdir(parents=True, mode=0o700)
    environ = {"PATH": f"{DEFAULT.folder}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8"}
    environ |= {"ANSIBLE_COLLECTIONS_PATH": str(DEFAULT.collections), **surroundings(lab)}
    work = tmp_path / "work"
    work.mkdir()

    done = follow(GUIDE, work, environ)

    assert done.returncode == 0, done.output
    assert leaks({"output": done.output}, [secret["value"] for secret in lab.secrets()]) == []
    counts = lab.counts(EXAMPLE.name, EXAMPLE.host)
    assert (counts["tokens_minted"], counts["tokens_valid"]) == (2, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_pipeline_is_valid_by_the_schema_of_its_system(tmp_path: Path, name: str) -> None:
    command = [str(DEFAULT.folder / "check-jsonschema"), "--builtin-schema", SCHEMAS[name]]

    done = subprocess.run([*command, str(checked_out(tmp_path) / name)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
