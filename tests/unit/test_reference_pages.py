# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of docs/reference agree with the code."""

from __future__ import annotations

import ast
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._http import proxy, tls
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle import shared_store
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import emptied, fields_of, record_of
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import (
    deserialized,
    is_recognizable,
    serialized,
)
from ansible_collections.sddc.tokens.plugins.module_utils._operations.products import ENVIRONMENT_VARIABLES
from support.checkout import CHECKOUT
from support.collection import MODULES, returns
from tools import reference

# What Ansible itself returns.
ANSIBLES_OWN = {"changed", "warnings", "failed", "msg", "diff"}


@pytest.mark.parametrize("page", reference.pages())
def test_a_generated_page_is_what_the_code_says(page: str) -> None:
    assert (reference.FOLDER / page).read_text() == reference.pages()[page], "run: make reference"


def test_every_variable_that_sets_an_option_or_a_connection_is_in_the_table() -> None:
    text = reference.pages()["environment_variables.md"]
    connection = {*proxy._PROXY_VARIABLES, proxy._NO_PROXY, *tls._TRUST_STORE_VARIABLES}

    assert [name for name in sorted(ENVIRONMENT_VARIABLES) if not re.search(rf"^\|.*`{name}`", text, re.M)] == []
    assert [name for name in sorted(connection) if f"`{name}`" not in text] == []


def page(name: str) -> str:
    return (reference.FOLDER / name).read_text()


def rows(text: str) -> list[list[str]]:
    """The cells of all tables, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heads = {number - 1 for number, line in enumerate(lines) if re.fullmatch(r"(\|-+)+\|", line)}
    body = [line for number, line in enumerate(lines) if number not in heads and not re.fullmatch(r"(\|-+)+\|", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body]


def section(text: str, title: str) -> str:
    """What is below a heading, until the next one of its level."""
    level = re.match("#+", title)
    assert level is not None
    return text.partition(f"\n{title}\n")[2].partition(f"\n{level[0]} ")[0]


def names(text: str) -> list[str]:
    """What is in backquotes in the first cell of each row."""
    return [name for row in rows(text) for name in re.findall("`([^`]+)`", row[0])]


def values_of(description: str | list[str]) -> set[str]:
    text = description if isinstance(description, str) else "\n".join(description)
    return set(re.findall(r"(?<![RE])V\((\w+)\)", text))


# --- results -------------------------------------------------------------------------------------------------------


def test_the_keys_of_all_modules_are_those_that_each_module_documents() -> None:
    documented = set.intersection(*(set(returns(name)) for name in MODULES))

    assert set(names(section(page("results.md"), "## All modules"))) - ANSIBLES_OWN == documented


def test_the_keys_of_token_modules_are_those_that_each_of_them_documents() -> None:
    documented = set.intersection(*(set(returns(name)) for name in MODULES if "headers" in returns(name)))

    told = set(names(section(page("results.md"), "## Modules that manage a token")))
    assert told == documented - {"action", "request_count"}


def test_every_value_of_action_is_described_and_no_other() -> None:
    documented = {value for name in MODULES for value in values_of(returns(name)["action"]["description"])}

    assert sorted(names(section(page("results.md"), "## Values of action"))) == sorted(documented)


@pytest.mark.parametrize("key", ["reason", "status"])
def test_every_value_of_a_state_is_described_and_no_other(key: str) -> None:
    results = [result for name in MODULES for result in returns(name).values()]
    (choices,) = {
        tuple(result["contains"][key]["choices"])
        for result in results
        if "choices" in result.get("contains", {}).get(key, {})
    }

    assert sorted(names(section(page("results.md"), f"## Values of {key}"))) == sorted(choices)


# --- token files ---------------------------------------------------------------------------------------------------


def test_the_example_of_a_token_file_is_read_and_every_field_is_described() -> None:
    text = page("token_file.md")
    example = re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0]
    record = deserialized(example.encode())
    assert record.current
    old = replace(record.current, promised_until=1.0, facts={"token_id": "1"})
    written = json.loads(serialized(replace(record, superseded=(old,), announced="name")))

    assert is_recognizable(example.encode())
    assert json.loads(example) == json.loads(serialized(record))
    described = [row[0].strip("`") for row in rows(section(text, "## Fields"))]
    assert sorted(described) == sorted([*written, *written["superseded"][0]])


def test_the_example_of_a_token_document_is_read_and_every_field_is_described() -> None:
    text = page("token_store.md")
    example = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    record = record_of(example)
    assert record is not None
    assert record.current
    full = replace(record.current, scope="all", companions={"id_token": Secret("secret")}, facts={"token_id": "1"})
    old = replace(full, promised_until=1.0)
    written = fields_of(replace(record, current=full, pending=full, superseded=(old,), announced="name"), {})
    written = {**written, **dict.fromkeys((*shared_store._LEASE, shared_store._REFUSAL), "")}

    assert fields_of(record, {}) == example
    described = set(names(section(text, "## Fields")))
    groups = {name.removesuffix("*") for name in described if name.endswith("*")}
    own = {name for name in written if not name.startswith(tuple(groups))}
    # Named as examples of what companions and facts list.
    assert {name for name in described if not name.endswith("*")} == own - {"id_token", "token_id"}
    prefixed = {name.removeprefix(prefix) for prefix in groups for name in written if name.startswith(prefix)}
    assert prefixed - {"promised_until"} == set(fields_of(replace(record, current=full), {})) - set(emptied(record))


# --- rulebooks and playbooks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / "extensions/eda/rulebooks").glob("*.yml")), ids=lambda path: path.stem
)
def test_the_variables_of_a_rulebook_are_described_with_their_defaults(path: Path) -> None:
    (ruleset,) = yaml.safe_load(path.read_text())
    (source,) = ruleset["sources"]
    used = dict(re.findall(r"\{\{ (\w+) \| default\((\d+)\) \}\}", json.dumps(source)))
    text = section(page("rulebooks.md"), f"## sddc.tokens.{path.stem}")
    described = {row[0].strip("`"): row[1].strip("`") for row in rows(text) if row[0].startswith("`")}

    assert {name: default for name, default in described.items() if default != "required"} == used
    assert all(name in json.dumps(source) for name in described)
    assert f"event_sources.md#{next(key for key in source if key != 'name').split('.')[-1]}" in text


def test_every_playbook_of_a_role_is_listed_with_its_role() -> None:
    playbooks = {}
    for path in (CHECKOUT / "playbooks").glob("*.yml"):
        (play,) = yaml.safe_load(path.read_text())
        if "roles" in play:
            playbooks[f"sddc.tokens.{path.stem}"] = play["roles"][0]["role"].removeprefix("sddc.tokens.")
    text = section(page("playbooks.md"), "## Playbooks of the roles")
    listed = {row[0].strip("`"): re.sub(r"\[`(\w+)`.*", r"\1", row[1]) for row in rows(text) if "](" in row[1]}

    assert listed == playbooks


def test_every_variable_of_awx_setup_is_described_with_its_default() -> None:
    text = (CHECKOUT / "playbooks" / "awx_setup.yml").read_text()
    files = "".join(path.read_text() for path in (CHECKOUT / "playbooks").glob("*/awx_*.yml"))
    own = set(re.findall(r"^(awx_setup_\w+):", files, re.MULTILINE))
    used = set(re.findall(r"(?<![\w/])awx_setup_\w+", text + files)) - own
    described = {
        row[0].strip("`"): row[1].strip("`") for row in rows(section(page("playbooks.md"), "## sddc.tokens.awx_setup"))
    }
    defaults = dict(re.findall(r"(?<!_)(awx_setup_\w+) \| default\('?([^')]*)'?\)", text + files))

    assert set(described) == used
    assert {name: described[name] for name, default in defaults.items() if default not in ("omit", "")} == {
        name: default for name, default in defaults.items() if default not in ("omit", "")
    }


@pytest.mark.parametrize("name", ["revoke_unused_api_tokens"])
def test_every_variable_of_a_playbook_without_a_role_is_described_with_its_default(name: str) -> None:
    text = (CHECKOUT / "playbooks" / f"{name}.yml").read_text()
    plays = text[text.index("- name:") :]
    found = re.findall(rf"({name}_\w+) \| default\('?([^')]*)'?[,)]", plays)
    table = rows(section(page("playbooks.md"), f"## sddc.tokens.{name}"))
    described = {row[0].strip("`"): row[1].strip("`") for row in table}

    assert set(described) == set(re.findall(rf"{name}_\w+", plays)) == {variable for variable, _default in found}
    defaults = {variable: default for variable, default in found if not default.startswith("omit")}
    assert {variable: described[variable] for variable in defaults} == defaults


# --- errors --------------------------------------------------------------------------------------------------------

# The section of each kind of error. A class that is only there for others to derive from has none.
KINDS = {
    "TokensError": "An internal error",
    "InvalidOption": "An option is invalid",
    "MissingOption": "An option is missing",
    "MissingLibrary": "A Python library is missing",
    "ConnectionFailed": "No connection",
    "TlsFailed": "TLS failed",
    "ResponseLost": "The response was lost",
    "TimedOut": "The request timed out",
    "OversizedResponse": "The response is too large",
    "BadResponse": "The response is not from the API",
    "ListingTooLong": "A listing is too long",
    "ApiError": "The server refused the request",
    "TokenRejected": "The token does not work",
    "StoreError": "The token file or store cannot be used",
    "StoreBusy": "The token file or store is locked",
    "StoreUnavailable": "The token store is not available",
    "WriteConflict": "Another task changed the token store",
    "DamagedRecord": "The token file or store is damaged",
    "ForeignRecord": "The token file or store belongs to something else",
    "SomeFailed": "Some entries failed",
    "InvalidArguments": "An event source does not start",
}
BASES = {"TransportError"}
# Handled before anybody sees it.
INTERNAL = {"RecordChanged", "WriteUnknown"}


def sources() -> list[Path]:
    return [*(CHECKOUT / "plugins").rglob("*.py"), *(CHECKOUT / "extensions" / "eda").rglob("*.py")]


def test_every_kind_of_error_has_a_section_and_there_is_no_other() -> None:
    classes = [
        node for path in sources() for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)
    ]
    errors = {"TokensError", "InvalidArguments"}
    for _round in classes:
        errors |= {node.name for node in classes if errors & {ast.unparse(base) for base in node.bases}}
    headings = re.findall(r"^## (.*)", page("errors.md"), re.MULTILINE)

    assert errors - BASES - INTERNAL == set(KINDS)
    assert sorted(headings) == sorted(KINDS.values())
