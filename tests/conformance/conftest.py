# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures with which the vendors' clients reach the lab. They use the trust store of the environment, if any."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from lab.client import Lab

_OF_THE_MACHINE = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def pytest_configure(config: pytest.Config) -> None:
    """Ignore deprecation warnings of the vendors' clients."""
    config.addinivalue_line("filterwarnings", r"ignore::DeprecationWarning:(?!ansible_collections|conformance|lab)")


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore trust stores and proxies of the machine that runs the tests."""
    for name in [name for name in os.environ if name.upper() in _OF_THE_MACHINE]:
        monkeypatch.delenv(name)


@pytest.fixture
def http(lab: Lab) -> Iterator[requests.Session]:
    """A session that trusts the lab and ignores the environment."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = lab.ca_path
        yield session
