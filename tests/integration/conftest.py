# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests that run plays, with the real ansible-playbook or in the process of the test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from products import EXAMPLE, ISSUER
from support import bao as bao_server
from support import lab_store
from support.awx.definitions import PROJECT
from support.awx.jobs import Worker, project_with_the_collection
from support.awx.setup import Controller, Setup, credentials
from support.bao import Bao
from support.cores import Core, fast_on_default
from support.in_process_plays import InProcess
from support.playbooks import Ansible
from support.rulebooks import Rulebook, Start, running
from support.surroundings import environment

if TYPE_CHECKING:
    from lab.client import Lab


def pytest_report_header() -> str:
    """Say which store the tests of the shared store use."""
    is_real = bao_server.executable() is not None
    return "shared store: " + ("OpenBao" if is_real else f"the lab's, because {bao_server.WHY_NOT}")


@pytest.fixture(params=fast_on_default())
def core(request: pytest.FixtureRequest) -> Core:
    """Each installed ansible-core, slow except for the default one. A test may pass other cores indirectly."""
    core: Core = request.param
    if core.why_not:
        pytest.skip(core.why_not)
    return core


@pytest.fixture(scope="session")
def bao(request: pytest.FixtureRequest) -> Iterator[Bao]:
    """A server of shared stores, for all tests: OpenBao, or the store of another lab where OpenBao does not run."""
    if bao_server.executable():
        yield request.getfixturevalue("real_bao")
        return
    with lab_store.running() as store:
        yield store


@pytest.fixture(scope="session")
def real_bao() -> Iterator[Bao]:
    """OpenBao, for tests that need more than the lab's store has."""
    with _running_bao() as server:
        yield server


@pytest.fixture
def own_bao() -> Iterator[Bao]:
    """OpenBao for one test, which may break it."""
    with _running_bao() as server:
        yield server


def _running_bao() -> AbstractContextManager[Bao]:
    binary = bao_server.executable()
    if binary is None:
        pytest.skip(bao_server.WHY_NOT)
    return bao_server.running(binary)


@pytest.fixture
def ansible(lab: Lab, tmp_path: Path) -> Ansible:
    """Plays with the variables `lab`, `example` and `issuer` (details of the lab), and `ca_path`."""
    return Ansible(tmp_path, _variables(lab))


@pytest.fixture
def in_process(lab: Lab, tmp_path: Path) -> InProcess:
    """The same without ansible-playbook, for tests of requests and results."""
    return InProcess(tmp_path, _variables(lab))


@pytest.fixture(scope="module")
def own_lab() -> Iterator[Lab]:
    """A lab that is not reset between the tests of a file: setting up a controller takes half a minute."""
    from lab.client import Lab

    with Lab.start() as lab:
        yield lab


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The AWX project of a user: the sample project, with the collection."""
    return project_with_the_collection(PROJECT, tmp_path_factory.mktemp("project") / "project")


@pytest.fixture(scope="module")
def controller(own_lab: Lab, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Controller:
    """A controller after awx_setup, with a credential for each product."""
    controller = Controller(own_lab, "127.0.0.1", project)
    run = Setup(controller, tmp_path_factory.mktemp("setup"), awx_setup_credentials=credentials(own_lab)).run()
    assert run.returncode == 0, run.output
    return controller


@pytest.fixture
def worker(own_lab: Lab, project: Path, tmp_path: Path) -> Worker:
    """An execution node without a common disk: each job has its own home."""
    return Worker(tmp_path / "jobs", project, own_lab.ca_path)


@pytest.fixture
def start_rulebook(lab: Lab, tmp_path: Path) -> Start:
    """A function that starts a rulebook, with the products and their credentials in the environment."""
    environ = {"SSL_CERT_FILE": lab.ca_path, **environment(lab)}

    def start(rulebook: str, **facts: Any) -> AbstractContextManager[Rulebook]:
        return running(rulebook, tmp_path / "rulebook", lab=lab, **{"environ": environ, **facts})

    return start


def _variables(lab: Lab) -> dict[str, Any]:
    products = {"example": lab[EXAMPLE.name], "issuer": lab[ISSUER.name]}
    return {"lab": lab.details, "ca_path": lab.ca_path, **products}
