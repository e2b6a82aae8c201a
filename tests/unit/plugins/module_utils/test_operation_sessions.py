# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a task that an operation passes to its sessions."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.outcome import Outcome
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session, SessionOptions
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl
from ansible_collections.sddc.tokens.plugins.module_utils._operations import base


class Sample(base.Operation):
    """An operation with two servers."""

    name = "sddc.tokens.sample"
    argument_spec = ArgumentSpec()

    def run(self) -> Outcome:
        return Outcome(False, "none")


PARAMS = {
    "validate_certs": True,
    "ca_path": None,
    "client_cert": "client.pem",
    "client_key": "client.key",
    "proxy_url": None,
    "timeout": 30,
    "retries": 0,
    "issuer_validate_certs": True,
    "issuer_ca_path": None,
}


def options_of(monkeypatch: pytest.MonkeyPatch, prefix: str, **params: Any) -> SessionOptions:
    """The options of a session that an operation opens."""
    seen: list[SessionOptions] = []

    class Noted(Session):
        def __init__(self, base_url: BaseUrl, options: SessionOptions, **_further: Any) -> None:
            seen.append(options)

    monkeypatch.setattr(base, "Session", Noted)
    Sample({**PARAMS, **params}, Runtime()).open_session(
        BaseUrl.parse("server.example.com"), lambda _document: ("", ""), prefix=prefix
    )
    return seen[0]


@pytest.mark.parametrize(("prefix", "shown"), [("", ("client.pem", "client.key")), ("issuer_", (None, None))])
def test_the_client_certificate_is_sent_to_the_target_of_the_task_only(
    monkeypatch: pytest.MonkeyPatch, prefix: str, shown: tuple[str | None, str | None]
) -> None:
    options = options_of(monkeypatch, prefix)

    assert (options.client_cert, options.client_key) == shown


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({}, "issuer_ca_path"),
        ({"ca_path": "/of/the/target"}, None),
        ({"ca_path": "/of/the/target", "issuer_ca_path": "/own"}, "issuer_ca_path"),
    ],
)
def test_advice_about_the_issuer_names_the_option_that_is_used(
    monkeypatch: pytest.MonkeyPatch, params: dict[str, str], named: str | None
) -> None:
    names = options_of(monkeypatch, "issuer_", **params).names

    assert names.get("ca_path") == named
    assert names["validate_certs"] == "issuer_validate_certs"
    assert options_of(monkeypatch, "", **params).names == {}
