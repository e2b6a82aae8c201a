# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nsx_service_reauth: renew the authentication tokens of partner service instances."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Optional

from .._clients import nsx
from .._core.argspec import DURATION, ArgumentSpec
from .._core.errors import ApiError, InvalidOption, MissingOption, TokensError
from .._core.outcome import Outcome
from .._core.runtime import Clock
from .._lifecycle.options import LIFECYCLE, STORED
from . import nsx_connection
from .base import Operation
from .nsx_alarms import ALARM_PATTERN, compile_alarm_pattern, split_alarm_texts
from .nsx_instances import INSTANCES, Instance, error_of, instances_of
from .selection import counted, there_is

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_MOST_QUOTED = 5
# Seconds between two lines of progress.
_REPORT_EVERY = 10.0
_FEWER = "Set fewer service_instances in one task, or set force: true to skip the check that they exist."
_NARROWING = "Set force: true to re-authenticate without reading the alarms, or delete old alarms from the manager."


class NsxServiceReauth(Operation):
    """Re-authenticate the instances that have an alarm about an expired token."""

    name = "sddc.tokens.nsx_service_reauth"
    argument_spec = nsx_connection.SIGN_IN.merge(
        INSTANCES,
        ALARM_PATTERN,
        ArgumentSpec(
            {
                "force": {"type": "bool", "default": False},
                "wait": {"type": "bool", "default": True},
                "wait_timeout": {"type": DURATION, "default": 300},
                "concurrency": {"type": "int", "default": 4},
                "min_remaining": LIFECYCLE.options["min_remaining"],
            },
            required_one_of=(("access_token", *STORED, "csp_api_token", "csp_client_id"),),
        ),
    )
    token_owner = nsx_connection.TOKEN_OWNER

    def run(self) -> Outcome:
        params = self.params
        if params["concurrency"] < 1:
            raise InvalidOption("concurrency", "must be at least 1")
        if params["access_token"] and not params["open_id_token"]:
            raise MissingOption(
                "open_id_token", "is required together with access_token", advice=nsx_connection.OPEN_ID_ADVICE
            )
        pattern = compile_alarm_pattern(params["alarm_pattern"])
        instances = instances_of(params)
        if not instances:
            return Outcome(False, "none", values={"instances": []})
        self._nsx = nsx_connection.NsxConnection(self, require_id_token=True, connections=params["concurrency"])
        if params["force"]:
            for instance in instances:
                instance.is_due, instance.reason = True, "force"
        else:
            self._look_at_alarms(instances, pattern)
            self._look_for([instance for instance in instances if not instance.is_due])
        if not self.runtime.check_mode:
            self._reauthenticate(instances)
            if params["wait"] and not params["force"]:
                self._wait_until_alarms_clear(instances, pattern)
        return self._outcome(instances)

    def _look_at_alarms(self, instances: Sequence[Instance], pattern: re.Pattern[str]) -> None:
        alarms = self._alarms()
        if alarms is None:
            self.runtime.warn("The alarms are unknown, because check mode creates no access token.")
        for instance in instances:
            if alarms is None:
                instance.is_due, instance.reason = True, "unknown_in_check_mode"
                continue
            matching, others = split_alarm_texts(instance.ref.path, alarms, pattern)
            instance.alarms = matching
            instance.is_due = bool(matching)
            instance.reason = "alarm" if matching else "no_matching_alarm"
            if others and not matching:
                quoted = self._quoted(others)
                self.runtime.warn(
                    f"{instance.ref.path} has alarms that do not match alarm_pattern: {quoted}. If one of them is "
                    "about the token, change alarm_pattern or set force: true. Resolve the alarms in NSX to end this "
                    "warning."
                )

    def _quoted(self, texts: Sequence[str]) -> str:
        first = "; ".join(f"'{self.runtime.redactor.quote(text)}'" for text in texts[:_MOST_QUOTED])
        return first if len(texts) <= _MOST_QUOTED else f"{first}; and {len(texts) - _MOST_QUOTED} more"

    def _look_for(self, instances: Sequence[Instance]) -> None:
        """Check that the instances exist which are not re-authenticated, with one request for each locale service."""
        places: dict[tuple[str, str], list[Instance]] = {}
        for instance in instances:
            places.setdefault(instance.ref.place, []).append(instance)
        reader = self._nsx.reader(_FEWER) if places else None
        for place, here in places.items():
            try:
                there = {item["id"]: None for item in reader.list_service_instances(*place)} if reader else {}
            except TokensError as error:
                for instance in here:
                    instance.error = error
                if isinstance(error, ApiError) and nsx.is_unknown(error):
                    error.advice = nsx.IDS_ADVICE
                    _mark_missing(here)
                continue
            missing = [instance for instance in here if instance.ref.service_instance_id not in there]
            for instance in missing:
                instance.error = self._not_found(instance.ref, there)
            _mark_missing(missing)

    def _not_found(self, ref: nsx.InstanceRef, there: Iterable[str]) -> TokensError:
        return TokensError(
            f"the service instance does not exist {there_is(there, self.runtime.redactor)}",
            doing=f"find {ref.path}",
            host=self._nsx.host,
            advice=nsx.IDS_ADVICE,
        )

    def _alarms(self) -> Optional[list[nsx.Alarm]]:
        """The alarms of the server; None when check mode cannot sign in."""
        reader = self._nsx.reader(_NARROWING)
        try:
            return reader.list_policy_alarms() if reader else None
        except ApiError as error:
            if nsx.is_unknown(error):
                error.advice = (
                    "Set force: true to re-authenticate without alarms. Managers behind the proxy of VMware Cloud on "
                    "AWS have no alarm API."
                )
            raise

    def _reauthenticate(self, instances: Sequence[Instance]) -> None:
        due = [instance for instance in instances if instance.is_due]
        if not due:
            return
        client = self._nsx.reauthenticator()
        with ThreadPoolExecutor(max_workers=self.params["concurrency"]) as pool:
            for done, _result in enumerate(pool.map(partial(_reauthenticate_one, client), due), start=1):
                if len(due) > 1 and done in (len(due) // 4, len(due) // 2, len(due) * 3 // 4):
                    self.runtime.notify(f"{self._nsx.host}: {done} of {len(due)} instances done")

    def _wait_until_alarms_clear(self, instances: Sequence[Instance], pattern: re.Pattern[str]) -> None:
        waiting = [instance for instance in instances if instance.reauthenticated]
        count, reported_at = len(waiting), math.inf
        for seconds_left in _polls(self.params["wait_timeout"], self.runtime.clock):
            try:
                alarms = (self._alarms() if waiting else None) or []
            except TokensError as error:
                # The result must still report the re-authentication.
                for instance in waiting:
                    instance.error = error
                return
            waiting = [instance for instance in waiting if split_alarm_texts(instance.ref.path, alarms, pattern)[0]]
            if not waiting:
                if reported_at < math.inf:
                    self.runtime.notify(f"{self._nsx.host}: the alarms of {counted(count, 'instance')} have cleared")
                return
            if reported_at - seconds_left >= _REPORT_EVERY:
                reported_at = seconds_left
                self.runtime.notify(
                    f"{self._nsx.host}: waiting for the alarms of {counted(len(waiting), 'instance')} to clear, "
                    f"at most {seconds_left:.0f} s"
                )
        for instance in waiting:
            instance.error = TokensError(
                f"the alarm is still raised {self.params['wait_timeout']:g} s after the re-authentication",
                doing=f"clear the alarms of {instance.ref.path}",
                host=self._nsx.host,
                advice="Raise wait_timeout, or check the service manager of the partner.",
            )

    def _outcome(self, instances: Sequence[Instance]) -> Outcome:
        due = any(instance.is_due for instance in instances)
        changed = due if self.runtime.check_mode else any(instance.reauthenticated for instance in instances)
        return Outcome(
            changed,
            "reauthenticated" if changed else "none",
            values={"instances": [instance.result() for instance in instances]},
            error=error_of(instances),
        )


def _mark_missing(instances: Sequence[Instance]) -> None:
    for instance in instances:
        instance.reason = "not_found"


def _reauthenticate_one(client: nsx.NsxClient, instance: Instance) -> None:
    try:
        client.renew_authentication_tokens(instance.ref)
        instance.reauthenticated = True
    except TokensError as error:
        instance.error = error


def _polls(timeout: float, clock: Clock) -> Iterator[float]:
    """Yield the remaining seconds at each poll, with growing pauses, until the timeout."""
    end = clock.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        yield max(0.0, end - clock.monotonic())
        left = end - clock.monotonic()
        if left <= 0:
            return
        clock.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
