# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that many modules share, and how they are read: the one place where each is specified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ansible.module_utils.common.parameters import env_fallback

from .secret import Secret

ArgumentSpec = Mapping[str, Mapping[str, Any]]


def environment_variables(spec: ArgumentSpec) -> set[str]:
    """The names of the variables that options fall back to."""
    return {name for option in spec.values() for name in _fallback_names(option)}


def with_environment(
    spec: ArgumentSpec,
    args: Mapping[str, Any],
    environ: Mapping[str, str],
    alternatives: Sequence[Sequence[str]] = (),
) -> dict[str, Any]:
    """The arguments, with what the environment says of those that are not given.

    An empty variable counts as not set: AWX sets one for every field that is left blank.

    `alternatives` are groups of options of which one is enough: once one group has a value, the environment says
    nothing of the others. So a credential of the task is never mixed with another one of the environment.
    """
    completed = dict(args)
    for name in spec:
        if not any(name in group for group in alternatives):
            _complete(completed, spec, [name], environ)
    given = [_given(completed, spec, group) for group in alternatives]
    most = max(given, default=0)
    # Groups may share an option: then the first of them that the environment completes is meant.
    for group, count in zip(alternatives, given):
        if count == most:
            _complete(completed, spec, group, environ)
            if _given(completed, spec, group) > most:
                break
    return completed


def _given(args: Mapping[str, Any], spec: ArgumentSpec, names: Sequence[str]) -> int:
    return sum(_is_given(args, spec, name) for name in names)


def _complete(args: dict[str, Any], spec: ArgumentSpec, names: Sequence[str], environ: Mapping[str, str]) -> None:
    for name in names:
        value = None if _is_given(args, spec, name) else _first_set(_fallback_names(spec[name]), environ)
        if value is not None:
            # An alias that was given as an empty text would win over the option's own name.
            for alias in spec[name].get("aliases", ()):
                args.pop(alias, None)
            args[name] = value


def _is_given(args: Mapping[str, Any], spec: ArgumentSpec, name: str) -> bool:
    return any(args.get(alias) not in (None, "") for alias in (name, *spec[name].get("aliases", ())))


def without_fallbacks(spec: ArgumentSpec) -> dict[str, dict[str, Any]]:
    """The specification for a validator: the fallbacks were resolved before, on the controller, by our own rules."""
    return {name: {key: value for key, value in option.items() if key != "fallback"} for name, option in spec.items()}


def with_secrets(spec: ArgumentSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with every secret one as a Secret; an empty text counts as not given."""
    return {
        name: (Secret(value) if value else None) if spec[name].get("no_log") and isinstance(value, str) else value
        for name, value in params.items()
        if name in spec
    }


def prefixed(params: Mapping[str, Any], prefix: str, spec: ArgumentSpec) -> dict[str, Any]:
    """The parameters of a specification that stand among others with a prefix to their names."""
    return {name: params[prefix + name] for name in spec}


def with_prefix(prefix: str, spec: ArgumentSpec) -> dict[str, Mapping[str, Any]]:
    """A specification with a prefix to each name, for a module that takes another one's options."""
    return {prefix + name: option for name, option in spec.items()}


def _fallback_names(option: Mapping[str, Any]) -> tuple[str, ...]:
    fallback = option.get("fallback")
    return tuple(fallback[1]) if fallback else ()


def _first_set(names: tuple[str, ...], environ: Mapping[str, str]) -> Optional[str]:
    return next((environ[name] for name in names if environ.get(name)), None)


def option_from(*variables: str, **facts: Any) -> dict[str, Any]:
    """An option that falls back to environment variables."""
    return {**facts, "fallback": (env_fallback, list(variables))}


CONNECTION_OPTIONS: ArgumentSpec = {
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    # It may hold a password.
    "proxy_url": {"type": "str", "no_log": True},
    "timeout": {"type": "float", "default": 30},
    "retries": {"type": "int", "default": 3},
}

LIFECYCLE_OPTIONS: ArgumentSpec = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "token": {"type": "str", "no_log": True},
    "token_file": {"type": "path", "no_log": False},
    "min_remaining": {"type": "float", "default": 300},
    "renew": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
    "verify": {"type": "bool", "default": True},
    "return_token": {"type": "bool", "default": True, "no_log": False},
    "lock_timeout": {"type": "float", "default": 120},
}

# Only for products that can revoke a token.
REVOCATION_OPTIONS: ArgumentSpec = {"revoke_old": {"type": "bool"}}
