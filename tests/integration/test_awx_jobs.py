# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates work as jobs of AWX with the real ansible-runner, and leave no secret."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.client import LabError
from products import EXAMPLE, KITS
from support.awx.definitions import EXAMPLE_PLAYBOOK, JOB_TEMPLATES, TOKEN_FILES, role_of, role_variables
from support.awx.jobs import Worker, check_that_it_keeps_its_secrets
from support.awx.setup import Controller
from support.canaries import leaks
from support.roles import OF_KITS

if TYPE_CHECKING:
    from lab.client import Lab


FAST = (EXAMPLE_PLAYBOOK, 4)
(NAME,) = EXAMPLE.roles
SESSION = str(JOB_TEMPLATES[EXAMPLE_PLAYBOOK]["name"])
# The playbooks whose role has survey answers in a kit.
SURVEYED = [name for name in JOB_TEMPLATES if role_of(name) in OF_KITS and OF_KITS[role_of(name)][1].answers]


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path of the node that AWX exposes to jobs."""
    return tmp_path_factory.mktemp("mounted")


def blank_answers(playbook: str) -> dict[str, str]:
    """The values that AWX's user interface sends for questions without an answer."""
    survey = JOB_TEMPLATES[playbook]["survey"]
    return {question["variable"]: "" for question in survey if "default" not in question}


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
    controller.change(playbook, verbosity=verbosity, extra_vars=extra_vars)
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
    controller.change(playbook, extra_vars=json.dumps({"sddc_tokens_folder": str(unmounted)}))
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
    controller.change(EXAMPLE_PLAYBOOK, extra_vars=json.dumps({f"{NAME}_ca_path": own_lab.ca_path}))
    prepared = [controller.launch(SESSION)[0] for _time in range(2)]
    controller.change(EXAMPLE_PLAYBOOK, extra_vars="")
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
    extra_vars = json.dumps({"sddc_tokens_hosts": "all"})
    controller.change(EXAMPLE_PLAYBOOK, ask_limit_on_launch=True, extra_vars=extra_vars)
    (prepared,) = controller.launch(SESSION, prompts={"limit": "nowhere"})
    controller.change(EXAMPLE_PLAYBOOK, ask_limit_on_launch=False, extra_vars="")

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


@pytest.mark.slow
def test_a_credential_without_its_server_stops_the_job_before_it_starts(own_lab: Lab, controller: Controller) -> None:
    credential = controller.one("credentials", name=f"The lab's {EXAMPLE.name}")
    inputs = EXAMPLE.server.options(own_lab.details)
    user = {name: value for name, value in inputs.items() if name != "hostname"}
    controller.call("PATCH", f"credentials/{credential['id']}", {"inputs": user})

    (job,) = controller.launch(SESSION)

    controller.call("PATCH", f"credentials/{credential['id']}", {"inputs": inputs})
    assert job["explanation"] == f"Credential The lab's {EXAMPLE.name} has no value for hostname."
