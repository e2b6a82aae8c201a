# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test does with each product of the lab, as its clients would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from lab.client import Lab


@pytest.fixture
def http(lab: Lab) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = lab.ca_path
        yield session


class Csp:
    """What a test does with CSP."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.details, self.http = lab["csp"], http
        self.base = f"{self.details['url']}/csp/gateway/am/api/auth"

    def authorize(self, **form: str) -> requests.Response:
        form = form or {"api_token": self.details["api_token"]}
        return self.http.post(f"{self.base}/api-tokens/authorize", data=form)


class Nsx:
    """What a test does with NSX."""

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


class Vrni:
    """What a test does with vRNI."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.details, self.http = lab["vrni"], http
        self.base = f"{self.details['url']}/api/ni"
        self.local = {
            "username": self.details["username"],
            "password": self.details["password"],
            "domain": {"domain_type": "LOCAL"},
        }
        self.ldap = {
            "username": self.details["ldap_username"],
            "password": self.details["ldap_password"],
            "domain": {"domain_type": "LDAP", "value": self.details["ldap_domain"]},
        }

    def create(self, body: Any = None, **more: Any) -> requests.Response:
        return self.http.post(f"{self.base}/auth/token", json=self.local if body is None else body, **more)

    def from_vidm(self, token: str) -> requests.Response:
        return self.http.post(f"{self.base}/auth/token/vidm", json={"vidm_token": token})

    def version(self, token: str) -> requests.Response:
        return self.http.get(f"{self.base}/info/version", headers={"Authorization": f"NetworkInsight {token}"})

    def delete(self, token: str) -> requests.Response:
        return self.http.delete(f"{self.base}/auth/token", headers={"Authorization": f"NetworkInsight {token}"})


class Vidb:
    """What a test does with the identity broker."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.details, self.http = lab["vidb"], http
        self.issuer = f"{self.details['url']}/acs/t/{self.details['tenant']}"
        self.basic = (self.details["client_id"], self.details["client_secret"])
        grant = "urn:custom:vcf:params:oauth:grant-type:api-token"
        self.api_token_form = {"grant_type": grant, "api_token": self.details["api_token"]}

    def grant(self, form: dict[str, str] | None = None, **more: Any) -> requests.Response:
        return self.http.post(f"{self.issuer}/token", data=self.api_token_form if form is None else form, **more)

    def client(self) -> requests.Response:
        return self.grant({"grant_type": "client_credentials"}, auth=self.basic)

    def overflow(self) -> str:
        return str(self.grant().json()["access_token"])

    def expand(self, token: str, **query: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.get(f"{self.issuer}/expand-access-token", params=query, headers=headers)


class Vcenter:
    """What a test does with vCenter."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.http, self.base = http, f"{lab['vcenter']['url']}/api"

    def register(self, token: str, body: Any, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.post(f"{self.base}/vcenter/registered-tokens", json=body, headers=headers, **more)

    def probe(self, token: str, **query: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.get(f"{self.base}/vcenter/datacenter", params=query, headers=headers)


class Avi:
    """What a test does with an Avi controller, signed in or not."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.details, self.http, self.url = lab["avi"], http, lab["avi"]["url"]
        self.headers = {"X-Avi-Version": self.details["api_version"], "Referer": self.url}
        self.tokens = "/api/securechanneltoken"

    def login(self, **more: Any) -> requests.Response:
        form = {"username": self.details["username"], "password": self.details["password"]}
        reply = self.http.post(f"{self.url}/login", **{"data": form, **more})
        self.headers["X-CSRFToken"] = self.http.cookies.get("csrftoken", "")
        return reply

    def call(self, method: str, path: str, body: Any = None, /, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return self.http.request(method, self.url + path, json=body, headers=headers, **more)

    def create(self, **fields: Any) -> requests.Response:
        return self.call("POST", self.tokens, fields)


@pytest.fixture
def vidb(lab: Lab, http: requests.Session) -> Vidb:
    return Vidb(lab, http)


@pytest.fixture
def vcenter(lab: Lab, http: requests.Session) -> Vcenter:
    return Vcenter(lab, http)


@pytest.fixture
def avi(lab: Lab, http: requests.Session) -> Avi:
    """Return a client that has signed in."""
    client = Avi(lab, http)
    client.login()
    return client


@pytest.fixture
def csp(lab: Lab, http: requests.Session) -> Csp:
    return Csp(lab, http)


@pytest.fixture
def nsx(lab: Lab, http: requests.Session) -> Nsx:
    return Nsx(lab, http)


@pytest.fixture
def vrni(lab: Lab, http: requests.Session) -> Vrni:
    return Vrni(lab, http)
