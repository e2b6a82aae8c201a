# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep secrets of results, arguments and environment variables out of all output."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ansible.release import __version__ as core_version

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.redaction import redact
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import CORE_MASKS_SECRETS, MASK, Secret
from ansible_collections.sddc.tokens.plugins.module_utils._operations.products import ENVIRONMENT_VARIABLES

# Since 2.19, a warning of Display becomes part of the result, and stays visible when the result is censored.
_CORE_KEEPS_WARNINGS = tuple(int(part) for part in core_version.split(".")[:2]) >= (2, 19)


def variables_of(spec: ArgumentSpec) -> set[str]:
    """The variables that must not be printed or sent to a managed node: those of all modules of a play."""
    return {*ENVIRONMENT_VARIABLES, *spec.environment_variables}


class _Facts(NamedTuple):
    """What callbacks receive of a task, besides its result."""

    args: Mapping[str, Any]
    environment: Any


# The original and the masked facts of each task. A retry runs another action for the same task.
_GIVEN: WeakKeyDictionary[Any, tuple[_Facts, _Facts]] = WeakKeyDictionary()


@contextlib.contextmanager
def concealed_task(task: Any, spec: ArgumentSpec) -> Iterator[None]:
    """Mask the secrets in the arguments and the environment of a task after it has run.

    Callbacks receive both in spite of no_log, and some send them to other systems.
    """
    earlier = _GIVEN.get(task)
    given = earlier[0] if earlier and task.args == earlier[1].args else _Facts(task.args, task.environment)
    # Replaced, not modified: the items of a loop share them.
    task.args, task.environment = given
    try:
        yield
    finally:
        try:
            shown = _shown(given, spec)
        except Exception:  # pylint: disable=broad-exception-caught  # never a secret
            shown = _Facts({}, [])
        _GIVEN[task] = given, shown
        task.args, task.environment = shown
        # They are already part of the arguments, and may contain secrets.
        task.module_defaults = []


def _shown(given: _Facts, spec: ArgumentSpec) -> _Facts:
    environments = given.environment or []
    environments = environments if isinstance(environments, list) else [environments]
    completed = given.args
    for environ in (*(one for one in reversed(environments) if isinstance(one, Mapping)), os.environ):
        completed = spec.complete(completed, environ)
    # A secret may also be the value of another option.
    secrets = [Secret(text) for text in spec.secrets_in(completed)]
    ours = variables_of(spec)
    environment = [
        {name: MASK if name in ours else _without(value, secrets) for name, value in one.items()}
        if isinstance(one, Mapping)
        else one
        for one in environments
    ]
    return _Facts(_without(spec.concealed(given.args), secrets), environment)


def _without(value: Any, secrets: list[Secret]) -> Any:
    if isinstance(value, Mapping):
        return {_without(key, secrets): _without(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(item, secrets) for item in value]
    if value is None or isinstance(value, bool):
        return value
    text = redact(str(value), secrets)
    return value if text == str(value) else text


@contextlib.contextmanager
def quiet_module(action: Any) -> Iterator[None]:
    """Keep the output of a module out of the log of the connection, and its arguments out of syslog.

    The ssh plugin prints the output at -vvv unless its play context has no_log. A name among the arguments may be a
    token.
    """
    action._play_context.no_log = True
    action._connection._play_context.no_log = True
    original = action._task.no_log
    action._task.no_log = True
    try:
        yield
    finally:
        action._task.no_log = original


def seal(action: Any, result: dict[str, Any]) -> None:
    """Censor a result that contains a secret, on cores without the Secrets API.

    The task gets no_log, too: cores before 2.19 censor the items of a loop, but not the combined result.
    """
    if CORE_MASKS_SECRETS:
        return
    if not _CORE_KEEPS_WARNINGS:
        for warning in result.pop("warnings", ()):
            action._display.warning(warning)
    result["_ansible_no_log"] = True
    action._task.no_log = True


def add_warnings(action: Any, result: dict[str, Any], warnings: list[str]) -> None:
    """Add warnings to a result, so that Ansible shows them."""
    if _CORE_KEEPS_WARNINGS:
        for warning in warnings:
            action._display.warning(warning)
    elif warnings:
        result["warnings"] = [*result.get("warnings", ()), *warnings]
