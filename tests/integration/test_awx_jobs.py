# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates do their work as jobs of AWX, under the real ansible-runner, and leave no secret behind."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.client import LabError
from support.awx.definitions import JOB_TEMPLATES, PROJECT, role_variables
from support.awx.jobs import Job, Worker, project_with_the_collection
from support.awx.setup import Controller, Setup, credentials
from support.canaries import leaks
from support.tasks import INSTANCE_PATH

if TYPE_CHECKING:
    from lab.client import Lab


HOSTS = [f"vm-{number:02d}" for number in range(1, 8)]
SLICES = 5
FAST = ("nsx_reauthenticate", 4)
EACH_HOST_OF_A_SLICE = {"vrni_session_tasks": "tasks/each_host.yml"}
EACH_HOST = """\
# What a job does for each host of its slice.
- name: Ask something about each host
  ansible.builtin.uri:
    url: "{{ lookup('ansible.builtin.env', 'VRNI_HOST') }}/api/ni/info/version?host={{ item }}"
    headers: "{{ vrni_session_headers }}"
  loop: "{{ groups['all'] | sort }}"
"""


@pytest.fixture(scope="module")
def own_lab() -> Iterator[Lab]:
    from lab.client import Lab

    with Lab.start() as lab:
        yield lab


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a user has it: the skeleton, and task files of one's own."""
    folder = project_with_the_collection(PROJECT, tmp_path_factory.mktemp("project") / "project")
    (folder / "tasks" / "each_host.yml").write_text(EACH_HOST)
    return folder


@pytest.fixture(scope="module")
def controller(own_lab: Lab, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Controller:
    """A controller on which awx_setup has run, with a credential of each type."""
    controller = Controller(own_lab, "127.0.0.1", project)
    run = Setup(controller, tmp_path_factory.mktemp("setup"), awx_setup_credentials=credentials(own_lab)).run()
    assert run.returncode == 0, run.output
    return controller


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path of the node that AWX exposes to jobs."""
    return tmp_path_factory.mktemp("mounted")


@pytest.fixture
def worker(own_lab: Lab, project: Path, tmp_path: Path) -> Worker:
    return Worker(tmp_path / "jobs", project, own_lab.ca_path)


def change(controller: Controller, playbook: str, **values: Any) -> None:
    template = controller.one("job_templates", name=JOB_TEMPLATES[playbook]["name"])
    controller.call("PATCH", f"job_templates/{template['id']}", values)


def blank_answers(playbook: str) -> dict[str, str]:
    """What AWX's user interface sends for questions that are left blank."""
    survey = JOB_TEMPLATES[playbook]["survey"]
    return {question["variable"]: "" for question in survey if "default" not in question}


def check_that_it_keeps_its_secrets(lab: Lab, *jobs: Job) -> None:
    secrets = [secret["value"] for secret in lab.secrets()]
    for job in jobs:
        assert job.status == 0, job.output
        assert leaks(job.texts(), secrets) == []
        # Neither set_stats nor cacheable facts: AWX keeps both.
        assert job.statistics["artifact_data"] == {}


Counts = Mapping[str, Mapping[str, int]]
Check = Callable[["Lab", Counts, Job, Path], None]


def nsx_is_healed(lab: Lab, before: Counts, job: Job, mounted: Path) -> None:
    assert lab.counts("nsx")["reauths"] > before["nsx"].get("reauths", 0)


def the_token_is_revoked(lab: Lab, before: Counts, job: Job, mounted: Path) -> None:
    now = lab.counts("vrni")
    assert now["tokens_minted"] == before["vrni"].get("tokens_minted", 0) + 1
    assert now["tokens_valid"] == before["vrni"].get("tokens_valid", 0)
    assert "GET /api/ni/info/version" in [entry.line for entry in lab.requests("vrni")]


def the_token_is_registered(lab: Lab, before: Counts, job: Job, mounted: Path) -> None:
    assert lab.counts("vcenter")["registrations"] == before["vcenter"].get("registrations", 0) + 1


def each_engine_has_a_token(lab: Lab, before: Counts, job: Job, mounted: Path) -> None:
    assert lab.counts("avi")["engine_tokens"] == before["avi"].get("engine_tokens", 0) + 2
    assert lab.counts("avi")["sessions_open"] == 0


def the_token_files_are_there(lab: Lab, before: Counts, job: Job, mounted: Path) -> None:
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in mounted.glob("*.json")}
    assert files == dict.fromkeys(("csp.json", "vrni.json", "vcenter.json"), 0o600)


def the_report_is_written(lab: Lab, before: Counts, job: Job, mounted: Path) -> None:
    assert "<title>" in (mounted / "report" / "tokens.html").read_text()
    assert json.loads((mounted / "report" / "tokens.json").read_text())


CHECKS: dict[str, Check] = {
    "nsx_reauthenticate": nsx_is_healed,
    "vrni_session": the_token_is_revoked,
    "vcenter_register_token": the_token_is_registered,
    "avi_service_engines": each_engine_has_a_token,
    "rotate_tokens": the_token_files_are_there,
    "report_tokens": the_report_is_written,
}


@pytest.mark.parametrize(
    ("playbook", "verbosity"),
    [
        # One of them stands for all where there is little time.
        pytest.param(playbook, verbosity, marks=() if (playbook, verbosity) == FAST else pytest.mark.slow)
        for playbook in JOB_TEMPLATES
        for verbosity in (0, 4)
    ],
)
def test_a_job_does_its_work_and_keeps_its_secrets(
    own_lab: Lab, controller: Controller, worker: Worker, mounted: Path, playbook: str, verbosity: int
) -> None:
    extra_vars = json.dumps({"sddc_tokens_folder": str(mounted)})
    change(controller, playbook, verbosity=verbosity, extra_vars=extra_vars)
    own_lab.act("nsx", "raise_alarms", host="127.0.0.1", paths=[INSTANCE_PATH])
    before = {product: own_lab.counts(product) for product in ("nsx", "vrni", "vcenter", "avi")}
    (prepared,) = controller.launch(JOB_TEMPLATES[playbook]["name"], **(blank_answers(playbook) if verbosity else {}))
    assert prepared["explanation"] == ""

    job = worker.run(prepared)

    check_that_it_keeps_its_secrets(own_lab, job)
    CHECKS[playbook](own_lab, before, job, mounted)


@pytest.mark.parametrize("playbook", JOB_TEMPLATES)
def test_a_launch_chooses_neither_credentials_nor_hosts_nor_variables(
    controller: Controller, playbook: str
) -> None:
    """What somebody reaches who may launch a job template, and nothing else: the answers of its survey."""
    name = JOB_TEMPLATES[playbook]["name"]
    own_type = controller.one("credential_types", name="Machine")
    own = controller.call("POST", "credentials", {"name": f"Own for {playbook}", "credential_type": own_type["id"]})
    hosts = controller.call("POST", "inventories", {"name": f"Own for {playbook}", "organization": 1})
    prompts = {
        "credentials": [own["id"]],
        "inventory": hosts["id"],
        "limit": "nowhere",
        "extra_vars": {"sddc_tokens_hosts": "nowhere"},
    }

    (plain,) = controller.launch(name)
    (prompted,) = controller.launch(name, prompts=prompts)

    numbers = {"id", "unsafe_variables"}
    assert {**prompted, **dict.fromkeys(numbers)} == {**plain, **dict.fromkeys(numbers)}
    assert "sddc_tokens_hosts" not in prompted["unsafe_variables"]
    for variable in role_variables(playbook, "path"):
        with pytest.raises(LabError, match="not allowed on launch"):
            controller.launch(name, **{variable: "../env/envvars"})


@pytest.mark.slow
def test_a_limit_that_matches_no_host_fails_the_job(own_lab: Lab, controller: Controller, worker: Worker) -> None:
    """Only where the play runs for the hosts of the inventory a launch may have a limit at all."""
    extra_vars = json.dumps({**EACH_HOST_OF_A_SLICE, "sddc_tokens_hosts": "all"})
    change(controller, "vrni_session", ask_limit_on_launch=True, extra_vars=extra_vars)
    (prepared,) = controller.launch(JOB_TEMPLATES["vrni_session"]["name"], prompts={"limit": "nowhere"})
    change(controller, "vrni_session", ask_limit_on_launch=False, extra_vars="")

    job = worker.run(prepared)

    assert prepared["limit"] == "nowhere"
    assert job.status != 0, job.output


@pytest.mark.slow
def test_the_answers_of_a_survey_which_are_texts_reach_the_role(
    own_lab: Lab, controller: Controller, worker: Worker
) -> None:
    own_lab.clear_requests()
    answers = {
        "nsx_partner_service_tier0_id": "T0-main",
        "nsx_partner_service_service_instance_id": "partner-fw-01",
        "nsx_partner_service_force": "true",
    }
    (prepared,) = controller.launch(JOB_TEMPLATES["nsx_reauthenticate"]["name"], **answers)

    check_that_it_keeps_its_secrets(own_lab, worker.run(prepared))

    asked = [entry.line for entry in own_lab.requests("nsx") if entry.method == "POST" and "reauth" in entry.query]
    assert len(asked) == 1
    assert "/service-instances/partner-fw-01?" in asked[0]


# --- slices ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sliced(controller: Controller) -> Iterator[str]:
    """The job template that works with vRNI, dealt out among five jobs by an inventory of seven hosts; its name."""
    (organization,) = controller.objects("organizations")
    inventory = controller.call("POST", "inventories", {"name": "VMs", "organization": organization["id"]})
    for name in HOSTS:
        controller.call("POST", "hosts", {"name": name, "inventory": inventory["id"]})
    change(controller, "vrni_session", inventory=inventory["id"], job_slice_count=SLICES, verbosity=3)
    change(controller, "vrni_session", extra_vars=json.dumps(EACH_HOST_OF_A_SLICE))
    controller.lab.clear_requests()
    yield str(JOB_TEMPLATES["vrni_session"]["name"])
    controller.call("DELETE", f"inventories/{inventory['id']}")


def minted_since(lab: Lab, before: dict[str, int], *keys: str) -> list[int]:
    now = lab.counts("vrni")
    return [now[key] - before.get(key, 0) for key in keys]


def hosts_asked_about(lab: Lab) -> list[str]:
    asked = [entry for entry in lab.requests("vrni") if entry.path == "/api/ni/info/version" and entry.status == 200]
    return sorted(entry.parameters["host"] for entry in asked if "host" in entry.parameters)


@pytest.mark.slow
def test_slices_that_share_no_disk_mint_a_token_each_and_revoke_it(
    own_lab: Lab, controller: Controller, worker: Worker, sliced: str
) -> None:
    before = own_lab.counts("vrni")
    prepared = controller.launch(sliced)
    assert [len(job["inventory"]["all"]["hosts"]) for job in prepared] == [2, 2, 1, 1, 1]

    jobs = worker.run_all(prepared)

    check_that_it_keeps_its_secrets(own_lab, *jobs)
    assert hosts_asked_about(own_lab) == HOSTS
    assert minted_since(own_lab, before, "tokens_minted", "tokens_revoked", "tokens_valid") == [SLICES, SLICES, 0]


@pytest.mark.slow
def test_slices_that_share_a_mounted_path_share_one_token(
    own_lab: Lab, controller: Controller, worker: Worker, sliced: str, tmp_path: Path
) -> None:
    before = own_lab.counts("vrni")
    token_file = tmp_path / "mounted" / "session.json"
    token_file.parent.mkdir()
    extra_vars = {**EACH_HOST_OF_A_SLICE, "vrni_session_token_file": str(token_file)}
    change(controller, "vrni_session", extra_vars=json.dumps(extra_vars))

    jobs = worker.run_all(controller.launch(sliced))

    check_that_it_keeps_its_secrets(own_lab, *jobs)
    assert hosts_asked_about(own_lab) == HOSTS
    assert minted_since(own_lab, before, "tokens_minted", "tokens_valid") == [1, 1]
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600


@pytest.mark.slow
def test_every_host_of_a_slice_can_have_a_session_of_its_own(
    own_lab: Lab, controller: Controller, worker: Worker, sliced: str
) -> None:
    before = own_lab.counts("vrni")
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    change(controller, "vrni_session", extra_vars=json.dumps({"sddc_tokens_hosts": "all", **local}))

    jobs = worker.run_all(controller.launch(sliced))

    check_that_it_keeps_its_secrets(own_lab, *jobs)
    assert minted_since(own_lab, before, "tokens_minted", "tokens_revoked", "tokens_valid") == [7, 7, 0]


@pytest.mark.slow
def test_a_credential_without_its_server_stops_the_job_before_it_starts(own_lab: Lab, controller: Controller) -> None:
    credential = controller.one("credentials", name="The lab's avi")
    avi = own_lab["avi"]
    user = {"username": avi["username"], "password": avi["password"]}
    controller.call("PATCH", f"credentials/{credential['id']}", {"inputs": user})

    (job,) = controller.launch(JOB_TEMPLATES["avi_service_engines"]["name"])

    controller.call("PATCH", f"credentials/{credential['id']}", {"inputs": {**user, "hostname": avi["url"]}})
    assert job["explanation"] == "Credential The lab's avi lacks hostname."
