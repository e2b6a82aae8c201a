# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request, response and error example of the vendor's page with which the project began, as data.

The page: vSphere Automation "Vcenter RegisteredTokens create".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from products.vcenter import MODULE
from support.in_process import done
from support.kit import Job

if TYPE_CHECKING:
    from lab.client import Lab

REQUEST = {"expanded_access_token": "string"}
PARAMS = {
    "params": {
        "s": "string",
        "dt": "string",
        "i": 0,
        "d": "number",
        "l": {"id": "string", "params": {"params": "Vapi Std LocalizationParam Object"}},
        "format": "string",
        "precision": 0,
    }
}
ERROR = {
    "messages": [
        {
            "id": "string",
            "default_message": "string",
            "args": ["string"],
            "params": PARAMS,
            "localized": "string",
        }
    ],
    "data": {},
    "error_type": "string",
}
CHALLENGE = (
    'SIGN realm="27da1358-2ba4-11e9-b210-d663bd873d93",sts="http://vcenter/sso?vsphere.local", Basic realm="vCenter"'
)


@pytest.fixture
def overflow_token(lab: Lab) -> str:
    url = f"{lab['vidb']['url']}/acs/t/{lab['vidb']['tenant']}/token"
    form = {"grant_type": "urn:custom:vcf:params:oauth:grant-type:api-token", "api_token": lab["vidb"]["api_token"]}
    return str(requests.post(url, data=form, verify=lab.ca_path, timeout=30).json()["access_token"])


def register(lab: Lab, token: str, expanded: str = REQUEST["expanded_access_token"]) -> dict[str, Any]:
    job = Job(MODULE, lambda details, _file: {"hostname": details["vcenter"]["url"], "retries": 0})
    return done(job, lab.details, access_token=token, expanded_access_token=expanded).result


def test_the_example_specification_is_sent_and_authenticated_with_the_overflow_token(
    lab: Lab, overflow_token: str
) -> None:
    register(lab, overflow_token)

    (request,) = [request for request in lab.requests("vcenter") if request.method == "POST"]
    assert request.line == "POST /api/vcenter/registered-tokens"
    assert json.loads(request.body) == REQUEST
    assert request.header("Authorization") == f"Bearer {overflow_token}"
    assert request.header("Content-Type") == "application/json"


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, ERROR), (401, {**ERROR, "challenge": CHALLENGE}), (500, ERROR)],
)
def test_each_example_error_of_the_registration_is_reported(
    lab: Lab, overflow_token: str, status: int, body: dict[str, Any]
) -> None:
    lab.fault("vcenter", "status", method="POST", status=status, body=body)

    message = register(lab, overflow_token, expanded="another")["msg"]

    assert f"the server returned status {status}, code string, 'string'" in message
