# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of modules, lookups and filters matches their options, and says everything once."""

from __future__ import annotations

import ast
import functools
import re
import runpy
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import CONNECTION, DURATION
from support.checkout import CHECKOUT
from support.collection import (
    COLLECTION,
    MODULES,
    OTHERS,
    PLUGINS,
    doc,
    documentation,
    product_of,
    returns,
    talks_http,
)
from support.in_process import operation_of

# The releases, and the next version.
VERSIONS = {
    *yaml.safe_load((CHECKOUT / "changelogs" / "changelog.yaml").read_text())["releases"],
    yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"],
}

each_module = pytest.mark.parametrize("name", MODULES)


def text_of(description: str | list[str]) -> str:
    return description if isinstance(description, str) else "\n".join(description)


def facts_of(options: Mapping[str, Any], below: str) -> dict[str, Any]:
    """What code and documentation both say of options, and of those below them."""
    facts = ("type", "default", "choices", "aliases", "required", "elements")
    return {
        option: {
            **{fact: spec[fact] for fact in facts if spec.get(fact)},
            "options": facts_of(spec.get(below) or {}, below),
        }
        for option, spec in options.items()
    }


@each_module
def test_options_are_documented_as_implemented(name: str) -> None:
    in_code = facts_of(operation_of(name).argument_spec.core_arguments()["argument_spec"], "options")

    assert facts_of(doc(name)["options"], "suboptions") == in_code


@each_module
def test_every_environment_variable_is_in_the_description_of_its_option_and_no_other(name: str) -> None:
    # Variables that these two mention to say that they are ignored, or how the library uses them.
    others = {"ca_path", "proxy_url"}
    spec, described = operation_of(name).argument_spec.options, doc(name)["options"]
    assert variables_told(described, others) == variables_read(spec, others)
    for option in spec:
        if "spec" in spec[option]:
            assert variables_told(described[option]["suboptions"]) == variables_read(spec[option]["spec"].options)


def variables_read(options: Mapping[str, Any], others: Collection[str] = ()) -> dict[str, list[str]]:
    return {name: list(spec.get("environment", ())) for name, spec in options.items() if name not in others}


def variables_told(options: Mapping[str, Any], others: Collection[str] = ()) -> dict[str, list[str]]:
    """The variables that the description of each option names."""
    return {
        name: re.findall(r"E\((\w+)\)", text_of(spec["description"]))
        for name, spec in options.items()
        if name not in others
    }


@each_module
def test_a_boolean_is_described_with_whether_and_a_duration_with_its_unit(name: str) -> None:
    beginning = {"bool": "Whether ", DURATION: r".*\(seconds\)"}
    wrong = [
        option
        for option, spec in operation_of(name).argument_spec.options.items()
        if not re.match(beginning.get(spec["type"], ""), text_of(doc(name)["options"][option]["description"]))
    ]

    assert wrong == []


# Options that name a token and reveal nothing.
IDENTIFIERS = ("token_id", "token_name")


@each_module
def test_an_option_that_looks_secret_is_secret_or_declared_not_to_be(name: str) -> None:
    looks_secret = re.compile("password|token|secret|csrf|session_id|proxy_url|_key$")
    spec = operation_of(name).argument_spec.options
    undecided = [option for option in spec if looks_secret.search(option) and "no_log" not in spec[option]]
    shown = [
        option
        for option in spec
        if looks_secret.search(option) and spec[option]["type"] == "str" and not spec[option].get("no_log")
        if option not in IDENTIFIERS
    ]

    assert (undecided, shown) == ([], [])


@each_module
def test_options_named_in_rules_exist(name: str) -> None:
    spec = operation_of(name).argument_spec
    rules = (*spec.mutually_exclusive, *spec.required_together, *spec.required_one_of, *spec.alternatives)
    named = {option for rule in rules for option in rule}
    named |= {rule[0] for rule in spec.required_if} | {option for rule in spec.required_if for option in rule[2]}

    assert named <= set(spec.options)


@functools.cache
def option_sources() -> dict[str, dict[str, Any]]:
    """The options that each text describes: the modules' own, and each part of the fragments by its slug."""
    sources = {}
    for name in MODULES:
        sources[name] = _strings(ast.parse((PLUGINS / "modules" / f"{name}.py").read_text()).body)["DOCUMENTATION"]
    for path in PLUGINS.glob("doc_fragments/*.py"):
        fragment = runpy.run_path(str(path))["ModuleDocFragment"]
        for part, text in vars(fragment).items():
            if part.isupper():
                sources[_slug(path.stem, part)] = text
    return {name: yaml.safe_load(text) for name, text in sources.items()}


def _slug(fragment: str, part: str) -> str:
    return f"{COLLECTION}.{fragment}" + ("" if part == "DOCUMENTATION" else f".{part.lower()}")


def _strings(body: Iterable[ast.stmt]) -> dict[str, str]:
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def sources_of(name: str) -> list[str]:
    return [name, *option_sources()[name]["extends_documentation_fragment"]]


@each_module
def test_no_option_is_described_twice_for_a_module(name: str) -> None:
    described = Counter(option for source in sources_of(name) for option in option_sources()[source].get("options", {}))
    # An option with a different fallback in the module requires its own description.
    own = {
        option
        for option, spec in CONNECTION.options.items()
        if option in described and operation_of(name).argument_spec.options[option] != spec
    }

    assert {option for option, count in described.items() if count > 1} == own


def test_no_two_texts_describe_an_option_in_the_same_words() -> None:
    # The parts of a fragment can be composed of the same text.
    texts = {
        (".".join(source.split(".")[:3]), option, text_of(spec["description"]))
        for source, found in option_sources().items()
        for option, spec in found.get("options", {}).items()
    }
    described = Counter((option, words) for _fragment, option, words in texts)

    assert [words for words, count in described.items() if count > 1] == []


def test_every_part_of_every_fragment_is_used() -> None:
    used = {source for name in MODULES for source in sources_of(name)}
    used |= {source for kind, name in OTHERS for source in extended_by(PLUGINS / kind / f"{name}.py")}

    assert set(option_sources()) == used


def extended_by(path: Path) -> list[str]:
    """The fragments of a plugin."""
    lists = re.findall(r"^extends_documentation_fragment:((?:\n  - \S+)+)", path.read_text(), re.MULTILINE)
    return [name for found in lists for name in re.findall(r"- (\S+)", found)]


@each_module
def test_module_declares_its_attributes(name: str) -> None:
    wanted = {"check_mode", "diff_mode", "async", "platform", *(["action_group"] if talks_http(name) else [])}
    attributes = doc(name)["attributes"]

    assert set(attributes) == wanted
    assert attributes["check_mode"]["support"] == "full"
    assert attributes["async"]["support"] == "none"


@pytest.mark.parametrize(("kind", "name"), [*(("module", name) for name in MODULES), *OTHERS])
def test_plugin_has_all_parts_of_its_documentation(kind: str, name: str) -> None:
    told = documentation()[f"{kind} {name}"]

    assert all(told["doc"][part] for part in ("short_description", "description", "author", "options"))
    assert told["doc"]["version_added"] in VERSIONS
    assert told["examples"].strip()
    assert told["return"]
    assert not told["doc"]["short_description"].endswith(".")


@each_module
def test_module_links_to_the_vendors_page_if_it_uses_a_product(name: str) -> None:
    links = [entry["link"] for entry in doc(name)["seealso"] if "link" in entry]

    assert bool(links) == (talks_http(name) and product_of(name) is not None)
    assert all(link.startswith("https://developer.broadcom.com/xapis/") for link in links)


def _undocumented_samples(entries: Mapping[str, Any], at: str = "") -> list[str]:
    missing = []
    for key, entry in entries.items():
        if "contains" in entry:
            missing += _undocumented_samples(entry["contains"], f"{at}{key}.")
        elif "sample" not in entry:
            missing.append(at + key)
    return missing


@each_module
def test_every_key_of_a_result_has_a_sample(name: str) -> None:
    assert _undocumented_samples(returns(name)) == []
