# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate arguments, for both routes. Messages about them contain no secret."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional

from ansible.module_utils.errors import (
    ArgumentTypeError,
    ArgumentValueError,
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
_Kinds = tuple[type[Exception], ...]
# Makes the complaints about one level of the options: its prefix, its specification and its arguments.
_Rewrite = Callable[[str, ArgumentSpec, Mapping[str, Any]], Iterator[str]]
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
            complaints = _of_all_levels(_mistyped, spec, args)
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
    complaints: dict[str, None] = {}
    for error in [error for error in errors if isinstance(error, UnsupportedError)] or errors:
        rewrite = next((rewrite for kinds, rewrite in _REWRITES.items() if isinstance(error, kinds)), None)
        # A mapping that is given as a string is parsed by the core only.
        texts = (rewrite and _of_all_levels(rewrite, spec, args)) or [str(error).rstrip(".")]
        complaints.update(dict.fromkeys(_with_variables(spec, text) if rewrite is _missing else text for text in texts))
    return list(complaints)


def _of_all_levels(rewrite: _Rewrite, spec: ArgumentSpec, args: Mapping[str, Any]) -> list[str]:
    return [complaint for level in spec.levels(args) for complaint in rewrite(*level)]


def _unknown(prefix: str, spec: ArgumentSpec, args: Mapping[str, Any]) -> Iterator[str]:
    unknown = [str(name) for name in args if name not in spec.names]
    if unknown:
        names = spec.listed_names
        sentences = [f"There is no option {prefix}{name}.{_did_you_mean(name, names)}" for name in unknown]
        place = f" of {prefix.rstrip('.')}" if prefix else ""
        yield _uncapitalized(f"{' '.join(sentences)} Supported options{place}: {', '.join(names)}")


def _did_you_mean(text: str, names: Iterable[str]) -> str:
    """A question with the most similar name, if there is one."""
    likely = difflib.get_close_matches(text, names, 1)
    return f" Did you mean {likely[0]}?" if likely else ""


def _missing(prefix: str, spec: ArgumentSpec, args: Mapping[str, Any]) -> Iterator[str]:
    """Complaints that say what to set. See the rules of ArgumentSpec."""

    def missing(names: Sequence[str]) -> list[str]:
        return [name for name in names if _value(spec, args, name) is None]

    def together(name: str, names: Sequence[str]) -> str:
        return _joined([prefix + each for each in _with_companions(spec, name, names)], "and")

    required = missing([name for name, option in spec.options.items() if option.get("required")])
    if required:
        yield f"missing required arguments: {', '.join(prefix + name for name in sorted(required))}"
    for option, value, names, *is_any in spec.required_if:
        condition = "" if value == spec.options[option].get("default") else f"with {prefix}{option}: {value}, "
        if _value(spec, args, option) != value or not missing(names):
            continue
        if not any(is_any):
            yield f"{condition}set {_joined([together(name, names) for name in missing(names)], 'and')}"
        elif missing(names) == list(names):
            yield f"{condition}set {_joined([together(name, names) for name in names], 'or')}"
    for names in spec.required_one_of:
        if missing(names) == list(names):
            yield f"set {_joined([together(name, names) for name in names], 'or')}"
    for names in spec.required_together:
        if 0 < len(missing(names)) < len(names):
            yield f"set {_joined([prefix + name for name in names], 'and')} together"


def _with_companions(spec: ArgumentSpec, name: str, others: Sequence[str]) -> Sequence[str]:
    """The option with those that it needs, such as the password of a user, without `others` that are choices."""
    groups = [group for group in (*spec.alternatives, *spec.required_together) if name in group]
    found = [[each for each in group if each == name or each not in others] for group in groups]
    return min(found, key=len, default=[name])


def _joined(texts: Sequence[str], word: str) -> str:
    comma = "," if word == "or" and (len(texts) > 2 or any(" " in text for text in texts)) else ""
    return f"{', '.join(texts[:-1])}{comma} {word} {texts[-1]}" if len(texts) > 1 else texts[0]


def _value(spec: ArgumentSpec, args: Mapping[str, Any], name: str) -> Any:
    option = spec.options[name]
    return next((args[key] for key in (name, *option.get("aliases", ())) if key in args), option.get("default"))


def _with_variables(spec: ArgumentSpec, text: str) -> str:
    """The message, with the environment variables of missing options."""
    variables = spec.variables_for(text)
    return f"{text} ({variables})" if variables else text


def _wrongly_chosen(prefix: str, spec: ArgumentSpec, args: Mapping[str, Any]) -> Iterator[str]:
    for name, option, value in _each_option(spec, args):
        if "choices" in option and _raises((ArgumentValueError,), option, value):
            choices = list(map(str, option["choices"]))
            found = described(value) if isinstance(value, (dict, list)) else str(value)
            meant = _did_you_mean(found, choices)
            yield f"value of {prefix}{name} must be one of: {', '.join(choices)}, got: {found}{meant and '.'}{meant}"


def _mistyped(prefix: str, spec: ArgumentSpec, args: Mapping[str, Any]) -> Iterator[str]:
    """Complaints about options that cannot be converted. Each option is tried alone.

    The messages of the core name the Python class of a value.
    """
    for name, option, value in _each_option(spec, args):
        if not _is_convertible(option, value):
            yield f"the option {prefix}{name} {_wanted(option, value)}"


def _each_option(spec: ArgumentSpec, args: Mapping[str, Any]) -> Iterator[tuple[str, Option, Any]]:
    """Yield (name or alias, option, value) for each option that is set."""
    for name, option in spec.names.items():
        if args.get(name) is not None:
            yield name, option, args[name]


def _is_convertible(option: Option, value: Any) -> bool:
    try:
        return not _raises(_WRONG_TYPE, option, value)
    except _CONVERSION_ERRORS:
        return False


def _raises(kinds: _Kinds, option: Option, value: Any) -> bool:
    # The options in a mapping have their own level.
    facts = {fact: each for fact, each in option.items() if fact not in ("required", "aliases", "spec")}
    result = ArgumentSpec({"it": facts}).validator().validate({"it": value})  # type: ignore[dict-item] # an Option
    return any(isinstance(error, kinds) for error in result.errors.errors)


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


_REWRITES: Mapping[_Kinds, _Rewrite] = {
    (UnsupportedError,): _unknown,
    _WRONG_TYPE: _mistyped,
    _MISSING: _missing,
    (ArgumentValueError,): _wrongly_chosen,
}


def _uncapitalized(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
