# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert the JSON of the control API into typed dataclasses, or return an error in one sentence."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class Mismatch(ValueError):
    """A value does not have the type of its field or parameter."""


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """Create the dataclass `cls` from `values`. Unknown, missing and wrongly typed fields are refused."""
    fields = {field.name: field for field in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else {}
    hints = typing.get_type_hints(cls)
    _check(values, {name: hints[name] for name in fields})
    missing = [name for name, field in fields.items() if _is_required(field) and name not in values]
    if missing:
        raise Mismatch(f"missing: {', '.join(missing)}")
    return cls(**values)


def changed(settings: T, values: Mapping[str, Any]) -> T:
    """Return a copy of the dataclass instance `settings` with `values` changed."""
    current = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    return build(type(settings), {**current, **values})


def call(function: Callable[..., T], values: Mapping[str, Any]) -> T:
    """Call `function` with `values` as keyword arguments, checked against its annotations."""
    hints = typing.get_type_hints(function)
    parameters = inspect.signature(function).parameters
    _check(values, {name: hints.get(name, Any) for name in parameters})
    missing = [name for name, p in parameters.items() if p.default is inspect.Parameter.empty and name not in values]
    if missing:
        raise Mismatch(f"missing: {', '.join(missing)}")
    return function(**values)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _check(values: Mapping[str, Any], hints: Mapping[str, Any]) -> None:
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise Mismatch(f"unknown: {', '.join(unknown)}; known names: {', '.join(sorted(hints))}")
    for name, value in values.items():
        if not _fits(value, hints[name]):
            raise Mismatch(f"{name}: {value!r} is not of type {_spelled(hints[name])}")


def _spelled(hint: Any) -> str:
    return getattr(hint, "__name__", None) or str(hint).replace("typing.", "")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value is of the annotated type (only the forms that this package uses)."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is object:
        return True
    if origin is typing.Literal:
        return value in arguments
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(item, arguments[1]) for item in value.values())
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
