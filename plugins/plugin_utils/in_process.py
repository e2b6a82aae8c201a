# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide whether a task runs in the controller process, and identify the playbook run."""

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
    """Load the default TLS context in the parent process, so that forks inherit it."""
    if HAS_REQUESTS:
        default_tls_context()


class _RunningPlaybook:
    """The ansible-playbook process, which forks a process for each task.

    A fork keeps a file descriptor open in it by sending the descriptor to an unread socket of the process. The kernel
    closes the socket and the descriptor when the process ends, even when it is killed.
    """

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self._process = os.getpid()
        # Stay open until the process ends.
        self._ends: tuple[int, ...] = ()
        with contextlib.suppress(OSError):
            self._ends = tuple(end.detach() for end in socket.socketpair(socket.AF_UNIX))

    def hold(self, descriptor: int) -> bool:
        """Keep a file descriptor open until the playbook ends. Returns False when that is impossible."""
        # When this module was loaded by the fork itself, the socket would end with the task.
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
    """The playbook run of a task. None for a task outside a play."""
    parent = task._parent
    while parent is not None:
        play = getattr(parent, "_play", None)
        if play is not None:
            return Run(_PLAYBOOK.id, hashlib.sha256(str(play._uuid).encode()).hexdigest()[:8], _PLAYBOOK.hold)
        parent = parent._parent
    return None


def may_run_in_process(connection: Any, switch: Any) -> bool:
    """Whether a task can run in this process: the connection is local, without become, and requests is installed.

    `connection` is the connection plugin of the task, `switch` the value of the variable sddc_tokens_in_process.
    """
    is_local = connection.transport in ("local", "ansible.builtin.local")
    return is_local and connection.become is None and HAS_REQUESTS and boolean(switch, strict=False)
