# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check and convert arguments, the same for both routes; what is reported of them shows no secret."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional

from ansible.module_utils.errors import UnsupportedError

from .._core.argspec import ArgumentSpec
from .._core.redaction import redact
from .._core.secret import Secret
from .._operations.base import Operation

# What the core's own conversion raises, at an infinite integer for example. It quotes the value, and names no option.
_CONVERSION_ERRORS = (ArithmeticError, ValueError)


class ValidatedArguments:
    """Arguments after validation: either `params`, or `error`, a sentence about `subject` without secrets."""

    def __init__(self, subject: str, spec: ArgumentSpec, args: Mapping[str, Any]) -> None:
        self.params: Mapping[str, Any] = {}
        self.error: Optional[str] = None
        self.deprecations: list[Mapping[str, Any]] = []
        self.warnings: list[str] = []
        try:
            result = spec.validator().validate(dict(args))
        except _CONVERSION_ERRORS:
            self.error = f"{subject}: {'; '.join(_unconvertible(spec, args))}"
            return
        self.params = result.validated_parameters
        self.deprecations = list(result._deprecations)
        self.warnings = [
            f"Both option {warning['option']} and its alias {warning['alias']} are set." for warning in result._warnings
        ]
        complaints = _complaints(result.errors.errors) or list(_invalid_values(spec, self.params))
        if complaints:
            # Messages quote values, and the value of a secret may stand in any of them.
            secrets = map(Secret, (*result._no_log_values, *spec.secrets_in(args)))
            self.error = redact(f"{subject}: {'; '.join(complaints)}", secrets)


class Validated(ValidatedArguments):
    """The arguments of a task."""

    def __init__(self, operation: type[Operation], args: Mapping[str, Any]) -> None:
        super().__init__(operation.name, operation.argument_spec, args)


def _unconvertible(spec: ArgumentSpec, args: Mapping[str, Any]) -> Iterator[str]:
    """Complaints about the options that cannot be converted, each of which is tried alone."""
    for name, option in spec.options.items():
        given = {key: args[key] for key in (name, *option.get("aliases", ())) if key in args}
        try:
            ArgumentSpec({name: {**option, "required": False}}).validator().validate(given)
        except _CONVERSION_ERRORS:
            yield f"the option {name} was given a value that cannot be of its type, {option['type']}"


def _complaints(errors: Sequence[Exception]) -> list[str]:
    """All that the validator found; an option that does not exist comes alone, for it explains the rest."""
    unsupported = [f"there is no option {error}" for error in errors if isinstance(error, UnsupportedError)]
    return unsupported or [str(error).rstrip(".") for error in errors]


def _invalid_values(spec: ArgumentSpec, params: Mapping[str, Any]) -> Iterator[str]:
    for name, option in spec.options.items():
        value = params.get(name)
        # All numbers with a fraction are seconds.
        if option["type"] == "float" and value is not None and not 0 <= value < math.inf:
            yield f"the option {name} must be a number of seconds, 0 or more"
        # Bytes that are not UTF-8, as an environment variable may hold, arrive as halves of characters.
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            yield f"the option {name} is not valid UTF-8"
