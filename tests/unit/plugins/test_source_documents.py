# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request, reply and error example of the vendors' pages that the project began from, as data.

The pages: vRealize Network Insight "Create" (auth token); NSX VMC policy "Renew Auth Tokens For Policy Service";
vSphere Automation "Vcenter RegisteredTokens create"; Avi "POST /securechanneltoken".
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._operations.avi_securechanneltoken import (
    AviSecurechanneltoken,
)
from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_reauth import NsxServiceReauth
from ansible_collections.sddc.tokens.plugins.module_utils._operations.vcenter_registered_token import (
    VcenterRegisteredToken,
)
from ansible_collections.sddc.tokens.plugins.module_utils._operations.vrni_auth_token import VrniAuthToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated

if TYPE_CHECKING:
    from lab.client import Lab

VRNI_REQUEST = {
    "username": "admin@vrni.com",
    "password": "password",
    "domain": {"domain_type": "LDAP", "value": "example.com"},
}
VRNI_REPLY = {"token": "Mgs2YX0ZSY+gHW6RYypeeA==", "expiry": 1605201960327}
VRNI_ERROR = {
    "code": 0,
    "message": "string",
    "details": [{"code": 0, "message": "string", "target": ["string"]}],
}
VRNI_HEADER = "NetworkInsight Mgs2YX0ZSY+gHW6RYypeeA=="

NSX_REQUEST = (
    "POST /policy/api/v1/infra/tier-0s/{tier-0-id}/locale-services/{locale-service-id}"
    "/service-instances/{service-instance-id}?action=reauth"
)
NSX_ERRORS = (400, 403, 404, 412, 500, 503)

VCENTER_REQUEST = {"expanded_access_token": "string"}
VCENTER_PARAMS = {
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
VCENTER_ERROR = {
    "messages": [
        {
            "id": "string",
            "default_message": "string",
            "args": ["string"],
            "params": VCENTER_PARAMS,
            "localized": "string",
        }
    ],
    "data": {},
    "error_type": "string",
}
VCENTER_CHALLENGE = (
    'SIGN realm="27da1358-2ba4-11e9-b210-d663bd873d93",sts="http://vcenter/sso?vsphere.local", Basic realm="vCenter"'
)

AVI_OBJECT = {
    "_last_modified": "string",
    "expiry_time": "number",
    "in_use": False,
    "metadata": [{"key": "string", "val": "string"}],
    "name": "string",
    "url": "string",
    "uuid": "string",
}


def run(operation: Any, lab: Lab, **options: Any) -> dict[str, Any]:
    validated = Validated(operation, {"ca_path": lab.ca_path, "retries": 0, **options})
    assert validated.error is None
    return execute(operation, validated.params, Runtime())


def vrni(lab: Lab, **options: Any) -> dict[str, Any]:
    user = {
        "username": VRNI_REQUEST["username"],
        "password": VRNI_REQUEST["password"],
        "domain_type": "LDAP",
        "domain": "example.com",
    }
    return run(VrniAuthToken, lab, hostname=lab["vrni"]["url"], **{**user, **options})


# vRealize Network Insight


def test_the_example_request_for_an_auth_token_is_what_is_sent(lab: Lab) -> None:
    vrni(lab)

    (request,) = lab.requests("vrni")
    assert request.line == "POST /api/ni/auth/token"
    assert json.loads(request.body) == VRNI_REQUEST


def test_the_example_reply_is_a_token_whose_past_expiry_in_milliseconds_is_not_believed(lab: Lab) -> None:
    lab.fault("vrni", "status", status=200, body=VRNI_REPLY)

    result = vrni(lab, verify=False)

    assert (result["token"], result["headers"]) == (VRNI_REPLY["token"], {"Authorization": VRNI_HEADER})
    assert result["expires_at"] is None
    assert "returned no usable expiry" in result["warnings"][0]


@pytest.mark.parametrize("unit", [1, 1000])
def test_the_example_reply_with_an_expiry_to_come_is_read_in_seconds_and_in_milliseconds(lab: Lab, unit: int) -> None:
    expiry = int(time.time() + 18000) * unit
    lab.fault("vrni", "status", status=200, body={**VRNI_REPLY, "expiry": expiry})

    assert 17700 <= vrni(lab, verify=False)["expires_in"] <= 18001


def test_every_request_with_the_example_token_has_the_documented_header(lab: Lab) -> None:
    vrni(lab, token=VRNI_REPLY["token"], state="absent")

    assert [request.header("Authorization") for request in lab.requests("vrni")] == [VRNI_HEADER]


@pytest.mark.parametrize(("status", "body"), [(400, VRNI_ERROR), (401, ""), (500, "")])
def test_each_documented_error_of_the_creation_is_told(lab: Lab, status: int, body: Any) -> None:
    lab.fault("vrni", "status", status=status, body=body)

    message = vrni(lab)["msg"]

    assert f"the server answered {status}" in message
    assert ("'string; string'" in message) == bool(body)
    assert ("100 valid tokens" in message) == (status == 401)


# NSX


@pytest.fixture
def jwts(lab: Lab) -> dict[str, str]:
    """Tokens that the lab's NSX accepts."""
    import requests

    url = f"{lab['csp']['url']}/csp/gateway/am/api/auth/api-tokens/authorize"
    reply: dict[str, str] = requests.post(
        url, data={"api_token": lab["csp"]["api_token"]}, verify=lab.ca_path, timeout=30
    ).json()
    return {"access_token": reply["access_token"], "open_id_token": reply["id_token"]}


def reauth(lab: Lab, jwts: Mapping[str, str]) -> dict[str, Any]:
    return run(
        NsxServiceReauth,
        lab,
        hostname=lab["nsx"]["url"],
        tier0_id="T0-main",
        locale_service_id="default",
        service_instance_id="partner-fw-01",
        force=True,
        **jwts,
    )


def test_the_documented_request_renews_the_tokens_with_both_headers(lab: Lab, jwts: dict[str, str]) -> None:
    assert reauth(lab, jwts)["changed"]

    (request,) = lab.requests("nsx")
    ids = {"{tier-0-id}": "T0-main", "{locale-service-id}": "default", "{service-instance-id}": "partner-fw-01"}
    expected = NSX_REQUEST
    for placeholder, value in ids.items():
        expected = expected.replace(placeholder, value)
    assert (request.line, request.body, request.status) == (expected, "", 200)
    assert request.header("Authorization") == f"Bearer {jwts['access_token']}"
    assert request.header("X-NSX-OpenId") == jwts["open_id_token"]


@pytest.mark.parametrize("status", NSX_ERRORS)
def test_each_documented_error_of_the_renewal_is_told(lab: Lab, jwts: dict[str, str], status: int) -> None:
    lab.fault("nsx", "status", status=status, body={"error_code": 98, "error_message": "so it says"})

    result = reauth(lab, jwts)

    assert f"the server answered {status}, code 98, 'so it says'" in result["msg"]
    assert result["instances"][0]["error"] == result["msg"]


# vCenter


@pytest.fixture
def overflow_token(lab: Lab) -> str:
    import requests

    url = f"{lab['vidb']['url']}/acs/t/{lab['vidb']['tenant']}/token"
    form = {"grant_type": "urn:custom:vcf:params:oauth:grant-type:api-token", "api_token": lab["vidb"]["api_token"]}
    return str(requests.post(url, data=form, verify=lab.ca_path, timeout=30).json()["access_token"])


def register(lab: Lab, token: str, expanded: str = VCENTER_REQUEST["expanded_access_token"]) -> dict[str, Any]:
    return run(
        VcenterRegisteredToken,
        lab,
        hostname=lab["vcenter"]["url"],
        access_token=token,
        expanded_access_token=expanded,
    )


def test_the_example_specification_is_what_is_sent_signed_with_the_overflow_token(
    lab: Lab, overflow_token: str
) -> None:
    register(lab, overflow_token)

    (request,) = [request for request in lab.requests("vcenter") if request.method == "POST"]
    assert request.line == "POST /api/vcenter/registered-tokens"
    assert json.loads(request.body) == VCENTER_REQUEST
    assert request.header("Authorization") == f"Bearer {overflow_token}"
    assert request.header("Content-Type") == "application/json"


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, VCENTER_ERROR), (401, {**VCENTER_ERROR, "challenge": VCENTER_CHALLENGE}), (500, VCENTER_ERROR)],
)
def test_each_example_error_of_the_registration_is_told(
    lab: Lab, overflow_token: str, status: int, body: dict[str, Any]
) -> None:
    lab.fault("vcenter", "status", method="POST", status=status, body=body)

    message = register(lab, overflow_token, expanded="another")["msg"]

    assert f"the server answered {status}, code string, 'string'" in message


# Avi


def test_the_example_object_is_created_found_and_compared(lab: Lab) -> None:
    avi = lab["avi"]
    options = {
        "hostname": avi["url"],
        "username": avi["username"],
        "password": avi["password"],
        "name": AVI_OBJECT["name"],
        "metadata": AVI_OBJECT["metadata"],
        "expiry_time": time.time() + 3600,
    }

    first, second = (run(AviSecurechanneltoken, lab, **options) for _time in range(2))

    (created,) = [request for request in lab.requests("avi") if request.line == "POST /api/securechanneltoken"]
    assert json.loads(created.body) == {
        "name": "string",
        "metadata": [{"key": "string", "val": "string"}],
        "expiry_time": options["expiry_time"],
    }
    assert created.header("X-Avi-Version") == avi["api_version"]
    assert created.header("X-CSRFToken")
    assert (first["action"], second["action"]) == ("created", "none")
    assert set(AVI_OBJECT) - {"expiry_time", "_last_modified"} <= set(first)


def test_an_object_of_the_example_itself_is_read_though_its_numbers_are_words(lab: Lab) -> None:
    avi = lab["avi"]
    body = {"count": 1, "results": [AVI_OBJECT]}
    lab.fault("avi", "status", method="GET", path="/securechanneltoken", status=200, body=body)

    result = run(
        AviSecurechanneltoken,
        lab,
        hostname=avi["url"],
        username=avi["username"],
        password=avi["password"],
        name="string",
    )

    assert (result["changed"], result["expires_at"]) == (False, None)
    assert result["metadata"] == {"string": "string"}


def test_a_log_in_that_failed_is_told(lab: Lab) -> None:
    avi = lab["avi"]

    result = run(
        AviSecurechanneltoken, lab, hostname=avi["url"], username=avi["username"], password="wrong", name="string"
    )

    assert "the server answered 401" in result["msg"]
    assert "Check username and password" in result["msg"]
