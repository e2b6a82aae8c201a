# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API sessions of vCenter: create one with a password or an access token, check it, and end it.

https://developer.broadcom.com/xapis/vsphere-automation-api/latest/ "CIS Session", "Vcenter Authentication Token issue"
"""

from __future__ import annotations

import base64
from typing import Any

from .._core.secret import Secret, assertion_authorization, basic_authorization
from .._core.token import Token
from .._http.probe import found_or_none, is_accepted, was_deleted
from .._http.response import Response, has_texts
from .._http.session import Session
from .oauth import bearer

HEADER = "vmware-api-session-id"

_PATH = "/api/session"
# Before 7.0 U2.
_OLD_PATH = "/rest/com/vmware/cis/session"
_EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "requested_token_type": "urn:ietf:params:oauth:token-type:saml2",
}
# From base64url to base64.
_STANDARD = str.maketrans("-_", "+/")

_LEFT_BEHIND = "An unused session may be left open. It ends when its idle time is over"
_FULL_ADVICE = "Services of vCenter may still be starting, or its maximum number of sessions is reached."
_USER_ADVICE = "Check username, which may need its domain, as in user@domain, and password. The account may be locked."
_ASSERTION_ADVICE = (
    "vCenter does not say why it refuses a SAML assertion. Compare the clocks of the servers, and check that vCenter "
    "accepts bearer assertions."
)
_TOKEN_ADVICE = "Get a new access token. An overflow token must be registered first: use vcenter_registered_token."


class VcenterSessionClient:
    """The operations of the API. Methods raise ApiError and TransportError."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._is_old = False

    def create_session(self, username: str, password: Secret) -> Token:
        """POST /api/session with a password. Raises ApiError: 401, also for a locked account, and 503."""
        return self._create(basic_authorization(username, password), _USER_ADVICE)

    def create_session_by_assertion(self, assertion: Secret) -> Token:
        """POST /api/session with a SAML assertion. Raises ApiError: 401, 503."""
        return self._create(assertion_authorization(assertion), _ASSERTION_ADVICE)

    def issue_assertion(self, access_token: Secret) -> Secret:
        """POST /api/vcenter/authentication/token (RFC 8693). Returns a SAML assertion, which is valid for five minutes.

        Requires vCenter 9.1. Raises ApiError: 400, 401.
        """
        response = self._session.request(
            "POST",
            "/api/vcenter/authentication/token",
            doing="exchange the access token for a SAML assertion",
            headers={"Authorization": bearer(access_token)},
            form={**_EXCHANGE, "subject_token": access_token},
            # An unused assertion soon expires.
            idempotent=True,
            advice={
                **dict.fromkeys((400, 401), _TOKEN_ADVICE),
                404: "Check hostname. An access token requires vCenter 9.1 or newer.",
            },
        )
        return _assertion_of(response)

    def is_accepted(self, session_id: Secret) -> bool:
        """GET /api/session, which also starts the idle time anew. False for a session that has ended (401)."""
        return is_accepted(
            lambda: self._request(
                "GET",
                doing="check a session",
                headers={HEADER: session_id},
                old=("POST", {"~action": "get"}),
                idempotent=True,
            ),
            proof=_prove,
        )

    def delete_session(self, session_id: Secret) -> bool:
        """DELETE /api/session. Returns False for a session that has already ended (401)."""
        return was_deleted(
            lambda: self._request("DELETE", doing="end a session", headers={HEADER: session_id}, old=("DELETE", None)),
            gone=(401,),
        )

    def _create(self, authorization: Secret, advice: str) -> Token:
        response = self._request(
            "POST",
            doing="create a session",
            headers={"Authorization": authorization},
            old=("POST", None),
            advice={401: advice, 503: _FULL_ADVICE},
            left_behind=_LEFT_BEHIND,
        )
        session_id = _value(response)
        if not isinstance(session_id, str) or not session_id:
            raise response.bad("the response has no usable session id")
        return Token(response.sendable(session_id, "the session id"), HEADER, self._session.now())

    def _request(self, method: str, *, old: tuple[str, Any], **arguments: Any) -> Response:
        """Send a request for a session. `old` has the method and query of the same request to an older vCenter."""
        if method != "GET":
            # The vendor's client sends a content type without a body, too.
            arguments["headers"] = {**arguments["headers"], "Content-Type": "application/json"}
        if not self._is_old:
            response = found_or_none(lambda: self._session.request(method, _PATH, **arguments))
            if response is not None:
                return response
            self._is_old = True
        old_method, query = old
        return self._session.request(old_method, _OLD_PATH, query=query, **arguments)


def _value(response: Response) -> Any:
    """The content of a response. An older vCenter returns it as the value of an object."""
    document = response.json()
    return document["value"] if isinstance(document, dict) and "value" in document else document


def _prove(response: Response) -> None:
    if not has_texts(_value(response), "user"):
        raise response.bad("the response does not describe a session")


def _assertion_of(response: Response) -> Secret:
    """The SAML assertion of a response: XML in base64 or base64url, with or without padding. Raises BadResponse."""
    encoded = response.field("access_token", str)
    text = "".join(encoded.split()).rstrip("=").translate(_STANDARD)
    try:
        document = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except ValueError:
        document = ""
    if not document.lstrip().startswith("<"):
        raise response.bad("'access_token' in the response is not a SAML assertion")
    response.as_secret(encoded)
    return response.as_secret(document)
