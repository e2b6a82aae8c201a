# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""awx_setup configures a controller as defined, with the real modules of awx.awx."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from products import EXAMPLE, ISSUER
from support.awx.definitions import (
    CHECKOUT,
    CREDENTIAL_TYPES,
    EXAMPLE_PLAYBOOK,
    JOB_TEMPLATES,
    PROJECT,
    SCHEDULES,
    WORKFLOWS,
    role_of,
    survey_spec,
)
from support.awx.setup import STORE, Controller, Setup, changes, credentials
from support.canaries import leaks

if TYPE_CHECKING:
    from lab.client import Lab
    from support.playbooks import Run

# Each run of the playbook signs in and out for each task. It takes a minute when other tests run, too.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FIRST, SECOND = "127.0.1.1", "127.0.1.2"
COLLECTION = "collections/ansible_collections/sddc/tokens/playbooks"
SECRETS_LEFT_ALONE = {"awx_setup_update_secrets": False}


@pytest.fixture(scope="module")
def own_lab() -> Iterator[Lab]:
    """A lab that is not reset between the tests: setting up a controller takes half a minute."""
    from lab.client import Lab

    with Lab.start(addresses=2) as lab:
        yield lab


@pytest.fixture(scope="module")
def setup(own_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Setup:
    controller = Controller(own_lab, FIRST, PROJECT)
    return Setup(controller, tmp_path_factory.mktemp("setup"), awx_setup_credentials=[*credentials(own_lab), STORE])


@pytest.fixture(scope="module")
def first(setup: Setup) -> Run:
    """The run on a new controller."""
    done = setup.run("-vvv")
    assert done.returncode == 0, done.output
    return done


@pytest.fixture
def controller(setup: Setup, first: Run) -> Controller:
    """The controller after that run."""
    return setup.controller


def test_credential_types_are_created_as_defined(controller: Controller) -> None:
    keys = ("name", "description", "kind", "inputs", "injectors")
    kept = [{key: kind[key] for key in keys} for kind in controller.objects("credential_types", managed=False)]

    assert kept == list(CREDENTIAL_TYPES.values())


def test_no_secret_is_printed_even_at_vvv(controller: Controller, first: Run) -> None:
    secrets = [secret["value"] for secret in controller.lab.secrets()]

    # The output must still be readable: names, and what was changed.
    for kind in CREDENTIAL_TYPES.values():
        assert f"(item={kind['name']})" in first.stdout
    assert leaks({"output": first.output}, secrets) == []


def test_the_modules_sign_out(controller: Controller) -> None:
    assert controller.lab.counts("awx", FIRST)["sessions_open"] == 0


@pytest.mark.parametrize("playbook", JOB_TEMPLATES)
def test_a_job_template_is_created_as_defined(controller: Controller, playbook: str) -> None:
    definition = JOB_TEMPLATES[playbook]
    template = controller.one("job_templates", name=definition["name"])
    attached = controller.objects(f"job_templates/{template['id']}/credentials")
    kinds = {kind["id"]: kind["name"] for kind in controller.objects("credential_types")}

    assert template["playbook"] == f"{playbook}.yml"
    assert template["survey_enabled"]
    assert controller.call("GET", f"job_templates/{template['id']}/survey_spec") == survey_spec(definition)
    assert {kinds[credential["credential_type"]] for credential in attached} == {
        CREDENTIAL_TYPES[name]["name"] for name in definition["credential_types"]
    }
    assert template["job_slice_count"] == definition["job_slice_count"]
    assert not template["use_fact_cache"]


def test_the_schedule_and_the_workflow_are_created_as_defined(controller: Controller) -> None:
    names = {item["id"]: item["name"] for item in controller.objects("unified_job_templates")}
    assert [item["enabled"] for item in controller.objects("schedules")] == [False], "its path may not be mounted yet"
    (definition,), schedule = SCHEDULES, controller.one("schedules")
    (flow,), nodes = WORKFLOWS, controller.objects("workflow_job_template_nodes")
    identifiers = {node["id"]: node["identifier"] for node in nodes}

    assert [schedule[key] == definition[key] for key in ("name", "rrule", "extra_data")] == [True] * 3
    assert names[schedule["unified_job_template"]] == JOB_TEMPLATES[definition["job_template"]]["name"]
    assert len(nodes) == len(flow["nodes"])
    for node in flow["nodes"]:
        kept = next(item for item in nodes if item["identifier"] == node["identifier"])
        after = controller.objects(f"workflow_job_template_nodes/{kept['id']}/always_nodes")
        assert names[kept["unified_job_template"]] == JOB_TEMPLATES[node["job_template"]]["name"]
        assert [identifiers[item["id"]] for item in after] == node["always"]


def test_a_second_run_changes_only_what_awx_cannot_compare(controller: Controller, setup: Setup) -> None:
    before = controller.content()

    kept, renewed = setup.run(**SECRETS_LEFT_ALONE), setup.run()

    assert (kept.returncode, renewed.returncode) == (0, 0), renewed.output
    # AWX never shows a secret, so the task with credentials cannot detect whether it changes one.
    assert (changes(kept), changes(renewed)) == (0, 1)
    assert controller.content() == before


def test_check_mode_predicts_and_writes_nothing(controller: Controller, setup: Setup) -> None:
    before = controller.content()

    run = setup.run("--check", **SECRETS_LEFT_ALONE, awx_setup_overrides={"report_tokens": {"description": "New"}})

    assert run.returncode == 0, run.output
    assert changes(run) == 1
    assert controller.content() == before


def test_a_launch_gets_the_values_of_the_credentials_and_shows_none_of_them(controller: Controller) -> None:
    (job,) = controller.launch(JOB_TEMPLATES["rotate_tokens"]["name"])
    lab = controller.lab

    assert set(job["environment"]) == {name for kind in CREDENTIAL_TYPES.values() for name in kind["injectors"]["env"]}
    inputs = ISSUER.server.options(lab.details)
    for variable, injector in CREDENTIAL_TYPES[ISSUER.name]["injectors"]["env"].items():
        assert job["environment"][variable] == inputs.get(injector.strip("{ }"), "")
    assert set(job["shown_environment"]) == set(job["environment"])
    secrets = [secret["value"] for secret in lab.secrets()]
    assert leaks({"shown": json.dumps(job["shown_environment"])}, secrets) == []


def test_invalid_variables_are_reported_before_anything_is_changed(setup: Setup, first: Run) -> None:
    asked = len(setup.controller.lab.requests("awx"))

    misspelt = credentials(setup.controller.lab)[:1]
    misspelt[0]["inputs"]["api_tokens"] = "not-to-be-shown-anywhere"

    override = setup.run(awx_setup_overrides={"rotate_token": {"job_slice_count": 2}})
    inputs = setup.run("-vvv", awx_setup_credentials=misspelt)

    assert (override.returncode, inputs.returncode) == (2, 2)
    assert "rotate_tokens, report_tokens" in " ".join(override.output.split())
    assert "has invalid inputs: api_tokens." in " ".join(inputs.output.split())
    assert "not-to-be-shown" not in inputs.output
    assert len(setup.controller.lab.requests("awx")) == asked


def test_a_second_credential_of_a_type_is_refused_as_by_awx(controller: Controller) -> None:
    template = controller.one("job_templates", name=JOB_TEMPLATES[EXAMPLE_PLAYBOOK]["name"])
    kind = controller.one("credential_types", name=CREDENTIAL_TYPES[EXAMPLE.name]["name"])
    another = controller.call("POST", "credentials", {"name": "Another", "credential_type": kind["id"]})

    with pytest.raises(requests.HTTPError, match="400"):
        controller.call("POST", f"job_templates/{template['id']}/credentials", {"id": another["id"]})
    controller.call("DELETE", f"credentials/{another['id']}")


@pytest.fixture
def existing(own_lab: Lab, tmp_path: Path) -> Controller:
    """A controller with an inventory, and a project that contains the collection."""
    place = tmp_path / "project" / COLLECTION
    place.mkdir(parents=True)
    for path in (CHECKOUT / "playbooks").glob("*.yml"):
        (place / path.name).write_bytes(path.read_bytes())
    controller = Controller(own_lab, SECOND, tmp_path / "project")
    organization = controller.call("POST", "organizations", {"name": "Infrastructure"})["id"]
    smart = {"name": "All", "organization": organization, "kind": "smart", "host_filter": "name=x"}
    controller.call("POST", "inventories", smart)
    own = {"name": "Own", "organization": organization, "scm_type": "git"}
    controller.call("POST", "projects", {**own, "scm_url": "https://git.example.com/sddc/automation.git"})
    controller.call("POST", "execution_environments", {"name": "Own image", "image": "own"})
    return controller


def test_existing_objects_are_used_and_only_created_objects_are_removed(existing: Controller, tmp_path: Path) -> None:
    own = {f"{role_of(EXAMPLE_PLAYBOOK)}_no_log": True}
    setup = Setup(
        existing,
        tmp_path,
        awx_setup_organization="Infrastructure",
        awx_setup_inventory="All",
        awx_setup_project="Own",
        awx_setup_execution_environment="Own image",
        awx_setup_playbook_folder=COLLECTION,
        awx_setup_overrides={EXAMPLE_PLAYBOOK: {"job_slice_count": 5, "extra_vars": own}},
        awx_setup_extra_vars={"sddc_tokens_folder": "/srv"},
        awx_setup_schedules_enabled=False,
        awx_setup_credentials=[
            {"name": name, "type": EXAMPLE.name, "inputs": {"hostname": f"{name}.example.com"}}
            for name in ("east", "west")
        ],
    )
    del setup.variables["awx_setup_scm_url"]
    resources = ("organizations", "inventories", "hosts", "projects", "execution_environments")
    before = {name: existing.objects(name) for name in resources}
    kinds = existing.objects("credential_types")

    present = setup.run()
    templates = {template["playbook"]: template for template in existing.objects("job_templates")}
    schedule = existing.one("schedules")
    session = templates[f"{COLLECTION}/{EXAMPLE_PLAYBOOK}.yml"]
    attached = existing.objects(f"job_templates/{session['id']}/credentials")
    absent, again = setup.run(awx_setup_state="absent"), setup.run(awx_setup_state="absent")

    assert [run.returncode for run in (present, absent, again)] == [0, 0, 0], present.output + absent.output
    assert set(templates) == {f"{COLLECTION}/{name}.yml" for name in JOB_TEMPLATES}
    assert [credential["name"] for credential in attached] == ["east"]
    assert session["job_slice_count"] == 5
    assert json.loads(session["extra_vars"]) == {"sddc_tokens_folder": "/srv", **own}
    assert session["execution_environment"] == existing.one("execution_environments", name="Own image")["id"]
    assert not schedule["enabled"]
    assert changes(again) == 0
    assert {name: existing.objects(name) for name in resources} == before
    assert (existing.objects("credential_types"), existing.objects("credentials")) == (kinds, [])
    assert existing.objects("unified_job_templates") == before["projects"]
