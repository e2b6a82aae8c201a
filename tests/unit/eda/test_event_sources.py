# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event sources and rulebooks are documented as implemented, use what the collection has, and load from anywhere."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from support.checkout import CHECKOUT

EDA = CHECKOUT / "extensions" / "eda"
SOURCES = sorted((EDA / "plugins" / "event_source").glob("*.py"))
RULEBOOKS = sorted((EDA / "rulebooks").glob("*.yml"))

each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
each_rulebook = pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)


def loaded(path: Path) -> dict[str, Any]:
    """The names of a source, as ansible-rulebook gets them."""
    return runpy.run_path(str(path))


def specification(names: dict[str, Any]) -> Any:
    """The options of a source, as they are in the code."""
    (operation,) = [
        value
        for value in names.values()
        if isinstance(value, type) and issubclass(value, Operation) and value.__module__ == "<run_path>"
    ]
    return operation.argument_spec.core_arguments()["argument_spec"]


def test_the_readme_names_each_source_and_each_rulebook() -> None:
    named = re.search(
        r"sources\s(`.*?) watch .*? rulebooks\s(.*?) respond", (CHECKOUT / "README.md").read_text(), re.DOTALL
    )

    assert named
    for paths, text in zip((SOURCES, RULEBOOKS), named.groups(), strict=True):
        assert [path.stem for path in paths] == re.findall(r"`(?:sddc\.tokens\.)?(\w+)`", text)


@each_source
def test_options_are_documented_as_implemented(path: Path) -> None:
    names = loaded(path)
    facts = ("type", "default", "choices", "aliases", "required", "elements")
    told = yaml.safe_load(names["DOCUMENTATION"])["options"]

    def of(options: Any) -> dict[str, dict[str, Any]]:
        return {name: {fact: option[fact] for fact in facts if option.get(fact)} for name, option in options.items()}

    assert of(told) == of(specification(names))


@each_source
def test_no_option_is_documented_twice(path: Path) -> None:
    """A YAML parser uses the last one without a warning, and ansible-test does not check event sources."""
    root = yaml.compose(loaded(path)["DOCUMENTATION"])
    assert isinstance(root, yaml.MappingNode)
    (options,) = [value for key, value in root.value if key.value == "options"]

    names = [key.value for key, _value in options.value]
    assert names
    assert [name for name, count in Counter(names).items() if count > 1] == []


@each_source
def test_every_environment_variable_is_in_the_description_of_its_option(path: Path) -> None:
    names = loaded(path)
    told = yaml.safe_load(names["DOCUMENTATION"])["options"]
    fallbacks = {
        name: list(option["environment"]) for name, option in specification(names).items() if option.get("environment")
    }

    assert {name: re.findall(r"E\((\w+)\)", str(told[name]["description"])) for name in fallbacks} == fallbacks


@each_source
def test_the_examples_of_a_source_use_its_options(path: Path) -> None:
    names = loaded(path)
    rulebook = yaml.safe_load(names["EXAMPLES"])

    for ruleset in rulebook:
        for source in ruleset["sources"]:
            assert set(source[f"sddc.tokens.{path.stem}"]) <= set(specification(names))


@each_rulebook
def test_a_rulebook_uses_only_sources_playbooks_and_roles_of_the_collection(path: Path) -> None:
    rulebook = yaml.safe_load(path.read_text())

    (ruleset,) = rulebook
    (source,) = ruleset["sources"]
    name = next(key for key in source if key != "name")
    options = specification(loaded(EDA / "plugins" / "event_source" / f"{name.removeprefix('sddc.tokens.')}.py"))
    playbook = ruleset["rules"][0]["action"]["run_playbook"]
    assert set(source[name]) <= set(options)
    assert ruleset["execution_strategy"] == "sequential"
    assert (CHECKOUT / "playbooks" / f"{playbook['name'].removeprefix('sddc.tokens.')}.yml").exists()


@each_rulebook
def test_a_rulebook_passes_only_variables_that_the_role_defines(path: Path) -> None:
    (ruleset,) = yaml.safe_load(path.read_text())
    playbook = ruleset["rules"][0]["action"]["run_playbook"]
    play = yaml.safe_load(
        (CHECKOUT / "playbooks" / f"{playbook['name'].removeprefix('sddc.tokens.')}.yml").read_text()
    )[0]
    role = play["roles"][0]["role"].removeprefix("sddc.tokens.")
    specs = yaml.safe_load((CHECKOUT / "roles" / role / "meta" / "argument_specs.yml").read_text())

    assert set(playbook["extra_vars"]) <= set(specs["argument_specs"]["main"]["options"])


# --- locations -----------------------------------------------------------------------------------------------------

_LOAD = """
import json, runpy, sys
names = runpy.run_path(sys.argv[1])
import ansible_collections.sddc.tokens.plugins.module_utils._core.errors as errors
print(json.dumps([callable(names["main"]), errors.__file__]))
"""


def load_elsewhere(source: Path, *python_path: Path) -> list[Any]:
    """Load a source in a Python process without this checkout in its path, with working folder and path given."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if python_path:
        environ["PYTHONPATH"] = ":".join(map(str, python_path))
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(source)], env=environ, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def collections(tmp_path: Path) -> Path:
    """A folder of collections with a link to this checkout, as developers have it."""
    folder = tmp_path / "some where" / "ansible_collections"
    (folder / "sddc").mkdir(parents=True)
    (folder / "sddc" / "tokens").symlink_to(CHECKOUT)
    return folder


@each_source
def test_a_source_finds_its_collection_by_itself(path: Path, collections: Path) -> None:
    source = collections / "sddc" / "tokens" / path.relative_to(CHECKOUT)

    is_callable, errors = load_elsewhere(source)

    assert is_callable
    assert errors.startswith(str(collections))


@each_source
def test_a_source_finds_its_collection_beside_the_ansible_package_of_pypi(
    path: Path, collections: Path, tmp_path: Path
) -> None:
    """That package may make `ansible_collections` a regular package, which hides every other folder."""
    package = tmp_path / "site-packages" / "ansible_collections"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    source = collections / "sddc" / "tokens" / path.relative_to(CHECKOUT)

    assert load_elsewhere(source, package.parent)[1].startswith(str(collections))


@each_source
def test_a_source_prefers_its_own_collection_to_another_of_the_same_name(
    path: Path, collections: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "ansible_collections" / "sddc"
    other.mkdir(parents=True)
    (other / "tokens").symlink_to(CHECKOUT)
    source = collections / "sddc" / "tokens" / path.relative_to(CHECKOUT)

    assert load_elsewhere(source, other.parents[1])[1].startswith(str(collections))


@each_source
def test_a_source_of_a_bare_checkout_loads_if_python_finds_the_collection(path: Path, collections: Path) -> None:
    """As with `ansible-rulebook --source-dir`."""
    assert load_elsewhere(path, collections.parent)[0]
