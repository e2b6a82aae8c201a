# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NSX: the policy API of partner service instances and of alarms, below /policy/api/v1.

https://developer.broadcom.com/xapis/nsx-t-data-center-rest-api/latest/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from .._core.errors import ApiError
from .._core.redaction import LONGEST_TEXT, MARGIN
from .._http.auth import Auth
from .._http.listing import ListingBounds
from .._http.response import items
from .._http.session import Session
from .._http.url import segment

PAGE_SIZE = 1000
IDS_ADVICE = "Check tier0_id, locale_service_id and service_instance_id, and that hostname is the right manager."
# Error code for an unknown path, with status 400 or 404.
_INVALID_PATH = "500012"
_BAD_REQUEST = 400
_UNKNOWN = (404, 501)

_POLICY = "/policy/api/v1"
_PATH = re.compile(r"/infra/tier-0s/([^/]+)/locale-services/([^/]+)/service-instances/([^/]+)")
_READING_ADVICE = dict.fromkeys(
    (401, 403), "Check the access token, or username and password, and the role of the user."
)
_NO_OPERATION_ADVICE = (
    "Check tier0_id, locale_service_id and service_instance_id. Newer releases of VMware Cloud on AWS do not support "
    "this operation."
)
_TOKENS_ADVICE = (
    "Get a new access token and OpenID token: one of them may have expired. Check that their user has the required "
    "role."
)


@dataclass(frozen=True)
class InstanceRef:
    """A partner service instance below a locale service of a tier-0 gateway."""

    tier0_id: str
    locale_service_id: str
    service_instance_id: str

    @classmethod
    def from_path(cls, path: str) -> Optional[InstanceRef]:
        """Parse a policy path. Returns None when it is not the path of an instance."""
        found = _PATH.fullmatch(path)
        return cls(*found.groups()) if found else None

    @property
    def place(self) -> tuple[str, str]:
        """The ids of the gateway and of its locale service."""
        return self.tier0_id, self.locale_service_id

    @property
    def path(self) -> str:
        """The policy path, as alarms contain it."""
        return (
            f"/infra/tier-0s/{self.tier0_id}/locale-services/{self.locale_service_id}"
            f"/service-instances/{self.service_instance_id}"
        )

    def url_path(self) -> str:
        """The path of the URL, with each id percent-encoded as one segment. Raises InvalidOption."""
        return (
            f"{_POLICY}/infra/tier-0s/{segment(self.tier0_id, 'tier0_id')}"
            f"/locale-services/{segment(self.locale_service_id, 'locale_service_id')}"
            f"/service-instances/{segment(self.service_instance_id, 'service_instance_id')}"
        )


@dataclass(frozen=True)
class Alarm:
    """A PolicyAlarmResource: its message, and the policy paths of its objects."""

    text: str
    paths: tuple[str, ...]

    def is_about(self, path: str) -> bool:
        """Whether the alarm is raised on the object with this path, or on an object below it."""
        return any(about == path or about.startswith(path + "/") for about in self.paths)


def error_facts(document: Any) -> tuple[str, str]:
    """Code and message of an error response, with the messages of related errors."""
    if not isinstance(document, dict):
        return "", ""
    errors = (document, *items(document.get("related_errors")))
    messages = [str(error["error_message"]) for error in errors if error.get("error_message")]
    return str(document.get("error_code") or ""), "; ".join(messages)


def is_unknown(error: ApiError) -> bool:
    """Whether the object or the operation does not exist. Releases use different statuses."""
    return error.status in _UNKNOWN or (error.status == _BAD_REQUEST and error.code == _INVALID_PATH)


class NsxClient:
    """The operations of the API. `auth` signs each request.

    `bounds` limits the total size of all listings of a client. Methods raise ApiError and TransportError.
    """

    def __init__(self, session: Session, auth: Auth[Any], bounds: Optional[ListingBounds] = None) -> None:
        self._session = session
        self._auth = auth
        self._bounds = bounds or ListingBounds()

    def list_tier0s(self) -> list[Mapping[str, Any]]:
        """GET /infra/tier-0s, all pages. Each object has an `id`."""
        return list(self._list("/infra/tier-0s", "id", doing="list the tier-0 gateways"))

    def list_locale_services(self, tier0_id: str) -> list[Mapping[str, Any]]:
        """GET /infra/tier-0s/{id}/locale-services, all pages. Each object has an `id`."""
        path = f"/infra/tier-0s/{segment(tier0_id, 'tier0_id')}/locale-services"
        return list(self._list(path, "id", doing=f"list the locale services of {tier0_id}"))

    def list_service_instances(self, tier0_id: str, locale_service_id: str) -> list[Mapping[str, Any]]:
        """GET .../locale-services/{id}/service-instances, all pages. Each object has an `id`."""
        path = (
            f"/infra/tier-0s/{segment(tier0_id, 'tier0_id')}"
            f"/locale-services/{segment(locale_service_id, 'locale_service_id')}/service-instances"
        )
        return list(self._list(path, "id", doing=f"list the service instances of {tier0_id}/{locale_service_id}"))

    def list_policy_alarms(self) -> list[Alarm]:
        """GET /infra/realized-state/alarms, all pages. Raises ApiError: 404, or 400 code 500012, without this API."""
        return [_alarm(item) for item in self._list("/infra/realized-state/alarms", doing="read the alarms")]

    def renew_authentication_tokens(self, instance: InstanceRef) -> None:
        """POST ...?action=reauth, signed with an access token and an OpenID token.

        Raises ApiError: 400, 401, 403, 404, 412, 429, 500, 503, 504.

        https://developer.broadcom.com/xapis/nsx-vmc-policy-api/latest/ "Renew Auth Tokens For Policy Service"
        """
        try:
            self._reauthenticate(instance)
        except ApiError as error:
            if is_unknown(error):
                error.advice = _NO_OPERATION_ADVICE
            raise

    def _reauthenticate(self, instance: InstanceRef) -> None:
        response = self._session.request(
            "POST",
            instance.url_path(),
            query={"action": "reauth"},
            # The vendor's client sends a content type without a body, too.
            headers={"Content-Type": "application/json"},
            auth=self._auth,
            doing=f"re-authenticate {instance.path}",
            left_behind="The instance may have been re-authenticated",
            advice={
                401: _TOKENS_ADVICE,
                403: _TOKENS_ADVICE,
            },
        )
        if response.body.strip():
            raise response.bad("the response has a body, which this API never returns")

    def _list(self, path: str, *fields: str, doing: str) -> Iterator[Mapping[str, Any]]:
        query = {"page_size": str(PAGE_SIZE)}
        while True:
            response = self._session.request(
                "GET", _POLICY + path, query=query, auth=self._auth, doing=doing, advice=_READING_ADVICE
            )
            self._bounds.count_page(response)
            page = response.mapping()
            results = response.objects("results", *fields)
            self._bounds.count_items(len(results), response)
            yield from results
            cursor = str(page.get("cursor") or "")
            if not cursor or cursor.startswith("0000"):
                return
            query["cursor"] = cursor


def _alarm(item: Mapping[str, Any]) -> Alarm:
    details = item.get("error_details")
    details = details if isinstance(details, dict) else {}
    texts = [item.get("message"), details.get("error_message")]
    intent_paths = item.get("intent_paths")
    paths = [item.get("source_reference"), *(intent_paths if isinstance(intent_paths, list) else ())]
    text = " ".join(dict.fromkeys(text for text in texts if isinstance(text, str) and text))
    return Alarm(
        # Bounds the text that the user's regular expression is matched against.
        text[: LONGEST_TEXT + MARGIN],
        tuple(path for path in paths if isinstance(path, str)),
    )
