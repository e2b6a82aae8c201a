# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a result that carries a secret out of all output."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ansible.release import __version__ as core_version

from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import CORE_MASKS_SECRETS

# From 2.19 on a warning of the Display becomes part of the result, and stays visible when that is censored.
_CORE_KEEPS_WARNINGS = tuple(int(part) for part in core_version.split(".")[:2]) >= (2, 19)


@contextlib.contextmanager
def quiet_module(action: Any) -> Iterator[None]:
    """Let a module reply and log unseen.

    The ssh plugin prints what it replied at -vvv, unless its play context says not to; and it would write its
    arguments to the syslog of its host, where a name may be a token.
    """
    action._play_context.no_log = True
    action._connection._play_context.no_log = True
    told = action._task.no_log
    action._task.no_log = True
    try:
        yield
    finally:
        action._task.no_log = told


def seal(action: Any, result: dict[str, Any]) -> None:
    """Mark a result that carries a secret, where the core does not mask secrets by itself.

    The task is marked as well: cores before 2.19 censor the items of a loop, but not their sum.
    """
    if CORE_MASKS_SECRETS:
        return
    if not _CORE_KEEPS_WARNINGS:
        for warning in result.pop("warnings", ()):
            action._display.warning(warning)
    result["_ansible_no_log"] = True
    action._task.no_log = True


def add_warnings(action: Any, result: dict[str, Any], warnings: list[str]) -> None:
    """Warnings as Ansible's own: part of the result, and shown."""
    if _CORE_KEEPS_WARNINGS:
        for warning in warnings:
            action._display.warning(warning)
    elif warnings:
        result["warnings"] = warnings
