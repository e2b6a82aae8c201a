# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specifications that merge, the environment variables that complete arguments, and the types of values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    """One option, as ansible-core specifies it, and what only this collection knows of it, as is the type `duration`.

    `environment` are the variables that set it, the first one first. `secret_if` returns whether a value is secret,
    for an option that takes both.
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


@dataclass(frozen=True)
class ArgumentSpec:
    """Options, and the rules between them, as ansible-core knows them.

    `alternatives` are groups of options of which one is enough: once one group has a value, the environment sets
    nothing of the others. A credential of the task is never mixed with another one of the environment.
    """

    options: Mapping[str, Option] = field(default_factory=dict)
    mutually_exclusive: tuple[Names, ...] = ()
    required_together: tuple[Names, ...] = ()
    required_one_of: tuple[Names, ...] = ()
    required_if: tuple[tuple[Any, ...], ...] = ()
    alternatives: tuple[Names, ...] = ()

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """The options and rules of all; the last one decides on an option that several have."""
        specs = (self, *others)
        return ArgumentSpec(
            {name: option for spec in specs for name, option in spec.options.items()},
            **{rule: tuple(chain.from_iterable(getattr(spec, rule) for spec in specs)) for rule in _RULES},
        )

    def prefixed(self, prefix: str) -> ArgumentSpec:
        """The same with a prefix to each name, for a module that takes the options of another one."""
        return self.renamed(lambda name: prefix + name)

    def renamed(self, new_name: Callable[[str], str]) -> ArgumentSpec:
        """The same with other names."""

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
                name: {**option, "required": False} if may_be_set((name,)) else option
                for name, option in self.options.items()
            },
            required_together=tuple(group for group in self.required_together if not may_be_set(group)),
            required_one_of=tuple(group for group in self.required_one_of if not may_be_set(group)),
            required_if=tuple(rule for rule in self.required_if if not may_be_set(rule[2])),
        )

    def ignored(self) -> ArgumentSpec:
        """The options for a module that takes and ignores them: without rules, and set by no variable."""
        return ArgumentSpec({name: {**option, "environment": ()} for name, option in self.options.items()})

    @property
    def environment_variables(self) -> set[str]:
        """The names of all variables that set an option."""
        return {name for option in self.options.values() for name in option.get("environment", ())}

    @property
    def names(self) -> dict[str, Option]:
        """The options by their names and aliases."""
        return {alias: option for name, option in self.options.items() for alias in (name, *option.get("aliases", ()))}

    def secrets_in(self, args: Mapping[str, Any]) -> Iterator[str]:
        """The texts that are secret in arguments, which may be of a wrong type."""
        names = self.names
        for name, value in args.items():
            if name in names and _is_secret(names[name], value):
                yield from texts_in(value)

    def concealed(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments without the values of secret options, and of options that do not exist: mistyped ones."""
        names = self.names
        return {
            name: value if name in names and not _is_secret(names[name], value) else MASK
            for name, value in args.items()
        }

    def core_arguments(self) -> dict[str, Any]:
        """The specification as AnsibleModule takes it. The environment was read before, on the control node."""
        options = {name: _core_option(option) for name, option in self.options.items()}
        return {"argument_spec": options, **{rule: getattr(self, rule) for rule in _CORE_RULES}}

    def validator(self) -> ArgumentSpecValidator:
        """What checks and converts arguments without an AnsibleModule."""
        arguments = self.core_arguments()
        return ArgumentSpecValidator(arguments.pop("argument_spec"), **arguments)

    def complete(self, args: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
        """The arguments, and from the environment those that are not given.

        An option that is blank or null is not given, as a survey of AWX leaves it, or a variable that is not set. An
        empty variable counts as not set: AWX sets one for every field that is left blank.
        """
        names = self.names
        completed = {name: value for name, value in args.items() if value not in (None, "") or name not in names}
        self._complete(completed, [name for name in self.options if not self._is_alternative(name)], environ)
        given = [self._count_given(completed, group) for group in self.alternatives]
        most = max(given, default=0)
        # Groups may share an option: the first of them that the environment completes is used.
        for group, count in zip(self.alternatives, given):
            if count == most:
                self._complete(completed, group, environ)
                if self._count_given(completed, group) > most:
                    break
        return completed

    def insecure_variables(self, args: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """The variables that turn off the verification of a server where the arguments do not say, and the options."""
        given = self.complete(args, {})
        for name, option in self.options.items():
            if name.endswith("validate_certs") and not self._is_given(given, name):
                variable = next((each for each in option.get("environment", ()) if environ.get(each)), None)
                if variable and environ[variable].strip().lower() in _FALSE:
                    yield variable, name

    def converted(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with durations in seconds and absolute paths. Raises InvalidOption."""
        return {
            name: _converted(name, self.options[name], value) for name, value in params.items() if name in self.options
        }

    def typed(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters as operations take them: converted, each `no_log` one as a Secret.

        An empty secret counts as not given. Raises InvalidOption.
        """
        return {
            name: (Secret(value) if value else None)
            if self.options[name].get("no_log") and isinstance(value, str)
            else value
            for name, value in self.converted(params).items()
        }

    def variables_for(self, text: str) -> str:
        """Which variables would do for the options that a text about missing ones names; empty where there are none."""
        words = set(re.findall(r"\w+", text))
        found = [
            f"{name} by {option['environment'][0]}"
            for name, option in self.options.items()
            if name in words and option.get("environment")
        ]
        return f"environment variables set {', '.join(found)}" if found else ""

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
_OWN_FACTS = ("environment", "secret_if")
_CORE_RULES = ("mutually_exclusive", "required_together", "required_one_of", "required_if")
_RULES = (*_CORE_RULES, "alternatives")


def unprefixed(params: Mapping[str, Any], prefix: str, spec: ArgumentSpec) -> dict[str, Any]:
    """The parameters of a specification whose names have a prefix among those of another one."""
    return {name: params[prefix + name] for name in spec.options}


def _core_option(option: Option) -> dict[str, Any]:
    facts = {fact: value for fact, value in option.items() if fact not in _OWN_FACTS}
    if option["type"] != DURATION:
        return facts
    return {**facts, "type": "str", **({"default": str(facts["default"])} if "default" in facts else {})}


def _converted(name: str, option: Option, value: Any) -> Any:
    if isinstance(value, str):
        unicode_text(value, name)
    if value is None:
        return None
    if option["type"] == DURATION:
        return duration(value, name)
    if option["type"] == "path":
        return absolute_path(value, name)
    if option.get("elements") == "path":
        return [absolute_path(entry, name) for entry in value]
    if option["type"] == "float" and not 0 <= value < math.inf:
        raise InvalidOption(name, "must be a number, 0 or more")
    return value


def _is_secret(option: Option, value: Any) -> bool:
    return bool(option.get("no_log")) or ("secret_if" in option and option["secret_if"](str(value)))


def texts_in(value: Any) -> Iterator[str]:
    """The texts in a value of any type."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_in(item)
    elif value not in (None, ""):
        yield str(value)


def _first_set(names: Names, environ: Mapping[str, str]) -> Optional[str]:
    return next((environ[name] for name in names if environ.get(name)), None)


# How a server proves who it is. A second server of a task has these options once more, with a prefix.
VERIFICATION = ArgumentSpec({"validate_certs": {"type": "bool", "default": True}, "ca_path": {"type": "path"}})
CONNECTION = ArgumentSpec(
    {
        **VERIFICATION.options,
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        # It may hold a password.
        "proxy_url": {"type": "str", "no_log": True},
        "timeout": {"type": DURATION, "default": 30},
        "retries": {"type": "int", "default": 3},
    }
)
