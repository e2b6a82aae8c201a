# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Avi controller works with avisdk.

The client does not use `initial-data` and does not escape `/`, `?` or `#` in an id. It stores a changed CSRF token but
does not use it, and signs in again instead (`rotate_csrf`).
"""

# Requires --no-binary avisdk avisdk==32.1.4

from __future__ import annotations

import base64
import time
import urllib.parse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from avi.sdk.avi_api import APIError, ApiSession, AviServerError, ObjectNotFound

if TYPE_CHECKING:
    from lab.client import Lab

TYPE = "securechanneltoken"
UUID = "5d77b7e6-309e-4400-a27a-884c4c13162f"
OPERATIONS: dict[str, Callable[[ApiSession], Any]] = {
    "list": lambda api: api.get(TYPE),
    "get": lambda api: api.get(f"{TYPE}/{UUID}"),
    "create": lambda api: api.post(TYPE, data={"name": "other"}),
    "update": lambda api: api.put(f"{TYPE}/{UUID}", data={"name": "se-01"}),
    "patch": lambda api: api.patch(f"{TYPE}/{UUID}", data={"replace": {"expiry_time": 1893456000.5}}),
    "delete": lambda api: api.delete(f"{TYPE}/{UUID}"),
    "cloud": lambda api: api.get("cloud"),
    "cluster": lambda api: api.get("cluster"),
}


def avi_session(lab: Lab, **more: Any) -> ApiSession:
    """Sign in with avisdk, in a session of its own."""
    details = lab["avi"]
    url = urllib.parse.urlsplit(details["url"])
    # By default, avisdk shares one session between all clients of the same user.
    ApiSession.clear_cached_sessions()
    return ApiSession(**{
        "controller_ip": url.hostname,
        "port": url.port,
        "username": details["username"],
        "password": details["password"],
        "tenant": details["tenant"],
        "api_version": details["api_version"],
        "verify": lab.ca_path,
        **more,
    })  # fmt: skip


@pytest.fixture
def api(lab: Lab) -> ApiSession:
    """The vendor's client, signed in."""
    return avi_session(lab)


@pytest.fixture
def made(api: ApiSession) -> dict[str, Any]:
    """An existing object."""
    metadata = [{"key": "a", "val": "1"}]
    body = {"name": "se-01", "expiry_time": time.time() + 3600, "metadata": metadata}
    item: dict[str, Any] = api.post(TYPE, data=body, force_uuid=UUID).json()
    return item


# --- Signing in and out ----------------------------------------------------------------------------------------------


def test_sign_in_opens_a_session_and_returns_the_version(lab: Lab, api: ApiSession) -> None:
    assert api.remote_api_version["Version"] == lab["avi"]["api_version"]
    assert lab.counts("avi")["sessions_open"] == 1


def test_sign_out_ends_the_session(lab: Lab, api: ApiSession) -> None:
    assert api.post("logout").status_code == 200
    assert lab.counts("avi")["sessions_open"] == 0


def test_wrong_password_is_a_401(lab: Lab) -> None:
    with pytest.raises(APIError, match="Status Code 401"):
        avi_session(lab, password="wrong")


def test_existing_session_is_used(lab: Lab, api: ApiSession) -> None:
    another = avi_session(lab, username=None, password=None, **api.get_context())
    assert another.post(TYPE, data={"name": "x"}).status_code == 201
    assert lab.counts("avi")["sessions_opened"] == 1


def test_basic_authentication_needs_no_session_where_the_controller_allows_it(lab: Lab) -> None:
    lab.change_settings("avi", basic_auth=True)
    pair = base64.b64encode(f"{lab['avi']['username']}:{lab['avi']['password']}".encode()).decode()
    api = avi_session(lab, user_hdrs={"Authorization": f"Basic {pair}"})
    assert api.post(TYPE, data={"name": "x"}).status_code == 201
    assert lab.counts("avi")["sessions_opened"] == 0


@pytest.mark.parametrize("status", [401, 419])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_ended_session_is_opened_again(
    lab: Lab, api: ApiSession, made: dict[str, Any], operation: str, status: int
) -> None:
    lab.change_settings("avi", session_refused_status=status)
    lab.act("avi", "end_sessions", host="127.0.0.1")
    assert OPERATIONS[operation](api).ok
    assert [entry.status for entry in lab.requests("avi")][-3:-1] == [status, 200]


def test_refused_csrf_token_is_a_401_and_the_client_signs_in_again(lab: Lab, api: ApiSession) -> None:
    lab.change_settings("avi", rotate_csrf=True)
    assert [api.post(TYPE, data={"name": f"x{number}"}).status_code for number in range(3)] == [201, 201, 201]
    assert lab.counts("avi")["sessions_opened"] == 3, "it stores the new CSRF token and does not use it"


# --- Objects ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201])
def test_create_returns_the_location_of_the_object(lab: Lab, api: ApiSession, status: int) -> None:
    lab.change_settings("avi", post_status=status)
    response = api.post(TYPE, data={"name": "se-01"})
    assert response.status_code == status
    assert (
        api.get_slug_from_uri(response.headers["Location"])
        == response.json()["uuid"]
        == api.get_obj_uuid(response.json())
    )


def test_create_accepts_a_requested_uuid(api: ApiSession) -> None:
    assert api.post(TYPE, data={"name": "x"}, force_uuid="chosen-uuid").json()["uuid"] == "chosen-uuid"


def test_object_is_found_by_uuid_and_by_name(api: ApiSession, made: dict[str, Any]) -> None:
    assert api.get(f"{TYPE}/{UUID}").json() == api.get_object_by_name(TYPE, "se-01") == made


def test_unknown_name_is_not_found(api: ApiSession) -> None:
    assert api.get_object_by_name(TYPE, "nonesuch") is None


def test_update_replaces_the_whole_object(api: ApiSession, made: dict[str, Any]) -> None:
    response = api.put_by_name(TYPE, "se-01", data={"name": "se-02"})
    assert (response.status_code, response.json()["name"], response.json().get("metadata", [])) == (200, "se-02", [])


def test_patch_adds_replaces_and_deletes(api: ApiSession, made: dict[str, Any]) -> None:
    pair = {"key": "b", "val": "2"}
    added = api.patch(f"{TYPE}/{UUID}", data={"add": {"metadata": [pair]}})
    assert (added.status_code, added.json()["metadata"]) == (200, [*made["metadata"], pair])
    replaced = api.patch(f"{TYPE}/{UUID}", data={"replace": {"expiry_time": 1893456000.5}})
    assert replaced.json()["expiry_time"] == 1893456000.5
    deleted = api.patch(f"{TYPE}/{UUID}", data={"delete": {"metadata": [pair]}})
    assert deleted.json()["metadata"] == made["metadata"]


def test_delete_by_name_removes_the_object(api: ApiSession, made: dict[str, Any]) -> None:
    assert api.delete_by_name(TYPE, "se-01").status_code == 204
    assert api.get(TYPE).count() == 0


def test_listing_is_read_page_by_page(lab: Lab, api: ApiSession) -> None:
    for number in range(7):
        api.post(TYPE, data={"name": f"se-{number}"})
    names = [item["name"] for item in api.get_objects_iter(TYPE, params={"page_size": 3})]
    assert names == [f"se-{number}" for number in range(7)]
    page = api.get(TYPE, params={"page_size": 3, "fields": "name"}).json()
    assert (page["count"], set(page["results"][0])) == (7, {"name", "url", "uuid"})
    assert page["next"].startswith(f"{lab['avi']['url']}/api/")


def test_each_tenant_has_its_own_objects(api: ApiSession) -> None:
    tenant = api.get_object_by_name("tenant", "lab")
    api.post(TYPE, data={"name": "mine"}, tenant="lab")
    assert api.get_object_by_name(TYPE, "mine") is None
    assert api.get_object_by_name(TYPE, "mine", tenant="lab")["name"] == "mine"
    assert api.get_object_by_name(TYPE, "mine", tenant_uuid=tenant["uuid"])["name"] == "mine"


def test_engine_token_is_returned_as_the_vendors_roles_expect_it(lab: Lab, api: ApiSession) -> None:
    cloud = api.get_object_by_name("cloud", lab["avi"]["cloud"])
    cluster = api.get("cluster").json()
    assert api.get("cluster/status").json()["node_info"]["cluster_uuid"] == cluster["uuid"]
    token = api.get("securetoken-generate", params={"cloud_uuid": cloud["uuid"]}).json()["auth_token"]
    entry = api.get(f"{TYPE}/{token}").json()
    assert entry["name"] == entry["uuid"] == token
    pairs = {pair["key"]: pair["val"] for pair in entry["metadata"]}
    assert pairs == {"tenant_uuid": "admin", "cloud_uuid": cloud["uuid"]}


# --- Errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, APIError), (403, APIError), (404, ObjectNotFound), (409, APIError), (412, APIError), (500, AviServerError)],
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_documented_error_is_read(
    lab: Lab, api: ApiSession, operation: str, status: int, error: type[Exception]
) -> None:
    lab.fault("avi", "status", status=status, body={"error": "refused for a reason"})
    with pytest.raises(error, match=f"HTTP Error: {status} .*refused for a reason"):
        OPERATIONS[operation](api).json()


@pytest.mark.parametrize("operation", ["get", "update", "patch", "delete"])
def test_missing_object_is_a_404(api: ApiSession, operation: str) -> None:
    assert OPERATIONS[operation](api).status_code == 404


@pytest.mark.parametrize("operation", OPERATIONS)
def test_controller_during_an_upgrade_returns_a_403(
    lab: Lab, api: ApiSession, made: dict[str, Any], operation: str
) -> None:
    lab.change_settings("avi", upgrading=True)
    assert OPERATIONS[operation](api).status_code == 403


def test_update_of_an_outdated_object_is_a_412(api: ApiSession, made: dict[str, Any]) -> None:
    assert api.put(f"{TYPE}/{UUID}", data=made).status_code == 200
    assert api.put(f"{TYPE}/{UUID}", data=made).status_code == 412


def test_duplicate_uuid_is_a_409(api: ApiSession, made: dict[str, Any]) -> None:
    assert api.post(TYPE, data={"name": "other"}, force_uuid=UUID).status_code == 409


def test_duplicate_name_is_a_409_where_names_are_unique(lab: Lab, api: ApiSession, made: dict[str, Any]) -> None:
    lab.change_settings("avi", unique_names=True)
    assert api.post(TYPE, data={"name": "se-01"}).status_code == 409


def test_object_without_a_name_is_a_400(api: ApiSession) -> None:
    assert api.post(TYPE, data={"metadata": []}).status_code == 400


def test_page_of_more_than_200_is_a_400(api: ApiSession) -> None:
    assert api.get(TYPE, params={"page_size": 201}).status_code == 400


def test_unknown_tenant_is_a_404(api: ApiSession) -> None:
    assert api.get(TYPE, tenant="nonesuch").status_code == 404


def test_version_newer_than_the_controller_is_refused_with_the_text_that_the_client_expects(api: ApiSession) -> None:
    with pytest.raises(AviServerError, match="Invalid version"):
        api.get_object_by_name(TYPE, "x", api_version="99.1.1")


def test_field_of_a_newer_version_is_a_400(api: ApiSession) -> None:
    response = api.post(TYPE, data={"name": "x", "in_use": False}, api_version="20.1.1")
    with pytest.raises(APIError, match=r"HTTP Error: 400 .*has field in_use introduced in later versions"):
        response.json()
