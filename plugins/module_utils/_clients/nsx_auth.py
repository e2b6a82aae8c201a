# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign requests to NSX with an access token, or with a session cookie and an XSRF token."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Optional

from .._core.errors import ApiError, TokensError
from .._core.secret import Secret
from .._http.auth import Auth
from .._http.session import Session
from .oauth import bearer

_XSRF_HEADER = "X-XSRF-TOKEN"


def bearer_headers(
    access_token: Secret, *, open_id_token: Optional[Secret] = None, csp_auth_token_header: bool = False
) -> dict[str, Secret]:
    """The headers for an access token. The proxy of VMware Cloud may also require it as csp-auth-token."""
    headers = {"Authorization": bearer(access_token)}
    if csp_auth_token_header:
        headers["csp-auth-token"] = access_token
    if open_id_token is not None:
        headers["X-NSX-OpenId"] = open_id_token
    return headers


class SessionAuth(Auth[Secret]):
    """Signs in for the first request, and again when the manager has ended the session.

    The credential is the XSRF token. The HTTP session holds the cookie.
    """

    def __init__(self, session: Session, username: str, password: Secret) -> None:
        self._session = session
        self._username = username
        self._password = password
        self._lock = threading.Lock()
        self._xsrf_token: Optional[Secret] = None
        self._signed_requests = 0

    def credential(self) -> Secret:
        with self._lock:
            token = self._xsrf_token or self._sign_in()
            self._signed_requests += 1
            return token

    def headers(self, credential: Secret) -> Mapping[str, Any]:
        return {_XSRF_HEADER: credential}

    def renewed(self, refused: Secret, error: ApiError) -> Optional[Secret]:
        """Sign in again. None when the first request of a session was refused: the user has no permission."""
        with self._lock:
            if self._xsrf_token != refused:
                return self._xsrf_token
            if self._signed_requests == 1:
                return None
            # The session may still be open.
            with suppress(TokensError):
                self._sign_out()
            return self._sign_in()

    def sign_out(self) -> None:
        """End an open session. Raises TokensError."""
        with self._lock:
            if self._xsrf_token is not None:
                self._sign_out()

    def _sign_in(self) -> Secret:
        """POST /api/session/create. Raises ApiError and BadResponse."""
        response = self._session.request(
            "POST",
            "/api/session/create",
            form={"j_username": self._username, "j_password": self._password},
            doing="sign in",
            advice=dict.fromkeys((401, 403), "Check username and password. The user may be locked for some minutes."),
            left_behind="A session may be left open. It ends after its idle timeout",
        )
        xsrf_token = response.headers.get(_XSRF_HEADER, "")
        if not xsrf_token:
            # Later requests would be refused as if the password were wrong.
            raise response.bad(f"the response has no header {_XSRF_HEADER}")
        self._xsrf_token, self._signed_requests = response.as_secret(xsrf_token), 0
        return self._xsrf_token

    def _sign_out(self) -> None:
        """POST /api/session/destroy. Raises TokensError."""
        token, self._xsrf_token = self._xsrf_token, None
        headers = {_XSRF_HEADER: token, "Content-Type": "application/json"}
        try:
            self._session.request(
                "POST", "/api/session/destroy", headers=headers, doing="sign out", idempotent=True, signs_out=True
            )
        finally:
            self._session.clear_cookies()
