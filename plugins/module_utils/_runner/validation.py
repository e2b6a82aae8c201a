# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate arguments, for both routes. Messages about them contain no secret."""

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

# Raised by the core for values such as an infinite integer. The messages quote the value and name no option.
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
    """Validated arguments: either `params`, or `error`, a message about `subject` without secrets."""

    def __init__(self, subject: str, spec: ArgumentSpec, args: Mapping[str, Any]) -> None:
        self.params: Mapping[str, Any] = {}
        self.error: Optional[str] = None
        self.deprecations: list[Mapping[str, Any]] = []
        self.warnings: list[str] = []
        # Blank and null options are not set.
        args = spec.complete(args, {})
        try:
            result = spec.validator().validate(args)
        except _CONVERSION_ERRORS:
            complaints = list(_mistyped(spec, args))
        else:
            self.deprecations = list(result._deprecations)
            self.warnings = [
                f"The option {warning['option']} and its alias {warning['alias']} are both set. Remove one of them."
                for warning in result._warnings
            ]
            complaints = _complaints(spec, args, result.errors.errors)
            if not complaints:
                self.params, complaints = _converted(spec, result.validated_parameters)
        if complaints:
            # Messages quote values, which may contain secrets.
            secrets = map(Secret, spec.secrets_in(args))
            self.error = redact(f"{subject}: {'; '.join(complaints)}", secrets)


class Validated(ValidatedArguments):
    """The arguments of a task."""

    def __init__(self, operation: type[Operation], args: Mapping[str, Any]) -> None:
        super().__init__(operation.name, operation.argument_spec, args)


def unverified(variable: str, option: str) -> str:
    """The warning that an environment variable turns off the verification of a server."""
    return (
        f"The environment variable {variable} turns off the verification of the server certificate, so secrets may be "
        f"sent to another server. Set {option}: true, or set {option}: false in the task to end this warning."
    )


def _converted(spec: ArgumentSpec, params: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """Convert the parameters. Returns them and the complaints about those that cannot be converted."""
    converted, complaints = dict(params), []
    for name, value in params.items():
        try:
            converted.update(spec.converted({name: value}))
        except InvalidOption as error:
            complaints.append(_uncapitalized(str(error)))
    return converted, complaints


def _complaints(spec: ArgumentSpec, args: Mapping[str, Any], errors: Sequence[Exception]) -> list[str]:
    """The complaints of the validator. Unknown options are reported alone: they usually cause the others."""
    meant = _did_you_mean(spec, args)
    unsupported = [f"there is no option {error}{meant}" for error in errors if isinstance(error, UnsupportedError)]
    if unsupported:
        return unsupported
    others = [_with_variables(spec, error) for error in errors if not isinstance(error, _WRONG_TYPE)]
    return [*_mistyped(spec, args), *others] if len(others) < len(errors) else others


def _did_you_mean(spec: ArgumentSpec, args: Mapping[str, Any]) -> str:
    """A question with the options whose names are similar to unknown ones."""
    names = spec.names
    likely = [match for name in args if name not in names for match in difflib.get_close_matches(str(name), names, 1)]
    return f" Did you mean {' and '.join(likely)}?" if likely else ""


def _with_variables(spec: ArgumentSpec, error: Exception) -> str:
    """The message, with the environment variables of missing options."""
    text = str(error).rstrip(".")
    variables = spec.variables_for(text) if isinstance(error, _MISSING) else ""
    return f"{text} ({variables})" if variables else text


def _mistyped(spec: ArgumentSpec, args: Mapping[str, Any]) -> Iterator[str]:
    """Complaints about options that cannot be converted. Each option is tried alone.

    The messages of the core name the Python class of a value.
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
        entries = value.split(",") if isinstance(value, str) else value
        for number, entry in enumerate(entries, start=1):
            if entry is None or not _is_convertible(_entry_of(option), entry):
                return f"has an invalid entry: number {number} {_must_be(option['elements'], entry)}"
    return _must_be(option["type"], value)


def _must_be(kind: str, value: Any) -> str:
    # A string in place of a mapping is not shown: it may be a secret.
    found = "a string" if kind == "dict" and isinstance(value, str) else described(value)
    return f"must be {_TYPES.get(kind, 'a string')}, not {found}"


def _entry_of(option: Option) -> Option:
    return {"type": option["elements"], "no_log": option.get("no_log", False)}


def _uncapitalized(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
