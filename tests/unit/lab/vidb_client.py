# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the lab's identity broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from lab.client import Lab


class Vidb:
    """A client of the identity broker."""

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
