# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared parts of the event sources: argument validation, memory of reported findings, and the polling loop."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Optional, Protocol

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import DURATION, ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import InvalidOption, TokensError, internal_error
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import result_from
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated

Event = dict[str, Any]
# Events to report in the present state, each with a key that identifies it.
Findings = Mapping[Hashable, Event]

POLLING = ArgumentSpec(
    {
        "interval": {"type": DURATION, "default": 60},
        "max_interval": {"type": DURATION, "default": 900},
        "repeat_after": {"type": DURATION, "default": 0},
    }
)
# Arguments that ansible-rulebook adds if a source requests feedback.
_ONLY_OF_RULEBOOK = ("feedback", "eda_feedback_queue")


class Queue(Protocol):
    """Queue of the rule engine."""

    async def put(self, event: Event) -> None:
        """Add an event. Waits while the rule engine is busy."""


class InvalidArguments(Exception):
    """The arguments of a source are invalid. The message contains no secret."""


def validated(operation: type[Operation], args: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of a source. Missing arguments come from the environment, as for a module.

    Raises InvalidArguments.
    """
    given = {name: value for name, value in args.items() if name not in _ONLY_OF_RULEBOOK}
    completed = operation.argument_spec.complete(given, os.environ)
    checked = Validated(operation, completed)
    if checked.error:
        raise InvalidArguments(checked.error)
    if checked.params["interval"] <= 0:
        raise InvalidArguments(f"{operation.name}: {InvalidOption('interval', 'must be longer than 0 s')}")
    return checked.params


def values_from(operation: Operation) -> Mapping[str, Any]:
    """Run an operation and return its result as a module does. Raises TokensError with the module's message."""
    result = result_from(operation)
    if result.get("failed"):
        raise TokensError(result["msg"])
    return result


class Memory:
    """Remember reported findings, so that each is reported once until it disappears.

    With `repeat_after` seconds, a finding that persists is reported again after that time.
    """

    def __init__(self, repeat_after: float = 0) -> None:
        self._repeat_after = repeat_after
        self._reported: dict[Hashable, float] = {}

    def news(self, findings: Findings) -> list[Event]:
        """Return the events of findings that are not reported yet, and remember them as reported."""
        now = time.monotonic()
        last = {key: self._reported[key] for key in findings if key in self._reported}
        due = [key for key in findings if key not in last or 0 < self._repeat_after <= now - last[key]]
        self._reported = {**last, **dict.fromkeys(due, now)}
        return [findings[key] for key in due]


class Poller:
    """Call `look` repeatedly and put new findings into the queue. `look` runs in a thread and may raise anything."""

    def __init__(self, look: Callable[[], Findings], params: Mapping[str, Any], log: logging.Logger) -> None:
        self._look = look
        self._interval: float = params["interval"]
        self._max_interval: float = max(params["max_interval"], self._interval)
        self._memory = Memory(params["repeat_after"])
        self._log = log
        self._failures = 0

    async def run(self, queue: Queue) -> None:
        """Poll until cancelled."""
        while True:
            findings = await self._findings()
            for event in self._memory.news(findings) if findings is not None else ():
                await queue.put(event)
            await asyncio.sleep(self.pause)

    @property
    def pause(self) -> float:
        """Seconds until the next poll. They double with each failure, up to max_interval."""
        doublings = min(self._failures, 30)
        return float(min(self._interval * 2**doublings, self._max_interval))

    async def _findings(self) -> Optional[Findings]:
        try:
            findings = await asyncio.to_thread(self._look)
        except TokensError as error:
            self._has_failed(error)
        except Exception as error:  # pylint: disable=broad-exception-caught
            self._has_failed(internal_error(error))
        else:
            self._has_succeeded()
            return findings
        return None

    def _has_failed(self, error: TokensError) -> None:
        self._failures += 1
        if self._failures == 1:
            # By default, ansible-rulebook does not show lower levels.
            self._log.warning("%s Retrying, with pauses of up to %g s.", error, self._max_interval)
        else:
            self._log.info("Failed %d times: %s", self._failures, error)

    def _has_succeeded(self) -> None:
        if self._failures:
            self._log.warning("It works again. Failed attempts: %d.", self._failures)
        self._failures = 0
