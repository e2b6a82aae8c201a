# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Avi Load Balancer: its controller's API of secure channel tokens, clouds and the cluster, below /api.

https://developer.broadcom.com/xapis/vmware-avi-load-balancer-api/latest/ "POST /securechanneltoken"
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Optional

from .._core.errors import ApiError
from .._core.secret import Secret
from .._http.response import Reply, items
from .._http.session import Session
from .._http.url import segment

PAGE_SIZE = 200
# A listing that has not ended by then does not end.
MOST_PAGES = 1000

_TOKENS = "/api/securechanneltoken"
_SIGNED_OUT = (401, 419)
_CSRF = "csrf"
_LABEL_LENGTH = 20
_GENERATED = re.compile(rf"\S{{{_LABEL_LENGTH},}}")
_ADVICE = {
    400: "api_version may be newer than the controller: leave it out to use the controller's own.",
    403: "The user may lack the right in this tenant, or the controller is being upgraded.",
    404: "Check tenant and names.",
}


@dataclass(frozen=True)
class Identity:
    """Who asks: a user with a password, or a session that is there already; and in which tenant."""

    username: Optional[str]
    password: Optional[Secret]
    session_id: Optional[Secret]
    csrftoken: Optional[Secret]
    api_version: Optional[str]
    tenant: Optional[str]
    tenant_uuid: Optional[str]


def looks_generated(name: str) -> bool:
    """Whether a name is a token rather than a label that a person chose: a UUID, or long and without a space."""
    try:
        uuid.UUID(name)
    except ValueError:
        return bool(_GENERATED.fullmatch(name))
    return True


def error_facts(document: Any) -> tuple[str, str]:
    """Message of an error; there are no codes."""
    if not isinstance(document, dict):
        return "", ""
    error = document.get("error") or document.get("detail") or ""
    return "", error if isinstance(error, str) else str(error)


class AviClient:
    """The operations of the API. It signs in when it must, and again, once, when its session has ended."""

    def __init__(self, session: Session, identity: Identity) -> None:
        self._session = session
        self._identity = identity
        self._version = identity.api_version
        self._csrftoken = identity.csrftoken
        self._signed_in = False

    def login(self) -> None:
        """POST /login, or the use of the session that the user gives. Raises ApiError: 401."""
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

    def _login(self, username: str, password: Secret) -> None:
        reply = self._session.request(
            "POST",
            "/login",
            form={"username": username, "password": password},
            doing="sign in",
            advice=dict.fromkeys((401, 403), "Check username and password; a user may be locked for some minutes."),
            left_behind="A session may be left open; it ends by itself when it is idle",
        )
        self._signed_in = True
        self._csrftoken = self._session.cookie("csrftoken")
        for name in ("sessionid", str(reply.mapping().get("session_cookie_name") or "")):
            cookie = self._session.cookie(name) if name else None
            if cookie:
                self._session.hide(cookie)
        self._version = self._version or _version(reply.mapping())

    def logout(self) -> None:
        """POST /logout, for a session that was opened here. Raises ApiError."""
        if not self._signed_in:
            return
        self._signed_in = False
        try:
            self._session.request(
                "POST", "/logout", headers=self._headers(), json_body={}, doing="sign out", repeatable=True
            )
        except ApiError as error:
            if error.status not in _SIGNED_OUT or _CSRF in error.message.lower():
                raise
        finally:
            self._session.clear_cookies()

    def _controller_version(self) -> str:
        """GET /api/initial-data, usually without signing in."""
        reply = self._session.request("GET", "/api/initial-data", doing="read the controller's version")
        version = _version(reply.mapping())
        if not version:
            raise reply.bad("the reply does not tell the controller's version", advice="Give api_version.")
        return version

    # --- secure channel tokens ---------------------------------------------------------------------------------

    def list_tokens(self, name: Optional[str] = None) -> list[Mapping[str, Any]]:
        """GET /securechanneltoken, all pages; with a name only those that have exactly that one."""
        found = list(self._list(_TOKENS, {"name": name} if name else {}, "list the secure channel tokens"))
        return [item for item in found if name in (None, item.get("name"))]

    def get_token(self, token_uuid: str) -> Optional[Mapping[str, Any]]:
        """GET /securechanneltoken/{uuid}; None where there is none."""
        try:
            return self._request("GET", _path(token_uuid), "read the secure channel token").mapping()
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def create_token(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """POST /securechanneltoken. The page says 200, controllers answer 201."""
        left_behind = "A secure channel token may have been created; the next run finds it by its name"
        return self._request(
            "POST", _TOKENS, "create the secure channel token", json_body=body, left_behind=left_behind
        ).mapping()

    def update_token(self, token_uuid: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """PUT /securechanneltoken/{uuid} with the whole object. Raises ApiError: 412 when it has changed meanwhile."""
        return self._request("PUT", _path(token_uuid), "update the secure channel token", json_body=body).mapping()

    def delete_token(self, token_uuid: str) -> bool:
        """DELETE /securechanneltoken/{uuid}. False when it was gone already, and no try of this request whose
        reply was lost can have done it."""
        try:
            self._request("DELETE", _path(token_uuid), "delete the secure channel token")
        except ApiError as error:
            if error.status != 404:
                raise
            return error.follows_lost_reply
        return True

    # --- a Service Engine's token ------------------------------------------------------------------------------

    def list_clouds(self, name: str) -> list[Mapping[str, Any]]:
        """GET /cloud?name=..., those of exactly that name."""
        return [item for item in self._list("/api/cloud", {"name": name}, "find the cloud") if item.get("name") == name]

    def get_cluster(self) -> Mapping[str, Any]:
        """GET /cluster."""
        return self._request("GET", "/api/cluster", "read the cluster").mapping()

    def generate_se_token(self, cloud_uuid: str) -> Secret:
        """GET /securetoken-generate?cloud_uuid=..., which creates a token though it is a GET. Undocumented."""
        reply = self._request(
            "GET",
            "/api/securetoken-generate",
            "create a token for a Service Engine",
            query={"cloud_uuid": cloud_uuid},
            repeatable=False,
            left_behind="A token that nobody holds may be left; it ends by itself within an hour",
        )
        return Secret(reply.field("auth_token", str))

    # --- requests ----------------------------------------------------------------------------------------------

    def _list(self, path: str, query: Mapping[str, str], doing: str) -> Iterator[Mapping[str, Any]]:
        for page in range(1, MOST_PAGES + 1):
            # The link to the next page is absolute, and might lead elsewhere: the number does as well.
            numbered = {**query, "page": str(page), "page_size": str(PAGE_SIZE)}
            reply = self._request("GET", path, doing, query=numbered)
            results = reply.field("results", list) if reply.mapping().get("results") else []
            for item in items(results):
                self.hide_generated(item)
                yield item
            if not reply.mapping().get("next"):
                return
        raise reply.bad(f"the listing has not ended after {MOST_PAGES} pages")

    def _request(self, method: str, path: str, doing: str, **arguments: Any) -> Reply:
        try:
            reply = self._send(method, path, doing, arguments)
        except ApiError as error:
            if error.status not in _SIGNED_OUT or not self._signed_in:
                raise
            # After a refused CSRF token the session itself still lives, and its end may be refused for the same reason.
            if _CSRF in error.message.lower():
                with suppress(ApiError):
                    self.logout()
            self._session.clear_cookies()
            self.login()
            reply = self._send(method, path, doing, arguments)
        document = reply.json_or_none()
        if isinstance(document, dict):
            self.hide_generated(document)
        return reply

    def _send(self, method: str, path: str, doing: str, arguments: Mapping[str, Any]) -> Reply:
        return self._session.request(
            method,
            path,
            headers=self._headers(),
            doing=doing,
            advice={
                **dict.fromkeys(_SIGNED_OUT, "Check username and password, or session_id and csrftoken."),
                **_ADVICE,
            },
            **arguments,
        )

    def _headers(self) -> dict[str, Any]:
        identity = self._identity
        headers: dict[str, Any] = {
            "Referer": f"https://{self._session.base_url.authority}",
            "X-Avi-Version": self._version or "",
        }
        if identity.tenant_uuid:
            headers["X-Avi-Tenant-UUID"] = identity.tenant_uuid
        elif identity.tenant:
            headers["X-Avi-Tenant"] = identity.tenant
        # The controller may change the token with any reply.
        csrftoken = self._session.cookie("csrftoken") or self._csrftoken
        if csrftoken:
            headers["X-CSRFToken"] = csrftoken
        return headers

    def hide_generated(self, item: Mapping[str, Any]) -> None:
        """Name, uuid and url of a secure channel token are the token itself, unless a person chose them."""
        for field in ("name", "uuid"):
            value = item.get(field)
            if isinstance(value, str) and looks_generated(value):
                self._session.hide(Secret(value))


def _path(token_uuid: str) -> str:
    return f"{_TOKENS}/{segment(token_uuid, 'uuid')}"


def _version(document: Mapping[str, Any]) -> Optional[str]:
    """The version in the reply of a sign-in, or of the initial data."""
    version = document.get("version")
    value = version.get("Version") if isinstance(version, dict) else version
    return value if isinstance(value, str) and value else None
