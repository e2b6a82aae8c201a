# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign requests to an Avi controller with a session that is opened here or set by the user."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Optional

from .._core.errors import ApiError
from .._core.secret import Secret
from .._http.auth import Auth
from .._http.session import Session

# Statuses with which releases refuse an expired session.
SIGNED_OUT = (401, 419)
_CSRF = "csrf"


@dataclass(frozen=True)
class Identity:
    """A user with a password, or an existing session, and the tenant."""

    username: Optional[str]
    password: Optional[Secret]
    session_id: Optional[Secret]
    csrftoken: Optional[Secret]
    api_version: Optional[str]
    tenant: Optional[str]
    tenant_uuid: Optional[str]


class AviAuth(Auth[int]):
    """Signs requests with a session, and signs in again when the session has expired.

    The credential is the number of the sign-in. The HTTP session holds the cookies.
    """

    def __init__(self, session: Session, identity: Identity) -> None:
        self._session = session
        self._identity = identity
        self._version = identity.api_version
        self._csrftoken = identity.csrftoken
        self._lock = threading.Lock()
        self._sign_ins = 0
        self._signed_in = False

    def credential(self) -> int:
        return self._sign_ins

    def headers(self, credential: int) -> Mapping[str, Any]:
        identity = self._identity
        headers: dict[str, Any] = {
            "Referer": f"https://{self._session.base_url.authority}",
            "X-Avi-Version": self._version or "",
        }
        if identity.tenant_uuid:
            headers["X-Avi-Tenant-UUID"] = identity.tenant_uuid
        elif identity.tenant:
            headers["X-Avi-Tenant"] = identity.tenant
        # The controller may replace the CSRF token in any response.
        csrftoken = self._session.cookie("csrftoken") or self._csrftoken
        if csrftoken:
            headers["X-CSRFToken"] = csrftoken
        return headers

    def is_refusal(self, error: ApiError) -> bool:
        return error.status in SIGNED_OUT

    def renewed(self, refused: int, error: ApiError) -> Optional[int]:
        """Sign in again. None for a session that the user set."""
        with self._lock:
            if self._sign_ins != refused:
                return self._sign_ins
            if not self._signed_in:
                return None
            if _is_csrf_refusal(error):
                # The session itself is still valid. The sign-out may be refused for the same reason.
                with suppress(ApiError):
                    self.logout()
            self._session.clear_cookies()
            self.login()
            return self._sign_ins

    def login(self) -> None:
        """POST /login, or use the session that the user set. Raises ApiError: 401."""
        identity = self._identity
        if identity.session_id:
            for name in ("sessionid", "avi-sessionid"):
                self._session.set_cookie(name, identity.session_id)
            if identity.csrftoken:
                self._session.set_cookie("csrftoken", identity.csrftoken)
        elif identity.username and identity.password:
            self._login(identity.username, identity.password)
        if not self._version:
            self._version = self._controller_version()

    def logout(self) -> None:
        """POST /logout for a session that was opened here. Raises ApiError."""
        if not self._signed_in:
            return
        self._signed_in = False
        try:
            self._session.request(
                "POST",
                "/logout",
                headers=self.headers(self._sign_ins),
                json_body={},
                doing="sign out",
                idempotent=True,
                signs_out=True,
            )
        except ApiError as error:
            if not self.is_refusal(error) or _is_csrf_refusal(error):
                raise
        finally:
            self._session.clear_cookies()

    def _login(self, username: str, password: Secret) -> None:
        response = self._session.request(
            "POST",
            "/login",
            form={"username": username, "password": password},
            doing="sign in",
            advice=dict.fromkeys((401, 403), "Check username and password. The user may be locked for some minutes."),
            left_behind="A session may be left open. It ends after its idle timeout",
        )
        names = ("sessionid", str(response.mapping().get("session_cookie_name") or ""))
        if not any(self._session.cookie(name) for name in names if name):
            # Later requests would be refused as if the password were wrong.
            raise response.bad("the response has no session cookie")
        self._signed_in = True
        self._sign_ins += 1
        self._csrftoken = self._session.cookie("csrftoken")
        self._version = self._version or _version(response.mapping())

    def _controller_version(self) -> str:
        """GET /api/initial-data, for which most controllers require no session."""
        response = self._session.request("GET", "/api/initial-data", doing="read the controller's version")
        version = _version(response.mapping())
        if not version:
            raise response.bad("the response has no controller version", advice="Set api_version.")
        return version


def _is_csrf_refusal(error: ApiError) -> bool:
    return _CSRF in error.message.lower()


def _version(document: Mapping[str, Any]) -> Optional[str]:
    """The version in a response to /login or /api/initial-data."""
    version = document.get("version")
    value = version.get("Version") if isinstance(version, dict) else version
    return value if isinstance(value, str) and value else None
