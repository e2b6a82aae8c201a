# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""token_set: what it refuses, how it runs its entries, and what it returns for them."""

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
from products import ENTRIES, EXAMPLE, ISSUERS, KITS, TAKER
from support.in_process import Done, done
from support.kit import Job, Kit
from support.templates import rendered

if TYPE_CHECKING:
    from lab.client import Lab

Entry = dict[str, Any]
MakeEntry = Callable[..., Entry]
Keep = Callable[..., Done]
PASSWORD = "do-not-print-this"
# Products whose tokens are stored in files.
PRODUCT, ANOTHER, THIRD = (kit.name for kit in (EXAMPLE, *ISSUERS[:2]))
TAKERS = {name: kit for name, kit in KITS.items() if kit.needs}
OTHER_TAKER = next(kit for kit in TAKERS.values() if kit.needs != TAKER.needs)


@pytest.fixture
def entry(lab: Lab, tmp_path: Path) -> MakeEntry:
    """A function that describes a token of a product of the lab, in a file of its own."""

    def entry(product: str, **further: Any) -> Entry:
        variables = {"lab": lab.details, "playbook_dir": str(tmp_path)}
        return {"product": product, **rendered(ENTRIES[product].options, variables), **further}

    return entry


@pytest.fixture
def keep(lab: Lab) -> Keep:
    """A function that runs the module with a list of entries."""

    def keep(*tokens: Any, check_mode: bool = False, **options: Any) -> Done:
        job = Job("token_set", lambda _lab, _file: {"tokens": list(tokens)})
        return done(job, lab.details, check_mode=check_mode, **options)

    return keep


def holds_token(product: str) -> bool:
    """Whether the result of the entry is about a token, which others use up when they create it."""
    module = ENTRIES[product].module
    return any("fingerprint" in kit.promised.get(module, ()) for kit in KITS.values())


def without(entry: Entry, *options: str) -> Entry:
    return {option: value for option, value in entry.items() if option not in options}


def test_a_token_of_each_product_is_kept_valid_and_the_second_run_changes_nothing(
    lab: Lab, entry: MakeEntry, keep: Keep
) -> None:
    for kit in KITS.values():
        lab.change_settings(kit.name, **kit.settings)
    every = [entry(product) for product in PRODUCTS]

    first, second = keep(*every).result, keep(*every).result

    assert [(token["product"], token["action"]) for token in first["tokens"]] == [
        (product, ENTRIES[product].action) for product in PRODUCTS
    ]
    assert [token["name"] for token in first["tokens"]] == [one.get("name", one["product"]) for one in every]
    assert (first["changed"], first["action"], second["changed"], second["action"]) == (True, "updated", False, "none")
    assert [bool(token["fingerprint"]) for token in first["tokens"]] == [holds_token(product) for product in PRODUCTS]
    assert all(
        bool(token["expires_at"]) == ENTRIES[token["product"]].has_expiry
        for token in first["tokens"]
        if holds_token(token["product"])
    )
    assert first["request_count"] + second["request_count"] == len(lab.requests())
    assert [secret["value"] for secret in lab.secrets() if secret["value"] in str([first, second])] == []


def test_a_failed_entry_does_not_stop_the_others_and_is_named_at_the_end(
    entry: MakeEntry, keep: Keep, tmp_path: Path
) -> None:
    wrong = entry(PRODUCT, name="wrong", password=PASSWORD, token_file=str(tmp_path / "wrong.json"))
    nowhere = entry(ANOTHER, name="nowhere", hostname="https://127.0.0.1:1", retries=0)

    result = keep(wrong, entry(THIRD), nowhere, entry(PRODUCT)).result

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

    monkeypatch.setattr(PRODUCTS[PRODUCT], "run", broken)

    result = keep(entry(PRODUCT), entry(ANOTHER)).result

    assert "ZeroDivisionError" in result["tokens"][0]["error"]
    assert (result["tokens"][1]["action"], PASSWORD in str(result)) == ("created", False)


def test_check_mode_returns_the_plan_and_the_diff_shows_it(lab: Lab, entry: MakeEntry, keep: Keep) -> None:
    kept = keep(entry(ANOTHER, name="kept"), entry(PRODUCT, name="due")).result
    tokens = [entry(ANOTHER, name="kept"), entry(PRODUCT, name="due", renew="always"), entry(THIRD, name="new")]

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
    assert not Path(tokens[2]["token_file"]).exists()
    assert lab.counts(PRODUCT)["tokens_minted"] == 1


# --- validation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda one: without(one, "token_file"), "set token_file or token_store"),
        (lambda one: {**one, "token_file": ""}, "set token_file or token_store"),
        (lambda one: {**one, "product": "no_such_product"}, f"product must be one of: {', '.join(PRODUCTS)}"[:60]),
        (lambda one: without(one, "product"), "missing required arguments: product"),
        (lambda one: {**one, "passwort": "x"}, "there is no option passwort. Did you mean password?"),
        (lambda one: {**one, "min_remaining": "soon"}, "min_remaining"),
        (lambda one: {**one, "return_token": True}, "value of return_token must be one of: False, got: True"),
        (lambda one: {**one, "name": "first"}, "token 'first': another entry has the same name"),
    ],
)
def test_an_invalid_entry_is_refused_by_name_before_any_request(
    lab: Lab, entry: MakeEntry, keep: Keep, change: Callable[[Entry], Entry], error: str
) -> None:
    bad = change(entry(PRODUCT, name="bad"))

    result = keep(entry(ANOTHER, name="first"), bad).result

    assert result["failed"]
    assert f"The option tokens has an invalid entry: token '{bad['name']}': " in result["msg"]
    assert error in result["msg"]
    assert ("tokens" in result, lab.requests()) == (False, [])


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_token_that_would_not_be_stored_is_not_created(lab: Lab, entry: MakeEntry, keep: Keep, product: str) -> None:
    given = entry(product)
    # Without a file its server keeps the token, or the task uses up the one that it creates.
    needs_file = "token_file" in given and holds_token(product)

    result = keep(without(given, "token_file")).result

    assert bool(result.get("failed")) == needs_file
    assert bool(lab.requests()) != needs_file


def test_all_invalid_entries_are_reported_at_once_without_their_secrets(entry: MakeEntry, keep: Keep) -> None:
    password = {"password": [PASSWORD]}

    message = keep(
        entry(PRODUCT, name="one", password=PASSWORD, timeout=PASSWORD),
        entry(ANOTHER, name="two", state=PASSWORD),
        {"product": PASSWORD, "name": "three", **password},
        {"product": PRODUCT, "name": PASSWORD, **password},
    ).message

    assert "has 4 invalid entries: token 'one': " in message
    assert "token 'two': value of state must be one of: present, absent, got: ********" in message
    assert PASSWORD not in message


def test_blank_and_null_options_count_as_not_given(entry: MakeEntry, keep: Keep) -> None:
    given = entry(PRODUCT)
    unset = PRODUCTS[PRODUCT].argument_spec.options.keys() - given

    (token,) = keep({**dict.fromkeys(unset), "verify": "", "name": "", **given}).result["tokens"]

    assert (token["name"], token["action"], token["error"]) == (PRODUCT, "created", None)


def test_an_unnamed_entry_is_called_by_its_product_with_a_number_from_the_second_on(
    entry: MakeEntry, keep: Keep, tmp_path: Path
) -> None:
    tokens = [entry(PRODUCT, token_file=str(tmp_path / f"{number}.json")) for number in range(3)]

    result = keep(*tokens, entry(ANOTHER, name=f"{PRODUCT} 2"), check_mode=True).result

    names = [PRODUCT, *(f"{PRODUCT} {number}" for number in (3, 4, 2))]
    assert [token["name"] for token in result["tokens"]] == names


# --- one file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taker", TAKERS.values(), ids=TAKERS)
def test_entries_with_the_same_file_run_in_order(
    lab: Lab, entry: MakeEntry, keep: Keep, tmp_path: Path, taker: Kit
) -> None:
    issuer = KITS[taker.needs[0]]
    owner = PRODUCTS[taker.name].token_owner
    file = {"token_file": str(tmp_path / "shared.json")}
    keeper = {"product": issuer.name, **file, **issuer.server.options(lab.details)}
    reader = without(entry(taker.name, **file), *owner.server, *owner.credentials)
    host = lab[issuer.name]["url"].removeprefix("https://")
    another = entry(taker.name, name="another", **file, **{owner.server[0]: host})

    result = keep(keeper, reader, another, concurrency=8).result

    assert [token["error"] for token in result["tokens"]] == [None, None, None]
    created = [request.line for request in lab.requests(issuer.name) if re.search("|".join(issuer.mints), request.line)]
    assert len(created) == 1


@pytest.mark.parametrize(
    ("kit", "different"),
    [
        (ISSUERS[0], {ISSUERS[0].server.credentials[-1]: "of-somebody-else"}),
        (ISSUERS[0], {"hostname": "https://other.example.com"}),
        (EXAMPLE, {}),
        # It only reads the file, for a token of another issuer.
        (OTHER_TAKER, dict.fromkeys(PRODUCTS[OTHER_TAKER.name].token_owner.credentials)),
    ],
    ids=["another credential", "another server", "another product", "a reader"],
)
def test_two_tokens_in_one_file_are_refused_in_either_order(
    lab: Lab, entry: MakeEntry, keep: Keep, tmp_path: Path, kit: Kit, different: Entry
) -> None:
    first = entry(ISSUERS[0].name, name="first", token_file=str(tmp_path / "token.json"))
    other = entry(kit.name, name="other", token_file=str(tmp_path / "sub" / ".." / "token.json"))
    tokens = [first, {**other, **different}]

    for listed in (tokens, tokens[::-1]):
        one, another = (entry["name"] for entry in listed)
        assert f"token '{another}': its token_file is already used by token '{one}'" in keep(*listed).message
    assert lab.requests() == []


# --- threads -------------------------------------------------------------------------------------------------------


class Sample(Operation):
    """An operation that does what a test says."""

    name = f"sddc.tokens.{EXAMPLE.module}"
    argument_spec = ArgumentSpec({"token_file": {"type": "path", "no_log": False}}).merge(CONNECTION)
    job: Callable[[Operation], object]

    def run(self) -> Outcome:
        type(self).job(self)
        return Outcome(False, "none")


Play = Callable[[Callable[[Operation], object]], None]


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Play:
    """A function that replaces the operation of a product with a job."""
    monkeypatch.setitem(PRODUCTS, PRODUCT, Sample)
    monkeypatch.setitem(entries._SPECS, PRODUCT, entries._spec_of(Sample))

    def sample(job: Callable[[Operation], object]) -> None:
        monkeypatch.setattr(Sample, "job", staticmethod(job), raising=False)

    return sample


def many(number: int) -> list[Entry]:
    return [{"product": PRODUCT, "name": f"token {one}"} for one in range(number)]


def test_concurrency_limits_how_many_entries_run_at_a_time(sample: Play, keep: Keep) -> None:
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

    assert not result.get("failed"), "with fewer than four at a time they would never meet"
    assert max(most) <= 4
    assert [token["name"] for token in result["tokens"]] == [f"token {one}" for one in range(12)]


@pytest.mark.parametrize("concurrency", [0, 65])
def test_concurrency_has_bounds(keep: Keep, concurrency: int) -> None:
    assert "The option concurrency must be between 1 and 64" in keep(concurrency=concurrency).message


def test_a_long_list_reports_its_progress_in_quarters_and_a_short_one_does_not(sample: Play, keep: Keep) -> None:
    sample(lambda _operation: None)

    assert keep(*many(40)).notes == [f"{part} of 40 tokens done" for part in (10, 20, 30)]
    assert keep(*many(19)).notes == keep().notes == []


def test_equal_warnings_are_merged_and_name_their_entries(sample: Play, keep: Keep) -> None:
    sample(lambda operation: operation.runtime.warn("Beware."))

    assert keep(*many(1)).result["warnings"] == ["token 'token 0': Beware."]
    assert keep(*many(7)).result["warnings"] == [
        "tokens 'token 0', 'token 1', 'token 2', 'token 3', 'token 4' and 2 more: Beware."
    ]


def test_a_notice_names_its_entry(sample: Play, keep: Keep) -> None:
    sample(lambda operation: operation.runtime.notify("waiting"))

    assert sorted(keep(*many(2)).notes) == ["token 'token 0': waiting", "token 'token 1': waiting"]


def test_the_options_of_the_task_are_the_defaults_of_the_entries(sample: Play, keep: Keep) -> None:
    seen: dict[int, Any] = {}
    sample(lambda operation: seen.update({operation.params["retries"]: operation.params}))

    keep(*many(1), {"product": PRODUCT, "retries": 9}, timeout=7, retries=1, proxy_url="http://user:secret@proxy:1")

    assert {retries: params["timeout"] for retries, params in seen.items()} == {1: 7, 9: 7}
    assert seen[1]["proxy_url"].reveal() == "http://user:secret@proxy:1"
