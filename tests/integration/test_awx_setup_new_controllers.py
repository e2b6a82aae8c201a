# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""awx_setup on new controllers: several organizations, missing rights, failures, other versions of ansible-core."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUER
from support.awx.definitions import CREDENTIAL_TYPES, JOB_TEMPLATES, PROJECT, WORKFLOWS
from support.awx.setup import Controller, Setup, changes, credentials
from support.cores import OTHERS, Core

if TYPE_CHECKING:
    from lab.client import Lab

# Each run of the playbook signs in and out for each task. It takes a minute when other tests run, too.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

# A separate controller for each test.
NEW = [f"127.0.1.{number}" for number in range(1, 7)]
OTHER_CORES = [f"127.0.1.{number}" for number in range(7, 7 + len(OTHERS))]
SECRETS_LEFT_ALONE = {"awx_setup_update_secrets": False}


@pytest.fixture(scope="module")
def own_lab() -> Iterator[Lab]:
    """A lab that is not reset between the tests: setting up a controller takes half a minute."""
    from lab.client import Lab

    with Lab.start(addresses=len(NEW) + len(OTHERS)) as lab:
        yield lab


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
        pytest.param(NEW[0], {}, "Team", id="AWX's execution environment"),
        pytest.param(
            NEW[1],
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
    assert left == {"credentials": 1, "inventories": 1, "hosts": 1}, "the objects of git, and those documented to stay"

    gone = setups[last].run(awx_setup_state="absent")

    assert gone.returncode == 0, gone.output
    assert controller.objects("credential_types", managed=False) == []


def test_the_first_run_requires_a_system_administrator_and_says_so(own_lab: Lab, tmp_path: Path) -> None:
    controller = Controller(own_lab, NEW[2], PROJECT)
    password = own_lab.act("awx", "add_administrator", host=NEW[2], name="team-admin", organization="Default")
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
    assert own_lab.counts("awx", NEW[2])["sessions_open"] == 0


def test_nothing_is_removed_while_awx_would_refuse_a_part_of_it(own_lab: Lab, tmp_path: Path) -> None:
    controller = Controller(own_lab, NEW[3], PROJECT)
    setup = Setup(controller, tmp_path)
    done = setup.run()
    assert done.returncode == 0, done.output
    kind = controller.one("credential_types", name=CREDENTIAL_TYPES[ISSUER.name]["name"])["id"]
    typed = controller.call("POST", "credentials", {"name": "Typed by hand", "credential_type": kind})
    before = controller.content()

    credential = setup.run(awx_setup_state="absent")
    unchanged = controller.content() == before
    controller.call("DELETE", f"credentials/{typed['id']}")
    before = controller.content()

    assert (credential.returncode, unchanged) == (2, True)
    assert "Typed by hand" in credential.output

    for name in (WORKFLOWS[0]["name"], "SDDC tokens"):
        own_lab.act("awx", "start_job", host=NEW[3], name=name)
        running = setup.run(awx_setup_state="absent")
        own_lab.act("awx", "end_jobs", host=NEW[3])
        assert (running.returncode, controller.content() == before) == (2, True), running.output
        assert name in running.output

    assert setup.run(awx_setup_state="absent").returncode == 0
    assert controller.objects("unified_job_templates") == []


def test_a_failed_project_update_is_reported_with_its_reason_after_a_bounded_time(own_lab: Lab, tmp_path: Path) -> None:
    controller = Controller(own_lab, NEW[4], PROJECT)
    setup = Setup(controller, tmp_path, awx_setup_update_timeout=1)
    own_lab.change_settings("awx", host=NEW[4], dispatcher=False)

    silent = setup.run()

    assert silent.returncode != 0
    assert "Check its instances and its list of jobs" in " ".join(silent.output.split())

    own_lab.change_settings("awx", host=NEW[4], dispatcher=True, repositories={})

    failed = setup.run()

    assert failed.returncode != 0
    assert f"fatal: repository '{setup.variables['awx_setup_scm_url']}' not found" in " ".join(failed.output.split())


def test_a_playbook_that_is_missing_in_the_project_is_named(own_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    run = Setup(Controller(own_lab, NEW[5], tmp_path / "empty"), tmp_path).run()

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
