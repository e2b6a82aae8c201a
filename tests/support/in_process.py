# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules without ansible-playbook: validation and execution as in a task, against the lab, in milliseconds."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import SYSTEM_CLOCK, Clock, Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated
from products import KITS
from support.kit import Details, Job

if TYPE_CHECKING:
    from lab.client import Lab

_MODULE_UTILS = "ansible_collections.sddc.tokens.plugins.module_utils"
# The operation that runs those of all products is part of the runner.
_RUNNERS = ("token_set",)


@dataclass(frozen=True)
class Done:
    """The result of a job, with its notices and warnings."""

    result: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The error, or an empty string."""
        return str(self.result.get("msg", ""))

    @property
    def actions(self) -> list[str]:
        """The action, and that of each token of a list."""
        return [part["action"] for part in (self.result, *self.result.get("tokens", ()))]

    @property
    def said(self) -> str:
        """All text of it that a person reads."""
        parts = (*self.result.get("instances", ()), *self.result.get("tokens", ()))
        errors = [str(part["error"] or "") for part in parts]
        return "\n".join([self.message, *self.result["warnings"], *self.notes, *errors])


def operation_of(module: str) -> type[Operation]:
    """The operation of a module."""
    package = "_runner" if module in _RUNNERS else "_operations"
    room = importlib.import_module(f"{_MODULE_UTILS}.{package}.{module}")
    (found,) = [
        value
        for value in vars(room).values()
        if isinstance(value, type) and value.__module__ == room.__name__ and issubclass(value, Operation)
    ]
    return found


class SkippingClock(Clock):
    """A clock whose waits take no time but move it forward."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += seconds


def done(
    job: Job, details: Details, file: str = "", *, check_mode: bool = False, clock: Clock = SYSTEM_CLOCK, **more: Any
) -> Done:
    """Run a job, with additional or different options."""
    operation = operation_of(job.module)
    trust = {"ca_path": details["ca_path"]} if "ca_path" in operation.argument_spec.options else {}
    validated = Validated(operation, {**trust, **job.arguments(details, file, more)})
    assert validated.error is None, validated.error
    notes: list[str] = []
    result = execute(operation, validated.params, Runtime(check_mode, notify=notes.append, clock=clock), diff_mode=True)
    return Done(result, notes)


def prepared(job: Job, lab: Lab, file: str) -> None:
    """Prepare the lab and the token file for the job. The log is empty afterwards."""
    lab.reset()
    for kit in KITS.values():
        lab.change_settings(kit.name, **kit.settings)
    for path in Path(file).parent.glob(Path(file).name + "*"):
        path.unlink()
    for earlier in job.before:
        result = done(earlier, lab.details, file).result
        assert not result.get("failed"), result
    lab.clear_requests()


def record_of(file: str) -> Record | None:
    """The content of a token file."""
    return FileStore(file, Runtime(), read_only=True).read().record
