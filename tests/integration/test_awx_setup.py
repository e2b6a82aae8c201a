# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""awx_setup configures a controller as defined, with the real modules of awx.awx."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from support.awx.setup import Controller, Setup, changes, credentials
from support.canaries import leaks
from support.cores import OTHERS, Core

if TYPE_CHECKING:
    from lab.client import Lab
    from support.playbooks import Run

# Each run of the playbook signs in and out for each task. It takes a minute when other tests run, too.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FIRST, SECOND, THIRD, *OTHER_CORES = (f"127.0.1.{number}" for number in range(1, 4 + len(OTHERS)))
# A separate controller for each test that requires one in its initial state.
FRESH = [f"127.0.1.{number}" for number in range(4 + len(OTHERS), 9 + len(OTHERS))]
COLLECTION = "collections/ansible_collections/sddc/tokens/playbooks"
SECRETS_LEFT_ALONE = {"awx_setup_update_secrets": False}


@pytest.fixture(scope="module")
def own_lab() -> Iterator[Lab]:
    """A lab that is not reset between the tests: setting up a controller takes half a minute."""
    from lab.client import Lab

    with Lab.start(addresses=len((FIRST, SECOND, THIRD, *OTHER_CORES, *FRESH))) as lab:
        yield lab


@pytest.fixture(scope="module")
def setup(own_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Setup:
    controller = Controller(own_lab, FIRST, PROJECT)
    return Setup(controller, tmp_path_factory.mktemp("setup"), awx_setup_credentials=credentials(own_lab))


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


def content(controller: Controller) -> dict[str, list[dict[str, Any]]]:
    """The content of a controller."""
    names = ("credential_types", "credentials", "projects", "inventories", "hosts", "job_templates", "schedules")
    found = {name: controller.objects(name) for name in (*names, "workflow_job_template_nodes")}
    for template in found["job_templates"]:
        template["survey"] = controller.call("GET", f"job_templates/{template['id']}/survey_spec")
        template["credentials"] = controller.objects(f"job_templates/{template['id']}/credentials")
    return found


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
    before = content(controller)

    kept, renewed = setup.run(**SECRETS_LEFT_ALONE), setup.run()

    assert (kept.returncode, renewed.returncode) == (0, 0), renewed.output
    # AWX never shows a secret, so the task with credentials cannot detect whether it changes one.
    assert (changes(kept), changes(renewed)) == (0, 1)
    assert content(controller) == before


def test_check_mode_predicts_and_writes_nothing(controller: Controller, setup: Setup) -> None:
    before = content(controller)

    run = setup.run("--check", **SECRETS_LEFT_ALONE, awx_setup_overrides={"report_tokens": {"description": "New"}})

    assert run.returncode == 0, run.output
    assert changes(run) == 1
    assert content(controller) == before


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


# --- several organizations -------------------------------------------------------------------------------------------

OF_AN_ORGANIZATION = (
    *("credentials", "projects", "inventories", "job_templates", "workflow_job_templates", "execution_environments"),
    *("schedules", "workflow_job_template_nodes", "hosts"),
)


def content_of(controller: Controller, organization: str) -> dict[str, list[dict[str, Any]]]:
    """All objects of an organization, with the objects that refer to them."""
    number = controller.one("organizations", name=organization)["id"]
    found = {name: controller.objects(name) for name in OF_AN_ORGANIZATION}
    for template in found["job_templates"]:
        template["credentials"] = controller.objects(f"job_templates/{template['id']}/credentials")
    own = {item["id"] for items in found.values() for item in items if item.get("organization") == number}
    parents = ("unified_job_template", "workflow_job_template", "inventory")
    return {
        name: [item for item in items if item["id"] in own or own & {item.get(parent) for parent in parents}]
        for name, items in found.items()
    }


def set_up_for(controller: Controller, folder: Path, organization: str, **variables: Any) -> Setup:
    """An organization that is set up like every other: all names but its own are the same."""
    folder.mkdir()
    if not controller.objects("organizations", name=organization):
        controller.call("POST", "organizations", {"name": organization})
    number = controller.one("organizations", name=organization)["id"]
    kind = controller.one("credential_types", name="Source Control")["id"]
    git = {"name": "git", "organization": number, "credential_type": kind}
    controller.call("POST", "credentials", git)
    inputs = {"hostname": f"{organization}.example.com", "password": "x"}
    own = [{"name": "Ours", "type": EXAMPLE.name, "inputs": inputs}]
    return Setup(
        controller,
        folder,
        awx_setup_organization=organization,
        awx_setup_credentials=own,
        awx_setup_scm_credential="git",
        **variables,
    )


@pytest.mark.parametrize(
    ("host", "variables", "removed_first"),
    [
        pytest.param(FRESH[0], {}, "Team", id="AWX's execution environment"),
        pytest.param(
            FRESH[1],
            {
                "awx_setup_execution_environment": "SDDC tokens",
                "awx_setup_execution_environment_image": "registry.example.com/sddc/tokens:1.0",
            },
            "Default",
            id="an execution environment of one's own",
        ),
    ],
)
def test_an_organization_is_set_up_and_removed_without_touching_another(
    own_lab: Lab, tmp_path: Path, host: str, variables: dict[str, Any], removed_first: str
) -> None:
    controller = Controller(own_lab, host, PROJECT)
    setups = {name: set_up_for(controller, tmp_path / name, name, **variables) for name in ("Default", "Team")}
    first, last = sorted(setups, key=lambda name: name != removed_first)

    made = [setups[name].run() for name in ("Default", "Team")]
    again = setups["Default"].run(**SECRETS_LEFT_ALONE)

    assert [run.returncode for run in (*made, again)] == [0] * 3, made[1].output + again.output
    assert changes(again) == 0
    for name in setups:
        whole = content_of(controller, name)
        own = {item["id"] for items in whole.values() for item in items}
        assert len(whole["job_templates"]) == len(JOB_TEMPLATES)
        assert len(whole["execution_environments"]) == len(variables) // 2
        for template in whole["job_templates"]:
            used = [template["project"], template["inventory"], template["execution_environment"]]
            used += [credential["id"] for credential in template["credentials"]]
            assert {number for number in used if number} <= own

    kept = content_of(controller, last)
    kinds = controller.objects("credential_types")
    gone = setups[first].run(awx_setup_state="absent")

    assert gone.returncode == 0, gone.output
    assert content_of(controller, last) == kept
    assert controller.objects("credential_types") == kinds
    left = {name: len(items) for name, items in content_of(controller, first).items() if items}
    assert left == {"credentials": 1, "inventories": 1, "hosts": 1}, "git's own, and what is said to stay"

    gone = setups[last].run(awx_setup_state="absent")

    assert gone.returncode == 0, gone.output
    assert controller.objects("credential_types", managed=False) == []


def test_the_first_run_requires_a_system_administrator_and_says_so(own_lab: Lab, tmp_path: Path) -> None:
    controller = Controller(own_lab, FRESH[2], PROJECT)
    password = own_lab.act("awx", "add_administrator", host=FRESH[2], name="team-admin", organization="Default")
    user = ("team-admin", password)
    setup = Setup(controller, tmp_path)

    refused = setup.run(user=user)

    assert refused.returncode != 0
    assert "Only a system administrator of AWX can create or change them" in " ".join(refused.output.split())
    assert controller.objects("projects") == []

    done, again, gone = setup.run(), setup.run(user=user), setup.run(user=user, awx_setup_state="absent")

    assert [run.returncode for run in (done, again, gone)] == [0, 0, 0], again.output + gone.output
    assert changes(again) == 0
    assert controller.objects("unified_job_templates") == []
    assert len(controller.objects("credential_types", managed=False)) == len(CREDENTIAL_TYPES)
    assert own_lab.counts("awx", FRESH[2])["sessions_open"] == 0


def test_nothing_is_removed_while_awx_would_refuse_a_part_of_it(own_lab: Lab, tmp_path: Path) -> None:
    controller = Controller(own_lab, FRESH[3], PROJECT)
    setup = Setup(controller, tmp_path)
    done = setup.run()
    assert done.returncode == 0, done.output
    kind = controller.one("credential_types", name=CREDENTIAL_TYPES[ISSUER.name]["name"])["id"]
    typed = controller.call("POST", "credentials", {"name": "Typed by hand", "credential_type": kind})
    before = content(controller)

    credential = setup.run(awx_setup_state="absent")
    unchanged = content(controller) == before
    controller.call("DELETE", f"credentials/{typed['id']}")
    before = content(controller)

    assert (credential.returncode, unchanged) == (2, True)
    assert "Typed by hand" in credential.output

    for name in (WORKFLOWS[0]["name"], "SDDC tokens"):
        own_lab.act("awx", "start_job", host=FRESH[3], name=name)
        running = setup.run(awx_setup_state="absent")
        own_lab.act("awx", "end_jobs", host=FRESH[3])
        assert (running.returncode, content(controller) == before) == (2, True), running.output
        assert name in running.output

    assert setup.run(awx_setup_state="absent").returncode == 0
    assert controller.objects("unified_job_templates") == []


def test_a_failed_project_update_is_reported_with_its_reason_after_a_bounded_time(own_lab: Lab, tmp_path: Path) -> None:
    controller = Controller(own_lab, FRESH[4], PROJECT)
    setup = Setup(controller, tmp_path, awx_setup_update_timeout=1)
    own_lab.change_settings("awx", host=FRESH[4], dispatcher=False)

    silent = setup.run()

    assert silent.returncode != 0
    assert "Check its instances and its list of jobs" in " ".join(silent.output.split())

    own_lab.change_settings("awx", host=FRESH[4], dispatcher=True, repositories={})

    failed = setup.run()

    assert failed.returncode != 0
    assert f"fatal: repository '{setup.variables['awx_setup_scm_url']}' not found" in " ".join(failed.output.split())


def test_a_playbook_that_is_missing_in_the_project_is_named(own_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    run = Setup(Controller(own_lab, THIRD, tmp_path / "empty"), tmp_path).run()

    assert run.returncode != 0
    assert "Playbook not found for project" in run.output


@pytest.mark.parametrize(
    ("host", "core"),
    list(zip(OTHER_CORES, OTHERS, strict=True)),
    ids=lambda value: getattr(value, "version", value),
    indirect=["core"],
)
def test_other_ansible_core_versions_set_up_and_remove_the_same_definitions(
    own_lab: Lab, tmp_path: Path, host: str, core: Core
) -> None:
    controller = Controller(own_lab, host, PROJECT)
    setup = Setup(controller, tmp_path, core=core, awx_setup_credentials=credentials(own_lab)[:1])

    run = setup.run()

    assert run.returncode == 0, run.output
    injectors = [kind["injectors"] for kind in controller.objects("credential_types", managed=False)]
    assert injectors == [kind["injectors"] for kind in CREDENTIAL_TYPES.values()]
    (localhost,) = controller.objects("hosts")
    assert "{{ ansible_playbook_python }}" in localhost["variables"]
    assert len(controller.objects("job_templates")) == len(JOB_TEMPLATES)

    gone = setup.run(awx_setup_state="absent")

    assert gone.returncode == 0, gone.output
    kinds = ("unified_job_templates", "credentials")
    assert [controller.objects(kind) for kind in kinds] == [[], []]
    assert controller.objects("credential_types", managed=False) == []
