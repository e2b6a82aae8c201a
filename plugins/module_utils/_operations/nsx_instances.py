# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service instances of a task: the options that name them, and their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from .._clients import nsx
from .._core.argspec import ArgumentSpec
from .._core.errors import InvalidOption, SomeFailed, TokensError

_IDS = ("tier0_id", "locale_service_id", "service_instance_id")
INSTANCES = ArgumentSpec(
    {**{name: {"type": "str"} for name in _IDS}, "service_instances": {"type": "list", "elements": "raw"}},
    required_together=(_IDS,),
    required_one_of=(("service_instance_id", "service_instances"),),
    mutually_exclusive=(("service_instance_id", "service_instances"),),
)


@dataclass
class Instance:
    """A service instance and its result."""

    ref: nsx.InstanceRef
    alarms: list[str] = field(default_factory=list)
    reason: str = ""
    is_due: bool = False
    reauthenticated: bool = False
    error: Optional[TokensError] = None

    def result(self) -> dict[str, Any]:
        """Its entry in the result."""
        return {
            "path": self.ref.path,
            "reauthenticated": self.reauthenticated,
            "reason": self.reason,
            "alarms": self.alarms,
            "error": str(self.error) if self.error else None,
        }


def instances_of(params: Mapping[str, Any]) -> list[Instance]:
    """The instances that the options name, without duplicates. Raises InvalidOption."""
    if params["service_instances"] is None:
        refs = [nsx.InstanceRef(*(params[name] for name in _IDS))]
    else:
        refs = [_reference(item, number) for number, item in enumerate(params["service_instances"], start=1)]
    for ref in refs:
        # Raises InvalidOption for ids that are invalid in a URL, before the first request.
        ref.url_path()
    return [Instance(ref) for ref in dict.fromkeys(refs)]


def error_of(instances: Sequence[Instance]) -> Optional[TokensError]:
    """The error of the task; None when no instance failed."""
    failed = [instance for instance in instances if instance.error]
    if not failed:
        return None
    first = failed[0].error
    if len(instances) == 1:
        return first
    names = ", ".join(instance.ref.path for instance in failed[:5]) + (", ..." if len(failed) > 5 else "")
    return SomeFailed(
        f"{len(failed)} of {len(instances)} instances failed: {names}. The first error: {first}",
        advice="See 'error' of each entry in the result 'instances'.",
    )


def _reference(item: Any, number: int) -> nsx.InstanceRef:
    """Parse an entry. `number` is its position in the list, from 1."""
    if isinstance(item, Mapping) and set(item) == set(_IDS) and all(item[name] for name in _IDS):
        return nsx.InstanceRef(*(str(item[name]) for name in _IDS))
    ref = nsx.InstanceRef.from_path(item) if isinstance(item, str) else None
    if ref is None:
        raise InvalidOption(
            "service_instances",
            f"has an invalid entry: number {number} does not name a service instance",
            advice="Set it to a policy path, /infra/tier-0s/.../locale-services/.../service-instances/..., or to a "
            f"mapping with the keys {', '.join(_IDS)}.",
        )
    return ref
