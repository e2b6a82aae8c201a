# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX refuses: invalid credential types, surveys, schedules and files that are not playbooks.

Each check returns one sentence for each error.
"""

from __future__ import annotations

import os
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

KINDS = ("cloud", "net")
_ID = re.compile(r"[a-zA-Z_]+[a-zA-Z0-9_]*")
_FIELD_KEYS = {"id", "label", "type", "format", "choices", "help_text", "multiline", "secret", "default"}
_REFUSED_VARIABLES = {
    *("VIRTUAL_ENV", "PATH", "PYTHONPATH", "SUPERVISOR_CONFIG_PATH", "REST_API_URL", "REST_API_TOKEN"),
    *("JOB_ID", "INVENTORY_ID", "INVENTORY_SOURCE_ID", "INVENTORY_UPDATE_ID", "AD_HOC_COMMAND_ID", "PROJECT_REVISION"),
    *("MAX_EVENT_RES", "CALLBACK_QUEUE", "CALLBACK_CONNECTION", "JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS"),
    *("CACHE", "AWX_HOST"),
}
_QUESTION_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "text": str, "textarea": str, "password": str, "multiplechoice": str,
    "multiselect": (str, list), "integer": int, "float": (int, float),
}  # fmt: skip
_PLAYBOOK = re.compile(r"^\s*?-?\s*?(?:ansible\.builtin\.)?(?:hosts|include|import_playbook):\s*?.*?$")
_NO_PLAYBOOKS_BELOW = {"roles", "tasks", "group_vars", "host_vars"}


def templates() -> jinja2.Environment:
    """Return the environment in which AWX renders injectors: sandboxed, without Ansible's filters."""
    return ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)  # nosec - it creates no HTML


def wrong_inputs(inputs: Any) -> list[str]:
    """Check the inputs of a credential type."""
    if not isinstance(inputs, dict) or set(inputs) - {"fields", "required"}:
        return ["inputs has fields and required only"]
    fields = inputs.get("fields", [])
    ids = [field.get("id") for field in fields]
    wrong = [f"{name} is defined twice" for name in {name for name in ids if ids.count(name) > 1}]
    return wrong + [problem for field in fields for problem in _wrong_field(field)]


def _wrong_field(field: Mapping[str, Any]) -> Iterable[str]:
    name = str(field.get("id", ""))
    if not _ID.fullmatch(name) or name == "tower":
        yield f"{name!r} is not a valid field id"
    if not field.get("label"):
        yield f"{name} has no label"
    for key in sorted(set(field) - _FIELD_KEYS):
        yield f"{name}: {key} is not allowed"
    kind = field.get("type", "string")
    if kind not in ("string", "boolean"):
        yield f"{name}: {kind} is not a valid type"
    if kind == "boolean" and ("secret" in field or "choices" in field):
        yield f"{name}: a boolean cannot be secret or have choices"
    if kind == "boolean" and not isinstance(field.get("default", False), bool):
        yield f"{name}: the default of a boolean must be a boolean"


def wrong_injectors(injectors: Any, inputs: Mapping[str, Any]) -> list[str]:
    """Check the injectors of a credential type against its inputs."""
    if not isinstance(injectors, dict) or set(injectors) - {"env", "file", "extra_vars"}:
        return ["injectors are env, file and extra_vars"]
    known = {field["id"]: "EXAMPLE" for field in inputs.get("fields", [])}
    if injectors.get("file"):
        known["tower"] = "EXAMPLE"
    wrong = [problem for name in injectors.get("env", {}) for problem in _wrong_variable(name)]
    for name, template in [*injectors.get("env", {}).items(), *injectors.get("extra_vars", {}).items()]:
        try:
            templates().from_string(template).render(known)
        except (jinja2.TemplateError, TypeError) as problem:
            wrong.append(f"{name}: {problem}")
    return wrong


def _wrong_variable(name: str) -> Iterable[str]:
    if not _ID.fullmatch(name):
        yield f"{name} is not a valid name of an environment variable"
    if name.startswith("ANSIBLE_") or name in _REFUSED_VARIABLES:
        yield f"{name} is not allowed to be set"


def wrong_credential_inputs(inputs: Any, fields: Iterable[Mapping[str, Any]]) -> list[str]:
    """Check the values of a credential. A missing value is allowed."""
    known = {field["id"]: field for field in fields}
    if not isinstance(inputs, dict):
        return ["inputs must be a JSON object"]
    wrong = [f"{name} is not a field of the credential type" for name in sorted(set(inputs) - set(known))]
    for name in set(inputs) & set(known):
        kind = bool if known[name].get("type") == "boolean" else str
        if not isinstance(inputs[name], kind):
            wrong.append(f"{name} is not of the type {kind.__name__}")
        elif inputs[name] and inputs[name] not in known[name].get("choices", [inputs[name]]):
            wrong.append(f"{name} is not one of the choices")
    return wrong


def wrong_survey(survey: Any) -> list[str]:
    """Check the specification of a survey."""
    for key, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(survey.get(key), kind):
            return [f"Field '{key}' is missing from survey spec, or not of the type {kind.__name__}."]
    if not survey["spec"]:
        return ["'spec' doesn't contain any items."]
    names = [question.get("variable") for question in survey["spec"]]
    wrong = [f"'variable' '{name}' duplicated." for name in {name for name in names if names.count(name) > 1}]
    for number, question in enumerate(survey["spec"]):
        wrong += [f"survey question {number}: {problem}" for problem in _wrong_question(question)]
    return wrong


def _wrong_question(question: Mapping[str, Any]) -> Iterable[str]:
    for key, expected in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
        if not isinstance(question.get(key), expected):
            yield f"'{key}' is missing, or not of the type {expected.__name__}"
    kind = question.get("type", "")
    if kind not in _QUESTION_TYPES:
        yield f"'{kind}' is not one of the allowed question types"
        return
    default = question.get("default", "")
    if default != "" and (not isinstance(default, _QUESTION_TYPES[kind]) or isinstance(default, bool)):
        yield "the default is not of the question's type"
    for limit in ("min", "max"):
        if not isinstance(question.get(limit, 0), int):
            yield f"the {limit} limit is not an integer"
    if kind in ("multiplechoice", "multiselect"):
        choices = choices_of(question)
        chosen = default.splitlines() if isinstance(default, str) else default
        if not choices:
            yield "it must specify choices"
        if kind == "multiplechoice" and len(chosen) > 1:
            yield "it can only have one default value"
        if any(item not in choices for item in chosen):
            yield "the default is not one of the choices"


def choices_of(question: Mapping[str, Any]) -> list[str]:
    """Return the choices of a question, which may be a multi-line string."""
    choices = question.get("choices") or []
    return choices.splitlines() if isinstance(choices, str) else list(choices)


def wrong_answers(spec: Iterable[Mapping[str, Any]], answers: Mapping[str, Any]) -> list[str]:
    """Check the answers of a survey. A required answer must be given even if the question has a default."""
    wrong = []
    for question in spec:
        name = question["variable"]
        if name in answers:
            wrong += [f"'{name}' {problem}" for problem in _wrong_answer(question, answers[name])]
        elif question["required"]:
            wrong.append(f"'{name}' value missing")
    return wrong


def _wrong_answer(question: Mapping[str, Any], answer: Any) -> Iterable[str]:
    kind = question["type"]
    expected = list if kind == "multiselect" else _QUESTION_TYPES[kind]
    if not isinstance(answer, expected) or isinstance(answer, bool):
        yield "is not of the question's type"
        return
    size = len(answer) if isinstance(answer, str) else answer
    if kind not in ("multiplechoice", "multiselect"):
        if question.get("min") is not None and size < question["min"]:
            yield "value is too small"
        if question.get("max") is not None and size > question["max"]:
            yield "value is too large"
    chosen: Any = {"multiplechoice": [answer], "multiselect": answer}.get(kind, [])
    if any(item not in choices_of(question) for item in chosen):
        yield "expected to be one of the choices"


def wrong_rrule(rule: str) -> list[str]:
    """Check the rule of a schedule."""
    starts = re.findall(r"DTSTART(?:;TZID=([^:;]+))?:(\d{8}T\d{6})(Z?)(?=\s|$)", rule)
    if len(starts) != 1 or not rule.startswith("DTSTART"):
        return ["Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"]
    zone, _time, utc = starts[0]
    wrong = []
    if not zone and not utc:
        wrong.append("DTSTART cannot be a naive datetime.")
    if zone and (utc or zone not in zoneinfo.available_timezones()):
        wrong.append("A valid TZID must be provided.")
    rules = re.findall(r"(?:^|\s)RRULE:(\S+)", rule)
    if not rules:
        wrong.append("RRULE required in rrule.")
    for parts in (dict(part.partition("=")[::2] for part in text.split(";")) for text in rules):
        wrong += _wrong_parts(parts)
    return wrong


def _wrong_parts(parts: Mapping[str, str]) -> Iterable[str]:
    if parts.get("FREQ") not in ("MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        yield "SECONDLY is not supported." if parts.get("FREQ") == "SECONDLY" else "rrule parsing failed validation."
    if not parts.get("INTERVAL", "").isdigit():
        yield "INTERVAL required in rrule."
    if "COUNT" in parts and "UNTIL" in parts:
        yield "RRULE may not contain both COUNT and UNTIL"
    if parts.get("COUNT", "1").isdigit() and int(parts.get("COUNT", "1")) > 999:
        yield "COUNT > 999 is unsupported."
    for key in ("BYYEARDAY", "BYWEEKNO"):
        if key in parts:
            yield f"{key} not supported."
    for key in ("BYMONTHDAY", "BYMONTH"):
        if "," in parts.get(key, ""):
            yield f"Multiple {key}s not supported."
    if re.search(r"\d", parts.get("BYDAY", "")):
        yield "BYDAY with numeric prefix not supported."


def playbooks_in(folder: Path) -> list[str]:
    """Return the files of a project that AWX offers as playbooks, by their paths in it."""
    found = []
    for place, folders, names in os.walk(folder):
        inside = Path(place).relative_to(folder)
        folders[:] = [name for name in folders if not name.startswith(".")]
        if not _NO_PLAYBOOKS_BELOW & set(inside.parts):
            found += [inside / name for name in names if name.endswith((".yml", ".yaml")) and _is_playbook(place, name)]
    return sorted(str(path) for path in found)


def _is_playbook(place: str, name: str) -> bool:
    if name.startswith("."):
        return False
    text = Path(place, name).read_text(encoding="utf-8", errors="ignore")
    return text.startswith("$ANSIBLE_VAULT;") or any(_PLAYBOOK.match(line) for line in text.splitlines())
