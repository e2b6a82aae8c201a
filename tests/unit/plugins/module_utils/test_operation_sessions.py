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


@pytest.mark.parametrize(("prefix", "shown"), [("", ("client.pem", "client.key")), ("issuer_", (None, None))])
def test_the_client_certificate_is_sent_to_the_target_of_the_task_only(
    monkeypatch: pytest.MonkeyPatch, prefix: str, shown: tuple[str | None, str | None]
) -> None:
    seen: list[SessionOptions] = []

    class Noted(Session):
        def __init__(self, base_url: BaseUrl, options: SessionOptions, **_further: Any) -> None:
            seen.append(options)

    monkeypatch.setattr(base, "Session", Noted)

    Sample(PARAMS, Runtime()).open_session(
        BaseUrl.parse("server.example.com"), lambda _document: ("", ""), prefix=prefix
    )

    (options,) = seen
    assert (options.client_cert, options.client_key) == shown
