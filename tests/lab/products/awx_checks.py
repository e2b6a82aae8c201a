# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of AWX on an object that depend on others: its project, its survey, its credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..product import Refusal
from .awx_model import ENCRYPTED, Item, Items, field_errors, secret_fields
from .awx_rules import wrong_answers, wrong_credential_inputs


def refuse(**problems: list[str]) -> None:
    if any(problems.values()):
        raise field_errors(**problems)


def check_template(items: Items, template: Mapping[str, Any]) -> None:
    """Check that the playbook is in the project."""
    project = items.by_number.get(template.get("project") or 0)
    if project is None:
        raise field_errors(project=["This field is required."])
    if not template.get("playbook"):
        raise field_errors(playbook=["Must select playbook for project."])
    if template["playbook"] not in project.playbooks and not project.values["allow_override"]:
        raise field_errors(playbook=["Playbook not found for project."])


def check_environment(values: Mapping[str, Any], old: Item | None) -> None:
    """Refuse to move an execution environment to another organization. Removing it from its own is allowed."""
    organization = values.get("organization")
    if old and organization and organization != old.values["organization"]:
        raise field_errors(organization=["Cannot change the organization of an execution environment"])


def check_prompts(template: Item, given: Mapping[str, Any], *, complete: bool) -> None:
    """Check the variables of a schedule or a node: only those of the survey are allowed."""
    spec = template.survey.get("spec", []) if template.values.get("survey_enabled") else []
    others = set(given) - {question["variable"] for question in spec}
    if others and not template.values.get("ask_variables_on_launch"):
        raise field_errors(extra_data=[f"Variables {', '.join(sorted(others))} are not allowed on launch."])
    wrong = wrong_answers(spec, given)
    refuse(variables_needed_to_start=[text for text in wrong if complete or not text.endswith("value missing")])


def check_credential(items: Items, values: dict[str, Any], whole: Mapping[str, Any], old: Item | None) -> list[str]:
    """Check the inputs of a credential, complete those that a client may not know, and return its secrets."""
    kind = items.by_number[whole["credential_type"]]
    refuse(inputs=wrong_credential_inputs(whole.get("inputs", {}), kind.values["inputs"].get("fields", [])))
    if "inputs" not in values:
        return []
    before = old.values["inputs"] if old else {}
    values["inputs"] = {
        name: before.get(name, "") if text == ENCRYPTED else text for name, text in values["inputs"].items()
    }
    return [values["inputs"][name] for name in secret_fields(kind) if values["inputs"].get(name)]


def check_credentials(items: Items, numbers: Iterable[int], new: Item) -> None:
    """Refuse a second credential of the same type."""
    kind = new.values["credential_type"]
    if any(items.by_number[number].values["credential_type"] == kind for number in numbers):
        name = items.by_number[kind].values["name"]
        raise Refusal(400, f"Cannot assign multiple {name} credentials.", "error")
