# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vcf_api_token_info: list the API tokens of the VCF SSO, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from .._clients.vcf_api import time_of
from .._core.argspec import DURATION, ArgumentSpec
from .._core.outcome import Outcome
from .._core.token import iso8601
from .base import Operation
from .vcf_api_connection import SIGN_IN, VcfApiConnection

_STATUSES = ["active", "expired", "unknown"]
_CREATED, _EXPIRES, _USED = "creationDate", "expirationDate", "lastUsedDate"


class VcfApiTokenInfo(Operation):
    """List API tokens."""

    name = "sddc.tokens.vcf_api_token_info"
    argument_spec = ArgumentSpec(
        {
            "status": {"type": "str", "choices": _STATUSES},
            "api_client": {"type": "str"},
            "unused_for": {"type": DURATION},
            "expiring_within": {"type": DURATION},
        },
        required_one_of=(("username", "access_token"),),
    ).merge(SIGN_IN)

    def run(self) -> Outcome:
        connection, params = VcfApiConnection(self), self.params
        tokens = connection.client.query_api_tokens(connection.realm.id)
        now = connection.session.now()
        if params["api_client"]:
            client = connection.api_client(params["api_client"]).id
            tokens = [token for token in tokens if token.get("apiClientId") == client]
        selected = [_entry(token) for token in tokens if self._is_selected(token, now)]
        return Outcome(False, "none", values={"api_tokens": selected})

    def _is_selected(self, token: Mapping[str, Any], now: float) -> bool:
        status, unused_for, within = (self.params[name] for name in ("status", "unused_for", "expiring_within"))
        if status and status != _status(token):
            return False
        # A token of which neither the last use nor the creation is known is not selected as unused.
        used_at = _time_of_first(token, _USED, _CREATED)
        if unused_for is not None and (used_at is None or now - used_at < unused_for):
            return False
        expires_at = time_of(token, _EXPIRES)
        return within is None or (expires_at is not None and now < expires_at <= now + within)


def _time_of_first(token: Mapping[str, Any], *names: str) -> Optional[float]:
    return next((time for time in (time_of(token, name) for name in names) if time is not None), None)


def _status(token: Mapping[str, Any]) -> str:
    status = str(token.get("tokenStatus") or "").lower()
    return status if status in _STATUSES else "unknown"


def _entry(token: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": token["id"],
        "name": token.get("tokenName"),
        "status": _status(token),
        "type": str(token.get("tokenType") or "unknown").lower(),
        "principal": token.get("principalName"),
        "api_client": token.get("apiClientId"),
        "last_characters": token.get("tokenLastChars"),
        "created_at": iso8601(time_of(token, _CREATED)),
        "expires_at": iso8601(time_of(token, _EXPIRES)),
        "last_used_at": iso8601(time_of(token, _USED)),
    }
