# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phrases for messages about several objects: how many there are, and which."""

from __future__ import annotations

from collections.abc import Iterable

from .._core.redaction import Redactor

# Names in a message.
_MOST_NAMES = 10
# Objects that are read to find these names.
SOME = 200


def there_is(names: Iterable[str], redactor: Redactor) -> str:
    """The names that exist, in parentheses, at most ten."""
    found = list(dict.fromkeys(names))
    shown = ", ".join(map(redactor.quote, found[:_MOST_NAMES]))
    more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
    return f"(found: {shown or 'none'}{more})"


def counted(number: int, noun: str) -> str:
    """A number with its noun, singular or plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
