# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a task may run in the controller's own process."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.sddc.tokens.plugins.module_utils._http.session import HAS_REQUESTS
from ansible_collections.sddc.tokens.plugins.module_utils._http.tls import default_tls_context

SWITCH = "sddc_tokens_in_process"


def preload() -> None:
    """Load, once and in the parent of all forks, what each task would otherwise load anew."""
    if HAS_REQUESTS:
        default_tls_context()


def may_run_in_process(connection: Any, switch: Any) -> bool:
    """Whether the task is for this machine, this user and this Python.

    `connection` is the task's connection plugin, `switch` the value of the variable sddc_tokens_in_process.
    """
    is_local = connection.transport in ("local", "ansible.builtin.local")
    return is_local and connection.become is None and HAS_REQUESTS and boolean(switch, strict=False)
