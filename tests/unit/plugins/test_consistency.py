# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole collection says one thing: options, documentation, groups, results and rooms agree with each other."""

from __future__ import annotations

import ast
import functools
import importlib
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ansible_collections.sddc.tokens.plugins.module_utils.execution import Validated, execute
from ansible_collections.sddc.tokens.plugins.module_utils.operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils.options import CONNECTION_OPTIONS
from support.canary_plays import everything
from support.cores import DEFAULT
from support.in_process import JOBS, operation_of
from support.tasks import PRODUCTS

if TYPE_CHECKING:
    from lab.client import Lab

CHECKOUT = Path(__file__).resolve().parents[3]
PLUGINS = CHECKOUT / "plugins"
COLLECTION = "sddc.tokens"
PACKAGE = f"ansible_collections.{COLLECTION}.plugins"
MODULES = sorted(path.stem for path in PLUGINS.glob("modules/*.py"))
OTHERS = [(kind, path.stem) for kind in ("lookup", "filter") for path in sorted(PLUGINS.glob(f"{kind}/*.py"))]
# The product whose tokens another one takes.
ISSUERS = {"nsx": "csp", "vcenter": "vidb"}
GROUPS: Mapping[str, list[str]] = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())["action_groups"]

each_module = pytest.mark.parametrize("name", MODULES)


def talks_http(name: str) -> bool:
    return "hostname" in operation_of(name).argument_spec


HTTP_MODULES = [name for name in MODULES if talks_http(name)]


@functools.cache
def documentation() -> dict[str, dict[str, Any]]:
    """What ansible-doc says of each plugin, with all fragments merged, by kind and name."""
    kinds = {"module": MODULES, **{kind: [name for of, name in OTHERS if of == kind] for kind, _name in OTHERS}}
    return {f"{kind} {name}": found for kind, names in kinds.items() for name, found in _told(kind, names).items()}


def _told(kind: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    command = [str(Path(DEFAULT.folder) / "ansible-doc"), "--json", "-t", kind, *(f"{COLLECTION}.{n}" for n in names)]
    environ = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(DEFAULT.collections), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    return {name.removeprefix(f"{COLLECTION}."): found for name, found in json.loads(done.stdout).items()}


def doc(name: str) -> dict[str, Any]:
    found: dict[str, Any] = documentation()[f"module {name}"]["doc"]
    return found


def returns(name: str) -> dict[str, Any]:
    found: dict[str, Any] = documentation()[f"module {name}"]["return"]
    return found


def text_of(description: str | list[str]) -> str:
    return description if isinstance(description, str) else "\n".join(description)


# --- options -------------------------------------------------------------------------------------------------------


@each_module
def test_options_are_documented_as_they_are(name: str) -> None:
    facts = ("type", "default", "choices", "aliases", "required", "elements")
    in_code = {
        option: {fact: spec[fact] for fact in facts if spec.get(fact)}
        for option, spec in operation_of(name).argument_spec.items()
    }
    in_documentation = {
        option: {fact: spec[fact] for fact in facts if spec.get(fact)} for option, spec in doc(name)["options"].items()
    }

    assert in_documentation == in_code


@each_module
def test_every_fallback_is_in_the_description_of_its_option_and_no_other_variable(name: str) -> None:
    # Variables that these two mention for what they are not, or for what the library does with them.
    others = {"ca_path", "proxy_url"}
    fallbacks = {
        option: list(spec["fallback"][1]) if "fallback" in spec else []
        for option, spec in operation_of(name).argument_spec.items()
        if option not in others
    }
    told = {
        option: re.findall(r"E\((\w+)\)", text_of(spec["description"]))
        for option, spec in doc(name)["options"].items()
        if option not in others
    }

    assert told == fallbacks


@each_module
def test_an_option_that_looks_secret_is_one_or_is_said_not_to_be(name: str) -> None:
    looks_secret = re.compile("password|token|secret|csrf|session_id|proxy_url|_key$")
    spec = operation_of(name).argument_spec
    undecided = [option for option in spec if looks_secret.search(option) and "no_log" not in spec[option]]
    shown = [
        option
        for option in spec
        if looks_secret.search(option) and spec[option]["type"] == "str" and not spec[option].get("no_log")
    ]

    assert (undecided, shown) == ([], [])


@each_module
def test_options_that_a_rule_names_exist(name: str) -> None:
    operation = operation_of(name)
    rules = (*operation.mutually_exclusive, *operation.required_together, *operation.required_one_of)
    named = {option for rule in (*rules, *operation.alternatives) for option in rule}
    named |= {rule[0] for rule in operation.required_if} | {o for rule in operation.required_if for o in rule[2]}

    assert named <= set(operation.argument_spec)


# --- documentation -------------------------------------------------------------------------------------------------


@functools.cache
def option_sources() -> dict[str, dict[str, Any]]:
    """The options that each text describes: the modules' own, and each part of the fragments by its slug."""
    sources = {}
    for name in MODULES:
        sources[name] = _strings(ast.parse((PLUGINS / "modules" / f"{name}.py").read_text()).body)["DOCUMENTATION"]
    for path in PLUGINS.glob("doc_fragments/*.py"):
        (described,) = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
        for part, text in _strings(described.body).items():
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
    # One that the module has with a fallback of its own needs a description of its own.
    own = {
        option
        for option, spec in CONNECTION_OPTIONS.items()
        if option in described and operation_of(name).argument_spec[option] != spec
    }

    assert {option for option, count in described.items() if count > 1} == own


def test_no_two_texts_describe_an_option_in_the_same_words() -> None:
    described = Counter(
        (option, text_of(spec["description"]))
        for source in option_sources().values()
        for option, spec in source.get("options", {}).items()
    )

    assert [words for words, count in described.items() if count > 1] == []


def test_every_part_of_every_fragment_is_used() -> None:
    used = {source for name in MODULES for source in sources_of(name)}

    assert set(option_sources()) == used


@each_module
def test_module_states_its_attributes(name: str) -> None:
    wanted = {"check_mode", "diff_mode", "async", "platform", *(["action_group"] if talks_http(name) else [])}
    attributes = doc(name)["attributes"]

    assert set(attributes) == wanted
    assert attributes["check_mode"]["support"] == "full"
    assert attributes["async"]["support"] == "none"


@pytest.mark.parametrize(("kind", "name"), [*(("module", name) for name in MODULES), *OTHERS])
def test_plugin_has_all_parts_of_its_documentation(kind: str, name: str) -> None:
    told = documentation()[f"{kind} {name}"]

    assert all(told["doc"][part] for part in ("short_description", "description", "author", "options"))
    assert told["doc"]["version_added"] == "0.1.0"
    assert told["examples"].strip()
    assert told["return"]
    assert not told["doc"]["short_description"].endswith(".")


@each_module
def test_module_links_to_the_vendor_s_page_where_it_talks_to_a_product(name: str) -> None:
    links = [entry["link"] for entry in doc(name)["seealso"] if "link" in entry]

    assert bool(links) == talks_http(name)
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


# --- modules, actions and groups -----------------------------------------------------------------------------------


@each_module
def test_module_and_action_run_the_operation_of_their_name(name: str) -> None:
    operation = operation_of(name)
    action = importlib.import_module(f"{PACKAGE}.action.{name}").ActionModule
    tree = ast.parse((PLUGINS / "modules" / f"{name}.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "run_module"]

    assert operation.name == f"{COLLECTION}.{name}"
    assert action.operation is operation
    assert [ast.unparse(argument) for call in calls for argument in call.args] == [operation.__name__]


def test_there_is_one_action_for_each_module() -> None:
    assert sorted(path.stem for path in PLUGINS.glob("action/*.py")) == MODULES


def test_groups_hold_the_modules_that_belong_to_them() -> None:
    of_product = {
        product: [name for name in HTTP_MODULES if name.startswith(f"{product}_")] for product in sorted(PRODUCTS)
    }

    assert {"all": HTTP_MODULES, **of_product} == GROUPS


def test_every_module_that_asks_a_product_meets_the_faults_the_lies_and_the_canaries_of_the_tests() -> None:
    of_canaries = {key.removeprefix(f"{COLLECTION}.") for task in everything() for key in _keys(task)}

    assert {job.module for job in JOBS.values()} == set(HTTP_MODULES)
    assert of_canaries & set(MODULES) == set(MODULES)


def _keys(task: Mapping[str, Any]) -> set[str]:
    """The keys of a task, and of those in its blocks."""
    return {*task, *(key for part in ("block", "rescue", "always") for inner in task.get(part, ()) for key in inner)}


@each_module
def test_module_says_in_which_groups_it_is(name: str) -> None:
    membership = doc(name)["attributes"].get("action_group", {}).get("membership", [])

    assert sorted(membership) == sorted(f"{COLLECTION}.{group}" for group, members in GROUPS.items() if name in members)


def shared_options() -> list[tuple[str, str]]:
    """Each option that all members of a group have, by group."""
    specs = {
        group: [set(operation_of(name).argument_spec) for name in members if name in MODULES]
        for group, members in GROUPS.items()
    }
    return [(group, option) for group, found in specs.items() for option in sorted(set.intersection(*found))]


VALUES = {"str": "word", "path": "/a/path", "bool": True, "int": 2, "float": 2, "raw": {"key": "word"}}


def value_for(spec: Mapping[str, Any]) -> Any:
    """Any value that an option takes."""
    if spec["type"] == "list":
        return [VALUES[spec["elements"]]]
    return spec["choices"][0] if "choices" in spec else VALUES[spec["type"]]


def minimal_arguments(operation: type[Operation], option: str) -> list[dict[str, Any]]:
    """Argument sets around one option, the smallest that the rules may take."""
    spec = operation.argument_spec
    base = {name for name in spec if spec[name].get("required")} | {option}
    choices = [group for group in operation.required_one_of if base.isdisjoint(group)]
    sets = [base]
    for group in choices:
        sets = [{*chosen, name} for chosen in sets for name in group]
    for rule in operation.required_if:
        sets += [{*chosen, *(rule[2] if len(rule) < 4 else ())} for chosen in sets]
        sets += [{*chosen, name} for chosen in sets for name in rule[2] if len(rule) == 4]
    for group in operation.required_together:
        sets = [{*chosen, *(group if chosen & set(group) else ())} for chosen in sets]
    return [{name: value_for(spec[name]) for name in chosen} for chosen in sets]


@pytest.mark.parametrize(("group", "option"), shared_options())
def test_a_default_for_a_group_breaks_none_of_its_members(group: str, option: str) -> None:
    specs = [operation_of(name).argument_spec[option] for name in GROUPS[group]]
    meaning = [{fact: spec.get(fact) for fact in ("type", "elements", "choices", "no_log")} for spec in specs]
    assert meaning == meaning[:1] * len(meaning)

    for name in GROUPS[group]:
        operation = operation_of(name)
        errors = [Validated(operation, arguments).error for arguments in minimal_arguments(operation, option)]
        assert None in errors, (name, errors)


# --- results -------------------------------------------------------------------------------------------------------

EVERY_RESULT = {"action", "request_count"}
TOKEN_RESULT = {
    *EVERY_RESULT,
    *("token", "token_type", "headers", "issued_at", "expires_at", "expires_in", "fingerprint", "verified"),
}
# What the design promises of each.
PROMISED = {
    "avi_se_auth_token": EVERY_RESULT | {"token", "token_type", "cluster_uuid", "ova_properties"},
    "avi_securechanneltoken": TOKEN_RESULT - {"headers"},
    "avi_securechanneltoken_info": EVERY_RESULT | {"securechanneltokens"},
    "csp_access_token": TOKEN_RESULT | {"id_token"},
    "nsx_service_instance_info": EVERY_RESULT | {"service_instances"},
    "nsx_service_reauth": EVERY_RESULT | {"instances"},
    "sddc_manager_token": TOKEN_RESULT | {"refresh_token"},
    "token_file_info": EVERY_RESULT | {"token_files"},
    "vcenter_registered_token": TOKEN_RESULT,
    "vidb_access_token": TOKEN_RESULT,
    "vrni_auth_token": TOKEN_RESULT,
    "vrni_vidm_client_info": EVERY_RESULT | {"vidm_appliance", "client_id"},
}
# What Ansible itself gives a meaning to.
ANSIBLES_OWN = {"changed", "diff", "warnings"}


@each_module
def test_the_results_of_the_design_are_documented(name: str) -> None:
    assert set(returns(name)) >= PROMISED[name]


def avi(lab: Lab) -> dict[str, Any]:
    return {"hostname": lab["avi"]["url"], "username": lab["avi"]["username"], "password": lab["avi"]["password"]}


def csp(lab: Lab, file: str) -> dict[str, Any]:
    return {"hostname": lab["csp"]["url"], "api_token": lab["csp"]["api_token"], "token_file": file}


def vidb(lab: Lab, prefix: str = "") -> dict[str, Any]:
    return {f"{prefix}hostname": lab["vidb"]["url"], f"{prefix}api_token": lab["vidb"]["api_token"]}


def nsx(lab: Lab) -> dict[str, Any]:
    return {"hostname": lab["nsx"]["url"], "username": lab["nsx"]["username"], "password": lab["nsx"]["password"]}


def vrni(lab: Lab) -> dict[str, Any]:
    return {"hostname": lab["vrni"]["url"], "username": lab["vrni"]["username"], "password": lab["vrni"]["password"]}


def sddc_manager(lab: Lab) -> dict[str, Any]:
    details = lab["sddc_manager"]
    return {"hostname": details["url"], "username": details["username"], "password": details["password"]}


def issued_elsewhere(lab: Lab) -> dict[str, Any]:
    return {"csp_hostname": lab["csp"]["url"], "csp_api_token": lab["csp"]["api_token"]}


INSTANCE = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"

# Tasks in a row for each module whose results, taken together, have every key that it ever returns.
TASKS: Mapping[str, Callable[[Any, str], list[dict[str, Any]]]] = {
    "avi_se_auth_token": lambda lab, file: [{**avi(lab), "cloud": "Default-Cloud"}],
    "avi_securechanneltoken": lambda lab, file: [{**avi(lab), "name": "Engines", "lifetime": 3600}],
    "avi_securechanneltoken_info": lambda lab, file: [{**avi(lab), "return_token": True}],
    "csp_access_token": lambda lab, file: [csp(lab, file)],
    "nsx_service_instance_info": lambda lab, file: [nsx(lab)],
    "nsx_service_reauth": lambda lab, file: [{**nsx(lab), **issued_elsewhere(lab), "service_instances": [INSTANCE]}],
    "sddc_manager_token": lambda lab, file: [{**sddc_manager(lab), "token_file": file}],
    "token_file_info": lambda lab, file: [{"paths": [file]}],
    "vcenter_registered_token": lambda lab, file: [{"hostname": lab["vcenter"]["url"], **vidb(lab, "vidb_")}],
    "vidb_access_token": lambda lab, file: [vidb(lab)],
    "vrni_auth_token": lambda lab, file: [vrni(lab)],
    "vrni_vidm_client_info": lambda lab, file: [{"hostname": lab["vrni"]["url"]}],
}
# What must be there for a list to have an entry.
BEFORE: Mapping[str, str] = {
    "avi_securechanneltoken_info": "avi_securechanneltoken",
    "token_file_info": "csp_access_token",
}


def results_of(name: str, lab: Lab, file: str, *, check_mode: bool = False) -> list[dict[str, Any]]:
    operation = operation_of(name)
    results = []
    for arguments in TASKS[name](lab, file):
        trust = {"ca_path": lab.ca_path} if talks_http(name) else {}
        validated = Validated(operation, {**trust, **arguments})
        assert validated.error is None
        quietly: Callable[[str], None] = lambda message: None  # noqa: E731
        result = execute(operation, validated.params, check_mode=check_mode, diff_mode=True, environ={}, notify=quietly)
        assert not result.get("failed"), result.get("msg")
        results.append(result)
    return results


@pytest.fixture
def results(name: str, lab: Lab, tmp_path: Path) -> list[dict[str, Any]]:
    file = str(tmp_path / "token.json")
    lab.change_settings("vidb", id_token_grants=["api_token"])
    if name in BEFORE:
        results_of(BEFORE[name], lab, file)
    return results_of(name, lab, file)


@each_module
def test_a_result_holds_what_is_documented_and_nothing_else(name: str, results: list[dict[str, Any]]) -> None:
    documented = returns(name)
    returned = {key: value for result in results for key, value in result.items() if key not in ANSIBLES_OWN}

    assert set(returned) == set(documented)
    assert _wrong_types(returned, documented) == []


def _wrong_types(values: Mapping[str, Any], documented: Mapping[str, Any], at: str = "") -> list[str]:
    """Where a value, or an entry of a list of mappings, is not of the documented type or has other keys."""
    types: dict[str, Any] = {"str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict}
    wrong = []
    for key, value in values.items():
        entry = documented[key]
        for example in (value, entry.get("sample")):
            if example is not None and not isinstance(example, types[entry["type"]]):
                wrong.append(f"{at}{key}: {example!r} is no {entry['type']}")
        if "contains" in entry:
            for item in value if entry["type"] == "list" else [value]:
                wrong += [f"{at}{key}: {other}" for other in set(item) ^ set(entry["contains"])]
                wrong += _wrong_types(item, entry["contains"], f"{at}{key}.")
    return wrong


@each_module
def test_module_gives_a_diff_where_it_says_so(name: str, results: list[dict[str, Any]]) -> None:
    support = doc(name)["attributes"]["diff_mode"]["support"]

    assert support == ("full" if any("diff" in result for result in results) else "none")


# To sign in and out is no change, though it is no GET; one GET creates a token.
SIGN_IN = ("/login", "/logout", "/api/session/create", "/api/session/destroy")
CREATING_GET = "/api/securetoken-generate"


@each_module
def test_check_mode_only_reads(name: str, lab: Lab, tmp_path: Path) -> None:
    file = str(tmp_path / "token.json")
    if name in BEFORE:
        results_of(BEFORE[name], lab, file)
    lab.clear_requests()
    files = sorted(tmp_path.iterdir())

    results_of(name, lab, file, check_mode=True)

    asked = [entry for entry in lab.requests() if entry.path not in SIGN_IN]
    assert [entry.line for entry in asked if entry.method != "GET" or entry.path == CREATING_GET] == []
    assert sorted(tmp_path.iterdir()) == files


# --- rooms ---------------------------------------------------------------------------------------------------------

ROOMS = sorted(PLUGINS.glob("module_utils/**/*.py"))
# The two that put an operation on a route; they know operations, but none by name.
ROUTES = {"execution", "as_module"}
# Where a room of the ground floor may meet Ansible: the registry of secrets, and the specification of options.
MEETS_ANSIBLE = {"secrets", "options", *ROUTES}


def imports_of(path: Path) -> set[str]:
    """The full names of what a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports by a relative name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def floor_of(path: Path) -> str:
    return path.parent.name if path.parent.name in ("apis", "operations") else "ground"


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_arrows_point_downwards(path: Path) -> None:
    utils = f"{PACKAGE}.module_utils."
    ours = {name.removeprefix(utils) for name in imports_of(path) if name.startswith(utils)}
    above = {"ground": ("apis.", "operations."), "apis": ("operations.",), "operations": ()}[floor_of(path)]
    wrong = {name for name in ours if name.startswith(above) or name.split(".")[0] in ROUTES}
    if path.stem in ROUTES and floor_of(path) == "ground":
        wrong = {name for name in ours if name.startswith("apis.")}
        wrong |= {name for name in ours if name.startswith("operations.") and not name.startswith("operations.base.")}
    outside = {name for name in imports_of(path) if name.startswith(f"{PACKAGE}.") and not name.startswith(utils)}

    assert (wrong, outside) == (set(), set())


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_only_the_highest_rooms_know_ansible(path: Path) -> None:
    if floor_of(path) == "ground" and path.stem in MEETS_ANSIBLE:
        return
    assert {name for name in imports_of(path) if name.split(".")[0] == "ansible"} == set()


def product_of(stem: str) -> str | None:
    return next((product for product in PRODUCTS if stem == product or stem.startswith(f"{product}_")), None)


CODE = sorted(path for kind in ("module_utils", "plugin_utils", "action") for path in PLUGINS.glob(f"{kind}/**/*.py"))
SHARED_TEXTS = [path for path in sorted(PLUGINS.glob("doc_fragments/*.py")) if not product_of(path.stem)]


@pytest.mark.parametrize("path", [*CODE, *SHARED_TEXTS], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_product_is_named_in_its_own_files_only(path: Path) -> None:
    own = product_of(path.stem) if path.parent.name != "module_utils" else None
    allowed = {own, ISSUERS.get(own or "")}
    words = "|".join(product for product in PRODUCTS if product not in allowed)
    named = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(rf"(?<![a-z])({words})(?![a-z])", line, re.IGNORECASE)
    ]

    assert named == []
