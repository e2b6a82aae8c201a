# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates work as jobs of AWX with the real ansible-runner, and leave no secret."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.client import LabError
from products import EXAMPLE, KITS
from support.awx.definitions import EXAMPLE_PLAYBOOK, JOB_TEMPLATES, PROJECT, TOKEN_FILES, role_of, role_variables
from support.awx.jobs import Job, Worker, project_with_the_collection
from support.awx.setup import Controller, Setup, credentials
from support.canaries import leaks
from support.roles import OF_KITS

if TYPE_CHECKING:
    from lab.client import Lab


HOSTS = [f"vm-{number:02d}" for number in range(1, 8)]
SLICES = 5
FAST = (EXAMPLE_PLAYBOOK, 4)
((NAME, ROLE),) = EXAMPLE.roles.items()
SESSION = str(JOB_TEMPLATES[EXAMPLE_PLAYBOOK]["name"])
(HOST,) = (variable for variable, detail in EXAMPLE.environment.items() if detail == "host")
# The playbooks whose role has survey answers in a kit.
SURVEYED = [name for name in JOB_TEMPLATES if role_of(name) in OF_KITS and OF_KITS[role_of(name)][1].answers]
EACH_HOST_OF_A_SLICE = {f"{NAME}_tasks": "tasks/each_host.yml"}
EACH_HOST = f"""\
# What a job does for each host of its slice.
- name: Ask something about each host
  ansible.builtin.uri:
    url: "{{{{ lookup('ansible.builtin.env', '{HOST}') }}}}{EXAMPLE.guarded}?host={{{{ item }}}}"
    headers: "{{{{ {ROLE.secret} }}}}"
  loop: "{{{{ groups['all'] | sort }}}}"
"""


@pytest.fixture(scope="module")
def own_lab() -> Iterator[Lab]:
    from lab.client import Lab

    with Lab.start() as lab:
        yield lab


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of a user: the skeleton, and task files of the user's own."""
    folder = project_with_the_collection(PROJECT, tmp_path_factory.mktemp("project") / "project")
    (folder / "tasks" / "each_host.yml").write_text(EACH_HOST)
    return folder


@pytest.fixture(scope="module")
def controller(own_lab: Lab, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Controller:
    """A controller after awx_setup, with a credential of each type."""
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
    """The values that AWX's user interface sends for questions without an answer."""
    survey = JOB_TEMPLATES[playbook]["survey"]
    return {question["variable"]: "" for question in survey if "default" not in question}


def check_that_it_keeps_its_secrets(lab: Lab, *jobs: Job) -> None:
    secrets = [secret["value"] for secret in lab.secrets()]
    for job in jobs:
        assert job.status == 0, job.output
        assert leaks(job.texts(), secrets) == []
        # Neither set_stats nor cacheable facts: AWX stores both.
        assert job.statistics["artifact_data"] == {}


Counts = Mapping[str, Mapping[str, int]]


def check_that_the_work_is_done(lab: Lab, before: Counts, playbook: str, mounted: Path) -> None:
    name = role_of(playbook)
    if name in OF_KITS:
        kit, role = OF_KITS[name]
        now, then = lab.counts(kit.name), before[kit.name]
        what, number = role.made
        made = now[what] - then.get(what, 0)
        assert made > 0 if role.as_needed else made == number
        assert now.get("sessions_open", 0) == 0
        if kit.counts_tokens:
            assert now["tokens_valid"] == then.get("tokens_valid", 0), "the token is revoked"
    elif name == "token_rotation":
        files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in mounted.glob("*.json")}
        assert files == dict.fromkeys(TOKEN_FILES, 0o600)
    else:
        assert "<title>" in (mounted / "report" / "tokens.html").read_text()
        assert json.loads((mounted / "report" / "tokens.json").read_text())


@pytest.mark.parametrize(
    ("playbook", "verbosity"),
    [
        # One of them represents all in the fast tests.
        pytest.param(playbook, verbosity, marks=() if (playbook, verbosity) == FAST else pytest.mark.slow)
        for playbook in JOB_TEMPLATES
        for verbosity in (0, 4)
    ],
)
def test_a_job_succeeds_and_shows_no_secret(
    own_lab: Lab, controller: Controller, worker: Worker, mounted: Path, playbook: str, verbosity: int
) -> None:
    extra_vars = json.dumps({"sddc_tokens_folder": str(mounted)})
    change(controller, playbook, verbosity=verbosity, extra_vars=extra_vars)
    for _kit, role in OF_KITS.values():
        role.prepare_job(own_lab)
    before = {product: own_lab.counts(product) for product in KITS}
    (prepared,) = controller.launch(JOB_TEMPLATES[playbook]["name"], **(blank_answers(playbook) if verbosity else {}))
    assert prepared["explanation"] == ""

    job = worker.run(prepared)

    check_that_it_keeps_its_secrets(own_lab, job)
    check_that_the_work_is_done(own_lab, before, playbook, mounted)


@pytest.mark.parametrize("playbook", JOB_TEMPLATES)
def test_a_launch_cannot_choose_credentials_hosts_or_variables(controller: Controller, playbook: str) -> None:
    """A user who may only launch a job template can change the answers of its survey and nothing else."""
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
@pytest.mark.parametrize("playbook", ["rotate_tokens", "report_tokens"])
def test_a_job_that_stores_tokens_fails_and_names_the_path_when_it_is_not_mounted(
    own_lab: Lab, controller: Controller, worker: Worker, tmp_path: Path, playbook: str
) -> None:
    unmounted = tmp_path / "unmounted"
    change(controller, playbook, extra_vars=json.dumps({"sddc_tokens_folder": str(unmounted)}))
    minted = [own_lab.counts(name).get("tokens_minted", 0) for name in KITS]
    (prepared,) = controller.launch(JOB_TEMPLATES[playbook]["name"])

    job = worker.run(prepared)

    assert job.status != 0, job.output
    assert str(unmounted) in job.output
    assert not unmounted.exists(), "it would be thrown away with the container"
    assert [own_lab.counts(name).get("tokens_minted", 0) for name in KITS] == minted


@pytest.mark.slow
def test_the_sample_tasks_use_the_ca_path_of_the_role_and_show_why_they_failed(
    own_lab: Lab, controller: Controller, project: Path, tmp_path: Path
) -> None:
    change(controller, EXAMPLE_PLAYBOOK, extra_vars=json.dumps({f"{NAME}_ca_path": own_lab.ca_path}))
    prepared = [controller.launch(SESSION)[0] for _time in range(2)]
    change(controller, EXAMPLE_PLAYBOOK, extra_vars="")
    # An image that does not trust the CA.
    (tmp_path / "none.pem").write_text("")
    worker = Worker(tmp_path / "jobs", project, str(tmp_path / "none.pem"))

    good = worker.run(prepared[0], "good")
    # The role's own request is first.
    own_lab.fault(EXAMPLE.name, "status", path=EXAMPLE.guarded, status=418, skip=1)
    bad = worker.run(prepared[1], "bad")
    own_lab.clear_faults()

    check_that_it_keeps_its_secrets(own_lab, good)
    assert bad.status != 0
    assert "418" in bad.output
    assert leaks(bad.texts(), [secret["value"] for secret in own_lab.secrets()]) == []


@pytest.mark.slow
def test_a_limit_that_matches_no_host_fails_the_job(own_lab: Lab, controller: Controller, worker: Worker) -> None:
    """Only a play that runs on the hosts of the inventory may have a limit at launch."""
    extra_vars = json.dumps({**EACH_HOST_OF_A_SLICE, "sddc_tokens_hosts": "all"})
    change(controller, EXAMPLE_PLAYBOOK, ask_limit_on_launch=True, extra_vars=extra_vars)
    (prepared,) = controller.launch(SESSION, prompts={"limit": "nowhere"})
    change(controller, EXAMPLE_PLAYBOOK, ask_limit_on_launch=False, extra_vars="")

    job = worker.run(prepared)

    assert prepared["limit"] == "nowhere"
    assert job.status != 0, job.output


@pytest.mark.slow
@pytest.mark.parametrize("playbook", SURVEYED)
def test_the_answers_of_a_survey_reach_the_role_although_they_are_strings(
    own_lab: Lab, controller: Controller, worker: Worker, playbook: str
) -> None:
    own_lab.clear_requests()
    kit, role = OF_KITS[role_of(playbook)]
    assert role.answers is not None
    options, work = role.answers
    answers = {f"{role_of(playbook)}_{option}": answer for option, answer in options.items()}
    (prepared,) = controller.launch(JOB_TEMPLATES[playbook]["name"], **answers)

    check_that_it_keeps_its_secrets(own_lab, worker.run(prepared))

    posts = [entry.line for entry in own_lab.requests(kit.name) if entry.method == "POST" and entry.query]
    assert [bool(re.fullmatch(work, line)) for line in posts] == [True]


# --- slices ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sliced(controller: Controller) -> Iterator[str]:
    """The name of the job template that uses the example, split into five jobs for seven hosts."""
    (organization,) = controller.objects("organizations")
    inventory = controller.call("POST", "inventories", {"name": "VMs", "organization": organization["id"]})
    for name in HOSTS:
        controller.call("POST", "hosts", {"name": name, "inventory": inventory["id"]})
    change(controller, EXAMPLE_PLAYBOOK, inventory=inventory["id"], job_slice_count=SLICES, verbosity=3)
    change(controller, EXAMPLE_PLAYBOOK, extra_vars=json.dumps(EACH_HOST_OF_A_SLICE))
    controller.lab.clear_requests()
    yield SESSION
    controller.call("DELETE", f"inventories/{inventory['id']}")


def minted_since(lab: Lab, before: dict[str, int], *keys: str) -> list[int]:
    now = lab.counts(EXAMPLE.name)
    return [now[key] - before.get(key, 0) for key in keys]


def hosts_asked_about(lab: Lab) -> list[str]:
    asked = [entry for entry in lab.requests(EXAMPLE.name) if entry.path == EXAMPLE.guarded and entry.status == 200]
    return sorted(entry.parameters["host"] for entry in asked if "host" in entry.parameters)


@pytest.mark.slow
def test_slices_without_a_shared_disk_each_create_and_revoke_a_token(
    own_lab: Lab, controller: Controller, worker: Worker, sliced: str
) -> None:
    before = own_lab.counts(EXAMPLE.name)
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
    before = own_lab.counts(EXAMPLE.name)
    token_file = tmp_path / "mounted" / "session.json"
    token_file.parent.mkdir()
    extra_vars = {**EACH_HOST_OF_A_SLICE, f"{NAME}_token_file": str(token_file)}
    change(controller, EXAMPLE_PLAYBOOK, extra_vars=json.dumps(extra_vars))

    jobs = worker.run_all(controller.launch(sliced))

    check_that_it_keeps_its_secrets(own_lab, *jobs)
    assert hosts_asked_about(own_lab) == HOSTS
    assert minted_since(own_lab, before, "tokens_minted", "tokens_valid") == [1, 1]
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600


@pytest.mark.slow
def test_every_host_of_a_slice_can_have_a_session_of_its_own(
    own_lab: Lab, controller: Controller, worker: Worker, sliced: str
) -> None:
    before = own_lab.counts(EXAMPLE.name)
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    change(controller, EXAMPLE_PLAYBOOK, extra_vars=json.dumps({"sddc_tokens_hosts": "all", **local}))

    jobs = worker.run_all(controller.launch(sliced))

    check_that_it_keeps_its_secrets(own_lab, *jobs)
    assert minted_since(own_lab, before, "tokens_minted", "tokens_revoked", "tokens_valid") == [7, 7, 0]


@pytest.mark.slow
def test_a_credential_without_its_server_stops_the_job_before_it_starts(own_lab: Lab, controller: Controller) -> None:
    credential = controller.one("credentials", name=f"The lab's {EXAMPLE.name}")
    inputs = EXAMPLE.server.options(own_lab.details)
    user = {name: value for name, value in inputs.items() if name != "hostname"}
    controller.call("PATCH", f"credentials/{credential['id']}", {"inputs": user})

    (job,) = controller.launch(SESSION)

    controller.call("PATCH", f"credentials/{credential['id']}", {"inputs": inputs})
    assert job["explanation"] == f"Credential The lab's {EXAMPLE.name} has no value for hostname."
