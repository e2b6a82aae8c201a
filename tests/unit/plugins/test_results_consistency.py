# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules return is what is documented and promised, with diff and check mode as they say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.collection import MODULES, doc, returns
from support.in_process import JOBS, VRNI_KEPT, Job, done, prepared

if TYPE_CHECKING:
    from lab.client import Lab

each_module = pytest.mark.parametrize("name", MODULES)


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
    "token_set": EVERY_RESULT | {"tokens"},
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


# In place of those in JOBS: modules without a server of their own, and one whose keys must be asked for.
FURTHER_JOBS = (
    Job("token_file_info", lambda lab, file: {"paths": [file]}, (JOBS["csp exchanges and keeps"],)),
    Job(
        "token_set",
        lambda lab, file: {"tokens": [{"product": "vrni", **VRNI_KEPT.options(lab, file)}]},
    ),
    Job(
        "avi_securechanneltoken_info",
        lambda lab, file: {**JOBS["avi lists"].options(lab, file), "return_token": True},
        JOBS["avi lists"].before,
    ),
)


def jobs_of(name: str) -> list[Job]:
    found = [job for job in FURTHER_JOBS if job.module == name]
    found = found or [job for job in JOBS.values() if job.module == name]
    assert found, f"no job of support/in_process.py runs {name}"
    return found


@pytest.fixture
def results(name: str, lab: Lab, tmp_path: Path) -> list[dict[str, Any]]:
    """What all jobs of a module return; together they have every key that it ever returns."""
    file = str(tmp_path / "token.json")
    found = []
    for job in jobs_of(name):
        prepared(job, lab, file)
        lab.change_settings("vidb", id_token_grants=["api_token"])
        result = done(job, lab.details, file).result
        assert not result.get("failed"), result.get("msg")
        found.append(result)
    return found


@each_module
def test_a_result_holds_what_is_documented_and_nothing_else(name: str, results: list[dict[str, Any]]) -> None:
    documented = returns(name)

    assert {key for result in results for key in _told(result)} == set(documented)
    assert [wrong for result in results for wrong in _wrong_types(_told(result), documented)] == []


def _told(result: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key not in ANSIBLES_OWN}


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
    for job in jobs_of(name):
        prepared(job, lab, file)
        files = {path: path.read_bytes() for path in tmp_path.iterdir()}

        result = done(job, lab.details, file, check_mode=True).result

        assert not result.get("failed"), result.get("msg")
        asked = [entry for entry in lab.requests() if entry.path not in SIGN_IN]
        assert [entry.line for entry in asked if entry.method != "GET" or entry.path == CREATING_GET] == []
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files
