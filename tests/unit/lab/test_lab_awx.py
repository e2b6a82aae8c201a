# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for AWX refuses what a running one was seen to refuse, and launches as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from lab.client import LabError

if TYPE_CHECKING:
    from pathlib import Path

    from lab.client import Lab

URL = "https://git.example.com/x.git"
FIELDS = [
    {"id": "host", "label": "Host"},
    {"id": "word", "label": "Word", "secret": True},
    {"id": "verify", "label": "Verify", "type": "boolean", "default": True},
    {"id": "mode", "label": "Mode", "choices": ["a", "b"], "default": "a"},
]
ENVIRONMENT = {"X_HOST": "{{ host }}", "X_WORD": "{{ word }}", "X_VERIFY": "{{ verify }}", "X_MODE": "{{ mode }}"}
SURVEY = {
    "name": "",
    "description": "",
    "spec": [
        {"question_name": "A", "variable": "a", "type": "integer", "required": False, "default": 3, "max": 9},
        {"question_name": "B", "variable": "b", "type": "text", "required": False},
    ],
}


class Awx:
    """A client of a controller."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.lab, self.http = lab, http
        self.http.auth = (lab["awx"]["username"], lab["awx"]["password"])

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.http.request(method, f"{self.lab['awx']['url']}/api/v2/{path}/", json=body)

    def made(self, path: str, **body: Any) -> int:
        response = self.call("POST", path, body)
        assert response.status_code == 201, response.text
        return int(response.json()["id"])

    def launched(self, **answers: Any) -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = self.lab.act("awx", "launch", host="127.0.0.1", job_template="T", answers=answers)
        return jobs


@pytest.fixture
def awx(lab: Lab, http: requests.Session) -> Awx:
    return Awx(lab, http)


@pytest.fixture
def template(awx: Awx, tmp_path: Path) -> int:
    """A job template of a project with one playbook, on an inventory of three hosts."""
    (tmp_path / "site.yml").write_text("- hosts: all\n")
    awx.lab.change_settings("awx", repositories={URL: str(tmp_path)})
    project = awx.made("projects", name="P", scm_type="git", scm_url=URL)
    inventory = awx.made("inventories", name="I", organization=1)
    for name in ("a", "b", "c"):
        awx.made("hosts", name=name, inventory=inventory)
    number = awx.made(
        "job_templates", name="T", project=project, inventory=inventory, playbook="site.yml", survey_enabled=True
    )
    assert awx.call("POST", f"job_templates/{number}/survey_spec", SURVEY).status_code == 200
    return number


def credential_type(awx: Awx, **changes: Any) -> requests.Response:
    inputs = {"fields": FIELDS, "required": ["host"]}
    body = {"name": "K", "kind": "cloud", "inputs": inputs, "injectors": {"env": ENVIRONMENT}}
    return awx.call("POST", "credential_types", {**body, **changes})


def test_every_request_requires_authentication(awx: Awx) -> None:
    awx.http.auth = None

    assert awx.call("GET", "job_templates").status_code == 401


def test_a_token_is_valid_until_it_is_deleted(awx: Awx) -> None:
    made = awx.call("POST", "tokens", {"scope": "write"}).json()
    basic, awx.http.auth = awx.http.auth, None
    awx.http.headers["Authorization"] = f"Bearer {made['token']}"
    assert awx.call("GET", "organizations").json()["count"] == 1
    del awx.http.headers["Authorization"]
    awx.http.auth = basic
    assert awx.call("DELETE", f"tokens/{made['id']}").status_code == 204
    awx.http.auth = None
    awx.http.headers["Authorization"] = f"Bearer {made['token']}"

    assert awx.call("GET", "organizations").status_code == 401


def test_lists_have_pages_and_filters(awx: Awx) -> None:
    for number in range(30):
        awx.made("organizations", name=f"O{number:02d}")
    first = awx.call("GET", "organizations").json()
    second = awx.http.get(awx.lab["awx"]["url"] + first["next"]).json()

    assert (first["count"], len(first["results"]), len(second["results"]), second["next"]) == (31, 25, 6, None)
    found = awx.http.get(f"{awx.lab['awx']['url']}/api/v2/organizations/?name=O07").json()
    assert [item["name"] for item in found["results"]] == ["O07"]
    assert awx.http.get(f"{awx.lab['awx']['url']}/api/v2/organizations/?nonesuch=1").status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "ssh"},
        {"inputs": {"fields": [*FIELDS, FIELDS[0]]}},
        {"injectors": {"env": {"ANSIBLE_TIMEOUT": "1"}}},
        {"injectors": {"env": {"X": "{{ nonesuch }}"}}},
    ],
)
def test_an_invalid_credential_type_is_a_400(awx: Awx, changes: dict[str, Any]) -> None:
    assert credential_type(awx, **changes).status_code == 400


def test_a_name_exists_once(awx: Awx) -> None:
    assert [credential_type(awx).status_code for _time in range(2)] == [201, 400]


def test_secrets_are_never_shown_and_encrypted_values_stay(awx: Awx) -> None:
    kind = credential_type(awx).json()["id"]
    number = awx.made("credentials", name="C", credential_type=kind, inputs={"host": "h", "word": "secret word"})
    shown = awx.call("GET", f"credentials/{number}").json()["inputs"]
    awx.call("PATCH", f"credentials/{number}", {"inputs": {**shown, "host": "other"}})

    assert shown == {"host": "h", "word": "$encrypted$"}
    assert "secret word" in [secret["value"] for secret in awx.lab.secrets()]
    assert awx.call("DELETE", f"credential_types/{kind}").status_code == 403


def test_a_launch_injects_no_default_of_a_field_and_false_for_an_unset_boolean(awx: Awx, template: int) -> None:
    kind = credential_type(awx).json()["id"]
    number = awx.made("credentials", name="C", credential_type=kind, inputs={"host": "h", "word": "secret word"})
    assert awx.call("POST", f"job_templates/{template}/credentials", {"id": number}).status_code == 204

    (job,) = awx.launched()

    assert job["environment"] == {"X_HOST": "h", "X_WORD": "secret word", "X_VERIFY": "False", "X_MODE": ""}
    assert job["shown_environment"]["X_WORD"] == "**********"
    assert job["unsafe_variables"]["a"] == 3
    assert "b" not in job["unsafe_variables"]


def test_answers_are_checked_and_unknown_ones_are_refused(awx: Awx, template: int) -> None:
    assert awx.launched(a=9)[0]["unsafe_variables"]["a"] == 9
    for answers in ({"a": 10}, {"a": "9"}, {"c": "x"}):
        with pytest.raises(LabError, match="variables_needed_to_start"):
            awx.launched(**answers)


@pytest.mark.parametrize(("count", "dealt"), [(2, [["a", "c"], ["b"]]), (5, [["a"], ["b"], ["c"]])])
def test_hosts_are_distributed_among_slices(awx: Awx, template: int, count: int, dealt: list[list[str]]) -> None:
    awx.call("PATCH", f"job_templates/{template}", {"job_slice_count": count})

    assert [job["inventory"]["all"]["hosts"] for job in awx.launched()] == dealt


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 201),
        ({"rrule": "DTSTART:20250101T000000Z RRULE:FREQ=DAILY"}, 400),
        ({"extra_data": {"a": 1}}, 201),
        ({"extra_data": {"a": 99}}, 400),
        ({"extra_data": {"other": 1}}, 400),
    ],
)
def test_a_schedule_is_checked(awx: Awx, template: int, changes: dict[str, Any], status: int) -> None:
    body = {"name": "S", "rrule": "DTSTART:20250101T000000Z RRULE:FREQ=DAILY;INTERVAL=1"}

    assert awx.call("POST", "schedules", {**body, "unified_job_template": template, **changes}).status_code == status


def test_a_playbook_must_be_one_of_the_project(awx: Awx, template: int) -> None:
    response = awx.call("PATCH", f"job_templates/{template}", {"playbook": "other.yml"})

    assert (response.status_code, response.json()) == (400, {"playbook": ["Playbook not found for project."]})


def test_dependent_objects_are_deleted_with_their_object(awx: Awx, template: int) -> None:
    rule = "DTSTART:20250101T000000Z RRULE:FREQ=DAILY;INTERVAL=1"
    awx.made("schedules", name="S", rrule=rule, unified_job_template=template)

    assert awx.call("DELETE", f"job_templates/{template}").status_code == 204
    assert awx.lab.counts("awx")["schedules"] == 0
    assert awx.call("GET", f"job_templates/{template}").status_code == 404


def test_an_execution_environment_has_a_unique_name_and_keeps_its_organization(awx: Awx) -> None:
    team = awx.made("organizations", name="Team")
    number = awx.made("execution_environments", name="E", image="e", organization=1)

    again = awx.call("POST", "execution_environments", {"name": "E", "image": "e", "organization": team})
    moved = awx.call("PATCH", f"execution_environments/{number}", {"organization": team})

    assert (again.status_code, moved.status_code) == (400, 400)
    assert list(moved.json()) == ["organization"]


def test_lists_are_filtered_by_related_objects_alternatives_and_several_values(awx: Awx) -> None:
    team = awx.made("organizations", name="Team")
    for name, organization in (("A", 1), ("B", 1), ("A", team)):
        awx.made("inventories", name=name, organization=organization)

    def found(query: str) -> list[str]:
        response = awx.http.get(f"{awx.lab['awx']['url']}/api/v2/inventories/?{query}")
        return [item["name"] for item in response.json()["results"]]

    assert found("organization__name=Default") == ["A", "B"]
    assert found("organization__name=Team&or__name=A&or__name=B") == ["A"]
    assert found(f"organization__in=7,{team}") == ["A"]


def test_only_a_system_administrator_creates_objects_without_an_organization(awx: Awx) -> None:
    awx.made("organizations", name="Team")
    kind = credential_type(awx).json()["id"]
    password = awx.lab.act("awx", "add_administrator", host="127.0.0.1", name="t", organization="Team")
    awx.http.auth = ("t", password)
    (team,) = awx.call("GET", "organizations").json()["results"]

    refused = [
        credential_type(awx, name="L"),
        awx.call("DELETE", f"credential_types/{kind}"),
        awx.call("POST", "organizations", {"name": "Other"}),
        awx.call("POST", "inventories", {"name": "I", "organization": 1}),
    ]

    assert [response.status_code for response in refused] == [403] * 4
    assert awx.call("GET", "me").json()["results"][0]["is_superuser"] is False
    assert awx.made("inventories", name="I", organization=team["id"])


def test_objects_used_by_a_running_job_are_not_deleted(awx: Awx, template: int) -> None:
    project = awx.call("GET", f"job_templates/{template}").json()["project"]
    awx.lab.act("awx", "start_job", host="127.0.0.1", name="T")

    refused = [awx.call("DELETE", path) for path in (f"job_templates/{template}", f"projects/{project}")]
    listed = f"{awx.lab['awx']['url']}/api/v2/unified_jobs/?status__in=pending,running"
    running = awx.http.get(listed).json()["count"]
    awx.lab.act("awx", "end_jobs", host="127.0.0.1")

    assert ([response.status_code for response in refused], running) == ([409, 409], 1)
    assert awx.call("DELETE", f"job_templates/{template}").status_code == 204


def test_a_project_is_never_updated_where_nothing_starts_jobs(awx: Awx, template: int) -> None:
    awx.lab.change_settings("awx", dispatcher=False)
    project = awx.call("GET", f"job_templates/{template}").json()["project"]

    update = awx.call("POST", f"projects/{project}/update").json()

    assert (update["status"], update["finished"], update["failed"]) == ("pending", None, False)
