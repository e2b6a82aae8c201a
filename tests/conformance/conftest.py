# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the vendors' clients need to talk to the lab. They trust whom the environment trusts, if it says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from conformance.vendors import Broker, NsxSdk
    from lab.client import Lab

_OF_THE_MACHINE = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def pytest_configure(config: pytest.Config) -> None:
    """Leave it to the vendors that their clients use what Python will drop."""
    config.addinivalue_line("filterwarnings", r"ignore::DeprecationWarning:(avi|com|vcf|vmware)\..*")


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust stores and proxies of the machine that runs the tests play no part."""
    for name in [name for name in os.environ if name.upper() in _OF_THE_MACHINE]:
        monkeypatch.delenv(name)


@pytest.fixture
def http(lab: Lab) -> Iterator[requests.Session]:
    """A session that trusts the lab, and nothing that the environment says."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = lab.ca_path
        yield session


@pytest.fixture
def csp_tokens(lab: Lab, http: requests.Session) -> dict[str, str]:
    """The tokens with which NSX is asked to re-authenticate: `access_token` and `id_token`."""
    url = f"{lab['csp']['url']}/csp/gateway/am/api/auth/api-tokens/authorize"
    tokens: dict[str, str] = http.post(url, data={"api_token": lab["csp"]["api_token"]}).json()
    return tokens


@pytest.fixture
def nsx(lab: Lab, http: requests.Session, csp_tokens: dict[str, str]) -> NsxSdk:
    """The vendor's client of NSX, signed in as re-authentication wants it."""
    from conformance.vendors import NsxSdk

    return NsxSdk(http, lab["nsx"]["url"]).with_token(csp_tokens["access_token"], csp_tokens["id_token"])


@pytest.fixture
def nsx_reader(lab: Lab, http: requests.Session) -> NsxSdk:
    """The vendor's client of NSX, signed in with name and password."""
    from conformance.vendors import NsxSdk

    return NsxSdk(http, lab["nsx"]["url"]).with_password(lab["nsx"]["username"], lab["nsx"]["password"])


@pytest.fixture
def broker(lab: Lab, http: requests.Session) -> Broker:
    """The identity broker's tokens."""
    from conformance.vendors import Broker

    return Broker(http, lab["vidb"])
