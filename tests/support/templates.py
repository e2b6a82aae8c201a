# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The templates of tasks, without Ansible."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jinja2

# The value of the variable `omit`.
OMITTED = object()
_EXPRESSION = re.compile(r"\{\{((?:(?!\}\}).)*)\}\}")
_TEMPLATES = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 - no HTML is made


def rendered(value: Any, variables: Mapping[str, Any]) -> Any:
    """A value with its templates rendered, without omitted parts."""
    if isinstance(value, Mapping):
        found = {key: rendered(item, variables) for key, item in value.items()}
        return {key: item for key, item in found.items() if item is not OMITTED}
    if isinstance(value, list):
        return [item for item in (rendered(item, variables) for item in value) if item is not OMITTED]
    if not isinstance(value, str) or "{{" not in value:
        return value
    if whole := _EXPRESSION.fullmatch(value.strip()):
        result = _TEMPLATES.compile_expression(whole[1], undefined_to_none=False)(**variables)
        assert not isinstance(result, jinja2.Undefined), value
        return result
    return _TEMPLATES.from_string(value).render(variables)
