# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vCenter 9.1: the registration of expanded access tokens, and whether a token is accepted.

https://developer.broadcom.com/xapis/vsphere-automation-api/latest/ "Vcenter RegisteredTokens create"
"""

from __future__ import annotations

from typing import Any

from .._core.secret import Secret
from .._http.probe import is_accepted
from .._http.response import Response, items
from .._http.session import Session
from .._http.url import Link
from .oauth import bearer

_REFUSED_ADVICE = "The overflow token may have expired, or its issuer is not trusted by this vCenter: get a new one."


def error_facts(document: Any) -> tuple[str, str]:
    """Type and messages of a vAPI error."""
    if not isinstance(document, dict):
        return "", ""
    messages = items(document.get("messages"))
    texts = [str(message.get("localized") or message.get("default_message") or "") for message in messages]
    return str(document.get("error_type") or ""), "; ".join(text for text in texts if text)


class VcenterClient:
    """The operations of the API, signed with an access token."""

    def __init__(self, session: Session, access_token: Secret) -> None:
        self._session = session
        self._headers = {"Authorization": bearer(access_token)}

    def create_registered_token(self, expanded_access_token: Secret) -> None:
        """POST /api/vcenter/registered-tokens. Raises ApiError: 400, 401, 403, 500, 503, 504.

        It stores the same pair again without harm, so that a lost response is no reason to stop.
        """
        self._session.request(
            "POST",
            "/api/vcenter/registered-tokens",
            doing="register the expanded access token",
            headers=self._headers,
            json_body={"expanded_access_token": expanded_access_token},
            idempotent=True,
            advice={
                400: "The expanded token may not belong to the overflow token, or has expired: get both anew.",
                401: _REFUSED_ADVICE,
                403: "The user of the token needs the privilege System.Read.",
                404: "Registered tokens need vCenter 9.1.",
            },
        )

    def is_accepted(self, probe: Link) -> bool:
        """Whether the token authenticates: a user without the right to read gets a 403 of vCenter itself."""
        return is_accepted(
            lambda: self._session.request(
                "GET",
                probe.path,
                query=probe.query,
                headers=self._headers,
                doing="see whether the access token is accepted",
                advice={404: "Check hostname and probe_path."},
            ),
            proof=Response.json,
            forbidden_is_accepted=True,
        )
