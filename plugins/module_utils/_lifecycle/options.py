# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle options. Each field is an option, with its default and its argument specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Optional

from .._core.argspec import DURATION, ArgumentSpec
from .._core.secret import Secret
from .store_options import TOKEN_STORE


@dataclass(frozen=True)
class LifecycleOptions:
    """The lifecycle options of a task. Durations are in seconds."""

    state: str = field(default="present", metadata={"type": "str", "choices": ["present", "absent"]})
    token: Optional[Secret] = field(default=None, metadata={"type": "str", "no_log": True})
    token_file: Optional[str] = field(default=None, metadata={"type": "path", "no_log": False})
    token_store: Optional[Mapping[str, Any]] = field(
        default=None, metadata={"type": "dict", "no_log": False, "spec": TOKEN_STORE}
    )
    min_remaining: float = field(default=300, metadata={"type": DURATION})
    renew_before: Optional[float] = field(default=None, metadata={"type": DURATION})
    renew: str = field(default="auto", metadata={"type": "str", "choices": ["auto", "always", "never"]})
    verify: bool = field(default=True, metadata={"type": "bool"})
    verify_max_age: float = field(default=0, metadata={"type": DURATION})
    revoke_old: Optional[bool] = field(default=None, metadata={"type": "bool"})
    return_token: bool = field(default=True, metadata={"type": "bool", "no_log": False})
    replace_foreign: bool = field(default=False, metadata={"type": "bool"})
    lock_timeout: Optional[float] = field(default=None, metadata={"type": DURATION})
    record_folder: Optional[str] = field(default=None, metadata={"type": "path"})
    record_store: Optional[Mapping[str, Any]] = field(
        default=None, metadata={"type": "dict", "no_log": False, "spec": TOKEN_STORE}
    )
    max_duration: float = field(default=86400, metadata={"type": DURATION})

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> LifecycleOptions:
        """Select the lifecycle options from the parameters of a task. Unset options have their defaults."""
        names = (option.name for option in fields(cls))
        return cls(**{name: params[name] for name in names if params.get(name) is not None})

    @property
    def would_lose_a_token(self) -> bool:
        """Whether a new token would be neither stored nor returned."""
        may_create = self.state == "present" and not (self.token and self.renew == "never")
        return may_create and not (self.token_file or self.token_store or self.return_token)


# The options that name a store.
STORED = ("token_file", "token_store")
_REVOCATION = ("revoke_old", "record_folder", "record_store", "max_duration")
_OPTIONS: dict[str, Any] = {
    option.name: {**option.metadata, **({} if option.default is None else {"default": option.default})}
    for option in fields(LifecycleOptions)
}

LIFECYCLE = ArgumentSpec(
    {name: option for name, option in _OPTIONS.items() if name not in _REVOCATION},
    mutually_exclusive=(("token", *STORED),),
)
# Options for products that can revoke a token.
REVOCATION = ArgumentSpec(
    {name: _OPTIONS[name] for name in _REVOCATION}, mutually_exclusive=(("record_folder", "record_store"),)
)
