# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definitions for AWX as data, as they are written."""

from __future__ import annotations

import re
from typing import Any

import yaml

from products import EXAMPLE
from support.checkout import CHECKOUT

AWX = CHECKOUT / "extensions" / "awx"
PROJECT = AWX / "project"


class _Loader(yaml.SafeLoader):
    """Load values marked as unsafe as plain strings."""


def _unsafe(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("!unsafe", _unsafe)


def _definitions(name: str) -> Any:
    text = (CHECKOUT / "playbooks" / "vars" / f"awx_{name}.yml").read_text()
    return yaml.load(text, Loader=_Loader)[f"awx_setup_{name}"]  # noqa: S506 - a safe loader


def _with_types(template: dict[str, Any]) -> dict[str, Any]:
    """The job template with the types of its credentials as a list, also if it accepts one of each type."""
    every = template["credential_types"] == "{{ awx_setup_credential_types | list }}"
    return {**template, "credential_types": list(CREDENTIAL_TYPES) if every else template["credential_types"]}


CREDENTIAL_TYPES: dict[str, dict[str, Any]] = _definitions("credential_types")
JOB_TEMPLATES: dict[str, dict[str, Any]] = {
    playbook: _with_types(template) for playbook, template in _definitions("job_templates").items()
}
SCHEDULES: list[dict[str, Any]] = _definitions("schedules")
WORKFLOWS: list[dict[str, Any]] = _definitions("workflows")


def role_of(playbook: str) -> str:
    """The role that a playbook of the collection runs."""
    (play,) = yaml.safe_load((CHECKOUT / "playbooks" / f"{playbook}.yml").read_text())
    (entry,) = play["roles"]
    return str(entry["role"].removeprefix("sddc.tokens."))


# The playbook whose role works with the example.
(EXAMPLE_PLAYBOOK,) = (playbook for playbook in JOB_TEMPLATES if role_of(playbook) in EXAMPLE.roles)
VARIABLES: dict[str, Any] = yaml.safe_load((PROJECT / "group_vars" / "all.yml").read_text())
_ROTATED = VARIABLES["token_rotation_tokens"]
# What the project's rotation stores on the mounted path, and without one, in the secrets engine.
TOKEN_FILES = {name for token in _ROTATED for name in re.findall(r"/([\w-]+\.json)'", token["token_file"])}
DOCUMENTS = {name for token in _ROTATED for name in re.findall(r"'path': '([\w-]+)'", token["token_store"])}
ENGINE: str = VARIABLES["sddc_tokens_store"]["mount"]


def role_options(playbook: str) -> dict[str, dict[str, Any]]:
    """The variables of the role of a playbook, as its specification has them."""
    text = (CHECKOUT / "roles" / role_of(playbook) / "meta" / "argument_specs.yml").read_text()
    options: dict[str, dict[str, Any]] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return options


def role_variables(playbook: str, kind: str) -> list[str]:
    """The variables of the role of a playbook that are of this type, or lists of it."""
    return [name for name, spec in role_options(playbook).items() if kind in (spec["type"], spec.get("elements"))]


def survey_spec(template: dict[str, Any]) -> dict[str, Any]:
    """The survey of a job template as it is sent to AWX."""
    return {"name": "", "description": "", "spec": template["survey"]}
