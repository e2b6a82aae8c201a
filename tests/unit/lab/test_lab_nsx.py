# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's NSX behaves as the vendor's pages say."""

from __future__ import annotations

import concurrent.futures
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

import pytest
import requests

from ansible_collections.sddc.tokens.tests.unit.lab.csp_client import Csp
from lab.client import LabError

if TYPE_CHECKING:
    from lab.client import Lab


class Nsx:
    """A client of NSX."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.details, self.http = lab["nsx"], http
        self.infra = f"{self.details['url']}/policy/api/v1/infra"
        self.basic = (self.details["username"], self.details["password"])
        self.instance = "/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.http.get(self.infra + path, **{"auth": self.basic, **more})

    def reauth(self, tokens: dict[str, Any], path: str | None = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {tokens['access_token']}", "X-NSX-OpenId": tokens["id_token"]}
        url = f"{self.infra}{path or self.instance}?action=reauth"
        return self.http.post(url, **{"headers": headers, **more})


@pytest.fixture
def csp(lab: Lab, http: requests.Session) -> Csp:
    return Csp(lab, http)


@pytest.fixture
def nsx(lab: Lab, http: requests.Session) -> Nsx:
    return Nsx(lab, http)


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def wait_until(condition, seconds=120.0):
    """Poll a product that offers no event to wait for, as its clients must."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_listings_have_pages_and_a_count_on_the_first_only(lab, nsx):
    lab.act("nsx", "add_service_instances", host="127.0.0.1", ids=[f"n{number}" for number in range(5)])
    path = nsx.instance.rsplit("/", 1)[0]
    first = nsx.get(path, params={"page_size": 4}).json()
    assert first["result_count"] == 9
    found, page = first["results"], first
    while "cursor" in page:
        page = nsx.get(path, params={"page_size": 4, "cursor": page["cursor"]}).json()
        assert "result_count" not in page
        found += page["results"]
    assert len({one["id"] for one in found}) == 9


def test_last_page_may_be_marked_with_zeros(lab, nsx):
    lab.change_settings("nsx", last_cursor="zeros")
    assert nsx.get("/tier-0s").json()["cursor"].startswith("0000")


@pytest.mark.parametrize("size", ["0", "1001", "x"])
def test_page_size_out_of_range_is_refused(nsx, size):
    assert nsx.get("/tier-0s", params={"page_size": size}).status_code == 400


def test_service_instance_can_be_read_alone_with_its_password_attribute(lab, nsx):
    instance = nsx.get(nsx.instance).json()
    assert instance["path"] == f"/infra{nsx.instance}"
    password = next(one["value"] for one in instance["attributes"] if one["attribute_type"] == "PASSWORD")
    assert password in {secret["value"] for secret in lab.secrets()}


@pytest.mark.parametrize("name", ["a/b", "a?b", "a#b", "a b", "a%2Fb", "ä;=&+"])
def test_reserved_characters_are_encoded_in_one_segment(lab, csp, nsx, name):
    lab.act("nsx", "add_service_instances", host="127.0.0.1", ids=[name])
    path = f"{nsx.instance.rsplit('/', 1)[0]}/{urllib.parse.quote(name, safe='')}"
    assert nsx.get(path).json()["id"] == name
    assert nsx.reauth(csp.authorize().json(), path).status_code == 200


@pytest.mark.parametrize("more", [{}, {"json": {}}])
def test_reauthentication_accepts_both_tokens_and_no_body(lab, csp, nsx, more):
    response = nsx.reauth(csp.authorize().json(), **more)
    assert (response.status_code, response.content) == (200, b"")
    assert lab.counts("nsx")["reauths"] == 1


def test_reauthentication_without_valid_tokens_is_refused(lab, csp, nsx):
    tokens = csp.authorize().json()
    access, identity = tokens["access_token"], tokens["id_token"]
    assert nsx.reauth(tokens, headers=bearer(tokens)).status_code == 400
    assert nsx.reauth({"access_token": identity, "id_token": access}).status_code == 401
    assert nsx.reauth({"access_token": access, "id_token": access}).status_code == 401
    assert nsx.reauth({"access_token": access + "x", "id_token": identity}).status_code == 401
    assert nsx.reauth(tokens, headers={"X-NSX-OpenId": identity}, auth=nsx.basic).status_code == 403
    assert lab.counts("nsx")["reauths"] == 0


@pytest.mark.parametrize("status", [401, 403])
def test_expired_jwt_is_refused_as_the_release_does(lab, csp, nsx, status):
    lab.change_settings("nsx", jwt_refused_status=status)
    tokens = csp.authorize().json()
    lab.expire_tokens("csp")
    response = nsx.reauth(tokens)
    assert (response.status_code, response.json()["error_code"]) == (status, 403)


def test_jwt_expires_by_the_managers_own_clock(lab, csp, nsx):
    tokens = csp.authorize().json()
    lab.change_settings("nsx", clock_offset=1801)
    assert nsx.reauth(tokens).status_code == 401


def test_jwt_alarms_clear_some_time_after_a_reauthentication_and_others_stay(lab, csp, nsx):
    lab.change_settings("nsx", alarm_clear_delay=2)

    def complaints():
        alarms = nsx.get("/realized-state/alarms").json()["results"]
        return [one for one in alarms if f"/infra{nsx.instance}" in one["intent_paths"]]

    assert "JWT" in complaints()[0]["message"]
    nsx.reauth(csp.authorize().json())
    assert complaints(), "not at once"
    wait_until(lambda: not complaints())
    assert lab.counts("nsx")["alarms"] == 2
    resolved = nsx.http.get(f"{nsx.details['url']}/api/v1/alarms?status=RESOLVED", auth=nsx.basic).json()
    assert resolved["result_count"] == 1


def test_default_inventory_has_two_jwt_alarms_in_two_forms_and_another(nsx):
    alarms = nsx.get("/realized-state/alarms", params={"page_size": 2}).json()
    assert alarms["result_count"] == 3
    in_message, in_details = alarms["results"]
    assert "JWT" in in_message["message"]
    assert in_message["source_reference"] == in_message["intent_paths"][0]
    assert "JWT" in in_details["error_details"]["error_message"]
    assert in_details["source_reference"] != in_details["intent_paths"][0]


@pytest.mark.parametrize("size", ["0", "1001", "x", "²", "9" * 5000])
def test_page_of_size_zero_is_a_400(nsx, size):
    assert nsx.get("/tier-0s", params={"page_size": size}).status_code == 400


def test_manager_alarms_are_filtered(nsx):
    def count(**query):
        response = nsx.http.get(f"{nsx.details['url']}/api/v1/alarms", params=query, auth=nsx.basic)
        return response.json()["result_count"]

    path = f"/infra{nsx.instance}"
    assert (count(), count(intent_path=path), count(severity="MEDIUM,LOW")) == (3, 1, 1)
    other = path.replace("default", "edge-east").replace("01", "02")
    assert (count(intent_path=f"{path},{other}"), count(id="nonesuch")) == (2, 0)
    assert (count(status="RESOLVED"), count(after=int(time.time() * 1000) + 60_000)) == (0, 0)


def test_realization_reports_errors(nsx):
    def status(path):
        return nsx.get("/realized-state/status", params={"intent_path": path}).json()["publish_status"]

    assert status(f"/infra{nsx.instance}") == "ERROR"
    assert status(f"/infra{nsx.instance.replace('01', '04')}") == "REALIZED"


def test_behind_the_vmc_proxy_there_are_no_alarms(lab, csp, nsx):
    tokens, base = csp.authorize().json(), nsx.details["proxy_url"]
    for path in ("/policy/api/v1/infra/realized-state/alarms", "/api/v1/alarms"):
        assert nsx.http.get(base + path, headers=bearer(tokens)).status_code == 404
    listing = nsx.http.get(f"{base}/policy/api/v1/infra/tier-0s", headers={**bearer(tokens), "csp-auth-token": "x"})
    assert listing.status_code == 200
    assert lab.counts("nsx")["without_csp_auth_token"] == 2


def test_session_requires_its_xsrf_token_and_is_counted_until_destroyed(lab, nsx):
    form = {"j_username": nsx.basic[0], "j_password": nsx.basic[1]}
    opened = nsx.http.post(f"{nsx.details['url']}/api/session/create", data=form)
    xsrf = {"X-XSRF-TOKEN": opened.headers["X-XSRF-TOKEN"]}
    assert lab.counts("nsx")["sessions_open"] == 1
    assert nsx.get("/tier-0s", auth=None, headers=xsrf).status_code == 200
    assert nsx.get("/tier-0s", auth=None).json()["error_code"] == 98
    assert nsx.http.post(f"{nsx.details['url']}/api/session/destroy", headers=xsrf).status_code == 200
    assert lab.counts("nsx")["sessions_open"] == 0
    assert nsx.get("/tier-0s", auth=None, headers=xsrf).status_code == 403


def test_client_certificate_authenticates_for_reading(nsx):
    certificate = (nsx.details["client_cert"], nsx.details["client_key"])
    assert nsx.get("/tier-0s", auth=None, cert=certificate).status_code == 200
    assert nsx.get("/tier-0s", auth=None).status_code == 403


def test_wrong_credentials_are_a_403(nsx):
    for auth in (("admin", "wrong"), None):
        response = nsx.get("/tier-0s", auth=auth)
        assert (response.status_code, response.json()["error_code"]) == (403, 403)


def test_too_many_requests_in_one_second_are_a_429(lab, nsx):
    lab.change_settings("nsx", rate_limit=3)
    response = [nsx.get("/tier-0s") for _number in range(4)][-1]
    assert response.status_code == 429
    assert response.json()["error_code"] == "102"
    assert response.json()["error_message"] == "Client 'admin' exceeded request rate of 3 per second"


def test_too_many_concurrent_requests_are_refused_and_the_maximum_is_recorded(lab, csp, nsx):
    lab.change_settings("nsx", concurrency_limit=2, reauth_seconds=2)
    tokens = csp.authorize().json()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda _number: nsx.reauth(tokens), range(4)))
    assert sorted(response.status_code for response in responses) == [200, 200, 503, 503]
    assert lab.counts("nsx")["peak_concurrency"] == 2


def test_unknown_path_is_a_404_or_a_400(lab, nsx):
    assert nsx.get("/nonesuch").status_code == 404
    lab.change_settings("nsx", unknown_path_status=400)
    response = nsx.get("/nonesuch")
    assert (response.status_code, response.json()["error_code"]) == (400, 500012)
    assert nsx.get(f"{nsx.instance}x").status_code == 404, "an unknown object is not an unknown path"


def test_invalid_requests_get_an_api_error(csp, nsx):
    tokens = csp.authorize().json()
    responses = [
        nsx.http.post(nsx.infra + nsx.instance, headers=bearer(tokens)),
        nsx.reauth(tokens, data="{"),
        nsx.reauth(tokens, data="[1]"),
        nsx.get("/tier-0s", params={"cursor": "zz"}),
        nsx.get("/realized-state/status"),
    ]
    for response in responses:
        assert response.status_code == 400
        assert set(response.json()) >= {"httpStatus", "error_code", "module_name", "error_message"}
    assert nsx.http.delete(f"{nsx.infra}/tier-0s", auth=nsx.basic).status_code == 405


def test_manager_without_the_operation_returns_404(lab, csp, nsx):
    lab.change_settings("nsx", reauth_api=False)
    assert nsx.reauth(csp.authorize().json()).status_code == 404


def test_sessions_are_known_as_secrets(lab, nsx):
    form = {"j_username": nsx.basic[0], "j_password": nsx.basic[1]}
    session = nsx.http.post(f"{nsx.details['url']}/api/session/create", data=form)
    made = {session.cookies["JSESSIONID"], session.headers["X-XSRF-TOKEN"]}
    assert made <= {secret["value"] for secret in lab.secrets()}


def test_invalid_action_is_explained(lab):
    with pytest.raises(LabError, match="known actions: add_service_instances"):
        lab.act("nsx", "nonesuch")
    with pytest.raises(LabError, match="missing: host, paths"):
        lab.act("nsx", "raise_alarms")
