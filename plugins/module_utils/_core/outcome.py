# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a task, before it is a result of Ansible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .errors import TokensError
from .token import Token


@dataclass(frozen=True)
class Outcome:
    """`now` is the time by the server's clock at which it was judged, in epoch seconds. `values` are further
    keys of the result; `error` makes the task fail and leaves the rest of the result as it is. `about_token` says
    that the task keeps a token: `before` is the one that there was, `token` the one that there is. `diff` is what
    a task that keeps several shows in diff mode."""

    changed: bool
    action: str
    token: Optional[Token] = None
    verified: Optional[bool] = None
    now: float = 0.0
    before: Optional[Token] = None
    values: Mapping[str, Any] = field(default_factory=dict)
    error: Optional[TokensError] = None
    about_token: bool = False
    diff: Optional[Mapping[str, Any]] = None
