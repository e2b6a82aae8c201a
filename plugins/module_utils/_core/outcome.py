# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outcome of a task, before it becomes an Ansible result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .errors import TokensError
from .secret import Secret
from .token import Token


@dataclass(frozen=True)
class Outcome:
    """The outcome of one task.

    `token` is the current token, `before` the one before the task. `now` is the server's time in epoch seconds.
    `headers` are those that sign a request with the token; None for an Authorization header with its type.
    `values` are further keys of the result. `error` makes the task fail and keeps the rest of the result.
    With `about_token`, the diff is made of `before` and `token`; otherwise `diff` is used.
    """

    changed: bool
    action: str
    token: Optional[Token] = None
    verified: Optional[bool] = None
    now: float = 0.0
    before: Optional[Token] = None
    headers: Optional[Mapping[str, Secret]] = None
    values: Mapping[str, Any] = field(default_factory=dict)
    error: Optional[TokensError] = None
    about_token: bool = False
    diff: Optional[Mapping[str, Any]] = None
