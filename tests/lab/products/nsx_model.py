# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of an NSX manager: tier-0s, locale services, service instances and alarms.

Names and fields are those of PolicyServiceInstance, PolicyAlarmResource and Alarm of the vendor's API reference.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

JWT_TEXT = "Service deployment failed: JWT expired while downloading the OVF from the partner service provider."
OTHER_TEXT = "Service VM of the partner service is down."
# The instances of the default inventory, in three locale services of two tier-0s.
_PLACES = (("T0-main", "default"), ("T0-main", "edge-east"), ("T0-lab", "default"))
_INSTANCES = 12


def infra_path(*parts: str) -> str:
    """Return the policy path of an object: alternating types and ids below `/infra`."""
    return "/infra/" + "/".join(parts)


@dataclass
class Alarm:
    """An alarm on a service instance. `text` is in `message` or, with `detailed`, in `error_details`."""

    instance_path: str
    text: str
    detailed: bool = False
    severity: str = "HIGH"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    raised_at: float = field(default_factory=time.time)
    clears_at: float | None = None
    """Monotonic time from which the alarm is resolved."""

    @property
    def is_raised(self) -> bool:
        """Whether the alarm is open."""
        return self.clears_at is None or time.monotonic() < self.clears_at

    @property
    def complains_of_jwt(self) -> bool:
        """Whether a re-authentication clears the alarm."""
        return "jwt" in self.text.lower()

    def as_policy(self, with_intent_paths: bool) -> dict[str, Any]:
        """Return the PolicyAlarmResource. `intent_paths` and `severity` were added in 9.1."""
        detached = self.detailed and with_intent_paths
        source = f"/infra/realized-state/enforcement-points/default/service-deployments/{self.id}"
        return {
            "id": self.id,
            "resource_type": "PolicyAlarmResource",
            "path": f"/infra/realized-state/alarms/{self.id}",
            "message": "Service deployment failed." if self.detailed else self.text,
            "source_reference": source if detached else self.instance_path,
            "error_details": {
                "error_code": 540001,
                "module_name": "PolicyServiceInsertion",
                "error_message": self.text if self.detailed else "See message.",
            },
            **({"intent_paths": [self.instance_path], "severity": self.severity} if with_intent_paths else {}),
        }

    def as_manager(self) -> dict[str, Any]:
        """Return the manager's Alarm."""
        return {
            "id": self.id,
            "feature_name": "service_insertion",
            "event_type": "service_deployment_failed" if self.complains_of_jwt else "service_vm_down",
            "status": "OPEN" if self.is_raised else "RESOLVED",
            "severity": self.severity,
            "summary": "Service insertion has a problem.",
            "description": self.text,
            "entity_id": self.instance_path.rsplit("/", 1)[1],
            "node_id": "11111111-2222-3333-4444-555555555555",
            "alarm_source_type": "INTENT_PATH",
            "alarm_source": [self.instance_path],
            "last_reported_time": int(self.raised_at * 1000),
        }


@dataclass
class Inventory:
    """The policy objects and alarms of one manager."""

    tier0s: dict[str, dict[str, dict[str, dict[str, Any]]]] = field(default_factory=dict)
    """Tier-0 id to locale service id to service instance id to service instance."""
    alarms: list[Alarm] = field(default_factory=list)

    def add(self, tier0: str, locale_service: str, instance: str, password: str) -> str:
        """Add a service instance with its parents, and return its path."""
        path = infra_path("tier-0s", tier0, "locale-services", locale_service, "service-instances", instance)
        services = self.tier0s.setdefault(tier0, {}).setdefault(locale_service, {})
        services[instance] = _service_instance(path, instance, password)
        return path

    def paths(self) -> list[str]:
        """Return the paths of all service instances."""
        return [
            instance["path"]
            for services in self.tier0s.values()
            for instances in services.values()
            for instance in instances.values()
        ]

    def remove(self, path: str) -> None:
        """Remove a service instance and its alarms."""
        for services in self.tier0s.values():
            for instances in services.values():
                for name in [name for name, instance in instances.items() if instance["path"] == path]:
                    del instances[name]
        self.alarms = [alarm for alarm in self.alarms if alarm.instance_path != path]

    def reauthenticate(self, path: str, delay: float) -> None:
        """Clear the JWT alarms of an instance after `delay` seconds; never if it is negative."""
        for alarm in self.alarms:
            if alarm.instance_path == path and alarm.complains_of_jwt and alarm.clears_at is None and delay >= 0:
                alarm.clears_at = time.monotonic() + delay


def default_inventory(passwords: list[str]) -> Inventory:
    """Return the objects of a new manager: a dozen instances, two with a JWT alarm, one with another."""
    inventory = Inventory()
    paths = []
    for number in range(_INSTANCES):
        tier0, locale_service = _PLACES[number % len(_PLACES)]
        # One id contains a space, which is reserved in a URL and common in a name.
        name = "partner fw 12" if number == _INSTANCES - 1 else f"partner-fw-{number + 1:02d}"
        paths.append(inventory.add(tier0, locale_service, name, passwords[number % len(passwords)]))
    inventory.tier0s["T0-empty"] = {"default": {}}
    inventory.alarms += [
        Alarm(paths[0], JWT_TEXT),
        Alarm(paths[1], JWT_TEXT, detailed=True),
        Alarm(paths[2], OTHER_TEXT, severity="MEDIUM"),
    ]
    return inventory


def policy_object(kind: str, path: str) -> dict[str, Any]:
    """Return the fields that every policy object has."""
    parent, _collection, name = path.rsplit("/", 2)
    return {
        "resource_type": kind,
        "id": name,
        "display_name": name,
        "path": path,
        "relative_path": name,
        "parent_path": parent,
        "marked_for_delete": False,
        "_revision": 0,
    }


def _service_instance(path: str, name: str, password: str) -> dict[str, Any]:
    return {
        **policy_object("PolicyServiceInstance", path),
        "id": name,
        "display_name": name,
        "relative_path": name,
        "parent_path": path[: -len(f"/service-instances/{name}")],
        "partner_service_name": "Example Firewall",
        "deployment_spec_name": "small",
        "deployment_template_name": "example-template",
        "deployment_mode": "ACTIVE_STANDBY",
        "transport_type": "L2_BRIDGE",
        "compute_id": "domain-c8",
        "storage_id": "datastore-12",
        "context_id": "/infra/sites/default/enforcement-points/default",
        "failure_policy": "BLOCK",
        "attributes": [_attribute("STRING", "license", "trial"), _attribute("PASSWORD", "password", password)],
    }


def _attribute(kind: str, key: str, value: str) -> dict[str, Any]:
    return {"attribute_type": kind, "key": key, "display_name": key.title(), "value": value, "read_only": False}
