# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Avi Load Balancer: the controller API of secure channel tokens, clouds and the cluster, below /api.

https://developer.broadcom.com/xapis/vmware-avi-load-balancer-api/latest/ "POST /securechanneltoken"
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from itertools import count, islice
from typing import Any, Optional

from .._core.secret import Secret
from .._http.auth import Auth
from .._http.listing import ListingBounds
from .._http.probe import found_or_none, was_deleted
from .._http.response import Response, has_texts
from .._http.session import Session
from .._http.url import segment
from .avi_auth import SIGNED_OUT

PAGE_SIZE = 200

_TOKENS = "/api/securechanneltoken"
_LABEL_LENGTH = 20
_GENERATED = re.compile(rf"\S{{{_LABEL_LENGTH},}}")
_ADVICE = {
    **dict.fromkeys(SIGNED_OUT, "Check username and password, or session_id and csrftoken."),
    400: "Check api_version: it must not be newer than the controller. Without it, the controller's own is used.",
    403: "Check the permissions of the user in this tenant. A controller also refuses requests during an upgrade.",
    404: "Check tenant, and the names and UUIDs in the task.",
}


def looks_generated(name: str) -> bool:
    """Whether a name is a generated token, not a label: a UUID, or 20 or more characters without a space."""
    try:
        uuid.UUID(name)
    except ValueError:
        return bool(_GENERATED.fullmatch(name))
    return True


def error_facts(document: Any) -> tuple[str, str]:
    """The message of an error response. Avi has no error codes, so the code is empty."""
    if not isinstance(document, dict):
        return "", ""
    error = document.get("error") or document.get("detail") or ""
    return "", error if isinstance(error, str) else str(error)


class AviClient:
    """The operations of the API. `auth` signs each request.

    `bounds` limits the total size of all listings of a client. Methods raise ApiError and TransportError.
    """

    def __init__(self, session: Session, auth: Auth[Any], bounds: Optional[ListingBounds] = None) -> None:
        self._session = session
        self._auth = auth
        self._bounds = bounds or ListingBounds()

    # --- secure channel tokens ---------------------------------------------------------------------------------

    def list_tokens(self, name: Optional[str] = None, most: Optional[int] = None) -> list[Mapping[str, Any]]:
        """GET /securechanneltoken: all objects, at most `most`; with `name`, only those with exactly this name."""
        return self._named(_TOKENS, name, most, "list the secure channel tokens")

    def get_token(self, token_uuid: str) -> Optional[Mapping[str, Any]]:
        """GET /securechanneltoken/{uuid}. Returns None for an unknown UUID."""
        response = found_or_none(lambda: self._request("GET", _path(token_uuid), "read the secure channel token"))
        return None if response is None else _object(response)

    def create_token(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """POST /securechanneltoken. Returns the created object. Controllers return 201; the page documents 200."""
        left_behind = "A secure channel token may have been created. The next run finds it by its name"
        return _object(
            self._request("POST", _TOKENS, "create the secure channel token", json_body=body, left_behind=left_behind)
        )

    def update_token(self, token_uuid: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """PUT /securechanneltoken/{uuid} with the whole object. Raises ApiError: 412 after a concurrent change."""
        return _object(self._request("PUT", _path(token_uuid), "update the secure channel token", json_body=body))

    def delete_token(self, token_uuid: str) -> bool:
        """DELETE /securechanneltoken/{uuid}. Returns False when the object no longer existed."""
        return was_deleted(
            lambda: self._request("DELETE", _path(token_uuid), "delete the secure channel token"), gone=(404,)
        )

    # --- a Service Engine's token ------------------------------------------------------------------------------

    def list_clouds(self, name: Optional[str] = None, most: Optional[int] = None) -> list[Mapping[str, Any]]:
        """GET /cloud: all objects, at most `most`; with `name`, only those with exactly this name."""
        return self._named("/api/cloud", name, most, "find the cloud")

    def get_cluster(self) -> Mapping[str, Any]:
        """GET /cluster. Its `uuid` is not a secret, although it looks generated."""
        response = self._send("GET", "/api/cluster", "read the cluster")
        response.field("uuid", str)
        return response.mapping()

    def generate_se_token(self, cloud_uuid: str) -> Secret:
        """GET /securetoken-generate?cloud_uuid=..., which creates a token although it is a GET. It is undocumented."""
        response = self._request(
            "GET",
            "/api/securetoken-generate",
            "create a token for a Service Engine",
            query={"cloud_uuid": cloud_uuid},
            idempotent=False,
            left_behind="An unused token may be left on the controller. It expires within an hour",
        )
        return response.as_secret(response.field("auth_token", str))

    # --- requests ----------------------------------------------------------------------------------------------

    def _named(self, path: str, name: Optional[str], most: Optional[int], doing: str) -> list[Mapping[str, Any]]:
        found = islice(self._list(path, {"name": name} if name else {}, doing), most)
        return [item for item in found if name in (None, item["name"])]

    def _list(self, path: str, query: Mapping[str, str], doing: str) -> Iterator[Mapping[str, Any]]:
        for number in count(1):
            # `next` is an absolute URL that could lead to another host, so pages are requested by number.
            numbered = {**query, "page": str(number), "page_size": str(PAGE_SIZE)}
            response = self._send("GET", path, doing, query=numbered)
            self._bounds.count_page(response)
            page, results = response.mapping(), response.objects("results", "name", "uuid")
            if number == 1 and page.get("count") and not results:
                raise response.bad("the listing has a 'count' but no objects")
            self._bounds.count_items(len(results), response)
            for item in results:
                self.hide_generated(item)
                yield item
            if not page.get("next"):
                return

    def _send(self, method: str, path: str, doing: str, **arguments: Any) -> Response:
        return self._session.request(method, path, doing=doing, auth=self._auth, advice=_ADVICE, **arguments)

    def _request(self, method: str, path: str, doing: str, **arguments: Any) -> Response:
        response = self._send(method, path, doing, **arguments)
        document = response.json_or_none()
        if isinstance(document, dict):
            self.hide_generated(document)
        return response

    def hide_generated(self, item: Mapping[str, Any]) -> None:
        """Redact generated names and UUIDs: they are the secure channel token itself."""
        for field in ("name", "uuid"):
            value = item.get(field)
            if isinstance(value, str) and looks_generated(value):
                self._session.hide(Secret(value))


def _object(response: Response) -> Mapping[str, Any]:
    """The secure channel token in a response. Raises BadResponse."""
    if not has_texts(response.mapping(), "name", "uuid"):
        raise response.bad("the response is not a secure channel token: 'name' or 'uuid' is missing")
    return response.mapping()


def _path(token_uuid: str) -> str:
    return f"{_TOKENS}/{segment(token_uuid, 'uuid')}"
