# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job of nsx_service_reauth: renew the authentication tokens of partner service instances, one or many."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Optional

from .._clients import nsx
from .._core.argspec import ArgumentSpec
from .._core.errors import (
    ApiError,
    InvalidOption,
    SomeFailed,
    TokensError,
)
from .._core.outcome import Outcome
from .._core.runtime import Clock
from . import nsx_connection
from .base import Operation

_IDS = ("tier0_id", "locale_service_id", "service_instance_id")
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_NO_ALARM_API = (404, 501)


@dataclass
class _Instance:
    """An instance and what became of it."""

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


class NsxServiceReauth(Operation):
    """Re-authenticate the instances on which an alarm complains of an expired token."""

    name = "sddc.tokens.nsx_service_reauth"
    argument_spec = nsx_connection.SIGN_IN.merge(
        ArgumentSpec(
            {
                **{name: {"type": "str"} for name in _IDS},
                "service_instances": {"type": "list", "elements": "raw"},
                "alarm_pattern": {"type": "str", "default": "(?i)jwt"},
                "force": {"type": "bool", "default": False},
                "wait": {"type": "bool", "default": True},
                "wait_timeout": {"type": "float", "default": 300},
                "concurrency": {"type": "int", "default": 4},
            },
            required_together=(_IDS,),
            required_one_of=(
                ("service_instance_id", "service_instances"),
                ("access_token", "token_file", "csp_api_token", "csp_client_id"),
            ),
            mutually_exclusive=(("service_instance_id", "service_instances"),),
        )
    )

    def run(self) -> Outcome:
        params = self.params
        if params["concurrency"] < 1:
            raise InvalidOption("concurrency", "must be at least 1")
        if params["access_token"] and not params["open_id_token"]:
            raise InvalidOption("open_id_token", "is needed besides access_token", advice=nsx_connection.OPEN_ID_ADVICE)
        pattern = compile_alarm_pattern(params["alarm_pattern"])
        instances = [_Instance(ref) for ref in dict.fromkeys(_references(params))]
        if not instances:
            return Outcome(False, "none", values={"instances": []})
        for instance in instances:
            # Escaping refuses ids that no URL can carry, before anything is done.
            instance.ref.url_path()
        self._nsx = nsx_connection.NsxConnection(self, require_id_token=True, connections=params["concurrency"])
        if params["force"]:
            for instance in instances:
                instance.is_due, instance.reason = True, "force"
        else:
            self._look_at_alarms(instances, pattern)
        if not self.runtime.check_mode:
            self._reauthenticate(instances)
            if params["wait"] and not params["force"]:
                self._wait_until_alarms_clear(instances, pattern)
        return self._outcome(instances)

    def _look_at_alarms(self, instances: Sequence[_Instance], pattern: re.Pattern[str]) -> None:
        alarms = self._alarms()
        if alarms is None:
            self.runtime.warn("Check mode creates no access token, so that the alarms could not be read.")
        for instance in instances:
            if alarms is None:
                instance.is_due, instance.reason = True, "unknown_in_check_mode"
                continue
            matching, others = _alarms_of(instance, alarms, pattern)
            instance.alarms = matching
            instance.is_due = bool(matching)
            instance.reason = "alarm" if matching else "no_matching_alarm"
            if others and not matching:
                quoted = "; ".join(f"'{text}'" for text in others)
                self.runtime.warn(
                    f"{instance.ref.path} has alarms that alarm_pattern does not match: {quoted}. If one of them "
                    "complains of the token, change alarm_pattern, or set force: true."
                )

    def _alarms(self) -> Optional[list[nsx.Alarm]]:
        """The alarms of the server; None when check mode cannot sign in."""
        reader = self._nsx.reader()
        try:
            return reader.list_policy_alarms() if reader else None
        except ApiError as error:
            if error.status in _NO_ALARM_API or error.code == nsx.INVALID_PATH:
                error.advice = (
                    "This manager has no alarm API, as behind the proxy of VMware Cloud on AWS: set force: true to "
                    "re-authenticate without looking at alarms."
                )
            raise

    def _reauthenticate(self, instances: Sequence[_Instance]) -> None:
        due = [instance for instance in instances if instance.is_due]
        client = self._nsx.reauthenticator()
        with ThreadPoolExecutor(max_workers=self.params["concurrency"]) as pool:
            for done, _result in enumerate(pool.map(partial(_reauthenticate_one, client), due), start=1):
                if len(due) > 1 and done in (len(due) // 4, len(due) // 2, len(due) * 3 // 4):
                    self.runtime.notify(f"{self._nsx.host}: {done} of {len(due)} instances handled")

    def _wait_until_alarms_clear(self, instances: Sequence[_Instance], pattern: re.Pattern[str]) -> None:
        waiting = [instance for instance in instances if instance.reauthenticated]
        for seconds_left in _polls(self.params["wait_timeout"], self.runtime.clock):
            try:
                alarms = (self._alarms() if waiting else None) or []
            except TokensError as error:
                # What was done is done: the result must still say it.
                for instance in waiting:
                    instance.error = error
                return
            waiting = [instance for instance in waiting if _alarms_of(instance, alarms, pattern)[0]]
            if not waiting:
                return
            self.runtime.notify(
                f"{self._nsx.host}: waiting for the alarms of {len(waiting)} instances to clear, "
                f"{seconds_left:.0f} s at most"
            )
        for instance in waiting:
            instance.error = TokensError(
                f"its alarm is still raised {self.params['wait_timeout']:g} s after the re-authentication",
                doing=f"see {instance.ref.path} recover",
                host=self._nsx.host,
                advice="Raise wait_timeout, or look at the partner's service manager.",
            )

    def _outcome(self, instances: Sequence[_Instance]) -> Outcome:
        due = any(instance.is_due for instance in instances)
        changed = due if self.runtime.check_mode else any(instance.reauthenticated for instance in instances)
        return Outcome(
            changed,
            "reauthenticated" if changed else "none",
            values={"instances": [instance.result() for instance in instances]},
            error=_summary(instances),
        )


def _reauthenticate_one(client: nsx.NsxClient, instance: _Instance) -> None:
    try:
        client.renew_authentication_tokens(instance.ref)
        instance.reauthenticated = True
    except TokensError as error:
        instance.error = error


def compile_alarm_pattern(alarm_pattern: str) -> re.Pattern[str]:
    """The pattern that the text of an alarm must match. Raises InvalidOption."""
    try:
        return re.compile(alarm_pattern)
    except re.error as error:
        raise InvalidOption("alarm_pattern", f"is not a valid regular expression: {error}") from None


def _references(params: Mapping[str, Any]) -> Iterator[nsx.InstanceRef]:
    if params["service_instances"] is None:
        yield nsx.InstanceRef(*(params[name] for name in _IDS))
        return
    for item in params["service_instances"]:
        yield _reference(item)


def _reference(item: Any) -> nsx.InstanceRef:
    if isinstance(item, Mapping) and set(item) == set(_IDS) and all(item[name] for name in _IDS):
        return nsx.InstanceRef(*(str(item[name]) for name in _IDS))
    ref = nsx.InstanceRef.from_path(item) if isinstance(item, str) else None
    if ref is None:
        raise InvalidOption(
            "service_instances",
            "has an entry that names no instance",
            advice="Each entry is a policy path, /infra/tier-0s/.../locale-services/.../service-instances/..., or a "
            f"mapping with the keys {', '.join(_IDS)}.",
        )
    return ref


def _alarms_of(
    instance: _Instance, alarms: Sequence[nsx.Alarm], pattern: re.Pattern[str]
) -> tuple[list[str], list[str]]:
    """The texts of the alarms on an instance: those that match the pattern, and the others."""
    texts = [alarm.text for alarm in alarms if alarm.is_about(instance.ref.path)]
    matching = [text for text in texts if pattern.search(text)]
    return matching, [text for text in texts if text not in matching]


def _polls(timeout: float, clock: Clock) -> Iterator[float]:
    """The moments to look again, with the seconds that are left, until the time is over."""
    end = clock.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        yield max(0.0, end - clock.monotonic())
        left = end - clock.monotonic()
        if left <= 0:
            return
        clock.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _summary(instances: Sequence[_Instance]) -> Optional[TokensError]:
    failed = [instance for instance in instances if instance.error]
    if not failed:
        return None
    first = failed[0].error
    if len(instances) == 1:
        return first
    names = ", ".join(instance.ref.path for instance in failed[:5]) + (", ..." if len(failed) > 5 else "")
    return SomeFailed(
        f"{len(failed)} of {len(instances)} instances failed: {names}. The first error: {first}",
        advice="The result 'instances' says what became of each.",
    )
