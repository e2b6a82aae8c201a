# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vCenter 9.1: register expanded access tokens, and check whether a token is accepted.

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

_REFUSED_ADVICE = "Get a new overflow token, and check that this vCenter trusts its issuer."

_UNSIGNED_IS_REFUSED = (401, 403)


def error_facts(document: Any) -> tuple[str, str]:
    """Type and messages of a vAPI error response, also below /rest, or the facts of an OAuth error response."""
    if not isinstance(document, dict):
        return "", ""
    value = document.get("value")
    messages = items((value if isinstance(value, dict) else document).get("messages"))
    texts = [str(message.get("localized") or message.get("default_message") or "") for message in messages]
    texts.append(str(document.get("error_description") or ""))
    code = document.get("error_type") or document.get("error") or document.get("type")
    return str(code or ""), "; ".join(text for text in texts if text)


class VcenterClient:
    """The operations of the API, signed with an access token."""

    def __init__(self, session: Session, access_token: Secret) -> None:
        self._session = session
        self._headers = {"Authorization": bearer(access_token)}

    def create_registered_token(self, expanded_access_token: Secret) -> None:
        """POST /api/vcenter/registered-tokens. Raises ApiError: 400, 401, 403, 500, 503, 504.

        Registering the same pair again is harmless, so the request is retried after a lost response.
        """
        self._session.request(
            "POST",
            "/api/vcenter/registered-tokens",
            doing="register the expanded access token",
            headers=self._headers,
            json_body={"expanded_access_token": expanded_access_token},
            idempotent=True,
            advice={
                400: "Get both tokens again: the expanded token has expired or does not belong to the overflow token.",
                401: _REFUSED_ADVICE,
                403: "Grant the user of the token the privilege System.Read.",
                404: "Check hostname. Registered tokens require vCenter 9.1 or newer.",
            },
        )

    def is_accepted(self, probe: Link) -> bool:
        """Whether the token authenticates. A 403 of vCenter counts: the user only has no permission to read.

        Raises BadResponse for a response that may not be vCenter's.
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
            doing="check whether the access token is accepted",
            advice={404: "Check hostname and probe_path."},
        )

    def _prove(self, response: Response, probe: Link) -> None:
        """Raise BadResponse unless the response proves the token.

        A list of datacenters does. For another document, the same request without the token must be refused.
        """
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
        raise response.bad(
            "the server accepts the same request without a token, which proves nothing",
            advice="Set probe_path to a path that requires authentication.",
        )
