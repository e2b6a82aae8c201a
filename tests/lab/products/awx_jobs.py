# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs that AWX creates when a job template is launched, each with environment, variables and hosts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..product import Refusal
from .awx_model import Item, Items, field_errors, secret_fields
from .awx_rules import templates, wrong_answers

MASKED = "**********"
_BOOLEAN = "boolean"


ACTIVE = ("new", "pending", "waiting", "running")
# The fields that allow each of the values of a launch.
_ASKS = {
    "credentials": "ask_credential_on_launch",
    "extra_vars": "ask_variables_on_launch",
    "inventory": "ask_inventory_on_launch",
    "limit": "ask_limit_on_launch",
}


def prepared(
    items: Items, template: Item, answers: Mapping[str, Any], prompts: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the jobs of a launch, several if it is sliced, or a 400 if it cannot be launched."""
    chosen = {name: value for name, value in prompts.items() if template.values[_ASKS[name]]}
    answers = {**chosen.get("extra_vars", {}), **answers}
    wrong = _not_asked_for(template, answers)
    numbers = [*template.lists["credentials"], *chosen.get("credentials", [])]
    credentials = [items.by_number[number] for number in numbers]
    if wrong:
        raise field_errors(variables_needed_to_start=wrong)
    inventory = chosen.get("inventory", template.values["inventory"])
    hosts = [item for item in items.of("hosts") if item.values["inventory"] == inventory]
    hosts = [host for host in sorted(hosts, key=lambda item: item.values["name"]) if host.values["enabled"]]
    count = max(1, min(template.values["job_slice_count"], len(hosts)))
    jobs = []
    for number in range(count):
        job: dict[str, Any] = {
            "id": items.number(),
            "playbook": template.values["playbook"],
            "verbosity": template.values["verbosity"],
            "limit": chosen.get("limit", template.values["limit"]),
            "explanation": _cannot_start(items, credentials),
            "inventory": _inventory(hosts[number::count]),
            "environment": {},
            "shown_environment": {},
        }
        for credential in credentials:
            kind = items.by_number[credential.values["credential_type"]]
            job["environment"] |= _injected(kind, credential, masked=False)
            job["shown_environment"] |= _injected(kind, credential, masked=True)
        job |= _variables(template, answers, job["id"])
        jobs.append(job)
    return jobs


def run(items: Items, template: Item) -> dict[str, Any]:
    """Return a running job as the list of all jobs shows it."""
    kind = {"projects": "project_update", "job_templates": "job", "workflow_job_templates": "workflow_job"}
    project = template.number if template.resource == "projects" else template.values.get("project")
    return {
        "id": items.number(),
        "type": kind[template.resource],
        "name": template.values["name"],
        "status": "running",
        "unified_job_template": template.number,
        "organization": template.values["organization"],
        "project": project,
    }


def check_unused(item: Item, jobs: Iterable[Mapping[str, Any]]) -> None:
    """Refuse to delete an object that a running job uses."""
    using = [job for job in jobs if item.number in (job["unified_job_template"], job["project"])]
    if any(job["status"] in ACTIVE for job in using):
        raise Refusal(409, "Resource is being used by running jobs.", "error")


def _not_asked_for(template: Item, answers: Mapping[str, Any]) -> list[str]:
    spec = template.survey.get("spec", []) if template.values["survey_enabled"] else []
    known = {question["variable"] for question in spec}
    if not template.values["ask_variables_on_launch"] and set(answers) - known:
        return [f"Variables {', '.join(sorted(set(answers) - known))} are not allowed on launch."]
    return wrong_answers(spec, answers)


def _cannot_start(items: Items, credentials: list[Item]) -> str:
    """Return why a job fails before it starts: AWX checks required fields only now."""
    for credential in credentials:
        required = items.by_number[credential.values["credential_type"]].values["inputs"].get("required", [])
        missing = [name for name in required if not credential.values["inputs"].get(name)]
        if missing:
            return f"Credential {credential.values['name']} has no value for {', '.join(missing)}."
    return ""


def _injected(kind: Item, credential: Item, *, masked: bool) -> dict[str, str]:
    """Render the environment variables of a credential. Defaults of fields are not applied."""
    values: dict[str, Any] = {}
    for field in kind.values["inputs"].get("fields", []):
        given = credential.values["inputs"].get(field["id"])
        values[field["id"]] = bool(given) if field.get("type") == _BOOLEAN else given or ""
        if masked and values[field["id"]] and field["id"] in secret_fields(kind):
            values[field["id"]] = MASKED
    variables = kind.values["injectors"].get("env", {})
    return {name: templates().from_string(template).render(values) for name, template in variables.items()}


def _variables(template: Item, answers: Mapping[str, Any], job: int) -> dict[str, Any]:
    """Return the variables. Those of the template may contain Jinja, those of a launch are not templated."""
    spec = template.survey.get("spec", []) if template.values["survey_enabled"] else []
    own = json.loads(template.values["extra_vars"] or "{}")
    defaults = {question["variable"]: question["default"] for question in spec if "default" in question}
    good = {name: value for name, value in defaults.items() if not wrong_answers(_only(spec, name), {name: value})}
    meta = {f"{prefix}_job_id": job for prefix in ("awx", "tower")}
    meta |= {f"{prefix}_job_template_name": template.values["name"] for prefix in ("awx", "tower")}
    unsafe = {**good, **answers, **meta}
    return {"variables": {name: value for name, value in own.items() if name not in unsafe}, "unsafe_variables": unsafe}


def _only(spec: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [question for question in spec if question["variable"] == name]


def _inventory(hosts: list[Item]) -> dict[str, Any]:
    """Return the output of the inventory script."""
    names = [host.values["name"] for host in hosts]
    variables = {host.values["name"]: json.loads(host.values["variables"] or "{}") for host in hosts}
    known = {name: {**own, "remote_tower_enabled": "true"} for name, own in variables.items()}
    return {"all": {"hosts": names, "children": []}, "_meta": {"hostvars": known}}
