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
    400: "api_version may be newer than the controller: leave it out to use the controller's own.",
    403: "The user may lack the right in this tenant, or the controller is being upgraded.",
    404: "Check tenant and names.",
}


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
    """The operations of the API, named as it names them. `auth` signs each request.

    All listings of one client together have the bounds of `bounds`.
    """

    def __init__(self, session: Session, auth: Auth[Any], bounds: Optional[ListingBounds] = None) -> None:
        self._session = session
        self._auth = auth
        self._bounds = bounds or ListingBounds()

    # --- secure channel tokens ---------------------------------------------------------------------------------

    def list_tokens(self, name: Optional[str] = None, most: Optional[int] = None) -> list[Mapping[str, Any]]:
        """GET /securechanneltoken, all pages or `most` objects; with a name only those that have exactly that one."""
        return self._named(_TOKENS, name, most, "list the secure channel tokens")

    def get_token(self, token_uuid: str) -> Optional[Mapping[str, Any]]:
        """GET /securechanneltoken/{uuid}; None where there is none."""
        response = found_or_none(lambda: self._request("GET", _path(token_uuid), "read the secure channel token"))
        return None if response is None else _object(response)

    def create_token(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """POST /securechanneltoken. The page says 200, controllers answer 201."""
        left_behind = "A secure channel token may have been created; the next run finds it by its name"
        return _object(
            self._request("POST", _TOKENS, "create the secure channel token", json_body=body, left_behind=left_behind)
        )

    def update_token(self, token_uuid: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """PUT /securechanneltoken/{uuid} with the whole object. Raises ApiError: 412 when it has changed meanwhile."""
        return _object(self._request("PUT", _path(token_uuid), "update the secure channel token", json_body=body))

    def delete_token(self, token_uuid: str) -> bool:
        """DELETE /securechanneltoken/{uuid}. False when it did not exist any more."""
        return was_deleted(
            lambda: self._request("DELETE", _path(token_uuid), "delete the secure channel token"), gone=(404,)
        )

    # --- a Service Engine's token ------------------------------------------------------------------------------

    def list_clouds(self, name: Optional[str] = None, most: Optional[int] = None) -> list[Mapping[str, Any]]:
        """GET /cloud, all pages or `most` objects; with a name only those that have exactly that one."""
        return self._named("/api/cloud", name, most, "find the cloud")

    def get_cluster(self) -> Mapping[str, Any]:
        """GET /cluster."""
        # Its uuid is no secret, though it looks generated.
        response = self._send("GET", "/api/cluster", "read the cluster")
        response.field("uuid", str)
        return response.mapping()

    def generate_se_token(self, cloud_uuid: str) -> Secret:
        """GET /securetoken-generate?cloud_uuid=..., which creates a token though it is a GET. Undocumented."""
        response = self._request(
            "GET",
            "/api/securetoken-generate",
            "create a token for a Service Engine",
            query={"cloud_uuid": cloud_uuid},
            idempotent=False,
            left_behind="A token that nobody holds may be left; it ends by itself within an hour",
        )
        return response.as_secret(response.field("auth_token", str))

    # --- requests ----------------------------------------------------------------------------------------------

    def _named(self, path: str, name: Optional[str], most: Optional[int], doing: str) -> list[Mapping[str, Any]]:
        found = islice(self._list(path, {"name": name} if name else {}, doing), most)
        return [item for item in found if name in (None, item["name"])]

    def _list(self, path: str, query: Mapping[str, str], doing: str) -> Iterator[Mapping[str, Any]]:
        for number in count(1):
            # The link to the next page is absolute, and might lead elsewhere: the number does as well.
            numbered = {**query, "page": str(number), "page_size": str(PAGE_SIZE)}
            response = self._send("GET", path, doing, query=numbered)
            self._bounds.count_page(response)
            page, results = response.mapping(), response.objects("results", "name", "uuid")
            if number == 1 and page.get("count") and not results:
                raise response.bad("the listing has a 'count' and no objects")
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
        """Name, uuid and url of a secure channel token are the token itself, unless a person chose them."""
        for field in ("name", "uuid"):
            value = item.get(field)
            if isinstance(value, str) and looks_generated(value):
                self._session.hide(Secret(value))


def _object(response: Response) -> Mapping[str, Any]:
    """A secure channel token as the controller has it. Raises BadResponse."""
    if not has_texts(response.mapping(), "name", "uuid"):
        raise response.bad("the response is not a secure channel token: it has no name or no uuid")
    return response.mapping()


def _path(token_uuid: str) -> str:
    return f"{_TOKENS}/{segment(token_uuid, 'uuid')}"
