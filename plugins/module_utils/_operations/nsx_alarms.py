# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find NSX alarms about an expired token, with a pattern that the user sets."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .._clients import nsx
from .._core.argspec import ArgumentSpec
from .._core.errors import InvalidOption

ALARM_PATTERN = ArgumentSpec({"alarm_pattern": {"type": "str", "default": "(?i)jwt"}})


def compile_alarm_pattern(alarm_pattern: str) -> re.Pattern[str]:
    """Compile the pattern that is searched in the text of an alarm. Raises InvalidOption."""
    try:
        return re.compile(alarm_pattern)
    except re.error as error:
        raise InvalidOption("alarm_pattern", f"is not a valid regular expression: {error}") from None


def split_alarm_texts(path: str, alarms: Sequence[nsx.Alarm], pattern: re.Pattern[str]) -> tuple[list[str], list[str]]:
    """Split the texts of the alarms on an object into those that match the pattern and the others."""
    texts = [alarm.text for alarm in alarms if alarm.is_about(path)]
    matching = [text for text in texts if pattern.search(text)]
    return matching, [text for text in texts if not pattern.search(text)]
