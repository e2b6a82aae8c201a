# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of AWX: several resources with typed fields, relations and unique names."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..product import Refusal

BASE = "/api/v2"
ENCRYPTED = "$encrypted$"
# Job templates, workflows and projects are unified job templates: they can be launched.
UNIFIED = ("projects", "job_templates", "workflow_job_templates")


@dataclass(frozen=True)
class Field:
    """A field: its type and default. `refers` is the resource whose id it accepts."""

    kind: type = str
    default: Any = ""
    required: bool = False
    refers: str = ""
    choices: tuple[str, ...] = ()
    fixed: bool = False
    """Whether a client's value is ignored."""


@dataclass(frozen=True)
class Resource:
    """A resource: its fields, what is unique, and lists of other objects that belong to it."""

    type: str
    fields: Mapping[str, Field]
    unique: tuple[str, ...] = ("name",)
    lists: Mapping[str, str] = field(default_factory=dict)


def _named(**fields: Field) -> dict[str, Field]:
    return {"name": Field(required=True), "description": Field(), **fields}


def _id(resource: str, *, required: bool = False, fixed: bool = False) -> Field:
    return Field(int, None, required, resource, fixed=fixed)


def _switches(*names: str) -> dict[str, Field]:
    return {name: Field(bool, False) for name in names}


_ASKED = (
    *("credential", "inventory", "limit", "verbosity", "job_slice_count", "job_type", "variables", "diff_mode", "tags"),
    *("skip_tags", "scm_branch", "execution_environment", "forks", "instance_groups", "labels", "timeout"),
)
_ASKED_OF_WORKFLOWS = ("inventory", "limit", "variables", "scm_branch", "labels", "tags", "skip_tags")
_PROMPTS = {
    "inventory": _id("inventories"),
    "extra_data": Field(dict, {}),
    "limit": Field(default=None),
    "verbosity": Field(int, None),
    "job_slice_count": Field(int, None),
    "job_type": Field(default=None, choices=("run", "check")),
}
RESOURCES: Mapping[str, Resource] = {
    "organizations": Resource("organization", _named(max_hosts=Field(int, 0))),
    "credential_types": Resource(
        "credential_type",
        _named(
            kind=Field(required=True, choices=("cloud", "net")),
            inputs=Field(dict, {}),
            injectors=Field(dict, {}),
            managed=Field(bool, False, fixed=True),
        ),
        unique=("name", "kind"),
    ),
    "credentials": Resource(
        "credential",
        _named(
            credential_type=_id("credential_types", required=True),
            organization=_id("organizations"),
            inputs=Field(dict, {}),
        ),
        unique=("name", "organization", "credential_type"),
    ),
    "execution_environments": Resource(
        "execution_environment",
        _named(
            image=Field(required=True),
            organization=_id("organizations"),
            credential=_id("credentials"),
            pull=Field(choices=("", "always", "missing", "never")),
        ),
    ),
    "projects": Resource(
        "project",
        _named(
            organization=_id("organizations"),
            scm_type=Field(choices=("", "git", "svn", "insights", "archive")),
            scm_url=Field(),
            scm_branch=Field(),
            timeout=Field(int, 0),
            scm_revision=Field(fixed=True),
            credential=_id("credentials"),
            allow_override=Field(bool, False),
            status=Field(default="never updated", fixed=True),
            **_switches("scm_clean", "scm_update_on_launch"),
        ),
        unique=("name", "organization"),
    ),
    "inventories": Resource(
        "inventory",
        _named(
            organization=_id("organizations", required=True),
            kind=Field(choices=("", "smart", "constructed")),
            host_filter=Field(default=None),
            variables=Field(),
        ),
        unique=("name", "organization"),
    ),
    "hosts": Resource(
        "host",
        _named(inventory=_id("inventories", required=True), enabled=Field(bool, True), variables=Field()),
        unique=("name", "inventory"),
    ),
    "job_templates": Resource(
        "job_template",
        _named(
            job_type=Field(default="run", choices=("run", "check")),
            organization=_id("organizations", fixed=True),
            inventory=_id("inventories"),
            project=_id("projects"),
            playbook=Field(),
            execution_environment=_id("execution_environments"),
            extra_vars=Field(),
            limit=Field(),
            verbosity=Field(int, 0),
            job_slice_count=Field(int, 1),
            timeout=Field(int, 0),
            **_switches("survey_enabled", "allow_simultaneous", "use_fact_cache", "become_enabled", "diff_mode"),
            **_switches(*(f"ask_{name}_on_launch" for name in _ASKED)),
        ),
        unique=("name", "organization"),
        lists={"credentials": "credentials"},
    ),
    "workflow_job_templates": Resource(
        "workflow_job_template",
        _named(
            organization=_id("organizations"),
            inventory=_id("inventories"),
            extra_vars=Field(),
            limit=Field(default=None),
            **_switches("survey_enabled", "allow_simultaneous"),
            **_switches(*(f"ask_{name}_on_launch" for name in _ASKED_OF_WORKFLOWS)),
        ),
        unique=("name", "organization"),
    ),
    "workflow_job_template_nodes": Resource(
        "workflow_job_template_node",
        {
            "identifier": Field(required=True),
            "workflow_job_template": _id("workflow_job_templates", required=True),
            "unified_job_template": _id("unified_job_templates"),
            "all_parents_must_converge": Field(bool, False),
            **_PROMPTS,
        },
        unique=("identifier", "workflow_job_template"),
        lists={
            **{f"{edge}_nodes": "workflow_job_template_nodes" for edge in ("success", "failure", "always")},
            "credentials": "credentials",
        },
    ),
    "schedules": Resource(
        "schedule",
        _named(
            rrule=Field(required=True),
            enabled=Field(bool, True),
            unified_job_template=_id("unified_job_templates", required=True),
            **_PROMPTS,
        ),
        unique=("name", "unified_job_template"),
        lists={"credentials": "credentials"},
    ),
}


@dataclass
class Item:
    """One object."""

    number: int
    resource: str
    values: dict[str, Any]
    lists: dict[str, list[int]] = field(default_factory=dict)
    survey: dict[str, Any] = field(default_factory=dict)
    playbooks: list[str] = field(default_factory=list)
    created: float = field(default_factory=time.time)

    @property
    def url(self) -> str:
        """Return its URL."""
        return f"{BASE}/{self.resource}/{self.number}/"


class Items:
    """All objects of a controller. Their numbers are one sequence."""

    def __init__(self) -> None:
        self.by_number: dict[int, Item] = {}
        self._last = 0

    def number(self) -> int:
        """Return an unused number."""
        self._last += 1
        return self._last

    def of(self, resource: str) -> list[Item]:
        """Return all objects of a resource."""
        wanted = UNIFIED if resource == "unified_job_templates" else (resource,)
        return [item for item in self.by_number.values() if item.resource in wanted]

    def one(self, resource: str, number: Any) -> Item:
        """Return one object; a 404 if it does not exist."""
        found = self.by_number.get(int(number)) if str(number).isdigit() else None
        if found is None or found not in self.of(resource):
            raise Refusal(404, "Not found.")
        return found

    def named(self, resource: str, name: str) -> Item:
        """Return the only object of that name."""
        (found,) = [item for item in self.of(resource) if item.values["name"] == name]
        return found

    def add(self, resource: str, values: Mapping[str, Any]) -> Item:
        """Add a new object."""
        given = {name: spec.default for name, spec in RESOURCES[resource].fields.items()} | dict(values)
        item = Item(self.number(), resource, given, {name: [] for name in RESOURCES[resource].lists})
        self.by_number[item.number] = item
        return item

    def remove(self, item: Item) -> None:
        """Remove an object, its dependent objects, and its entries in all lists."""
        owners = ("unified_job_template", "workflow_job_template", "inventory")
        for other in list(self.by_number.values()):
            belongs = other.resource in ("schedules", "hosts", "workflow_job_template_nodes")
            if belongs and any(other.values.get(owner) == item.number for owner in owners):
                self.by_number.pop(other.number, None)
            for numbers in other.lists.values():
                numbers[:] = [number for number in numbers if number != item.number]
            for name, value in other.values.items():
                spec = RESOURCES[other.resource].fields[name]
                if value == item.number and spec.refers:
                    other.values[name] = None
        self.by_number.pop(item.number, None)

    def checked(self, resource: str, body: Mapping[str, Any], old: Item | None = None) -> dict[str, Any]:
        """Return the known fields of a request, with the right types. Unknown ones are ignored, as in AWX."""
        wrong = {}
        values = {}
        for name, spec in RESOURCES[resource].fields.items():
            if spec.fixed or name not in body:
                if spec.required and old is None and not spec.fixed:
                    wrong[name] = ["This field is required."]
                continue
            # AWX accepts null for an empty string.
            values[name] = "" if body[name] is None and spec.default == "" else body[name]
            problem = self._problem(spec, values[name])
            if problem:
                wrong[name] = [problem]
        if wrong:
            raise Refusal(400, fields=_as_text(wrong))
        self._check_unique(resource, {**(old.values if old else {}), **values}, old)
        return values

    def _problem(self, spec: Field, value: Any) -> str:
        if value is None:
            return "" if spec.default is None else "This field may not be null."
        if not isinstance(value, spec.kind) or (isinstance(value, bool) and spec.kind is not bool):
            return f"Not a valid {spec.kind.__name__}."
        if spec.choices and value not in spec.choices:
            return f'"{value}" is not a valid choice.'
        if spec.refers and value not in [item.number for item in self.of(spec.refers)]:
            return f'Invalid pk "{value}" - object does not exist.'
        if spec.required and value == "":
            return "This field may not be blank."
        return ""

    def _check_unique(self, resource: str, values: Mapping[str, Any], old: Item | None) -> None:
        keys = RESOURCES[resource].unique
        for item in self.of(resource):
            if item is not old and all(item.values.get(key) == values.get(key) for key in keys):
                label = RESOURCES[resource].type.replace("_", " ").capitalize()
                text = f"{label} with this {', '.join(keys)} already exists."
                raise Refusal(400, fields=_as_text({"__all__": [text]}))


def _as_text(wrong: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return field errors as `Refusal` contains them: the lists are JSON again when they are sent."""
    return {name: json.dumps(problems) for name, problems in wrong.items()}


def field_errors(**problems: Iterable[str]) -> Refusal:
    """Return a 400 that names the invalid field."""
    return Refusal(400, fields=_as_text({name: list(texts) for name, texts in problems.items()}))


def shown(item: Item, items: Items) -> dict[str, Any]:
    """Return an object as a client sees it. Secrets are never shown."""
    spec = RESOURCES[item.resource]
    values = dict(item.values)
    if item.resource == "credentials":
        secret = secret_fields(items.by_number[values["credential_type"]])
        values["inputs"] = {name: ENCRYPTED if name in secret else value for name, value in values["inputs"].items()}
    related = {name: f"{item.url}{name}/" for name in spec.lists}
    if item.resource in ("job_templates", "workflow_job_templates"):
        related["survey_spec"] = f"{item.url}survey_spec/"
    if item.resource == "projects":
        related |= {"update": f"{item.url}update/", "playbooks": f"{item.url}playbooks/"}
    if values.get("unified_job_template"):
        related["unified_job_template"] = items.by_number[values["unified_job_template"]].url
    return {
        "id": item.number,
        "type": spec.type,
        "url": item.url,
        "related": related,
        "summary_fields": _related_names(item, items),
        "created": item.created,
        **values,
    }


def _related_names(item: Item, items: Items) -> dict[str, dict[str, Any]]:
    """Return the summary of referenced objects that AWX includes."""
    fields = [name for name, spec in RESOURCES[item.resource].fields.items() if spec.refers]
    found = {name: items.by_number.get(item.values[name] or 0) for name in fields}
    return {name: {"id": other.number, "name": other.values.get("name", "")} for name, other in found.items() if other}


def secret_fields(credential_type: Item) -> set[str]:
    """Return the ids of the secret fields of a credential type."""
    fields = credential_type.values["inputs"].get("fields", [])
    return {entry["id"] for entry in fields if entry.get("secret")}
