# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of every module: read the arguments, choose the route, censor the result."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Optional

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils import basic
from ansible.plugins.action import ActionBase

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._http.proxy import in_both_cases
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated, unverified
from ansible_collections.sddc.tokens.plugins.plugin_utils import in_process, sealing

in_process.preload()

# Characters in a line of progress.
_LONGEST_NOTICE = 100
# Keys that the core adds to the result of a module only.
_ONLY_OF_MODULES = ("invocation", "ansible_parsed")


class OperationAction(ActionBase):
    """Runs an operation in the controller process if possible, otherwise as an ordinary module."""

    operation: ClassVar[type[Operation]]

    @classmethod
    def check_arguments(cls) -> None:
        """Check the arguments on stdin as an AnsibleModule does, and run nothing.

        The rule `args` of ansible-lint calls it, as the `main` of an action, with an AnsibleModule of its own. It knows
        no environment: what a variable may set is not required.
        """
        basic.AnsibleModule(**cls.operation.argument_spec.without_environment().core_arguments())

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """Run the task. Failures are returned, not raised."""
        with sealing.concealed_task(self._task, self.operation.argument_spec):
            return self._run(tmp, task_vars or {})

    def _run(self, tmp: Optional[str], task_vars: dict[str, Any]) -> dict[str, Any]:
        if self._task.async_val:
            return _failure(
                f"{self.operation.name} cannot run with async: the job file and the polled result would contain the "
                "token in plain text. Remove async and poll from the task."
            )
        super().run(tmp, task_vars)
        task_environment = self._task_environment(task_vars.get("omit"))
        args, spec = self._task.args, self.operation.argument_spec
        insecure: dict[tuple[str, str], None] = {}
        for environ in (task_environment, os.environ):
            insecure.update(dict.fromkeys(spec.insecure_variables(args, environ)))
            args = spec.complete(args, environ)
        validated = Validated(self.operation, args)
        if validated.error:
            return _failure(validated.error)
        switch = self._templar.template(task_vars.get(in_process.SWITCH, True))
        if in_process.may_run_in_process(self._connection, switch):
            result = self._run_in_process(validated, task_environment)
        else:
            result = self._run_as_module(args, task_vars, task_environment)
        sealing.add_warnings(self, result, [unverified(*both) for both in insecure])
        if self.operation.carries_secret(result):
            sealing.seal(self, result)
        return result

    def _run_in_process(self, validated: Validated, task_environment: Mapping[str, str]) -> dict[str, Any]:
        environ = {**os.environ, **task_environment}
        run = in_process.run_of(self._task)
        runtime = Runtime(self._task.check_mode, environ, notify=self._notify, run=run)
        result = execute(self.operation, validated.params, runtime, diff_mode=self._task.diff)
        for deprecation in validated.deprecations:
            self._display.deprecated(**deprecation)
        sealing.add_warnings(self, result, validated.warnings + result.pop("warnings"))
        return result

    def _run_as_module(
        self, args: dict[str, Any], task_vars: dict[str, Any], task_environment: Mapping[str, str]
    ) -> dict[str, Any]:
        with sealing.quiet_module(self), self._environment_without_ours(task_environment):
            result = self._execute_module(module_name=self.operation.name, module_args=args, task_vars=task_vars)
        if result.get("module_stdout"):
            return _unreadable(result)
        return {key: value for key, value in result.items() if key not in _ONLY_OF_MODULES}

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        """Send the arguments, which contain secrets, through a pipe if possible.

        With `become`, sudo may require a terminal, so the setting of the user decides.
        """
        is_sure = self._connection.has_pipelining and self._connection.become is None
        return (is_sure and module_style == "new" and not constants.DEFAULT_KEEP_REMOTE_FILES) or bool(
            super()._is_pipelining_enabled(module_style, wrap_async)
        )

    def _task_environment(self, omitted: Any) -> dict[str, str]:
        """The variables in the keyword `environment` of the play, the blocks and the task. The innermost wins.

        Null is dropped, and so is the placeholder of `omit` on cores before 2.19.
        """
        merged: dict[str, Any] = {}
        environments = self._task.environment or []
        for environment in environments if isinstance(environments, list) else [environments]:
            rendered = self._templar.template(environment) if environment else {}
            if not isinstance(rendered, Mapping):
                raise AnsibleError("environment must be a dictionary")
            merged.update(rendered)
        given = {name: str(value) for name, value in merged.items() if value is not None and value != omitted}
        # Otherwise a proxy variable of the process in the other case of letters would win.
        return in_both_cases(given)

    @contextlib.contextmanager
    def _environment_without_ours(self, environment: Mapping[str, str]) -> Iterator[None]:
        """Remove our variables from the environment of the module: the EXEC line at -vvv shows it."""
        ours = sealing.variables_of(self.operation.argument_spec)
        original = self._task.environment
        self._task.environment = [{name: value for name, value in environment.items() if name not in ours}]
        try:
            yield
        finally:
            self._task.environment = original

    def _notify(self, message: str) -> None:
        # To stderr: stdout may be the JSON of a callback.
        self._display.display(_shortened(message), stderr=True)


def _shortened(notice: str) -> str:
    return notice if len(notice) <= _LONGEST_NOTICE else notice[: _LONGEST_NOTICE - 4] + " ..."


def _unreadable(result: Mapping[str, Any]) -> dict[str, Any]:
    """A failure for module output that is not JSON. It may contain a token, so it is not shown."""
    message = (
        "The module's output is not valid JSON, and is not shown because it may contain a token. Check with "
        "ansible.builtin.raw what the shell and the Python of the managed node print, then run the task again."
    )
    return {**_failure(message), **{key: result[key] for key in ("rc", "module_stderr") if key in result}}


def _failure(message: str) -> dict[str, Any]:
    return {"failed": True, "changed": False, "msg": message}
