# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check and convert arguments, the same for both routes; what is reported of them shows no secret."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional

from ansible.module_utils.errors import (
    ArgumentTypeError,
    ElementError,
    RequiredError,
    RequiredIfError,
    RequiredOneOfError,
    RequiredTogetherError,
    UnsupportedError,
)

from .._core.argspec import ArgumentSpec, Option
from .._core.errors import InvalidOption
from .._core.redaction import redact
from .._core.secret import Secret
from .._core.values import described
from .._operations.base import Operation

# What the core's own conversion raises, at an infinite integer for example. It quotes the value, and names no option.
_CONVERSION_ERRORS = (ArithmeticError, ValueError)
_WRONG_TYPE = (ArgumentTypeError, ElementError)
_MISSING = (RequiredError, RequiredIfError, RequiredOneOfError, RequiredTogetherError)
_TYPES = {
    "bool": "true or false",
    "dict": "a mapping",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "path": "a path",
}


class ValidatedArguments:
    """Arguments after validation: either `params`, or `error`, a sentence about `subject` without secrets."""

    def __init__(self, subject: str, spec: ArgumentSpec, args: Mapping[str, Any]) -> None:
        self.params: Mapping[str, Any] = {}
        self.error: Optional[str] = None
        self.deprecations: list[Mapping[str, Any]] = []
        self.warnings: list[str] = []
        # What is blank or null is not given, whoever asks.
        args = spec.complete(args, {})
        try:
            result = spec.validator().validate(args)
        except _CONVERSION_ERRORS:
            complaints = list(_mistyped(spec, args))
        else:
            self.deprecations = list(result._deprecations)
            self.warnings = [
                f"Both option {warning['option']} and its alias {warning['alias']} are set."
                for warning in result._warnings
            ]
            complaints = _complaints(spec, args, result.errors.errors)
            if not complaints:
                self.params, complaints = _converted(spec, result.validated_parameters)
        if complaints:
            # Messages quote values, and the value of a secret may stand in any of them.
            secrets = map(Secret, spec.secrets_in(args))
            self.error = redact(f"{subject}: {'; '.join(complaints)}", secrets)


class Validated(ValidatedArguments):
    """The arguments of a task."""

    def __init__(self, operation: type[Operation], args: Mapping[str, Any]) -> None:
        super().__init__(operation.name, operation.argument_spec, args)


def _converted(spec: ArgumentSpec, params: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """The parameters with their types, and complaints about those that cannot be converted."""
    converted, complaints = dict(params), []
    for name, value in params.items():
        try:
            converted.update(spec.converted({name: value}))
        except InvalidOption as error:
            complaints.append(_uncapitalized(str(error)))
    return converted, complaints


def _complaints(spec: ArgumentSpec, args: Mapping[str, Any], errors: Sequence[Exception]) -> list[str]:
    """All that the validator found; an option that does not exist comes alone, for it explains the rest."""
    meant = _did_you_mean(spec, args)
    unsupported = [f"there is no option {error}{meant}" for error in errors if isinstance(error, UnsupportedError)]
    if unsupported:
        return unsupported
    others = [_with_variables(spec, error) for error in errors if not isinstance(error, _WRONG_TYPE)]
    return [*_mistyped(spec, args), *others] if len(others) < len(errors) else others


def _did_you_mean(spec: ArgumentSpec, args: Mapping[str, Any]) -> str:
    """The options that are written much like those that do not exist."""
    names = spec.names
    likely = [match for name in args if name not in names for match in difflib.get_close_matches(str(name), names, 1)]
    return f" Did you mean {' and '.join(likely)}?" if likely else ""


def _with_variables(spec: ArgumentSpec, error: Exception) -> str:
    """A message, and for the options that it misses the environment variables that would do."""
    text = str(error).rstrip(".")
    variables = spec.variables_for(text) if isinstance(error, _MISSING) else ""
    return f"{text} ({variables})" if variables else text


def _mistyped(spec: ArgumentSpec, args: Mapping[str, Any]) -> Iterator[str]:
    """Complaints about the options that cannot be converted, each of which is tried alone.

    The core's own name the Python class of a value.
    """
    for name, option in spec.options.items():
        for key in (name, *option.get("aliases", ())):
            if args.get(key) is not None and not _is_convertible(option, args[key]):
                yield f"the option {key} {_wanted(option, args[key])}"


def _is_convertible(option: Option, value: Any) -> bool:
    try:
        result = ArgumentSpec({"it": {**option, "required": False, "aliases": ()}}).validator().validate({"it": value})
    except _CONVERSION_ERRORS:
        return False
    return not any(isinstance(error, _WRONG_TYPE) for error in result.errors.errors)


def _wanted(option: Option, value: Any) -> str:
    if option["type"] == "list" and isinstance(value, (list, str)):
        wrong = next((each for each in value if each is None or not _is_convertible(_entry_of(option), each)), value)
        return f"has an entry that {_must_be(option['elements'], wrong)}"
    return _must_be(option["type"], value)


def _must_be(kind: str, value: Any) -> str:
    # A text in place of a mapping is in no option, so that it may be a secret that nobody knows.
    found = "text" if kind == "dict" and isinstance(value, str) else described(value)
    return f"must be {_TYPES.get(kind, 'text')}, not {found}"


def _entry_of(option: Option) -> Option:
    return {"type": option["elements"], "no_log": option.get("no_log", False)}


def _uncapitalized(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
