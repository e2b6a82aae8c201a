# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a task may run in the controller's own process."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
from typing import Any, Optional

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Run
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import HAS_REQUESTS
from ansible_collections.sddc.tokens.plugins.module_utils._http.tls import default_tls_context

SWITCH = "sddc_tokens_in_process"


def preload() -> None:
    """Load, once and in the parent of all forks, what each task would otherwise load anew."""
    if HAS_REQUESTS:
        default_tls_context()


class _RunningPlaybook:
    """The process that forks one for each task. A fork leaves an open file with it, where nobody else reads it: in the
    queue of a socket, which the kernel empties when the process ends, however it ends.
    """

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self._process = os.getpid()
        # Open until the process ends: nobody closes them.
        self._ends: tuple[int, ...] = ()
        with contextlib.suppress(OSError):
            self._ends = tuple(end.detach() for end in socket.socketpair(socket.AF_UNIX))

    def hold(self, descriptor: int) -> bool:
        """Keep an open file open until the process ends."""
        # Loaded by the process of a task, this would keep nothing longer than that.
        if os.getpid() == self._process or not self._ends:
            return False
        try:
            with socket.socket(fileno=os.dup(self._ends[0])) as end:
                end.setblocking(False)
                socket.send_fds(end, [b"\0"], [descriptor])
        except OSError:
            return False
        return True


_PLAYBOOK = _RunningPlaybook()


def run_of(task: Any) -> Optional[Run]:
    """The run of a task; its parts are the plays. None for a task outside any play."""
    parent = task._parent
    while parent is not None:
        play = getattr(parent, "_play", None)
        if play is not None:
            return Run(_PLAYBOOK.id, hashlib.sha256(str(play._uuid).encode()).hexdigest()[:8], _PLAYBOOK.hold)
        parent = parent._parent
    return None


def may_run_in_process(connection: Any, switch: Any) -> bool:
    """Whether the task is for this machine, this user and this Python.

    `connection` is the task's connection plugin, `switch` the value of the variable sddc_tokens_in_process.
    """
    is_local = connection.transport in ("local", "ansible.builtin.local")
    return is_local and connection.become is None and HAS_REQUESTS and boolean(switch, strict=False)
