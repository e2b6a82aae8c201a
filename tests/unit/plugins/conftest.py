# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the plugin tests: sessions with the lab, and waits that take no time."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Optional

import pytest
from hypothesis import HealthCheck, settings

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Clock, Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session, SessionOptions
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl
from products import EXAMPLE

if TYPE_CHECKING:
    from lab.client import Lab

OpenSession = Callable[..., Session]

settings.register_profile(
    "plugins",
    deadline=None,
    max_examples=60,
    database=None,
    # The same examples in each run, so that a test fails because of a change. `make test-all` looks for further ones.
    derandomize="TESTS_AT_RANDOM" not in os.environ,
    # A test may share the lab and a folder between its examples.
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow),
)
settings.load_profile("plugins")

_CLIENTS = "ansible_collections.sddc.tokens.plugins.module_utils._clients"


class WaitlessClock(Clock):
    """A clock whose waits take no time."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def clock() -> WaitlessClock:
    """The clock of the sessions of a test."""
    return WaitlessClock()


@pytest.fixture
def waits(clock: WaitlessClock) -> list[float]:
    """The waits before retries, in seconds. They take no time."""
    return clock.waits


@pytest.fixture
def told() -> list[str]:
    """The notices that the sessions of a test gave about their waits."""
    return []


@pytest.fixture
def open_session(told: list[str], clock: WaitlessClock) -> Iterator[OpenSession]:
    """A function that opens a session with any server, without retries by default."""
    sessions: list[Session] = []

    def open_session(
        url: str, *, product: str = EXAMPLE.name, environ: Optional[Mapping[str, str]] = None, **options: Any
    ) -> Session:
        chosen = SessionOptions(**{"timeout": 60, "retries": 0, **options})
        session = Session(
            BaseUrl.parse(url),
            chosen,
            error_facts=importlib.import_module(f"{_CLIENTS}.{product}").error_facts,
            runtime=Runtime(environ=environ or {}, notify=told.append, clock=clock),
        )
        sessions.append(session)
        return session

    yield open_session
    for session in sessions:
        session.close()


@pytest.fixture
def session(lab: Lab, open_session: OpenSession) -> OpenSession:
    """A function that opens a session with a product of the lab."""

    def session(product: str = EXAMPLE.name, host: Optional[str] = None, **options: Any) -> Session:
        url = options.pop("url", None) or lab.url(product, host)
        return open_session(url, product=product, **{"ca_path": lab.ca_path, **options})

    return session


@pytest.fixture(autouse=True)
def _no_proxies_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore proxies and trust stores of the machine that runs the tests."""
    names = ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "HTTP_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    for name in [name for name in os.environ if name.upper() in names]:
        monkeypatch.delenv(name)
