# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request, response and error example of the vendor's page with which the project began, as data.

The page: vRealize Network Insight "Create" (auth token).
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from products.vrni import MODULE
from support.in_process import done
from support.kit import Job

if TYPE_CHECKING:
    from lab.client import Lab

REQUEST = {
    "username": "admin@vrni.com",
    "password": "password",
    "domain": {"domain_type": "LDAP", "value": "example.com"},
}
REPLY = {"token": "Mgs2YX0ZSY+gHW6RYypeeA==", "expiry": 1605201960327}
ERROR = {
    "code": 0,
    "message": "string",
    "details": [{"code": 0, "message": "string", "target": ["string"]}],
}
HEADER = "NetworkInsight Mgs2YX0ZSY+gHW6RYypeeA=="


def keep(lab: Lab, **options: Any) -> dict[str, Any]:
    user = {
        "username": REQUEST["username"],
        "password": REQUEST["password"],
        "domain_type": "LDAP",
        "domain": "example.com",
    }
    job = Job(MODULE, lambda details, _file: {"hostname": details["vrni"]["url"], "retries": 0, **user})
    return done(job, lab.details, **options).result


def test_the_example_request_for_an_auth_token_is_sent(lab: Lab) -> None:
    keep(lab)

    (request,) = lab.requests("vrni")
    assert request.line == "POST /api/ni/auth/token"
    assert json.loads(request.body) == REQUEST


def test_the_example_response_is_a_token_and_its_past_expiry_in_milliseconds_is_ignored(lab: Lab) -> None:
    lab.fault("vrni", "status", status=200, body=REPLY)

    result = keep(lab, verify=False)

    assert (result["token"], result["headers"]) == (REPLY["token"], {"Authorization": HEADER})
    assert result["expires_at"] is None
    assert "returned no usable expiry" in result["warnings"][0]


@pytest.mark.parametrize("unit", [1, 1000])
def test_the_example_response_with_a_future_expiry_is_read_in_seconds_and_milliseconds(lab: Lab, unit: int) -> None:
    expiry = int(time.time() + 18000) * unit
    lab.fault("vrni", "status", status=200, body={**REPLY, "expiry": expiry})

    assert 17700 <= keep(lab, verify=False)["expires_in"] <= 18001


def test_every_request_with_the_example_token_has_the_documented_header(lab: Lab) -> None:
    keep(lab, token=REPLY["token"], state="absent")

    assert [request.header("Authorization") for request in lab.requests("vrni")] == [HEADER]


@pytest.mark.parametrize(("status", "body"), [(400, ERROR), (401, ""), (500, "")])
def test_each_documented_error_of_the_creation_is_reported(lab: Lab, status: int, body: Any) -> None:
    lab.fault("vrni", "status", status=status, body=body)

    message = keep(lab)["msg"]

    assert f"the server returned status {status}" in message
    assert ("'string; string'" in message) == bool(body)
    assert ("100 valid tokens" in message) == (status == 401)
