# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check values of options that ansible-core does not check: durations, paths and strings."""

from __future__ import annotations

import os
import re
from typing import Any

from .errors import InvalidOption

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_EXAMPLES = "90s, 30m, 12h or 14d"
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]{1,2})?)\s*([smhd]?)\s*")


def duration(value: Any, option: str) -> float:
    """Convert a number of seconds, or a number with a unit, to seconds. Raises InvalidOption."""
    found = _DURATION.fullmatch(str(value))
    if not found:
        raise InvalidOption(
            option,
            f"must be a number of seconds or a number with a unit, such as {_EXAMPLES}, not {described(value)}",
        )
    return float(found[1]) * _UNITS[found[2]]


def absolute_path(value: str, option: str) -> str:
    """Expand ~ and environment variables in a path. Raises InvalidOption for a relative path.

    A relative path would depend on the working directory of the process.
    """
    if "\0" in value:
        raise InvalidOption(option, "contains a NUL character, which is invalid in a path")
    path = os.path.expanduser(os.path.expandvars(value))
    if os.path.isabs(path):
        return path
    reason = f"must be an absolute path or begin with ~, not {described(value)}"
    if path.startswith("~"):
        raise InvalidOption(option, f"{reason}: the home directory of the user is unknown", advice="Set HOME.")
    if path.startswith("$"):
        raise InvalidOption(option, f"{reason}: the environment variable is not set", advice="Set the variable.")
    raise InvalidOption(option, reason, advice="Prefix it with a folder, such as '{{ playbook_dir }}/'.")


def unicode_text(value: str, option: str) -> str:
    """Return a string that is valid Unicode. Raises InvalidOption, without quoting it."""
    # Bytes of an environment variable that are not UTF-8 are decoded to lone surrogates.
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidOption(option, "is not valid UTF-8")
    return value


def described(value: Any) -> str:
    """A value, as a message shows it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "null" if value is None else f"'{value}'"
