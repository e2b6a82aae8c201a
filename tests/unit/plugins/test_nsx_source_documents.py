# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request, response and error example of the vendor's page with which the project began, as data.

The page: NSX VMC policy "Renew Auth Tokens For Policy Service".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
import requests

from products.nsx import INSTANCE, MODULE
from support.in_process import done
from support.kit import Job

if TYPE_CHECKING:
    from lab.client import Lab

REQUEST = (
    "POST /policy/api/v1/infra/tier-0s/{tier-0-id}/locale-services/{locale-service-id}"
    "/service-instances/{service-instance-id}?action=reauth"
)
ERRORS = (400, 403, 404, 412, 500, 503)


@pytest.fixture
def jwts(lab: Lab) -> dict[str, str]:
    """Tokens that the lab's NSX accepts."""
    url = f"{lab['csp']['url']}/csp/gateway/am/api/auth/api-tokens/authorize"
    response: dict[str, str] = requests.post(
        url, data={"api_token": lab["csp"]["api_token"]}, verify=lab.ca_path, timeout=30
    ).json()
    return {"access_token": response["access_token"], "open_id_token": response["id_token"]}


def reauth(lab: Lab, jwts: Mapping[str, str]) -> dict[str, Any]:
    job = Job(
        MODULE, lambda details, _file: {"hostname": details["nsx"]["url"], **INSTANCE, "force": True, "retries": 0}
    )
    return done(job, lab.details, **jwts).result


def test_the_documented_request_renews_the_tokens_with_both_headers(lab: Lab, jwts: dict[str, str]) -> None:
    assert reauth(lab, jwts)["changed"]

    (request,) = lab.requests("nsx")
    ids = {"{tier-0-id}": "T0-main", "{locale-service-id}": "default", "{service-instance-id}": "partner-fw-01"}
    expected = REQUEST
    for placeholder, value in ids.items():
        expected = expected.replace(placeholder, value)
    assert (request.line, request.body, request.status) == (expected, "", 200)
    assert request.header("Authorization") == f"Bearer {jwts['access_token']}"
    assert request.header("X-NSX-OpenId") == jwts["open_id_token"]


@pytest.mark.parametrize("status", ERRORS)
def test_each_documented_error_of_the_renewal_is_reported(lab: Lab, jwts: dict[str, str], status: int) -> None:
    lab.fault("nsx", "status", status=status, body={"error_code": 98, "error_message": "so it says"})

    result = reauth(lab, jwts)

    assert f"the server returned status {status}, code 98, 'so it says'" in result["msg"]
    assert result["instances"][0]["error"] == result["msg"]
