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
IDS_ADVICE = "Check the three ids, and that the gateway is one of this manager."
# The code of a path that the manager does not know, with status 400 or 404.
_INVALID_PATH = "500012"
_BAD_REQUEST = 400
_UNKNOWN = (404, 501)

_POLICY = "/policy/api/v1"
_PATH = re.compile(r"/infra/tier-0s/([^/]+)/locale-services/([^/]+)/service-instances/([^/]+)")
_READING_ADVICE = dict.fromkeys((401, 403), "Check the access token, or username and password, with which to read.")
_NO_OPERATION_ADVICE = "Check the three ids; newer releases of VMware Cloud on AWS have no such operation."
_TOKENS_ADVICE = "The access token or the OpenID token may have expired, or lacks the role: fetch new ones."


@dataclass(frozen=True)
class InstanceRef:
    """A partner service instance below a locale service of a tier-0 gateway."""

    tier0_id: str
    locale_service_id: str
    service_instance_id: str

    @classmethod
    def from_path(cls, path: str) -> Optional[InstanceRef]:
        """The instance of a policy path, None where the path is none of an instance."""
        found = _PATH.fullmatch(path)
        return cls(*found.groups()) if found else None

    @property
    def place(self) -> tuple[str, str]:
        """The gateway and its locale service."""
        return self.tier0_id, self.locale_service_id

    @property
    def path(self) -> str:
        """The policy path, as alarms quote it."""
        return (
            f"/infra/tier-0s/{self.tier0_id}/locale-services/{self.locale_service_id}"
            f"/service-instances/{self.service_instance_id}"
        )

    def url_path(self) -> str:
        """The path in a URL, each id escaped as one segment. Raises InvalidOption."""
        return (
            f"{_POLICY}/infra/tier-0s/{segment(self.tier0_id, 'tier0_id')}"
            f"/locale-services/{segment(self.locale_service_id, 'locale_service_id')}"
            f"/service-instances/{segment(self.service_instance_id, 'service_instance_id')}"
        )


@dataclass(frozen=True)
class Alarm:
    """A PolicyAlarmResource: what it says, and of which objects."""

    text: str
    paths: tuple[str, ...]

    def is_about(self, path: str) -> bool:
        """Whether it is raised on the object of this path, or on a part of it."""
        return any(about == path or about.startswith(path + "/") for about in self.paths)


def error_facts(document: Any) -> tuple[str, str]:
    """Code and message of an ApiError, with those of the errors related to it."""
    if not isinstance(document, dict):
        return "", ""
    errors = (document, *items(document.get("related_errors")))
    messages = [str(error["error_message"]) for error in errors if error.get("error_message")]
    return str(document.get("error_code") or ""), "; ".join(messages)


def is_unknown(error: ApiError) -> bool:
    """Whether the manager knows no such object, or no such operation; releases differ in how they say so."""
    return error.status in _UNKNOWN or (error.status == _BAD_REQUEST and error.code == _INVALID_PATH)


class NsxClient:
    """The operations of the API, named as it names them. `auth` signs each request.

    All listings of one client together have the bounds of `bounds`.
    """

    def __init__(self, session: Session, auth: Auth[Any], bounds: Optional[ListingBounds] = None) -> None:
        self._session = session
        self._auth = auth
        self._bounds = bounds or ListingBounds()

    def list_tier0s(self) -> list[Mapping[str, Any]]:
        """GET /infra/tier-0s, all pages. Raises ApiError."""
        return list(self._list("/infra/tier-0s", "id", doing="list the tier-0 gateways"))

    def list_locale_services(self, tier0_id: str) -> list[Mapping[str, Any]]:
        """GET /infra/tier-0s/{id}/locale-services, all pages. Raises ApiError."""
        path = f"/infra/tier-0s/{segment(tier0_id, 'tier0_id')}/locale-services"
        return list(self._list(path, "id", doing=f"list the locale services of {tier0_id}"))

    def list_service_instances(self, tier0_id: str, locale_service_id: str) -> list[Mapping[str, Any]]:
        """GET .../locale-services/{id}/service-instances, all pages. Raises ApiError."""
        path = (
            f"/infra/tier-0s/{segment(tier0_id, 'tier0_id')}"
            f"/locale-services/{segment(locale_service_id, 'locale_service_id')}/service-instances"
        )
        return list(self._list(path, "id", doing=f"list the service instances of {tier0_id}/{locale_service_id}"))

    def list_policy_alarms(self) -> list[Alarm]:
        """GET /infra/realized-state/alarms, all pages. Raises ApiError: 404, or 400 code 500012, where it lacks."""
        return [_alarm(item) for item in self._list("/infra/realized-state/alarms", doing="read the alarms")]

    def renew_authentication_tokens(self, instance: InstanceRef) -> None:
        """POST ...?action=reauth, signed with an OpenID token, too.

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
            # The vendor's client names a content type without a body, too.
            headers={"Content-Type": "application/json"},
            auth=self._auth,
            doing=f"re-authenticate {instance.path}",
            left_behind="It may have been re-authenticated all the same",
            advice={
                401: _TOKENS_ADVICE,
                403: _TOKENS_ADVICE,
            },
        )
        if response.body.strip():
            raise response.bad("the response has a body, which the API's own never has")

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
        # The pattern of the user is searched in no more than what may be shown.
        text[: LONGEST_TEXT + MARGIN],
        tuple(path for path in paths if isinstance(path, str)),
    )
