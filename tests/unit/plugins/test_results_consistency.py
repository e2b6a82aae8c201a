# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of modules are as documented and promised, with diff and check mode as documented."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import JOBS, KITS
from support.collection import MODULES, doc, returns
from support.in_process import done, prepared
from support.kit import EVERY_RESULT, Job

if TYPE_CHECKING:
    from lab.client import Lab

each_module = pytest.mark.parametrize("name", MODULES)


# The promises of the design.
PROMISED = {
    "token_info": EVERY_RESULT | {"token_files"},
    "token_set": EVERY_RESULT | {"tokens"},
    **{name: keys for kit in KITS.values() for name, keys in kit.promised.items()},
}
# Keys with a meaning for Ansible itself.
ANSIBLES_OWN = {"changed", "diff", "warnings"}


@each_module
def test_the_results_of_the_design_are_documented(name: str) -> None:
    assert set(returns(name)) >= PROMISED[name]


# A module without a server reads what another one stores.
KEEPING = next(job for job in JOBS.values() if job.keeps and not job.before)
FURTHER_JOBS = (Job("token_info", lambda lab, file: {"paths": [file]}, (KEEPING,)),)


def jobs_of(name: str) -> list[Job]:
    found = [job for job in (*JOBS.values(), *FURTHER_JOBS) if job.module == name]
    assert found, f"no job of tests/products runs {name}"
    return found


@pytest.fixture
def results(name: str, lab: Lab, tmp_path: Path) -> list[dict[str, Any]]:
    """The results of all jobs of a module. Together they have every key that it can return."""
    file = str(tmp_path / "token.json")
    found = []
    for job in jobs_of(name):
        prepared(job, lab, file)
        result = done(job, lab.details, file, **job.all_keys).result
        assert not result.get("failed"), result.get("msg")
        found.append(result)
    return found


@each_module
def test_a_result_contains_exactly_what_is_documented(name: str, results: list[dict[str, Any]]) -> None:
    documented = returns(name)

    assert {key for result in results for key in _told(result)} == set(documented)
    assert [wrong for result in results for wrong in _wrong_types(_told(result), documented)] == []


def _told(result: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key not in ANSIBLES_OWN}


def _wrong_types(values: Mapping[str, Any], documented: Mapping[str, Any], at: str = "") -> list[str]:
    """The places at which a value, or an entry of a list of mappings, has other types or keys than documented."""
    types: dict[str, Any] = {"str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict}
    wrong = []
    for key, value in values.items():
        entry = documented[key]
        for example in (value, entry.get("sample")):
            if example is not None and not isinstance(example, types[entry["type"]]):
                wrong.append(f"{at}{key}: {example!r} is no {entry['type']}")
            if example not in entry.get("choices", [example]):
                wrong.append(f"{at}{key}: {example!r} is not a documented choice")
        if "contains" in entry:
            for item in value if entry["type"] == "list" else [value]:
                wrong += [f"{at}{key}: {other}" for other in set(item) ^ set(entry["contains"])]
                wrong += _wrong_types(item, entry["contains"], f"{at}{key}.")
    return wrong


def choices_of(documented: Mapping[str, Any]) -> Iterator[str]:
    for entry in documented.values():
        yield from entry.get("choices", ())
        yield from choices_of(entry.get("contains", {}))


@each_module
def test_a_state_is_an_identifier_that_a_playbook_can_compare(name: str) -> None:
    assert [state for state in choices_of(returns(name)) if not re.fullmatch("[a-z]+(_[a-z]+)*", state)] == []


@each_module
def test_module_returns_a_diff_if_it_is_documented(name: str, results: list[dict[str, Any]]) -> None:
    support = doc(name)["attributes"]["diff_mode"]["support"]

    assert support == ("full" if any("diff" in result for result in results) else "none")


# Requests that check mode may send: signing in and out is not a change, though not a GET. A GET may create a token.
SIGNS = re.compile("|".join(pattern for kit in KITS.values() for pattern in (*kit.signs_in, *kit.signs_out)))
READS = re.compile("|".join(["^GET ", *(pattern for kit in KITS.values() for pattern in kit.reads)]))
MINTS = re.compile("|".join(pattern for kit in KITS.values() for pattern in kit.mints))


@each_module
def test_check_mode_only_reads(name: str, lab: Lab, tmp_path: Path) -> None:
    file = str(tmp_path / "token.json")
    for job in jobs_of(name):
        prepared(job, lab, file)
        files = {path: path.read_bytes() for path in tmp_path.iterdir()}

        result = done(job, lab.details, file, check_mode=True).result

        assert not result.get("failed"), result.get("msg")
        asked = [f"{entry.method} {entry.path}" for entry in lab.requests()]
        changing = [line for line in asked if not READS.search(line) or MINTS.search(line)]
        assert [line for line in changing if not SIGNS.search(line)] == []
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files
