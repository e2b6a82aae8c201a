# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the example among the products of the lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

from products import EXAMPLE

if TYPE_CHECKING:
    from lab.client import Lab

CREATE, READ, DELETE = (EXAMPLE.targets[name] for name in ("create", "prove", "revoke"))


@pytest.fixture
def http(lab: Lab) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = lab.ca_path
        yield session


class Example:
    """A client of the product that represents all."""

    def __init__(self, lab: Lab, http: requests.Session) -> None:
        self.http, self.url, self.body = http, lab[EXAMPLE.name]["url"], CREATE.body(lab.details)

    def create(self, path: str = CREATE.path, **more: Any) -> requests.Response:
        return self.http.post(self.url + path, json=self.body, **more)

    def token(self) -> str:
        return str(self.create().json()[EXAMPLE.response[0]])

    def read(self, token: str) -> requests.Response:
        return self.http.get(self.url + READ.path, headers={"Authorization": f"{EXAMPLE.scheme} {token}"})

    def delete(self, token: str) -> requests.Response:
        return self.http.delete(self.url + DELETE.path, headers={"Authorization": f"{EXAMPLE.scheme} {token}"})


@pytest.fixture
def example(lab: Lab, http: requests.Session) -> Example:
    return Example(lab, http)
