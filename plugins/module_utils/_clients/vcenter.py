# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vCenter 9.1: the registration of expanded access tokens, and whether a token is accepted.

https://developer.broadcom.com/xapis/vsphere-automation-api/latest/ "Vcenter RegisteredTokens create"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import ApiError
from .._core.secret import Secret
from .._http.probe import is_accepted
from .._http.response import Response, has_texts, items
from .._http.session import Session
from .._http.url import Link
from .oauth import bearer

_REFUSED_ADVICE = "The overflow token may have expired, or its issuer is not trusted by this vCenter: get a new one."

_UNSIGNED_IS_REFUSED = (401, 403)


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
        """Whether the token authenticates: a user without the right to read gets a 403 of vCenter itself.

        Raises BadResponse where the response may be somebody else's.
        """
        return is_accepted(
            lambda: self._read(probe, self._headers),
            proof=lambda response: self._prove(response, probe),
            forbidden_is_accepted=True,
        )

    def _read(self, probe: Link, headers: Mapping[str, Secret]) -> Response:
        return self._session.request(
            "GET",
            probe.path,
            query=probe.query,
            headers=headers,
            doing="see whether the access token is accepted",
            advice={404: "Check hostname and probe_path."},
        )

    def _prove(self, response: Response, probe: Link) -> None:
        """A list of datacenters is vCenter's. Of another document only the refusal of the same request without the
        token shows that it depends on the token."""
        document = response.json()
        if isinstance(document, list) and document and all(has_texts(item, "datacenter", "name") for item in document):
            return
        self._session.clear_cookies()
        try:
            self._read(probe, {})
        except ApiError as error:
            if error.status not in _UNSIGNED_IS_REFUSED:
                raise
            return
        raise response.bad("the server gives a response to the same request without a token, too: it proves nothing")
