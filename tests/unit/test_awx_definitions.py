# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definitions for AWX match modules, roles and playbooks, and contain nothing that AWX refuses."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from lab.products.awx_rules import (
    playbooks_in,
    wrong_answers,
    wrong_injectors,
    wrong_inputs,
    wrong_rrule,
    wrong_survey,
)
from products import EXAMPLE
from support.awx.definitions import (
    AWX,
    CHECKOUT,
    CREDENTIAL_TYPES,
    EXAMPLE_PLAYBOOK,
    JOB_TEMPLATES,
    PROJECT,
    SCHEDULES,
    VARIABLES,
    WORKFLOWS,
    role_of,
    role_options,
    role_variables,
    survey_spec,
)
from support.in_process import operation_of

MODULES = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py"))

# Options of a store that no credential sets: a job of AWX has no JWT, and files are part of the project.
OF_THE_PROJECT = {"role", "jwt", "ca_path", "client_cert", "client_key", "validate_certs"}

each_type = pytest.mark.parametrize("product", CREDENTIAL_TYPES)
each_template = pytest.mark.parametrize("playbook", JOB_TEMPLATES)


def options_with_fallbacks() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every option of every module that has one, by name, those of its stores included."""
    for name in MODULES:
        options = operation_of(name).argument_spec.options
        yield from ((option, spec) for option, spec in options.items() if spec.get("environment"))
        stores = [spec["spec"].options for spec in options.values() if "spec" in spec]
        for option, spec in (item for store in stores for item in store.items() if item[0] not in OF_THE_PROJECT):
            if spec.get("environment"):
                yield option, spec


def fields_by_variable() -> dict[str, dict[str, Any]]:
    """The field that each injected variable renders."""
    found = {}
    for kind in CREDENTIAL_TYPES.values():
        fields = {field["id"]: field for field in kind["inputs"]["fields"]}
        for variable, template in kind["injectors"]["env"].items():
            (name,) = re.fullmatch(r"\{\{ (\w+) \}\}", template).groups()  # type: ignore[union-attr]
            found[variable] = fields[name]
    return found


# --- credential types ------------------------------------------------------------------------------------------------


def test_every_environment_variable_of_a_module_is_injected_and_nothing_else() -> None:
    # A second name of the same option is for users who already export it.
    first_names = {spec["environment"][0] for _option, spec in options_with_fallbacks()}

    assert set(fields_by_variable()) == first_names


def test_a_field_is_secret_like_its_option_and_has_the_same_name() -> None:
    fields = fields_by_variable()
    for option, spec in options_with_fallbacks():
        field = fields[spec["environment"][0]]
        assert (field.get("secret", False), option.endswith(field["id"])) == (bool(spec.get("no_log")), True), option


@each_type
def test_each_field_is_injected_once(product: str) -> None:
    kind = CREDENTIAL_TYPES[product]

    rendered = sorted(kind["injectors"]["env"].values())

    assert rendered == sorted(f"{{{{ {field['id']} }}}}" for field in kind["inputs"]["fields"])


@each_type
def test_a_required_field_is_required_by_every_module_of_the_product(product: str) -> None:
    required = CREDENTIAL_TYPES[product]["inputs"].get("required", [])
    fields = fields_by_variable()
    own = CREDENTIAL_TYPES[product]["injectors"]["env"]
    needed = [
        spec for _option, spec in options_with_fallbacks() if spec["environment"][0] in own and spec.get("required")
    ]

    assert sorted(required) == sorted({fields[spec["environment"][0]]["id"] for spec in needed})


@each_type
def test_awx_accepts_the_credential_type(product: str) -> None:
    kind = CREDENTIAL_TYPES[product]

    assert kind["kind"] == "cloud"
    assert wrong_inputs(kind["inputs"]) == []
    assert wrong_injectors(kind["injectors"], kind["inputs"]) == []


def test_no_field_relies_on_a_default_or_on_a_boolean_which_awx_does_not_inject() -> None:
    fields = [field for kind in CREDENTIAL_TYPES.values() for field in kind["inputs"]["fields"]]

    assert [field["id"] for field in fields if "default" in field or field["type"] != "string"] == []


def test_no_variable_is_named_like_a_setting_of_ansible() -> None:
    texts = [path.read_text() for path in AWX.rglob("*.yml")]

    assert [text for text in texts if re.search(r"\bANSIBLE_[A-Z]", text)] == []


# --- job templates ---------------------------------------------------------------------------------------------------


@each_template
def test_awx_accepts_the_survey_and_a_launch_requires_no_answer(playbook: str) -> None:
    spec = survey_spec(JOB_TEMPLATES[playbook])

    assert wrong_survey(spec) == []
    assert wrong_answers(spec["spec"], {}) == []


@each_template
def test_the_questions_are_options_of_the_role_and_none_is_secret(playbook: str) -> None:
    types = {"text": {"str", "path"}, "integer": {"int", "float", "str"}, "multiplechoice": {"str", "bool"}}
    options = role_options(playbook)
    for question in JOB_TEMPLATES[playbook]["survey"]:
        option = options[question["variable"]]
        assert option["type"] in types[question["type"]], question["variable"]
        assert not option.get("no_log")
        if option["type"] == "str" and "choices" in question:
            assert question["choices"] == option["choices"]


def test_each_playbook_with_a_role_has_a_job_template() -> None:
    texts = {path.stem: path.read_text() for path in (CHECKOUT / "playbooks").glob("*.yml")}
    playbooks = {name for name, text in texts.items() if "roles" in yaml.safe_load(text)[0]}

    assert set(JOB_TEMPLATES) == playbooks
    assert len({template["name"] for template in JOB_TEMPLATES.values()}) == len(playbooks)


def test_the_project_has_each_playbook_in_a_form_that_awx_lists() -> None:
    assert playbooks_in(PROJECT) == sorted(f"{name}.yml" for name in JOB_TEMPLATES)
    for name in JOB_TEMPLATES:
        # An imported play would search group_vars and task files beside the collection's playbook.
        (own,), (collections,) = (
            yaml.safe_load((folder / f"{name}.yml").read_text()) for folder in (PROJECT, CHECKOUT / "playbooks")
        )
        assert {**own, "name": ""} == {**collections, "name": ""}


def test_a_checkout_of_the_collection_has_each_playbook_in_a_form_that_awx_lists() -> None:
    listed = playbooks_in(CHECKOUT / "playbooks")

    assert {f"{name}.yml" for name in JOB_TEMPLATES} <= set(listed)
    assert not [name for name in listed if "/" in name]


@each_template
def test_no_survey_asks_for_paths_to_read_run_or_write(playbook: str) -> None:
    asked = {question["variable"] for question in JOB_TEMPLATES[playbook]["survey"]}

    assert asked & set(role_variables(playbook, "path")) == set()


def test_the_project_lists_its_task_files() -> None:
    named = {name: path for name, path in VARIABLES.items() if name.endswith("_tasks")}
    roles = [name for playbook in JOB_TEMPLATES for name in role_options(playbook) if name.endswith("_tasks")]

    assert sorted(named) == sorted(roles)
    assert all((PROJECT / path).is_file() for path in named.values())


@each_template
def test_awx_cancels_a_job_only_after_the_longest_wait_that_an_answer_allows(playbook: str) -> None:
    template = JOB_TEMPLATES[playbook]
    waits = [question["max"] for question in template["survey"] if question["variable"].endswith("_timeout")]

    # 0 would mean that a job without end blocks the next one.
    assert template["timeout"] >= 900
    assert template["timeout"] > sum(waits)


@each_template
def test_a_job_template_asks_for_credentials_that_exist(playbook: str) -> None:
    assert set(JOB_TEMPLATES[playbook]["credential_types"]) <= set(CREDENTIAL_TYPES)


def test_the_project_contains_no_secret_and_its_variables_are_those_of_the_roles() -> None:
    options = {name: spec for playbook in JOB_TEMPLATES for name, spec in role_options(playbook).items()}

    own = {"sddc_tokens_folder", "sddc_tokens_store", "sddc_tokens_in_store"}
    assert set(VARIABLES) - own <= set(options)
    assert [name for name in VARIABLES if options.get(name, {}).get("no_log")] == []


def test_a_session_of_the_project_lasts_as_long_as_awx_lets_its_job_run() -> None:
    longest = VARIABLES[f"{role_of(EXAMPLE_PLAYBOOK)}_max_duration"]

    assert longest == JOB_TEMPLATES[EXAMPLE_PLAYBOOK]["timeout"]


def test_each_job_for_which_the_project_sets_a_store_has_its_credential() -> None:
    with_store = {name for name, value in VARIABLES.items() if "sddc_tokens_in_store" in str(value)}
    jobs = {playbook for playbook in JOB_TEMPLATES if with_store & set(role_options(playbook))}

    assert {name for name, job in JOB_TEMPLATES.items() if "token_store" in job["credential_types"]} == jobs


# --- schedules and workflows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule["job_template"])
def test_awx_accepts_the_schedule(schedule: dict[str, Any]) -> None:
    questions = JOB_TEMPLATES[schedule["job_template"]]["survey"]

    assert wrong_rrule(schedule["rrule"]) == []
    assert set(schedule["extra_data"]) <= {question["variable"] for question in questions}
    assert wrong_answers(questions, schedule["extra_data"]) == []


def test_the_rotation_runs_before_the_remaining_lifetime_ends() -> None:
    (schedule,) = SCHEDULES
    minutes = int(re.search(r"FREQ=MINUTELY;INTERVAL=(\d+)", schedule["rrule"]).group(1))  # type: ignore[union-attr]

    assert schedule["extra_data"]["token_rotation_min_remaining"] >= 2 * 60 * minutes


def test_the_report_of_the_workflow_runs_whatever_fails_before_it() -> None:
    (workflow,) = WORKFLOWS
    nodes = {node["identifier"]: node for node in workflow["nodes"]}

    assert all(node["job_template"] in JOB_TEMPLATES for node in nodes.values())
    assert [nodes[name]["always"] for name in nodes] == [["reauthenticate"], ["report"], []]


# --- the rules themselves --------------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda kind: kind["inputs"]["fields"][0].update(id="1st"), "not a valid field id"),
        (lambda kind: kind["inputs"]["fields"][0].update(id="tower"), "not a valid field id"),
        (lambda kind: kind["inputs"]["fields"][0].pop("label"), "no label"),
        (lambda kind: kind["inputs"]["fields"].append(kind["inputs"]["fields"][0]), "twice"),
        (lambda kind: kind["inputs"]["fields"][0].update(ask_at_runtime=True), "not allowed"),
        (lambda kind: kind["inputs"].update(dependencies={}), "only"),
        (lambda kind: kind["inputs"]["fields"][0].update(type="boolean", secret=True), "boolean"),
        (lambda kind: kind["inputs"]["fields"][0].update(type="boolean", default="yes"), "default"),
        (lambda kind: kind["injectors"]["env"].update(ANSIBLE_NOCOLOR="1"), "not allowed"),
        (lambda kind: kind["injectors"]["env"].update(PATH="/"), "not allowed"),
        (lambda kind: kind["injectors"]["env"].update(X="{{ nonesuch }}"), "undefined"),
        (lambda kind: kind["injectors"]["env"].update(X="{{ hostname | bool }}"), "bool"),
        (lambda kind: kind["injectors"]["env"].update(X="{{ lookup('env', 'X') }}"), "undefined"),
        (lambda kind: kind["injectors"].update(vars={}), "env, file and extra_vars"),
    ],
)
def test_a_credential_type_that_awx_refuses_is_detected(change: Change, why: str) -> None:
    kind = copy.deepcopy(CREDENTIAL_TYPES[EXAMPLE.name])
    change(kind)

    wrong = wrong_inputs(kind["inputs"]) + wrong_injectors(kind["injectors"], kind["inputs"])

    assert why in " ".join(wrong)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda question: question.pop("required"), "'required'"),
        (lambda question: question.update(type="bool"), "not one of"),
        (lambda question: question.update(default="1"), "default"),
        (lambda question: question.update(min="1"), "min"),
        (lambda question: question.update(type="multiplechoice", default="a"), "choices"),
        (lambda question: question.update(type="multiplechoice", choices=["b"], default="a"), "not one of the choices"),
    ],
)
def test_a_survey_that_awx_refuses_is_detected(change: Change, why: str) -> None:
    question: dict[str, Any] = {
        "question_name": "X",
        "variable": "x",
        "type": "integer",
        "required": True,
        "default": 1,
    }
    change(question)

    assert why in " ".join(wrong_survey({"name": "", "description": "", "spec": [question]}))


@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART:20250101T000000 RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART;TZID=Mars/Olympus:20250101T000000 RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART:20250101T000000Z",
        "DTSTART:20250101T000000Z RRULE:FREQ=DAILY",
        "DTSTART:20250101T000000Z RRULE:FREQ=SECONDLY;INTERVAL=1",
        "DTSTART:20250101T000000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=1000",
    ],
)
def test_a_schedule_rule_that_awx_refuses_is_detected(rule: str) -> None:
    assert wrong_rrule(rule)


@pytest.mark.parametrize("rule", ["DTSTART;TZID=Europe/Berlin:20250101T000000 RRULE:FREQ=DAILY;INTERVAL=1;COUNT=999"])
def test_a_schedule_rule_that_awx_accepts_is_not_reported(rule: str) -> None:
    assert wrong_rrule(rule) == []
