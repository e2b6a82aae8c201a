# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of roles, their use and their documentation agree with each other."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import DURATION
from products import ISSUERS
from support.checkout import CHECKOUT
from support.in_process import operation_of

COLLECTION = "sddc.tokens"
ROLES = sorted(path.name for path in CHECKOUT.glob("roles/*") if path.is_dir())
SECRETS = re.compile(r"(password|secret|token)$")
# A condition decides whether these are required. The README documents it.
SEE_BELOW = "see below"

each_role = pytest.mark.parametrize("role", ROLES)


def text_of(role: str, *parts: str) -> str:
    return (CHECKOUT / "roles" / role / Path(*parts)).read_text()


@functools.cache
def spec_of(role: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text_of(role, "meta", "argument_specs.yml"))["argument_specs"]["main"]
    return found


def options_of(role: str) -> dict[str, Any]:
    found: dict[str, Any] = spec_of(role)["options"]
    return found


def defaults_of(role: str) -> dict[str, Any]:
    return yaml.safe_load(text_of(role, "defaults", "main.yml")) or {}


def working_parts(role: str) -> str:
    """All files of a role except its specification and its texts."""
    folders = ("tasks", "templates", "vars", "defaults")
    paths = [path for folder in folders for path in sorted((CHECKOUT / "roles" / role / folder).rglob("*"))]
    # Comments may mention variables without using them.
    return "\n".join(re.sub(r"(?m)^\s*#.*$", "", path.read_text()) for path in paths if path.is_file())


def module_options(module: str) -> Mapping[str, Mapping[str, Any]]:
    options: Mapping[str, Mapping[str, Any]] = operation_of(module).argument_spec.core_arguments()["argument_spec"]
    return options


def tasks_in(content: Any) -> Iterator[dict[str, Any]]:
    """All tasks, including those of blocks."""
    for task in content or []:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_in(task.get(part))


def handed_on(role: str) -> Iterator[tuple[str, str, str]]:
    """The use of role variables in module options: variable, module, option."""
    for path in sorted((CHECKOUT / "roles" / role / "tasks").rglob("*.yml")):
        for task in tasks_in(yaml.safe_load(path.read_text())):
            for key, arguments in task.items():
                if key.startswith(f"{COLLECTION}."):
                    module = key.removeprefix(f"{COLLECTION}.")
                    for option, value in arguments.items():
                        for variable in variables_in(str(value), role):
                            yield variable, module, option


def variables_in(template: str, role: str) -> list[str]:
    """The variables of the role that are the whole value, and not part of a condition."""
    template = re.sub(r"\bif\b.*?(?=\belse\b|\}\})|\w+ \| default\('', true\) [!=]= ''", " ", template, flags=re.DOTALL)
    return [name for name in re.findall(rf"\b{role}_\w+", template) if name in options_of(role)]


@each_role
def test_a_role_has_all_required_files(role: str) -> None:
    meta = yaml.safe_load(text_of(role, "meta", "main.yml"))
    requires = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())["requires_ansible"]

    assert spec_of(role)["version_added"]
    assert meta["galaxy_info"]["description"] == spec_of(role)["short_description"]
    assert requires.startswith(f">={meta['galaxy_info']['min_ansible_version']}")
    assert meta["dependencies"] == []
    assert all(name.startswith(f"{role}_") for name in (*options_of(role), *defaults_of(role)))


@each_role
def test_a_variable_for_a_module_is_defined_like_the_option_of_the_module(role: str) -> None:
    found = list(handed_on(role))

    assert found
    for variable, module, option in found:
        ours, theirs = options_of(role)[variable], module_options(module)[option]
        where = f"{variable} and {module}.{option}"
        assert ours.get("type") == theirs.get("type", "str"), where
        assert ours.get("elements") == theirs.get("elements"), where
        assert ours.get("choices") == theirs.get("choices"), where
        assert bool(ours.get("no_log")) == bool(theirs.get("no_log")), where
        # An option without a default may have one in the role.
        assert ours.get("default", theirs.get("default")) == theirs.get("default", ours.get("default")), where


def description_of(role: str, variable: str) -> str:
    description = options_of(role)[variable]["description"]
    return description if isinstance(description, str) else " ".join(description)


@each_role
def test_a_boolean_is_described_with_whether_and_a_duration_with_its_unit(role: str) -> None:
    durations = {
        variable
        for variable, module, option in handed_on(role)
        if operation_of(module).argument_spec.options[option]["type"] == DURATION
    }
    wrong = []
    for variable, option in options_of(role).items():
        beginning = r".*\(seconds\)" if variable in durations else "Whether " if option["type"] == "bool" else ""
        if not re.match(beginning, description_of(role, variable)):
            wrong.append(variable)

    assert wrong == []


@each_role
def test_a_description_in_the_readme_begins_the_description_in_the_specification(role: str) -> None:
    rows = re.findall(rf"^\| `({role}_\w+)` \| .*? ?\| (.+) \|$", text_of(role, "README.md"), re.MULTILINE)

    def plain(text: str) -> str:
        return re.sub(r"\W+", " ", re.sub(r"\b[OVCME]\(", "(", text)).strip()

    assert rows
    assert [name for name, words in rows if not plain(description_of(role, name)).startswith(plain(words))] == []


@each_role
def test_a_variable_for_a_module_has_the_name_of_its_option(role: str) -> None:
    """Variables of the server that issues the tokens have its product as a prefix."""
    prefix = f"{role}_"
    issuers = {kit.module: f"{kit.name}_" for kit in ISSUERS}
    strange = [
        (variable, module, option)
        for variable, module, option in handed_on(role)
        if variable not in (prefix + option, prefix + issuers.get(module, "") + option)
    ]

    assert strange == []


@each_role
def test_every_secret_has_no_log(role: str) -> None:
    everything = options_of(role)
    texts = [name for name, option in everything.items() if option["type"] in ("str", "raw")]
    secrets = [name for name in texts if SECRETS.search(name)]

    assert [name for name in secrets if not everything[name].get("no_log")] == []


@each_role
def test_every_variable_is_used_and_every_used_variable_is_documented(role: str) -> None:
    used = set(re.findall(rf"(?<![\w]){role}_\w+", working_parts(role)))
    left = set(re.findall(rf"[VC]\(({role}_\w+)\)", " ".join(spec_of(role)["description"])))
    private = {name for name in used if name not in options_of(role)}

    assert set(options_of(role)) <= used
    assert private == left, "results and variables for the caller's tasks are in the description of the role"
    assert all(f"`{name}`" in text_of(role, "README.md") for name in left)


@each_role
def test_defaults_are_the_same_in_the_specification_and_in_the_defaults_file(role: str) -> None:
    in_spec = {name: option["default"] for name, option in options_of(role).items() if "default" in option}
    written = {name: value for name, value in defaults_of(role).items() if "{{" not in str(value)}
    computed = set(defaults_of(role)) - set(written)

    assert written == in_spec
    assert all("By default" in str(options_of(role)[name]["description"]) for name in computed)
    required = {name for name, option in options_of(role).items() if option.get("required")}
    assert not required & set(defaults_of(role))


@each_role
def test_the_readme_lists_exactly_the_variables_with_their_defaults(role: str) -> None:
    rows = dict(re.findall(rf"^\| `({role}_\w+)` \| (.*?) ?\| ", text_of(role, "README.md"), re.MULTILINE))
    told = {name: re.sub(r'[`"]|^empty$', "", cell) for name, cell in rows.items()}

    def shown(name: str) -> str:
        option = options_of(role)[name]
        if option.get("required"):
            return "required"
        if "default" in option:
            value = option["default"]
            return str(value).lower() if isinstance(value, bool) else str(value)
        return SEE_BELOW if name in defaults_of(role) else ""

    assert told == {name: shown(name) for name in options_of(role)}


def test_roles_and_playbooks_use_only_files_of_the_collection_folders() -> None:
    # Ansible's requirements: meta, plugins, roles and playbooks are all that full names require.
    texts = {path: path.read_text() for folder in ("roles", "playbooks") for path in (CHECKOUT / folder).rglob("*.yml")}

    assert len(texts) > 20
    assert [
        str(path) for path, text in texts.items() if re.search(r"(?<!\.)\.\./(?!\.\./|tasks|vars|templates)", text)
    ] == []


@each_role
def test_a_playbook_runs_the_role_and_nothing_else(role: str) -> None:
    playbooks = [yaml.safe_load(path.read_text()) for path in CHECKOUT.glob("playbooks/*.yml")]
    ((play,),) = [plays for plays in playbooks if plays[0].get("roles") == [{"role": f"{COLLECTION}.{role}"}]]

    assert play["hosts"] == "{{ sddc_tokens_hosts | default('localhost') }}"
    assert play["gather_facts"] is False
    assert set(play) == {"name", "hosts", "gather_facts", "roles"}


@each_role
def test_task_variables_have_the_prefix_of_the_role(role: str) -> None:
    """Registered variables of a play override them. Therefore their names must have the role's prefix."""
    for path in sorted((CHECKOUT / "roles" / role / "tasks").rglob("*.yml")):
        for task in tasks_in(yaml.safe_load(path.read_text())):
            ours = [*task.get("vars", {}), *task.get("ansible.builtin.set_fact", {})]
            ours += [task["register"]] if "register" in task else []
            assert [name for name in ours if not re.match(rf"(__)?{role}_", name)] == [], path.name
