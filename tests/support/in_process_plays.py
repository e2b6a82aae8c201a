# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays without ansible-playbook: the tasks of a test, with their templates, in milliseconds.

Use it for tests of a module's requests and results. It supports tasks of the collection and ansible.builtin.uri.
Output, callbacks, cores, routes and several hosts require support.playbooks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated
from support.in_process import operation_of
from support.playbooks import Run, Task
from support.templates import OMITTED, rendered

_COLLECTION = "sddc.tokens."
_URI = "ansible.builtin.uri"


class InProcess:
    """Runs plays in the process of the test. `folder` is the value of `playbook_dir`."""

    def __init__(self, folder: Path, variables: Mapping[str, Any]) -> None:
        self.folder = folder
        self.variables = dict(variables)

    def play(self, tasks: Sequence[Task], *, diff: bool = False) -> Run:
        """Run the tasks in order up to the first failure, unless the task has `ignore_errors`.

        The output consists of notices and error messages, and of each warning once.
        """
        registered: dict[str, Any] = {}
        printed: dict[str, None] = {}
        for task in tasks:
            variables = {**self.variables, "playbook_dir": str(self.folder), "omit": OMITTED, **registered}
            given = rendered(task, variables)
            result = _asked(given) if _URI in task else _executed(given, diff, printed)
            result = json.loads(json.dumps({"failed": False, **result}))
            printed.update(dict.fromkeys([*result.get("warnings", ()), result.get("msg", "")]))
            if "register" in task:
                registered[task["register"]] = result
            if result["failed"] and not task.get("ignore_errors"):
                return Run(2, "\n".join(printed), "", {"sddc": registered}, {})
        return Run(0, "\n".join(printed), "", {"sddc": registered}, {})


def _executed(task: Task, diff: bool, printed: dict[str, None]) -> dict[str, Any]:
    """The result of a module, as its action returns it."""
    (name,) = [key.removeprefix(_COLLECTION) for key in task if key.startswith(_COLLECTION)]
    operation, environ = operation_of(name), task.get("environment", {})
    args = operation.argument_spec.complete(task[_COLLECTION + name], environ)
    validated = Validated(operation, args)
    if validated.error:
        return {"failed": True, "changed": False, "msg": validated.error}
    runtime = Runtime(task.get("check_mode", False), environ, notify=printed.setdefault)
    result = execute(operation, validated.params, runtime, diff_mode=diff)
    warnings = [*validated.warnings, *result.pop("warnings")]
    return {**result, "warnings": warnings} if warnings else result


def _asked(task: Task) -> dict[str, Any]:
    """The result of ansible.builtin.uri for a request that must succeed."""
    args = task[_URI]
    body = {"json" if args["body_format"] == "json" else "data": args["body"]}
    with requests.Session() as session:
        session.trust_env, session.verify = False, args["ca_path"]
        response = session.request(args["method"], args["url"], **body)
        response.raise_for_status()
        content = {"json": response.json()} if "json" in response.headers.get("Content-Type", "") else {}
        return {"cookies": session.cookies.get_dict(), **content}
