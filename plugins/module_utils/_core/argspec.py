# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specifications that can be merged, with environment variables and the types of values."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any, Optional, TypedDict

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE

from .errors import InvalidOption
from .secret import MASK, Secret
from .values import absolute_path, duration, unicode_text

Names = tuple[str, ...]
DURATION = "duration"


class Option(TypedDict, total=False):
    """One option in ansible-core's format, with the additional type `duration` and four additional keys.

    `environment` lists the variables that set the option; the first one that is set wins. `secret_if` returns whether
    a value is secret, for an option that accepts secrets and labels. `spec` are the options in a mapping, or in each of
    a list of mappings. `prefix` is what messages put before the names of those: by default the option and a dot.
    """

    type: str
    elements: str
    default: Any
    required: bool
    choices: Sequence[Any]
    aliases: Sequence[str]
    no_log: bool
    environment: Names
    secret_if: Callable[[str], bool]
    spec: ArgumentSpec
    prefix: str


@dataclass(frozen=True)
class ArgumentSpec:
    """Options and the rules between them, in ansible-core's format.

    `alternatives` are groups of options of which one is enough. When one group has a value, environment variables do
    not set options of the other groups, so that a credential of the task is never mixed with one of the environment.
    """

    options: Mapping[str, Option] = field(default_factory=dict)
    mutually_exclusive: tuple[Names, ...] = ()
    required_together: tuple[Names, ...] = ()
    required_one_of: tuple[Names, ...] = ()
    required_if: tuple[tuple[Any, ...], ...] = ()
    alternatives: tuple[Names, ...] = ()

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """Combine the options and rules of all; the last one wins for an option that several have."""
        specs = (self, *others)
        return ArgumentSpec(
            {name: option for spec in specs for name, option in spec.options.items()},
            **{rule: tuple(chain.from_iterable(getattr(spec, rule) for spec in specs)) for rule in _RULES},
        )

    def prefixed(self, prefix: str) -> ArgumentSpec:
        """Add a prefix to each name, for a module that takes the options of another module."""
        return self.renamed(lambda name: prefix + name)

    def renamed(self, new_name: Callable[[str], str]) -> ArgumentSpec:
        """Rename each option, also in the rules."""

        def renamed(groups: tuple[Names, ...]) -> tuple[Names, ...]:
            return tuple(tuple(map(new_name, group)) for group in groups)

        return ArgumentSpec(
            {new_name(name): option for name, option in self.options.items()},
            mutually_exclusive=renamed(self.mutually_exclusive),
            required_together=renamed(self.required_together),
            required_one_of=renamed(self.required_one_of),
            required_if=tuple(
                (new_name(name), value, tuple(map(new_name, others)), *rest)
                for name, value, others, *rest in self.required_if
            ),
            alternatives=renamed(self.alternatives),
        )

    def without_environment(self) -> ArgumentSpec:
        """The same without what an environment variable may fulfil, for a check that does not know the environment."""

        def may_be_set(names: Names) -> bool:
            return any(self.options[name].get("environment") for name in names)

        return replace(
            self,
            options={
                name: {
                    **option,
                    **({"required": False} if may_be_set((name,)) else {}),
                    **({"spec": option["spec"].without_environment()} if "spec" in option else {}),
                }
                for name, option in self.options.items()
            },
            required_together=tuple(group for group in self.required_together if not may_be_set(group)),
            required_one_of=tuple(group for group in self.required_one_of if not may_be_set(group)),
            required_if=tuple(rule for rule in self.required_if if not may_be_set(rule[2])),
        )

    def ignored(self) -> ArgumentSpec:
        """The options for a module that accepts and ignores them, without rules and environment variables."""
        return ArgumentSpec({name: {**option, "environment": ()} for name, option in self.options.items()})

    @property
    def environment_variables(self) -> set[str]:
        """The names of all environment variables that set an option."""
        own = {name for option in self.options.values() for name in option.get("environment", ())}
        return own.union(*(spec.environment_variables for spec in self._specs.values()))

    @property
    def names(self) -> dict[str, Option]:
        """The options by name and alias."""
        return {alias: option for name, option in self.options.items() for alias in (name, *option.get("aliases", ()))}

    def prefix_of(self, name: str) -> str:
        """What messages put before the names of the options in a mapping."""
        return self.names[name].get("prefix", f"{name}.")

    def levels(self, args: Mapping[str, Any]) -> Iterator[tuple[str, ArgumentSpec, Mapping[str, Any]]]:
        """Yield (prefix, specification, arguments) for the arguments and for each mapping in them."""
        yield "", self, args
        for name, spec in self._specs.items():
            for entry in _mappings(args.get(name)):
                for prefix, inner, given in spec.levels(entry):
                    yield self.prefix_of(name) + prefix, inner, given

    @property
    def listed_names(self) -> list[str]:
        """The options and aliases for messages. Of a mapping without a prefix, only the options in it are listed."""
        inner = {name: spec for name, spec in self._specs.items() if not self.prefix_of(name)}
        return sorted({*self.names, *chain.from_iterable(spec.names for spec in inner.values())} - inner.keys())

    def secrets_in(self, args: Mapping[str, Any]) -> Iterator[str]:
        """Yield the secret strings in arguments, which may have wrong types."""
        names, specs = self.names, self._specs
        for name, value in args.items():
            if name in specs:
                for entry in _mappings(value):
                    yield from specs[name].secrets_in(entry)
            elif name in names and _is_secret(names[name], value):
                yield from texts_in(value)

    def concealed(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments with masked values for secret options and for unknown options, whose names may be mistyped."""
        names, specs = self.names, self._specs
        return {
            name: _each(specs[name].concealed, value, other=lambda _value: MASK)
            if name in specs
            else value
            if name in names and not _is_secret(names[name], value)
            else MASK
            for name, value in args.items()
        }

    def core_arguments(self) -> dict[str, Any]:
        """The arguments of AnsibleModule. Environment variables were already applied, on the control node."""
        options = {name: _core_option(option) for name, option in self.options.items()}
        return {"argument_spec": options, **{rule: getattr(self, rule) for rule in _CORE_RULES}}

    def validator(self) -> ArgumentSpecValidator:
        """A validator that checks and converts arguments without an AnsibleModule."""
        arguments = self.core_arguments()
        return ArgumentSpecValidator(arguments.pop("argument_spec"), **arguments)

    def complete(self, args: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
        """The arguments, completed with the values of environment variables for options that are not set.

        An option that is blank or null is not set: a survey of AWX leaves such values. An empty variable is not set
        either: AWX injects one for every blank field.
        """
        names = self.names
        completed = {name: value for name, value in args.items() if value not in (None, "") or name not in names}
        self._complete(completed, [name for name in self.options if not self._is_alternative(name)], environ)
        given = [self._count_given(completed, group) for group in self.alternatives]
        most = max(given, default=0)
        # Groups may share an option. The first group that the environment completes is used.
        for group, count in zip(self.alternatives, given):
            if count == most:
                self._complete(completed, group, environ)
                if self._count_given(completed, group) > most:
                    break
        for name, spec in self._specs.items():
            if name in completed:
                completed[name] = _each(partial(spec.complete, environ=environ), completed[name])
        return completed

    def insecure_variables(self, args: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Yield (variable, option) for each variable that turns off certificate verification for an unset option."""
        given = self.complete(args, {})
        for name, option in self.options.items():
            if name.endswith("validate_certs") and not self._is_given(given, name):
                variable = next((each for each in option.get("environment", ()) if environ.get(each)), None)
                if variable and environ[variable].strip().lower() in _FALSE:
                    yield variable, name
        for name, spec in self._specs.items():
            for entry in _mappings(given.get(name)):
                found = spec.insecure_variables(entry, environ)
                yield from ((variable, self.prefix_of(name) + option) for variable, option in found)

    def converted(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with durations as seconds and paths as absolute paths. Raises InvalidOption."""
        return {
            name: _converted(name, self.options[name], value) for name, value in params.items() if name in self.options
        }

    def typed(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters for an operation: converted, with each `no_log` string as a Secret, or None when it is empty.

        Raises InvalidOption.
        """
        specs = self._specs
        return {
            name: (Secret(value) if value else None)
            if self.options[name].get("no_log") and isinstance(value, str)
            else _each(specs[name].typed, value)
            if name in specs
            else value
            for name, value in self.converted(params).items()
        }

    def variables_for(self, text: str) -> str:
        """Name the environment variables of the options in a message about missing options; empty without any."""
        # The name of a file, such as ~/.vault-token, names no option.
        words = {word.strip("(),.:;") for word in text.split()}
        levels = [("", self), *((self.prefix_of(name), spec) for name, spec in self._specs.items())]
        found = [
            f"{' or '.join(option['environment'])} for {prefix}{name}"
            for prefix, spec in levels
            for name, option in spec.options.items()
            if prefix + name in words and option.get("environment")
        ]
        noun = "environment variable" if len(found) == 1 else "environment variables"
        return f"or set the {noun} {', '.join(found)}" if found else ""

    @property
    def _specs(self) -> dict[str, ArgumentSpec]:
        """The specifications of options that are mappings, by name and alias."""
        return {name: option["spec"] for name, option in self.names.items() if "spec" in option}

    def _is_alternative(self, name: str) -> bool:
        return any(name in group for group in self.alternatives)

    def _complete(self, args: dict[str, Any], names: Collection[str], environ: Mapping[str, str]) -> None:
        for name in names:
            option = self.options[name]
            value = None if self._is_given(args, name) else _first_set(option.get("environment", ()), environ)
            if value is not None:
                args[name] = value

    def _count_given(self, args: Mapping[str, Any], names: Names) -> int:
        return sum(self._is_given(args, name) for name in names)

    def _is_given(self, args: Mapping[str, Any], name: str) -> bool:
        return any(alias in args for alias in (name, *self.options[name].get("aliases", ())))


_FALSE = frozenset(str(value) for value in BOOLEANS_FALSE)
_OWN_FACTS = ("environment", "secret_if", "spec", "prefix")
_CORE_RULES = ("mutually_exclusive", "required_together", "required_one_of", "required_if")
_RULES = (*_CORE_RULES, "alternatives")


def unprefixed(params: Mapping[str, Any], prefix: str, spec: ArgumentSpec) -> dict[str, Any]:
    """Select the parameters whose names start with the prefix, and return them without it."""
    return {name: params[prefix + name] for name in spec.options}


def _core_option(option: Option) -> dict[str, Any]:
    facts = {fact: value for fact, value in option.items() if fact not in _OWN_FACTS}
    if "spec" in option:
        inner = option["spec"].core_arguments()
        return {**facts, "options": inner.pop("argument_spec"), **inner}
    if option["type"] != DURATION:
        return facts
    return {**facts, "type": "str", **({"default": str(facts["default"])} if "default" in facts else {})}


def _converted(name: str, option: Option, value: Any) -> Any:
    if isinstance(value, str):
        unicode_text(value, name)
    if value is None:
        return None
    if "spec" in option:
        return _each(option["spec"].converted, value)
    if option["type"] == DURATION:
        return duration(value, name)
    if option["type"] == "path":
        return absolute_path(value, name)
    if option.get("elements") == "path":
        return [absolute_path(entry, name) for entry in value]
    if option["type"] == "float" and not 0 <= value < math.inf:
        raise InvalidOption(name, "must be a number that is 0 or more")
    return value


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mapping, or those of a list, without what is of a wrong type."""
    return [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, Mapping)]


def _each(convert: Callable[[Any], Any], value: Any, *, other: Callable[[Any], Any] = lambda value: value) -> Any:
    """A mapping converted, or each of a list; `other` converts what is of a wrong type."""
    if isinstance(value, list):
        return [_each(convert, entry, other=other) for entry in value]
    return convert(value) if isinstance(value, Mapping) else other(value)


def _is_secret(option: Option, value: Any) -> bool:
    return bool(option.get("no_log")) or ("secret_if" in option and option["secret_if"](str(value)))


def texts_in(value: Any) -> Iterator[str]:
    """Yield the strings in a value of any type."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_in(item)
    elif value not in (None, ""):
        yield str(value)


def _first_set(names: Names, environ: Mapping[str, str]) -> Optional[str]:
    return next((environ[name] for name in names if environ.get(name)), None)


# How a server is verified. A second server of a task has its own options for this, with a prefix.
VERIFICATION = ArgumentSpec({"validate_certs": {"type": "bool", "default": True}, "ca_path": {"type": "path"}})
TRANSPORT = ArgumentSpec(
    {
        # May contain a password.
        "proxy_url": {"type": "str", "no_log": True},
        "timeout": {"type": DURATION, "default": 30},
        "retries": {"type": "int", "default": 3},
    }
)
CONNECTION = ArgumentSpec(
    {
        **VERIFICATION.options,
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        **TRANSPORT.options,
    }
)
