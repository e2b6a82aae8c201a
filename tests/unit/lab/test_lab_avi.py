# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Avi controller behaves as the vendor's pages and client say."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests

from lab.client import LabError

if TYPE_CHECKING:
    from lab.client import Lab

METADATA = [{"key": "tenant_uuid", "val": "admin"}, {"key": "cloud_uuid", "val": "cloud-1"}]
CSRF = (401, "CSRF token missing or incorrect.")


class Avi:
    """A client of an Avi controller, signed in or not."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.details, self.http, self.url = lab["avi"], http, lab["avi"]["url"]
        self.headers = {"X-Avi-Version": self.details["api_version"], "Referer": self.url}
        self.tokens = "/api/securechanneltoken"

    def login(self, **more: Any) -> requests.Response:
        form = {"username": self.details["username"], "password": self.details["password"]}
        response = self.http.post(f"{self.url}/login", **{"data": form, **more})
        self.headers["X-CSRFToken"] = self.http.cookies.get("csrftoken", "")
        return response

    def call(self, method: str, path: str, body: Any = None, /, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return self.http.request(method, self.url + path, json=body, headers=headers, **more)

    def create(self, **fields: Any) -> requests.Response:
        return self.call("POST", self.tokens, fields)


@pytest.fixture
def avi(lab: Lab, http: requests.Session) -> Avi:
    """Return a client that has signed in."""
    client = Avi(lab, http)
    client.login()
    return client


def said(response):
    return (response.status_code, response.text)


# Signing in.


def test_sign_in_returns_version_and_cookies_and_sign_out_ends_the_session(lab, avi):
    response = avi.login()
    assert response.json()["version"]["Version"] == avi.details["api_version"]
    assert {"csrftoken", "sessionid", response.json()["session_cookie_name"]} <= set(avi.http.cookies.keys())
    assert lab.counts("avi")["sessions_open"] == 2
    assert avi.call("POST", "/logout").status_code == 200
    assert avi.call("GET", avi.tokens).status_code == 401
    assert (lab.counts("avi")["sessions_open"], lab.counts("avi")["sessions_opened"]) == (1, 2)


def test_sign_in_accepts_json_and_refuses_a_wrong_password(lab, avi):
    good = {"username": avi.details["username"], "password": avi.details["password"]}
    assert avi.login(data=None, json=good).status_code == 200
    assert said(avi.login(data={**good, "password": "wrong"})) == (401, '{"error": "Invalid credentials"}')
    assert lab.counts("avi")["logins_refused"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"X-CSRFToken": "wrong"},
        {"Referer": ""},
        {"Referer": "https://elsewhere.example"},
        {"Referer": "http://127.0.0.1"},
        {"Referer": "https://[bad"},
    ],
)
def test_a_write_requires_csrf_token_and_referer_and_a_read_does_not(lab, avi, wrong):
    assert said(avi.call("POST", avi.tokens, {"name": "x"}, headers=wrong)) == CSRF
    assert said(avi.call("POST", "/logout", headers=wrong)) == CSRF
    assert avi.call("GET", avi.tokens, headers=wrong).json()["count"] == 0
    assert lab.counts("avi")["sessions_open"] == 1


def test_csrf_token_may_change_with_every_write(lab, avi):
    lab.change_settings("avi", rotate_csrf=True)
    assert avi.create(name="a").status_code == 201
    assert said(avi.create(name="b")) == CSRF
    avi.headers["X-CSRFToken"] = avi.http.cookies["csrftoken"]
    assert avi.create(name="b").status_code == 201


@pytest.mark.parametrize("status", [401, 419])
def test_idle_session_expires(lab, avi, status):
    lab.change_settings("avi", session_timeout=0.2, session_refused_status=status)
    time.sleep(0.3)
    assert avi.call("GET", avi.tokens).status_code == status
    assert lab.counts("avi")["sessions_open"] == 0


def test_sessions_can_be_ended(lab, avi):
    assert lab.act("avi", "end_sessions", host="127.0.0.1") == 1
    assert "error" in avi.call("GET", avi.tokens).json()


def test_basic_authentication_works_only_where_allowed(lab, avi):
    avi.http.cookies.clear()
    basic = (avi.details["username"], avi.details["password"])
    assert avi.call("POST", avi.tokens, {"name": "x"}, auth=basic).status_code == 401
    lab.change_settings("avi", basic_auth=True)
    assert avi.call("POST", avi.tokens, {"name": "x"}, auth=basic).status_code == 201
    assert avi.call("GET", avi.tokens, auth=(basic[0], "wrong")).status_code == 401


# Versions.


def test_version_is_returned_to_everybody_unless_it_is_closed(lab, avi):
    avi.http.cookies.clear()
    url = f"{avi.url}/api/initial-data"
    assert avi.http.get(url).json()["version"]["Version"] == avi.details["api_version"]
    lab.change_settings("avi", initial_data_open=False)
    assert avi.http.get(url).status_code == 401


@pytest.mark.parametrize("version", [None, "", "new", "31.1.2", "99.1.1"])
def test_missing_or_newer_version_is_a_400(avi, version):
    response = avi.call("GET", avi.tokens, headers={"X-Avi-Version": version})
    assert response.status_code == 400
    assert "Invalid version" in response.json()["error"]


def test_field_of_a_newer_version_is_refused_and_not_returned(avi):
    old = {"X-Avi-Version": "20.1.1"}
    response = avi.call("POST", avi.tokens, {"name": "x", "in_use": True}, headers=old)
    text = "Incoming request (v20.1.1) has field in_use introduced in later versions(v21.1.1)."
    assert (response.status_code, response.json()["error"]) == (400, text)
    assert "in_use" in avi.create(name="x").json()
    assert "in_use" not in avi.call("GET", avi.tokens, headers=old).json()["results"][0]


# Objects.


def test_object_is_created_read_and_deleted(lab, avi):
    ends = time.time() + 600.5
    response = avi.create(name="se-01", expiry_time=ends, metadata=METADATA)
    made = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"{avi.url}{avi.tokens}/{made['uuid']}#se-01"
    assert (made["expiry_time"], made["metadata"], made["in_use"]) == (ends, METADATA, False)
    assert made["_last_modified"].isdigit()
    path = f"{avi.tokens}/{made['uuid']}"
    assert avi.call("GET", path).json() == made
    deleted = avi.call("DELETE", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert [avi.call(method, path, {"name": "x"}).status_code for method in ("GET", "PUT", "DELETE")] == [404] * 3
    assert (lab.counts("avi")["tokens_minted"], lab.counts("avi")["tokens_revoked"]) == (1, 1)


def test_uuid_is_as_requested_or_the_name_if_that_is_one(avi):
    value = str(uuid.uuid4())
    assert avi.create(name=value).json()["uuid"] == value
    assert avi.create(name="x", uuid="chosen").json()["uuid"] == "chosen"
    assert avi.create(name="x", uuid="chosen").status_code == 409
    assert len(avi.create(name="se-01").json()["uuid"]) == 36


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"name": ""}, {"name": 1}, {"name": "x", "expiry_time": "soon"}, {"name": "x", "in_use": "yes"},
        {"name": "x", "metadata": {"a": "b"}}, {"name": "x", "metadata": [{"key": "a"}]}, {"name": "x", "other": "y"},
        {"name": "x", "uuid": "a/b"}, {"name": "x", "uuid": "a\n"},
    ],
)  # fmt: skip
def test_invalid_object_is_a_400(avi, fields):
    response = avi.create(**fields)
    assert (response.status_code, set(response.json())) == (400, {"error"})


def test_name_is_escaped_in_the_location_and_nowhere_else(avi):
    response = avi.create(name="se 01\n\ud800")
    assert response.headers["Location"].endswith("#se%2001%0A%3F")
    assert response.json()["name"] == "se 01\n\ud800"


def test_number_out_of_range_is_a_400(avi):
    headers = {**avi.headers, "Content-Type": "application/json"}
    response = avi.http.post(avi.url + avi.tokens, data='{"name": "x", "expiry_time": 1e999}', headers=headers)
    assert response.status_code == 400


def test_two_objects_may_have_one_name_unless_names_are_unique(lab, avi):
    assert [avi.create(name="x").status_code for _number in range(2)] == [201, 201]
    assert avi.call("GET", f"{avi.tokens}?name=x").json()["count"] == 2
    lab.change_settings("avi", unique_names=True)
    assert avi.create(name="x").status_code == 409


def test_write_with_an_outdated_object_is_a_412(lab, avi):
    made = avi.create(name="x").json()
    path = f"{avi.tokens}/{made['uuid']}"
    lab.act("avi", "change_token", host="127.0.0.1", token=made["uuid"], values={"name": "y"})
    assert avi.call("PUT", path, made).status_code == 412
    assert avi.call("PATCH", path, {"replace": {"_last_modified": made["_last_modified"]}}).status_code == 412
    assert avi.call("PUT", path, avi.call("GET", path).json()).status_code == 200
    assert avi.call("PUT", path, {"name": "z"}).json()["name"] == "z"


def test_put_replaces_the_whole_object(avi):
    made = avi.create(name="x", metadata=METADATA, expiry_time=1.5).json()
    changed = avi.call("PUT", f"{avi.tokens}/{made['uuid']}", {"name": "x"}).json()
    assert "metadata" not in changed
    assert "expiry_time" not in changed


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"add": {"metadata": [{"key": "a", "val": "1"}]}}, [*METADATA, {"key": "a", "val": "1"}]),
        ({"add": {"metadata": METADATA[:1]}}, METADATA),
        ({"replace": {"metadata": METADATA[1:]}}, METADATA[1:]),
        ({"delete": {"metadata": METADATA[:1]}}, METADATA[1:]),
        ({"delete": {"metadata": METADATA[:1]}, "add": {"metadata": [{"key": "a", "val": "1"}]}},
         [METADATA[1], {"key": "a", "val": "1"}]),
        ({"replace": {"expiry_time": 2.5}}, METADATA),
    ],
)  # fmt: skip
def test_patch_adds_replaces_and_deletes(avi, body, expected):
    made = avi.create(name="x", metadata=METADATA, expiry_time=1.5).json()
    changed = avi.call("PATCH", f"{avi.tokens}/{made['uuid']}", body).json()
    assert changed["metadata"] == expected
    assert changed["name"] == "x"
    assert changed["expiry_time"] == body.get("replace", {}).get("expiry_time", 1.5)
    assert int(changed["_last_modified"]) > int(made["_last_modified"])


@pytest.mark.parametrize(
    "body", [{}, {"update": {}}, {"add": []}, {"delete": {"name": "x"}}, {"replace": {"in_use": 1}}]
)
def test_invalid_patch_is_a_400_and_changes_nothing(avi, body):
    made = avi.create(name="x").json()
    path = f"{avi.tokens}/{made['uuid']}"
    assert avi.call("PATCH", path, body).status_code == 400
    assert avi.call("GET", path).json() == made


def test_expired_objects_are_counted_and_stay(lab, avi):
    avi.create(name="past", expiry_time=time.time() - 5)
    future = avi.create(name="future", expiry_time=time.time() + 600).json()
    avi.create(name="never")
    assert (lab.counts("avi")["tokens_valid"], lab.counts("avi")["tokens_expired"]) == (2, 1)
    lab.expire_tokens("avi", tokens=[future["uuid"]])
    path = f"{avi.tokens}/{future['uuid']}"
    assert avi.call("GET", path).json()["expiry_time"] <= time.time()
    avi.call("PATCH", path, {"replace": {"expiry_time": time.time() + 600}})
    assert lab.counts("avi")["tokens_expired"] == 1
    lab.revoke_tokens("avi", tokens=[future["uuid"]])
    assert avi.call("GET", path).status_code == 404


def test_writes_to_in_use_may_be_ignored(lab, avi):
    assert avi.create(name="x", in_use=True).json()["in_use"] is True
    lab.change_settings("avi", in_use_kept=True)
    made = avi.create(name="x", in_use=True).json()
    patched = avi.call("PATCH", f"{avi.tokens}/{made['uuid']}", {"replace": {"in_use": True}}).json()
    assert (made["in_use"], patched["in_use"]) == (False, False)


def test_responses_can_be_as_documented_or_as_during_an_upgrade(lab, avi):
    lab.change_settings("avi", post_status=200, name_in_url=True)
    made = avi.create(name="x")
    assert (made.status_code, made.json()["url"]) == (200, f"{avi.url}{avi.tokens}/{made.json()['uuid']}#x")
    lab.change_settings("avi", upgrading=True)
    assert avi.call("GET", avi.tokens).status_code == 403


# Listings.


def test_listing_comes_in_pages_with_an_absolute_next(lab, avi):
    for number in range(5):
        avi.create(name=f"se-{number}")
    page = avi.call("GET", f"{avi.tokens}?page_size=2&fields=in_use").json()
    assert page["next"] == f"{avi.url}{avi.tokens}?page_size=2&fields=in_use&page=2"
    assert set(page["results"][0]) == {"name", "url", "uuid", "in_use"}
    names = [item["name"] for item in page["results"]]
    while "next" in page:
        page = avi.call("GET", page["next"].removeprefix(avi.url)).json()
        assert page["count"] == 5
        names += [item["name"] for item in page["results"]]
    assert names == [f"se-{number}" for number in range(5)]
    lab.change_settings("avi", next_host="elsewhere.example.net")
    assert avi.call("GET", f"{avi.tokens}?page_size=2").json()["next"].startswith("https://elsewhere.example.net/api/")


@pytest.mark.parametrize(
    ("query", "status"), [("page_size=201", 400), ("page=0", 400), ("page=x", 400), ("page=²", 400), ("page=9", 404)]
)
def test_missing_pages_are_refused(avi, query, status):
    assert avi.call("GET", f"{avi.tokens}?{query}").status_code == status


@pytest.mark.parametrize(
    ("query", "count"),
    [("name=a", 1), ("name=nonesuch", 0), ("refers_to=cloud:cloud-1", 1), ("referred_by=serviceengine:se-1", 0)],
)
def test_listing_is_filtered(avi, query, count):
    avi.create(name="a", metadata=METADATA)
    avi.create(name="b")
    assert avi.call("GET", f"{avi.tokens}?{query}").json()["count"] == count


def test_listing_shows_names_in_links_and_omits_defaults_if_requested(avi):
    avi.create(name="a", metadata=[])
    item = avi.call("GET", f"{avi.tokens}?include_name&skip_default=true").json()["results"][0]
    assert item["url"].endswith(f"/{item['uuid']}#a")
    assert not {"in_use", "metadata"} & set(item)


def test_each_tenant_has_its_own_objects(avi):
    tenants = {item["name"]: item["uuid"] for item in avi.call("GET", "/api/tenant").json()["results"]}
    there = {"X-Avi-Tenant-UUID": tenants["lab"]}
    made = avi.call("POST", avi.tokens, {"name": "x"}, headers={"X-Avi-Tenant": "lab"}).json()
    path = f"{avi.tokens}/{made['uuid']}"
    assert [avi.call("GET", path, headers=headers).status_code for headers in ({}, there)] == [404, 200]
    assert avi.call("GET", avi.tokens).json()["count"] == 0
    assert avi.call("GET", avi.tokens, headers={"X-Avi-Tenant": "nonesuch"}).status_code == 404


# A Service Engine's token.


def test_engine_token_is_created_in_the_tenant_and_works_for_one_engine(lab, avi):
    cloud = avi.call("GET", f"/api/cloud?name={avi.details['cloud']}").json()["results"][0]["uuid"]
    path, headers = f"/api/securetoken-generate?cloud_uuid={cloud}", {"X-Avi-Tenant": "lab"}
    token = avi.call("GET", path, headers=headers).json()["auth_token"]
    item = avi.call("GET", f"{avi.tokens}/{token}", headers=headers).json()
    assert item["expiry_time"] - time.time() == pytest.approx(3600, abs=120)
    engine = lab.act("avi", "join", host="127.0.0.1", token=token)
    item = avi.call("GET", f"{avi.tokens}/{token}", headers=headers).json()
    assert (item["in_use"], item["node_uuid"]) == (True, engine)
    with pytest.raises(LabError, match="used"):
        lab.act("avi", "join", host="127.0.0.1", token=token)
    assert lab.counts("avi")["engine_tokens"] == 1


@pytest.mark.parametrize(("query", "status"), [("", 400), ("?cloud_uuid=nonesuch", 404)])
def test_engine_token_requires_a_cloud(avi, query, status):
    assert avi.call("GET", f"/api/securetoken-generate{query}").status_code == status


def test_cluster_returns_its_uuid_in_two_places_and_may_have_no_virtual_address(lab, avi):
    cluster = avi.call("GET", "/api/cluster").json()
    status = avi.call("GET", "/api/cluster/status").json()
    assert status["node_info"]["cluster_uuid"] == cluster["uuid"]
    assert cluster["virtual_ip"]["addr"] == "127.0.0.1"
    lab.change_settings("avi", virtual_ip=False)
    cluster = avi.call("GET", "/api/cluster").json()
    assert ("virtual_ip" in cluster, "addr" in cluster["nodes"][0]["ip"]) == (False, True)


def test_two_clouds_may_have_one_name(lab, avi):
    lab.act("avi", "add_cloud", host="127.0.0.1", name=avi.details["cloud"])
    assert avi.call("GET", f"/api/cloud?name={avi.details['cloud']}").json()["count"] == 2


def test_every_secret_is_known(lab, avi):
    generated = "generated-name-of-many-characters"
    made = {avi.create(name="se-01").json()["uuid"], generated, avi.http.cookies["sessionid"]}
    avi.create(name=generated)
    made |= {avi.headers["X-CSRFToken"], avi.details["password"]}
    known = {secret["value"] for secret in lab.secrets()}
    assert made <= known
    assert "se-01" not in known


def test_unknown_path_and_method_get_an_error(avi):
    assert avi.call("GET", "/api/nonesuch").status_code == 404
    assert set(avi.call("DELETE", avi.tokens).json()) == {"error"}
