# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token that NSX refuses, with one renewal and one replay if there are credentials; the filters of reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._http import listing, session
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_instance_info import (
    NsxServiceInstanceInfo,
)
from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_reauth import NsxServiceReauth
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated
from support.canaries import leaks

if TYPE_CHECKING:
    from lab.client import Lab

PATH = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"


def run(operation: type[Operation], lab: Lab, **options: Any) -> dict[str, Any]:
    validated = Validated(operation, {"hostname": lab["nsx"]["url"], "ca_path": lab.ca_path, **options})
    assert validated.error is None
    return execute(operation, validated.params, Runtime())


def reauth(lab: Lab, **options: Any) -> dict[str, Any]:
    return run(NsxServiceReauth, lab, service_instances=[PATH], **options)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_read_is_replayed_once_with_a_new_token(lab: Lab, tmp_path: Path, status: int) -> None:
    credentials = {"csp_hostname": lab["csp"]["url"], "csp_api_token": lab["csp"]["api_token"]}
    lab.change_settings("nsx", alarm_clear_delay=0)
    lab.fault("nsx", "status", method="GET", path="/alarms", status=status, body={"error_message": "no"})

    result = reauth(lab, token_file=str(tmp_path / "csp.json"), **credentials)

    assert result["instances"][0]["reauthenticated"]
    assert (len(lab.requests("csp")), lab.counts("nsx")["reauths"]) == (2, 1)
    first, *others = [request.header("Authorization") for request in lab.requests("nsx")]
    assert others
    assert first not in others


def test_a_read_that_is_refused_twice_fails(lab: Lab) -> None:
    credentials = {"csp_hostname": lab["csp"]["url"], "csp_api_token": lab["csp"]["api_token"]}
    lab.fault("nsx", "status", method="GET", path="/alarms", times=0, status=401, body={"error_message": "no"})

    result = reauth(lab, **credentials)

    assert "the server returned status 401" in result["msg"]
    assert (len(lab.requests("csp")), len(lab.requests("nsx"))) == (2, 2)


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("with_file", [False, True])
def test_a_lasting_refusal_takes_one_renewal_for_any_number_of_instances_and_threads(
    lab: Lab, tmp_path: Path, concurrency: int, with_file: bool
) -> None:
    paths = [PATH.replace("fw-01", f"fw-{number:02d}") for number in range(1, 13)]
    lab.fault("nsx", "status", method="POST", times=0, status=403, body={"error_message": "no permission"})
    options = {"csp_hostname": lab["csp"]["url"], "csp_api_token": lab["csp"]["api_token"], "concurrency": concurrency}
    if with_file:
        options["token_file"] = str(tmp_path / "csp.json")

    result = run(NsxServiceReauth, lab, service_instances=paths, force=True, **options)

    assert len(lab.requests("csp")) == 2
    assert ["returned status 403" in item["error"] for item in result["instances"]] == [True] * len(paths)
    posts = lab.requests("nsx")
    assert {request.path for request in posts} == {f"/policy/api/v1{path}" for path in paths}
    assert len({request.header("Authorization") for request in posts}) == 2
    assert len(posts) <= len(paths) + concurrency, "a request with the renewed token has no other one for a replay"


def test_a_refused_listing_of_instances_is_replayed_once_with_a_new_token(lab: Lab, tmp_path: Path) -> None:
    credentials = {"csp_hostname": lab["csp"]["url"], "csp_api_token": lab["csp"]["api_token"]}
    lab.fault("nsx", "status", method="GET", path="/locale-services", status=401, body={"error_message": "no"})

    result = run(NsxServiceInstanceInfo, lab, token_file=str(tmp_path / "csp.json"), **credentials)

    assert len(result["service_instances"]) == len(run(NsxServiceInstanceInfo, lab, **credentials)["service_instances"])
    assert len(lab.requests("csp")) == 3


def test_instances_of_a_locale_service_are_listed_below_the_gateways_that_have_it(lab: Lab) -> None:
    user = {"username": lab["nsx"]["username"], "password": lab["nsx"]["password"]}
    everywhere = run(NsxServiceInstanceInfo, lab, **user)["service_instances"]
    wanted = [item["path"] for item in everywhere if "/locale-services/edge-east/" in item["path"]]
    lab.clear_requests()

    result = run(NsxServiceInstanceInfo, lab, locale_service_id="edge-east", alarms=False, **user)

    assert [item["path"] for item in result["service_instances"]] == wanted
    assert 0 < len(wanted) < len(everywhere)
    assert run(NsxServiceInstanceInfo, lab, locale_service_id="none", **user)["service_instances"] == []
    assert {request.status for request in lab.requests("nsx")} == {200}


def test_an_alarm_that_quotes_a_token_is_reported_without_it(lab: Lab) -> None:
    token = jwt.encode({"sub": "partner"}, "any-key-that-is-long-enough-for-it", algorithm="HS256")
    lab.act("nsx", "raise_alarms", host="127.0.0.1", paths=[PATH], text=f"The JWT {token} has expired.")

    result = reauth(lab, wait=False, csp_hostname=lab["csp"]["url"], csp_api_token=lab["csp"]["api_token"])

    assert "has expired" in str(result["instances"][0]["alarms"])
    assert leaks({"result": str(result)}, [token, token.rsplit(".", 1)[1]]) == []


def test_the_sign_out_from_a_hanging_manager_takes_no_second_timeout(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_SHORTEST_SIGN_OUT", 0.25)
    for path in ("/alarms", "/api/session/destroy"):
        lab.fault("nsx", "delay", path=path, seconds=600, times=9)
    user = {name: lab["nsx"][name] for name in ("username", "password")}

    result = run(NsxServiceInstanceInfo, lab, use_session=True, timeout=1.5, **user)

    assert "no complete response within 1.5 s" in result["msg"]
    assert "no complete response within 0.25 s" in str(result["warnings"])


BOUNDS = [("MOST_REQUESTS", 12, "12 requests"), ("MOST_ITEMS", 25, "25 objects"), ("MOST_BYTES", 2 * 1024**2, "2 MiB")]


def endless(lab: Lab, body: Any, path: str = "/alarms") -> None:
    """Return the same page for every page of a listing."""
    lab.change_settings("nsx", rate_limit=0)
    lab.fault("nsx", "status", path=path, status=200, body=body, times=5000)


@pytest.mark.parametrize(("bound", "most", "named"), BOUNDS)
def test_an_endless_listing_is_read_up_to_each_bound(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, bound: str, most: int, named: str
) -> None:
    monkeypatch.setattr(listing, bound, most)
    size = 100_000 if bound == "MOST_BYTES" else 1000
    endless(lab, {"results": [{"padding": "x" * size}] * 10, "cursor": "more"})
    user = {name: lab["nsx"][name] for name in ("username", "password")}

    result = run(NsxServiceInstanceInfo, lab, **user)

    assert f"exceed the limit of {named}" in result["msg"]
    assert "alarms: false" in result["msg"]
    assert 2 < result["request_count"] <= 13


def test_too_many_gateways_for_one_task_are_an_error_that_names_the_limiting_option(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_REQUESTS", 20)
    endless(lab, {"results": []}, path=r"/locale-services\?")
    endless(lab, {"results": [{"id": f"T0-{number}"} for number in range(500)]}, path=r"/tier-0s\?")
    user = {name: lab["nsx"][name] for name in ("username", "password")}

    result = run(NsxServiceInstanceInfo, lab, alarms=False, **user)

    assert "exceed the limit of 20 requests" in result["msg"]
    assert "tier0_id" in result["msg"]
    assert result["request_count"] == 21


def test_endless_alarms_are_an_error_that_names_the_option_to_skip_them(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(listing, "MOST_REQUESTS", 5)
    endless(lab, {"results": [], "cursor": "more"})
    credentials = {"csp_hostname": lab["csp"]["url"], "csp_api_token": lab["csp"]["api_token"]}

    result = reauth(lab, token_file=str(tmp_path / "csp.json"), **credentials)

    assert "exceed the limit of 5 requests" in result["msg"]
    assert "force: true" in result["msg"]


def test_each_read_of_the_alarms_has_its_own_bounds(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(listing, "MOST_REQUESTS", 1)
    lab.change_settings("nsx", alarm_clear_delay=0.1)
    credentials = {"csp_hostname": lab["csp"]["url"], "csp_api_token": lab["csp"]["api_token"]}

    result = reauth(lab, token_file=str(tmp_path / "csp.json"), **credentials)

    assert result["instances"][0]["error"] is None
    assert sum(entry.path.endswith("/alarms") for entry in lab.requests("nsx")) > 1
