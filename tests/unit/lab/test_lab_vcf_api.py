# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's API tokens behave as the vendor's pages and its client say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from lab.client import Lab

REALMS = "/suite-api/api/fleet-management/iam/ssorealms"
API_TOKEN_GRANT = "urn:custom:vcf:params:oauth:grant-type:api-token"


class Iam:
    """A signed-in client."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.lab, self.http, self.details = lab, http, lab["vcf_api"]
        user = {name: self.details[name] for name in ("username", "password")}
        response = http.post(f"{self.details['url']}/suite-api/api/auth/token/acquire", json=user)
        self.headers = {"Authorization": f"OpsToken {response.json()['token']}", "Accept": "application/json"}
        self.realm = self.call("GET", "").json()["ssoRealms"][0]["id"]

    def call(self, method: str, path: str, body: Any = None, **query: int) -> requests.Response:
        url = f"{self.details['url']}{REALMS}{path}"
        return self.http.request(method, url, json=body, params=query, headers=self.headers)

    def tokens(self, method: str, path: str = "", body: Any = None, **query: int) -> requests.Response:
        return self.call(method, f"/{self.realm}/api-tokens{path}", body, **query)

    def generate(self, **fields: Any) -> requests.Response:
        return self.tokens("POST", body={"tokenName": "mine", "apiClientId": self.details["api_client_id"], **fields})

    def exchange(self, value: str) -> requests.Response:
        vidb = self.lab["vidb"]
        form = {"grant_type": API_TOKEN_GRANT, "api_token": value}
        return self.http.post(f"{vidb['url']}/acs/t/{vidb['tenant']}/token", data=form)


@pytest.fixture
def iam(lab: Lab, http: requests.Session) -> Iam:
    return Iam(lab, http)


def test_the_value_of_an_api_token_is_shown_once_and_is_exchanged_for_access_tokens(iam: Iam) -> None:
    made = iam.generate(apiTokenTtl=43200, accessTokenTtl=60).json()
    assert made["token"].startswith("vidb_")
    assert made["expirationDate"] - made["creationDate"] == 30 * 86400 * 1000
    assert "lastUsedDate" not in made
    assert iam.exchange(made["token"]).status_code == 200

    read = iam.tokens("GET", f"/{made['id']}").json()

    assert "token" not in read
    assert made["token"].endswith(read["tokenLastChars"])
    assert read["lastUsedDate"] >= made["creationDate"]
    assert read["tokenStatus"] == "ACTIVE"


def test_a_deleted_or_expired_api_token_is_refused_by_the_broker(lab: Lab, iam: Iam) -> None:
    deleted, expired = (iam.generate().json() for _each in range(2))
    assert iam.tokens("DELETE", f"/{deleted['id']}").status_code == 204
    lab.expire_tokens("vcf_api", tokens=[expired["token"]])

    for made in (deleted, expired):
        refusal = iam.exchange(made["token"])
        assert (refusal.status_code, refusal.json()["error"]) == (400, "invalid_grant")
    assert iam.tokens("GET", f"/{deleted['id']}").status_code == 404
    assert iam.tokens("DELETE", f"/{deleted['id']}").status_code == 404
    assert iam.tokens("GET", f"/{expired['id']}").json()["tokenStatus"] == "EXPIRED"


@pytest.mark.parametrize(
    ("field", "value"),
    [("tokenName", "x"), ("apiClientId", "nobody"), ("apiTokenTtl", 43199), ("accessTokenTtl", 481)],
)
def test_an_invalid_field_is_refused_and_named(iam: Iam, field: str, value: Any) -> None:
    refusal = iam.generate(**{field: value})

    assert refusal.status_code == 422
    assert [failure["violationPath"] for failure in refusal.json()["validationFailures"]] == [field]


def test_a_query_returns_the_page_of_the_entries_that_match(iam: Iam) -> None:
    for name in ("one", "two", "two", "twofold"):
        iam.generate(tokenName=name)

    def names(operator: str, text: str, **query: int) -> list[str]:
        term = {"field": "TOKEN_NAME", "operator": operator, "terms": [text]}
        found = iam.tokens("POST", "/query", {"searchTerms": {"allOf": [term]}}, **query).json()
        return [entry["tokenName"] for entry in found["apiTokens"]]

    assert names("EQUALS", "two") == ["two", "two"]
    assert names("LIKE", "TWO") == ["two", "two", "twofold"]
    assert names("LIKE", "o", page=1, pageSize=3) == ["twofold"]
    assert iam.tokens("POST", "/query", {}, pageSize=1).json()["pageInfo"]["totalCount"] == 4


def test_another_realm_and_an_unsigned_request_are_refused(lab: Lab, iam: Iam) -> None:
    assert iam.call("POST", "/elsewhere/api-tokens/query", {}).status_code == 404
    lab.change_settings("vcf_api", realms=2)
    assert len(iam.call("GET", "").json()["ssoRealms"]) == 2
    iam.headers = {}
    assert iam.tokens("POST", "/query", {}).status_code == 401
