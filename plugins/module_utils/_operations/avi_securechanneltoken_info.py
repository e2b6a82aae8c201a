# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""avi_securechanneltoken_info: list secure channel tokens of an Avi controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._clients import avi
from .._core.argspec import ArgumentSpec
from .._core.outcome import Outcome
from .._core.token import iso8601
from . import avi_connection
from .base import Operation
from .selection import SOME, there_is


class AviSecurechanneltokenInfo(Operation):
    """List secure channel tokens."""

    name = "sddc.tokens.avi_securechanneltoken_info"
    argument_spec = avi_connection.SIGN_IN.merge(
        ArgumentSpec(
            {
                "name": {"type": "str", "no_log": False, "secret_if": avi.looks_generated},
                "uuid": {"type": "str", "no_log": False, "secret_if": avi.looks_generated},
                "return_token": {"type": "bool", "default": False, "no_log": False},
            },
            mutually_exclusive=(("name", "uuid"),),
        )
    )

    @classmethod
    def carries_secret(cls, result: Mapping[str, Any]) -> bool:
        return any("uuid" in entry for entry in result.get("securechanneltokens") or ())

    def run(self) -> Outcome:
        session, client = avi_connection.open_client(self, "Set name or uuid to read fewer of them.")
        client.hide_generated(self.params)
        if self.params["uuid"]:
            found = client.get_token(self.params["uuid"])
            items = [found] if found else []
        else:
            items = client.list_tokens(self.params["name"])
        if not items and (self.params["uuid"] or self.params["name"]):
            self._warn_of_an_empty_selection(client)
        entries = [self._entry_of(item, session.now()) for item in items]
        return Outcome(False, "none", values={"securechanneltokens": entries})

    def _warn_of_an_empty_selection(self, client: avi.AviClient) -> None:
        option = "uuid" if self.params["uuid"] else "name"
        # Generated names are tokens, and are not shown.
        labels = [item["name"] for item in client.list_tokens(most=SOME) if not avi.looks_generated(item["name"])]
        self.runtime.warn(
            f"No secure channel token has this {option}. Check {option} and tenant "
            f"{there_is(labels, self.runtime.redactor)}."
        )

    def _entry_of(self, item: Mapping[str, Any], now: float) -> dict[str, Any]:
        token, expires_at = avi_connection.token_of(item), avi_connection.expiry_of(item)
        entry: dict[str, Any] = {
            "fingerprint": token.fingerprint if token else None,
            "expires_at": iso8601(expires_at),
            "expires_in": None if expires_at is None else max(0, int(expires_at - now)),
            "in_use": item.get("in_use"),
            "metadata": avi_connection.metadata_of(item),
        }
        if self.params["return_token"]:
            entry.update(avi_connection.identity_of(item))
        return entry
