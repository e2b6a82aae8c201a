# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job of nsx_service_instance_info: partner service instances below tier-0 gateways, with their alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional

from .._clients import nsx
from .._core.argspec import ArgumentSpec
from .._core.errors import ApiError
from .._core.outcome import Outcome
from .._core.secret import MASK
from .._http.response import items
from . import nsx_connection
from .base import Operation
from .selection import there_is

_FIELDS = (
    "id",
    "path",
    "display_name",
    "partner_service_name",
    "deployment_spec_name",
    "deployment_template_name",
    "deployment_mode",
    "transport_type",
    "compute_id",
    "storage_id",
    "context_id",
    "failure_policy",
)
_NARROWING = "Set tier0_id and locale_service_id to read fewer of them, or alarms: false to read no alarms."
_ATTRIBUTE_FIELDS = ("attribute_type", "display_name", "key", "read_only", "value")
_SECRET_ATTRIBUTE = "PASSWORD"


class NsxServiceInstanceInfo(Operation):
    """List service instances."""

    name = "sddc.tokens.nsx_service_instance_info"
    argument_spec = nsx_connection.SIGN_IN.merge(
        ArgumentSpec(
            {
                "tier0_id": {"type": "str"},
                "locale_service_id": {"type": "str"},
                "service_instance_id": {"type": "str"},
                "alarms": {"type": "bool", "default": True},
            },
            required_one_of=(nsx_connection.READERS,),
        )
    )

    def run(self) -> Outcome:
        reader = nsx_connection.NsxConnection(self, require_id_token=False).reader(_NARROWING)
        if reader is None:
            self.runtime.warn(
                "Check mode creates no access token, so that the instances are unknown. Give username and password to "
                "read with, or a token_file that holds a token."
            )
        return Outcome(False, "none", values={"service_instances": self._found(reader) if reader else []})

    def _found(self, reader: nsx.NsxClient) -> list[dict[str, Any]]:
        alarms = self._alarms(reader) if self.params["alarms"] else None
        # What a filter of the user has left out, by the option.
        passed_over: dict[str, list[str]] = {"locale_service_id": [], "service_instance_id": []}
        found = [_entry_of(item, alarms) for item in self._instances(reader, passed_over)]
        if not found:
            self._warn_of_an_empty_selection(passed_over)
        return found

    def _warn_of_an_empty_selection(self, passed_over: Mapping[str, Sequence[str]]) -> None:
        filters = [f"{name} '{self.params[name]}'" for name in ("tier0_id", *passed_over) if self.params[name]]
        if filters:
            there = [f"{name} {there_is(ids, self.runtime.redactor)}" for name, ids in passed_over.items() if ids]
            self.runtime.warn(f"No service instance has {' and '.join(filters)}. Check {', '.join(there) or 'them'}.")

    def _instances(self, reader: nsx.NsxClient, passed_over: Mapping[str, list[str]]) -> Iterator[Mapping[str, Any]]:
        wanted = self.params["service_instance_id"]
        for tier0_id, locale_service_id in self._places(reader, passed_over["locale_service_id"]):
            for item in reader.list_service_instances(tier0_id, locale_service_id):
                if wanted in (None, item["id"]):
                    yield item
                else:
                    passed_over["service_instance_id"].append(item["id"])

    def _places(self, reader: nsx.NsxClient, passed_over: list[str]) -> Iterator[tuple[str, str]]:
        """The gateways and their locale services: those that the user names, or all that there are."""
        tier0_id, locale_service_id = self.params["tier0_id"], self.params["locale_service_id"]
        if tier0_id and locale_service_id:
            yield tier0_id, locale_service_id
            return
        for gateway in [tier0_id] if tier0_id else _ids(reader.list_tier0s()):
            for service in _ids(reader.list_locale_services(gateway)):
                # Not every gateway has the one that the user names.
                if locale_service_id in (None, service):
                    yield gateway, service
                else:
                    passed_over.append(service)

    def _alarms(self, reader: nsx.NsxClient) -> Optional[list[nsx.Alarm]]:
        try:
            return reader.list_policy_alarms()
        except ApiError as error:
            if not nsx.is_unknown(error):
                raise
            self.runtime.warn("This manager has no alarm API, so that the instances have no 'alarms'.")
            return None


def _ids(found: list[Mapping[str, Any]]) -> list[str]:
    return [item["id"] for item in found]


def _entry_of(item: Mapping[str, Any], alarms: Optional[list[nsx.Alarm]]) -> dict[str, Any]:
    path = str(item.get("path") or "")
    entry = {name: item.get(name) for name in _FIELDS}
    entry["attributes"] = [_attribute_of(attribute) for attribute in items(item.get("attributes"))]
    if alarms is not None:
        entry["alarms"] = [alarm.text for alarm in alarms if alarm.is_about(path)]
    return entry


def _attribute_of(attribute: Mapping[str, Any]) -> dict[str, Any]:
    # Not what else a server may send: Ansible gives names such as __ansible_type a meaning of its own.
    found = {name: attribute[name] for name in _ATTRIBUTE_FIELDS if name in attribute}
    return {**found, "value": MASK} if found.get("attribute_type") == _SECRET_ATTRIBUTE else found
