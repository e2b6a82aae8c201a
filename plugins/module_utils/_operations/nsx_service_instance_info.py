# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nsx_service_instance_info: list partner service instances of tier-0 gateways, with their alarms."""

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
                "The service instances are unknown, because check mode creates no access token. Set username and "
                "password, or a token_file or token_store that contains a token."
            )
        return Outcome(False, "none", values={"service_instances": self._found(reader) if reader else []})

    def _found(self, reader: nsx.NsxClient) -> list[dict[str, Any]]:
        alarms = self._alarms(reader) if self.params["alarms"] else None
        # The ids that each filter excludes, by option.
        passed_over: dict[str, list[str]] = {"locale_service_id": [], "service_instance_id": []}
        found = [_entry_of(item, alarms) for item in self._instances(reader, passed_over)]
        if not found:
            self._warn_of_an_empty_selection(passed_over)
        return found

    def _warn_of_an_empty_selection(self, passed_over: Mapping[str, Sequence[str]]) -> None:
        filters = [f"{name} '{self.params[name]}'" for name in ("tier0_id", *passed_over) if self.params[name]]
        if filters:
            there = [f"{name} {there_is(ids, self.runtime.redactor)}" for name, ids in passed_over.items() if ids]
            self.runtime.warn(f"No service instance has {' and '.join(filters)}. Check {', '.join(there or filters)}.")

    def _instances(self, reader: nsx.NsxClient, passed_over: Mapping[str, list[str]]) -> Iterator[Mapping[str, Any]]:
        wanted = self.params["service_instance_id"]
        for tier0_id, locale_service_id in self._places(reader, passed_over["locale_service_id"]):
            for item in reader.list_service_instances(tier0_id, locale_service_id):
                if wanted in (None, item["id"]):
                    yield item
                else:
                    passed_over["service_instance_id"].append(item["id"])

    def _places(self, reader: nsx.NsxClient, passed_over: list[str]) -> Iterator[tuple[str, str]]:
        """Yield the ids of gateways and their locale services that the filters select."""
        tier0_id, locale_service_id = self.params["tier0_id"], self.params["locale_service_id"]
        if tier0_id and locale_service_id:
            yield tier0_id, locale_service_id
            return
        for gateway in [tier0_id] if tier0_id else _ids(reader.list_tier0s()):
            for service in _ids(reader.list_locale_services(gateway)):
                # Gateways without this locale service are skipped.
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
            self.runtime.warn(
                "This manager has no alarm API, so the result has no 'alarms'. Set alarms: false to end this warning."
            )
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
    # Other keys are dropped: a key such as __ansible_type has a special meaning for Ansible.
    found = {name: attribute[name] for name in _ATTRIBUTE_FIELDS if name in attribute}
    return {**found, "value": MASK} if found.get("attribute_type") == _SECRET_ATTRIBUTE else found
