# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks say of several objects: how many, and which there are when a name or a filter of the user fits none."""

from __future__ import annotations

from collections.abc import Iterable

from .._core.redaction import Redactor

# A list that a person reads.
_MOST_NAMES = 10
# As many objects are read to name these.
SOME = 200


def there_is(names: Iterable[str], redactor: Redactor) -> str:
    """What exists, in brackets and up to a bound."""
    found = list(dict.fromkeys(names))
    shown = ", ".join(map(redactor.quote, found[:_MOST_NAMES]))
    more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
    return f"(found: {shown or 'none'}{more})"


def counted(number: int, noun: str) -> str:
    """How many of something."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
