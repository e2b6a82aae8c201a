# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that records its steps on disk, and stops or kills itself at one of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session


class Journal:
    """The steps of a process, stored on disk so that they survive it. It gets a signal at one of them."""

    def __init__(self, path: Path, at: int, number: signal.Signals = signal.SIGKILL) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._at = at
        self._signal = number
        self._count = 0

    def note(self, step: str) -> None:
        """Record the step, and send the signal at the given one."""
        self._count += 1
        os.write(self._descriptor, f"{step}\n".encode())
        if self._count == self._at:
            os.kill(os.getpid(), self._signal)

    def watch(self, owner: Any, name: str, described: Callable[..., str]) -> None:
        """Record each call of a function before and after it."""
        original = getattr(owner, name)

        def watched(*args: Any, **keywords: Any) -> Any:
            step = described(*args)
            self.note(f"before {step}")
            result = original(*args, **keywords)
            self.note(f"after {step}")
            return result

        setattr(owner, name, watched)

    def watch_requests(self) -> None:
        """Record each HTTP request."""
        self.watch(Session, "_exchange", lambda _session, call, *_more: f"{call.method} {urlsplit(call.url).path}")
