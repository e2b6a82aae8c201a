# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""token_set: what it refuses, how it runs its entries, and what it returns of them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import CONNECTION, ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.outcome import Outcome
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._operations.products import PRODUCTS
from ansible_collections.sddc.tokens.plugins.module_utils._runner import entries
from ansible_collections.sddc.tokens.plugins.module_utils._runner.token_set import TokenSet
from products import KITS
from support.checkout import CHECKOUT
from support.collection import doc
from support.in_process import Done, done
from support.in_process_plays import rendered
from support.kit import Job
from support.tasks import INSTANCE_PATH

if TYPE_CHECKING:
    from lab.client import Lab

Entry = dict[str, Any]
MakeEntry = Callable[..., Entry]
Keep = Callable[..., Done]
PASSWORD = "do-not-print-this"
ISSUERS = {"nsx": "csp", "vcenter": "vidb"}


@pytest.fixture
def entry(lab: Lab, tmp_path: Path) -> MakeEntry:
    """A function that describes a token of a product of the lab, in a file of its own."""

    def entry(product: str, **further: Any) -> Entry:
        user: Entry = {name: lab[product][name] for name in ("username", "password") if name in lab[product]}
        file = {"token_file": str(tmp_path / f"{product}.json")}
        own: dict[str, Entry] = {
            "avi": {**user, "name": "Engines", "lifetime": 86400},
            "csp": {**file, "api_token": lab["csp"]["api_token"]},
            "nsx": {**file, "service_instances": [INSTANCE_PATH], "wait": False},
            "vcenter": file,
            "vidb": {**file, "api_token": lab["vidb"]["api_token"]},
            "vrni": {**file, **user},
        }
        if product not in own:
            variables = {"lab": lab.details, "playbook_dir": str(tmp_path)}
            return {"product": product, **rendered(KITS[product].rotation, variables), **further}
        issuer = ISSUERS.get(product)
        if issuer:
            own[product] |= {f"{issuer}_{option}": lab[issuer][key] for option, key in ISSUED_WITH.items()}
        return {"product": product, "hostname": lab[product]["url"], **own[product], **further}

    return entry


ISSUED_WITH = {"hostname": "url", "api_token": "api_token"}


@pytest.fixture
def keep(lab: Lab) -> Keep:
    """A function that runs the module with a list of entries."""

    def keep(*tokens: Any, check_mode: bool = False, **options: Any) -> Done:
        job = Job("token_set", lambda _lab, _file: {"tokens": list(tokens)})
        return done(job, lab.details, check_mode=check_mode, **options)

    return keep


def without(entry: Entry, *options: str) -> Entry:
    return {option: value for option, value in entry.items() if option not in options}


def test_a_token_of_each_product_is_kept_and_the_second_run_changes_nothing(
    lab: Lab, entry: MakeEntry, keep: Keep
) -> None:
    lab.change_settings("nsx", alarm_clear_delay=0)
    every = [entry(product) for product in PRODUCTS]

    first, second = keep(*every).result, keep(*every).result

    assert [(token["product"], token["action"]) for token in first["tokens"]] == [
        (product, KITS[product].rotated) for product in PRODUCTS
    ]
    assert [token["name"] for token in first["tokens"]] == [one.get("name", one["product"]) for one in every]
    assert (first["changed"], first["action"], second["changed"], second["action"]) == (True, "updated", False, "none")
    assert [token["fingerprint"] is None for token in first["tokens"]] == [product == "nsx" for product in PRODUCTS]
    assert all(token["expires_at"] for token in first["tokens"] if token["product"] != "nsx")
    assert first["request_count"] + second["request_count"] == len(lab.requests())
    assert [secret["value"] for secret in lab.secrets() if secret["value"] in str([first, second])] == []


def test_the_registry_holds_an_operation_of_each_product() -> None:
    modules = {product: operation.name.rsplit(".", maxsplit=1)[-1] for product, operation in PRODUCTS.items()}
    assert all(module.startswith(f"{product}_") for product, module in modules.items())


def test_the_documentation_names_products_with_their_modules() -> None:
    modules = {product: operation.name for product, operation in PRODUCTS.items()}
    described = " ".join(doc("token_set")["options"]["tokens"]["description"])
    readme = (CHECKOUT / "roles" / "token_rotation" / "README.md").read_text()
    examples = dict(re.findall(r"V\((\w+)\) \(M\(([\w.]+)\)\)", described))
    rows = re.findall(r"\| `(\w+)` \| `([a-z]\w+)` \|", readme)

    assert examples
    assert rows
    assert {**examples, **{product: f"sddc.tokens.{module}" for product, module in rows}}.items() <= modules.items()


def test_a_failure_stops_no_other_entry_and_is_named_at_the_end(entry: MakeEntry, keep: Keep, tmp_path: Path) -> None:
    wrong = entry("vrni", name="wrong", password=PASSWORD, token_file=str(tmp_path / "wrong.json"))
    nowhere = entry("csp", name="nowhere", hostname="https://127.0.0.1:1", retries=0)

    result = keep(wrong, entry("vidb"), nowhere, entry("vrni")).result

    assert result["failed"]
    assert [bool(token["error"]) for token in result["tokens"]] == [True, False, True, False]
    assert [token["changed"] for token in result["tokens"]] == [False, True, False, True]
    assert (result["changed"], result["action"]) == (True, "updated")
    assert result["msg"].startswith("2 of 4 tokens failed: 'wrong', 'nowhere'. The first error, of token 'wrong': ")
    assert PASSWORD not in str(result)


def test_an_internal_error_of_one_entry_is_its_error(
    entry: MakeEntry, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Any) -> Outcome:
        raise ZeroDivisionError(PASSWORD)

    monkeypatch.setattr(PRODUCTS["vrni"], "run", broken)

    result = keep(entry("vrni"), entry("csp")).result

    assert "ZeroDivisionError" in result["tokens"][0]["error"]
    assert (result["tokens"][1]["action"], PASSWORD in str(result)) == ("created", False)


def test_check_mode_is_the_plan_and_the_diff_shows_it(lab: Lab, entry: MakeEntry, keep: Keep, tmp_path: Path) -> None:
    kept = keep(entry("csp", name="kept"), entry("vrni", name="due")).result
    tokens = [entry("csp", name="kept"), entry("vrni", name="due", renew="always"), entry("vidb", name="new")]

    plan = keep(*tokens, check_mode=True).result

    assert [(token["action"], token["changed"]) for token in plan["tokens"]] == [
        ("reused", False),
        ("renewed", True),
        ("created", True),
    ]
    assert plan["diff"]["before"] == {"due": without(kept["diff"]["after"]["due"], "action"), "new": {}}
    assert [(name, shown["action"]) for name, shown in plan["diff"]["after"].items()] == [
        ("due", "renewed"),
        ("new", "created"),
    ]
    assert not (tmp_path / "vidb.json").exists()
    assert lab.counts("vrni")["tokens_minted"] == 1


def test_a_renewal_without_a_registration_is_a_change(lab: Lab, entry: MakeEntry, keep: Keep) -> None:
    client = {f"vidb_{name}": lab["vidb"][name] for name in ("client_id", "client_secret")}
    vcenter = {**without(entry("vcenter"), "vidb_api_token"), **client}

    first, second, third = keep(vcenter), keep(vcenter), keep(vcenter, min_remaining=10**6)

    assert [run.result["tokens"][0]["action"] for run in (first, second, third)] == ["created", "none", "none"]
    assert [run.result["changed"] for run in (first, second, third)] == [True, False, False]


# --- validation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda one: without(one, "token_file"), "state is present but all of the following are missing: token_file"),
        (lambda one: {**one, "token_file": ""}, "state is present but all of the following are missing: token_file"),
        (lambda one: {**one, "product": "nsxt"}, f"product must be one of: {', '.join(PRODUCTS)}"[:60]),
        (lambda one: without(one, "product"), "missing required arguments: product"),
        (lambda one: {**one, "passwort": "x"}, "there is no option passwort. Supported parameters include:"),
        (lambda one: {**one, "min_remaining": "soon"}, "min_remaining"),
        (lambda one: {**one, "return_token": True}, "value of return_token must be one of: False, got: True"),
        (lambda one: {**one, "name": "csp"}, "token 'csp': another entry has the same name"),
    ],
)
def test_an_invalid_entry_is_refused_by_name_before_any_request(
    lab: Lab, entry: MakeEntry, keep: Keep, change: Callable[[Entry], Entry], error: str
) -> None:
    bad = change(entry("vrni", name="bad"))

    result = keep(entry("csp", name="csp"), bad).result

    assert result["failed"]
    assert f"The option tokens has an invalid entry: token '{bad['name']}': " in result["msg"]
    assert error in result["msg"]
    assert ("tokens" in result, lab.requests()) == (False, [])


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_token_that_nobody_would_keep_is_not_created(lab: Lab, entry: MakeEntry, keep: Keep, product: str) -> None:
    # An Avi controller keeps its tokens, and a re-authentication uses up the one that it creates.
    needs_file = product not in ("avi", "nsx")

    result = keep(without(entry(product), "token_file")).result

    assert bool(result.get("failed")) == needs_file
    assert bool(lab.requests()) != needs_file


def test_all_invalid_entries_are_reported_at_once_without_the_secrets_of_any(entry: MakeEntry, keep: Keep) -> None:
    password = {"password": [PASSWORD]}

    message = keep(
        entry("vrni", name="one", password=PASSWORD, timeout=PASSWORD),
        entry("csp", name="two", state=PASSWORD),
        {"product": PASSWORD, "name": "three", **password},
        {"product": "vrni", "name": PASSWORD, **password},
    ).message

    assert "has 4 invalid entries: token 'one': " in message
    assert "token 'two': value of state must be one of: present, absent, got: ********" in message
    assert PASSWORD not in message


def test_blank_and_null_options_count_as_not_given(entry: MakeEntry, keep: Keep) -> None:
    blank = {"domain_type": "", "domain": None, "min_remaining": None, "verify": "", "name": ""}

    (token,) = keep(entry("vrni", **blank)).result["tokens"]

    assert (token["name"], token["action"], token["error"]) == ("vrni", "created", None)


def test_an_entry_without_a_name_is_called_by_its_product_with_a_number_from_the_second_on(
    entry: MakeEntry, keep: Keep, tmp_path: Path
) -> None:
    tokens = [entry("vrni", token_file=str(tmp_path / f"{number}.json")) for number in range(3)]

    result = keep(*tokens, entry("csp", name="vrni 2"), check_mode=True).result

    assert [token["name"] for token in result["tokens"]] == ["vrni", "vrni 3", "vrni 4", "vrni 2"]


def test_an_entry_names_its_object_unless_token_name_or_uuid_does(lab: Lab, entry: MakeEntry, keep: Keep) -> None:
    engines = entry("avi", name="Engines")

    created = keep(engines).result["tokens"][0]
    named = keep({**engines, "name": "Rack 4", "token_name": "Engines"}).result["tokens"][0]
    missing = keep({**engines, "name": "Rack 5", "uuid": "0f3c2b"}).result["tokens"][0]

    assert (created["name"], created["action"]) == ("Engines", "created")
    assert (named["name"], named["action"]) == ("Rack 4", "none")
    assert "the option name is needed to create a token" in missing["error"].lower()


# --- one file ------------------------------------------------------------------------------------------------------


def test_entries_with_one_file_run_in_their_order(lab: Lab, entry: MakeEntry, keep: Keep, tmp_path: Path) -> None:
    file = str(tmp_path / "shared.json")
    keeper = entry("csp", token_file=file, require_id_token=True)
    reader = without(entry("nsx", token_file=file), "csp_api_token", "csp_hostname")
    host = lab["csp"]["url"].removeprefix("https://")
    another = entry("nsx", name="another", token_file=file, csp_hostname=host)

    result = keep(keeper, reader, another, concurrency=8).result

    assert [token["error"] for token in result["tokens"]] == [None, None, None]
    assert len(lab.requests("csp")) == 1


@pytest.mark.parametrize(
    ("product", "different"),
    [
        ("csp", {"api_token": "of-somebody-else"}),
        ("csp", {"hostname": "https://csp.example.com"}),
        ("vrni", {}),
        ("vcenter", {"vidb_api_token": None}),
    ],
)
def test_two_tokens_in_one_file_are_refused_whichever_comes_first(
    lab: Lab, entry: MakeEntry, keep: Keep, tmp_path: Path, product: str, different: Entry
) -> None:
    other = entry(product, name="other", **{"token_file": str(tmp_path / "sub" / ".." / "csp.json"), **different})
    tokens = [entry("csp", name="first"), other]

    for listed in (tokens, tokens[::-1]):
        first, second = (one["name"] for one in listed)
        assert f"token '{second}': its token_file is that of token '{first}'" in keep(*listed).message
    assert lab.requests() == []


# --- environment ---------------------------------------------------------------------------------------------------


def test_the_environment_completes_each_entry_with_the_variables_of_its_product() -> None:
    environ = {
        "VRNI_HOST": "vrni.example.com",
        "VRNI_USERNAME": "admin",
        "VRNI_PASSWORD": PASSWORD,
        "CSP_API_TOKEN": "an-api-token",
        "VMWARE_VALIDATE_CERTS": "false",
    }
    vrni = {"product": "vrni", "username": ""}
    own = {"product": "vrni", "hostname": "other.example.com", "username": "me"}
    tokens = [vrni, own, {"product": "csp"}, {"product": "vcenter"}, "text", {"product": ["vrni"]}]

    completed = TokenSet.argument_spec.complete({"tokens": tokens, "timeout": 5}, environ)
    decided = TokenSet.argument_spec.complete({"tokens": tokens, "validate_certs": True}, environ)

    assert completed["tokens"] == [
        {"product": "vrni", "hostname": "vrni.example.com", "username": "admin", "password": PASSWORD},
        {**own, "password": PASSWORD},
        {"product": "csp", "api_token": "an-api-token"},
        {"product": "vcenter", "validate_certs": "false"},
        "text",
        {"product": ["vrni"]},
    ]
    assert decided["tokens"][3] == {"product": "vcenter"}, "an option of the task goes before the environment"
    assert vrni == {"product": "vrni", "username": ""}


def test_the_variables_of_all_products_are_kept_from_remote_hosts() -> None:
    of_products = {name for operation in PRODUCTS.values() for name in operation.argument_spec.environment_variables}

    assert TokenSet.argument_spec.environment_variables == of_products


# --- threads -------------------------------------------------------------------------------------------------------


class Sample(Operation):
    """An operation that does what a test says."""

    name = "sddc.tokens.vrni_auth_token"
    argument_spec = ArgumentSpec({"token_file": {"type": "path", "no_log": False}}).merge(CONNECTION)
    job: Callable[[Operation], object]

    def run(self) -> Outcome:
        type(self).job(self)
        return Outcome(False, "none")


Play = Callable[[Callable[[Operation], object]], None]


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Play:
    """A function that puts a job in the place of the operation of a product."""
    monkeypatch.setitem(PRODUCTS, "vrni", Sample)
    monkeypatch.setitem(entries._SPECS, "vrni", entries._spec_of(Sample))

    def sample(job: Callable[[Operation], object]) -> None:
        monkeypatch.setattr(Sample, "job", staticmethod(job), raising=False)

    return sample


def many(number: int) -> list[Entry]:
    return [{"product": "vrni", "name": f"token {one}"} for one in range(number)]


def test_as_many_entries_run_at_a_time_as_concurrency_says(sample: Play, keep: Keep) -> None:
    together = threading.Barrier(4)
    at_work: list[int] = []
    most: list[int] = []

    def job(_operation: Operation) -> None:
        at_work.append(1)
        most.append(len(at_work))
        together.wait(10)
        at_work.pop()

    sample(job)

    result = keep(*many(12), concurrency=4).result

    assert not result.get("failed"), "fewer than four at a time would never have met"
    assert max(most) <= 4
    assert [token["name"] for token in result["tokens"]] == [f"token {one}" for one in range(12)]


@pytest.mark.parametrize("concurrency", [0, 65])
def test_concurrency_has_bounds(keep: Keep, concurrency: int) -> None:
    assert "The option concurrency must be between 1 and 64" in keep(concurrency=concurrency).message


def test_a_long_list_reports_its_progress_at_quarters_and_a_short_one_nothing(sample: Play, keep: Keep) -> None:
    sample(lambda _operation: None)

    assert keep(*many(40)).notes == [f"{part} of 40 tokens handled" for part in (10, 20, 30)]
    assert keep(*many(19)).notes == keep().notes == []


def test_equal_warnings_are_one_and_each_says_which_entries_it_is_about(sample: Play, keep: Keep) -> None:
    sample(lambda operation: operation.runtime.warn("Beware."))

    assert keep(*many(1)).result["warnings"] == ["token 'token 0': Beware."]
    assert keep(*many(7)).result["warnings"] == [
        "tokens 'token 0', 'token 1', 'token 2', 'token 3', 'token 4' and 2 more: Beware."
    ]


def test_a_notice_says_which_entry_it_is_about(sample: Play, keep: Keep) -> None:
    sample(lambda operation: operation.runtime.notify("waiting"))

    assert sorted(keep(*many(2)).notes) == ["token 'token 0': waiting", "token 'token 1': waiting"]


def test_the_options_of_the_task_are_the_defaults_of_the_entries(sample: Play, keep: Keep) -> None:
    seen: dict[int, Any] = {}
    sample(lambda operation: seen.update({operation.params["retries"]: operation.params}))

    keep(*many(1), {"product": "vrni", "retries": 9}, timeout=7, retries=1, proxy_url="http://user:secret@proxy:1")

    assert {retries: params["timeout"] for retries, params in seen.items()} == {1: 7, 9: 7}
    assert seen[1]["proxy_url"].reveal() == "http://user:secret@proxy:1"
