# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules without ansible-playbook: the same validation and execution as in a task, against the lab, in milliseconds.

One job for each way in which a module asks its product; together they make every request that the collection makes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import SYSTEM_CLOCK, Clock, Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated
from support.tasks import INSTANCE_PATH

if TYPE_CHECKING:
    from lab.client import Lab

_MODULE_UTILS = "ansible_collections.sddc.tokens.plugins.module_utils"
# The operation that runs those of all products is part of what runs operations.
_RUNNERS = ("token_set",)

Details = Mapping[str, Any]
Options = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One task: its module and its options, from the lab's details and the path of a token file.

    `before` are the tasks that must have run, `keeps` tells whether it works on the token file.
    """

    module: str
    options: Callable[[Details, str], Options]
    before: tuple[Job, ...] = ()
    keeps: bool = False


@dataclass(frozen=True)
class Done:
    """What came of a job: its result, and what it told while it was at work."""

    result: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    @property
    def message(self) -> str:
        """The error, nothing where there is none."""
        return str(self.result.get("msg", ""))

    @property
    def said(self) -> str:
        """All that a person reads of it."""
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
    """A clock whose waits take no time, and count as if they had."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += seconds


def done(
    job: Job, details: Details, file: str = "", *, check_mode: bool = False, clock: Clock = SYSTEM_CLOCK, **more: Any
) -> Done:
    """Run a job, with further options, or others in their place."""
    operation = operation_of(job.module)
    trust = {"ca_path": details["ca_path"]} if "ca_path" in operation.argument_spec.options else {}
    validated = Validated(operation, {**trust, **job.options(details, file), **more})
    assert validated.error is None, validated.error
    notes: list[str] = []
    result = execute(operation, validated.params, Runtime(check_mode, notify=notes.append, clock=clock), diff_mode=True)
    return Done(result, notes)


def prepared(job: Job, lab: Lab, file: str) -> None:
    """Bring the lab and the token file to the state in which the job is run; the log is empty then."""
    lab.reset()
    lab.change_settings("nsx", alarm_clear_delay=0, rate_limit=0)
    lab.change_settings("vrni", token_limit=0)
    for path in Path(file).parent.glob(Path(file).name + "*"):
        path.unlink()
    for earlier in job.before:
        result = done(earlier, lab.details, file).result
        assert not result.get("failed"), result
    lab.clear_requests()


def record_of(file: str) -> Record | None:
    """What a token file holds."""
    return FileStore(file, Runtime(), read_only=True).read().record


def _user(product: str) -> Callable[[Details], Options]:
    def options(details: Details) -> Options:
        of = details[product]
        return {"hostname": of["url"], "username": of["username"], "password": of["password"]}

    return options


_vrni, _avi, _nsx, _sddc_manager = (_user(product) for product in ("vrni", "avi", "nsx", "sddc_manager"))


def _csp(details: Details, prefix: str = "") -> Options:
    return {f"{prefix}hostname": details["csp"]["url"], f"{prefix}api_token": details["csp"]["api_token"]}


def _vidb(details: Details, prefix: str = "") -> Options:
    return {f"{prefix}hostname": details["vidb"]["url"], f"{prefix}api_token": details["vidb"]["api_token"]}


VRNI_KEPT = Job("vrni_auth_token", lambda lab, file: {**_vrni(lab), "token_file": file}, keeps=True)
SDDC_MANAGER_KEPT = Job("sddc_manager_token", lambda lab, file: {**_sddc_manager(lab), "token_file": file}, keeps=True)
AVI_NAMED = Job("avi_securechanneltoken", lambda lab, file: {**_avi(lab), "name": "Engines", "lifetime": 3600})

JOBS: Mapping[str, Job] = {
    "vrni creates": Job("vrni_auth_token", lambda lab, file: _vrni(lab)),
    "vrni creates and keeps": VRNI_KEPT,
    "vrni reuses": Job(VRNI_KEPT.module, VRNI_KEPT.options, (VRNI_KEPT,), keeps=True),
    "vrni renews": Job(
        "vrni_auth_token",
        lambda lab, file: {**_vrni(lab), "token_file": file, "renew": "always"},
        (VRNI_KEPT,),
        keeps=True,
    ),
    "vrni revokes": Job(
        "vrni_auth_token",
        lambda lab, file: {**_vrni(lab), "token_file": file, "state": "absent"},
        (VRNI_KEPT,),
        keeps=True,
    ),
    "vrni vidm client": Job("vrni_vidm_client_info", lambda lab, file: {"hostname": lab["vrni"]["url"]}),
    "csp exchanges": Job("csp_access_token", lambda lab, file: _csp(lab)),
    "csp exchanges and keeps": Job("csp_access_token", lambda lab, file: {**_csp(lab), "token_file": file}, keeps=True),
    "vidb grants": Job("vidb_access_token", lambda lab, file: _vidb(lab)),
    "sddc manager creates": Job("sddc_manager_token", lambda lab, file: _sddc_manager(lab)),
    "sddc manager creates and keeps": SDDC_MANAGER_KEPT,
    "sddc manager reuses": Job(SDDC_MANAGER_KEPT.module, SDDC_MANAGER_KEPT.options, (SDDC_MANAGER_KEPT,), keeps=True),
    "sddc manager refreshes": Job(
        "sddc_manager_token",
        lambda lab, file: {**_sddc_manager(lab), "token_file": file, "renew": "always"},
        (SDDC_MANAGER_KEPT,),
        keeps=True,
    ),
    "sddc manager revokes": Job(
        "sddc_manager_token",
        lambda lab, file: {**_sddc_manager(lab), "token_file": file, "state": "absent"},
        (SDDC_MANAGER_KEPT,),
        keeps=True,
    ),
    "vcenter registers": Job(
        "vcenter_registered_token",
        lambda lab, file: {"hostname": lab["vcenter"]["url"], **_vidb(lab, "vidb_")},
    ),
    "nsx reauthenticates": Job(
        "nsx_service_reauth",
        lambda lab, file: {
            **_nsx(lab),
            **_csp(lab, "csp_"),
            "use_session": True,
            "service_instances": [INSTANCE_PATH],
            "wait_timeout": 3,
        },
    ),
    "nsx lists": Job("nsx_service_instance_info", lambda lab, file: {**_nsx(lab), "tier0_id": "T0-main"}),
    "avi creates": AVI_NAMED,
    "avi updates": Job(
        AVI_NAMED.module, lambda lab, file: {**_avi(lab), "name": "Engines", "in_use": True}, (AVI_NAMED,)
    ),
    "avi deletes": Job(
        AVI_NAMED.module, lambda lab, file: {**_avi(lab), "name": "Engines", "state": "absent"}, (AVI_NAMED,)
    ),
    "avi lists": Job("avi_securechanneltoken_info", lambda lab, file: _avi(lab), (AVI_NAMED,)),
    "avi engine token": Job("avi_se_auth_token", lambda lab, file: {**_avi(lab), "cloud": "Default-Cloud"}),
}
