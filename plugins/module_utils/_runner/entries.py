# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate the entries of token_set, each with the options of its product's module."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, Optional

from .._core.argspec import CONNECTION, ArgumentSpec, texts_in
from .._core.errors import InvalidOption
from .._core.redaction import redact
from .._core.secret import MASK, Secret
from .._http.url import BaseUrl
from .._lifecycle.options import LIFECYCLE
from .._operations.base import Operation
from .._operations.products import PRODUCTS
from .validation import ValidatedArguments

# Options that can be set once for all entries.
SHARED = CONNECTION.merge(ArgumentSpec({"min_remaining": LIFECYCLE.options["min_remaining"]}))
# In an entry, `name` is the name of the entry. An option of this name is renamed.
_NAME, _RENAMED = "name", "token_name"
_ENTRY = ArgumentSpec(
    {_NAME: {"type": "str"}, "product": {"type": "str", "required": True, "choices": tuple(PRODUCTS)}}
)
# The result never contains a secret.
_RETURN_TOKEN = ArgumentSpec({"return_token": {"type": "bool", "choices": (False,), "default": False, "no_log": False}})
_MOST_NAMED = 5


def _entry_name(option: str) -> str:
    return _RENAMED if option == _NAME else option


def _spec_of(operation: type[Operation]) -> ArgumentSpec:
    """The options of an entry for an operation."""
    spec = operation.argument_spec.merge(operation.unattended)
    if "return_token" in spec.options:
        spec = spec.merge(_RETURN_TOKEN)
    return spec.renamed(_entry_name).merge(_ENTRY)


_SPECS = {product: _spec_of(operation) for product, operation in PRODUCTS.items()}
_SECRET_OPTIONS = {
    name
    for spec in _SPECS.values()
    for option, facts in spec.options.items()
    if facts.get("no_log")
    for name in (option, *facts.get("aliases", ()))
}


@dataclass(frozen=True)
class Entry:
    """An entry with validated parameters. `name` identifies it in results and messages."""

    name: str
    product: str
    params: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def operation(self) -> type[Operation]:
        """The operation of the product."""
        return PRODUCTS[self.product]

    @property
    def store(self) -> Optional[tuple[str, ...]]:
        """What identifies the store of its token, the option first; None without one."""
        path, document = self.params.get("token_file"), self.params.get("token_store")
        if path:
            return ("token_file", os.path.abspath(path))
        if not document:
            return None
        places = (str(document[name] or "").strip("/") for name in ("namespace", "mount", "path"))
        return ("token_store", _host(document["url"]), *places)


class TokenSetSpec(ArgumentSpec):
    """The specification of token_set, which applies environment variables and secrets of entries, too."""

    def complete(self, args: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
        completed = super().complete(args, environ)
        tokens = completed.get("tokens")
        if isinstance(tokens, list):
            completed["tokens"] = [_completed(entry, args, environ) for entry in tokens]
        return completed

    def secrets_in(self, args: Mapping[str, Any]) -> Iterator[str]:
        yield from super().secrets_in(args)
        tokens = args.get("tokens")
        for entry in tokens if isinstance(tokens, list) else ():
            yield from _secrets_in(entry)

    def insecure_variables(self, args: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        yield from super().insecure_variables(args, environ)
        tokens = args.get("tokens")
        for entry in tokens if isinstance(tokens, list) else ():
            spec = _spec_for(entry)
            if spec:
                shared = {name: args[name] for name in SHARED.options if args.get(name) not in (None, "")}
                yield from spec.insecure_variables({**shared, **_given(entry)}, environ)

    def concealed(self, args: Mapping[str, Any]) -> dict[str, Any]:
        concealed = super().concealed(args)
        tokens = concealed.get("tokens")
        if tokens is not None:
            concealed["tokens"] = [_concealed(entry) for entry in tokens] if isinstance(tokens, list) else MASK
        return concealed

    @property
    def environment_variables(self) -> set[str]:
        return {name for spec in _SPECS.values() for name in spec.environment_variables}


def _spec_for(entry: Any) -> Optional[ArgumentSpec]:
    return _SPECS.get(str(entry.get("product"))) if isinstance(entry, Mapping) else None


def _concealed(entry: Any) -> Any:
    spec = _spec_for(entry)
    return spec.concealed(entry) if spec else MASK


def _completed(entry: Any, args: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    """Apply the environment variables of the product to an entry, except for options that are set for the task."""
    spec = _spec_for(entry)
    if spec is None:
        return entry
    own = _given(entry)
    shared = {name for name in SHARED.options if args.get(name) not in (None, "") and name not in own}
    return {name: value for name, value in spec.complete(own, environ).items() if name not in shared}


def _given(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are neither blank nor null."""
    return {str(name): value for name, value in entry.items() if value is not None and value != ""}


def validated_entries(tokens: Sequence[Mapping[str, Any]], shared: Mapping[str, Any]) -> list[Entry]:
    """Validate all entries, with the `shared` options. Raises InvalidOption, which names each invalid entry."""
    given = [_given(entry) for entry in tokens]
    secrets = [Secret(text) for entry in tokens for text in _secrets_in(entry)]
    entries, errors = [], []
    for name, entry in zip(_names(given), given):
        spec = _SPECS.get(str(entry.get("product")))
        if spec is None:
            known = {option: value for option, value in entry.items() if option in _ENTRY.options}
            errors.append(str(ValidatedArguments(f"token '{name}'", _ENTRY, known).error))
            continue
        defaults = {option: value for option, value in shared.items() if option in spec.options}
        validated = ValidatedArguments(f"token '{name}'", spec, _with_name(spec, {**defaults, **entry}))
        if validated.error:
            errors.append(validated.error)
        else:
            entries.append(_entry(name, validated))
    errors = errors or [*_repeated_names(given), *_conflicts(entries)]
    if errors:
        # A secret of one entry may be in the wrong option of another.
        raise InvalidOption("tokens", redact(f"has {_number(errors)}: {'; '.join(errors[:_MOST_NAMED])}", secrets))
    return entries


def _number(errors: Sequence[str]) -> str:
    return "an invalid entry" if len(errors) == 1 else f"{len(errors)} invalid entries"


def _secrets_in(entry: Any) -> Iterator[str]:
    spec = _spec_for(entry)
    if spec:
        yield from spec.secrets_in(entry)
    # The product may be wrong, or the entry may have a secret option of another product.
    for option, value in entry.items() if isinstance(entry, Mapping) else ():
        if option in _SECRET_OPTIONS:
            yield from texts_in(value)


def _names(tokens: Sequence[Mapping[str, Any]]) -> list[str]:
    """The name of each entry: its `name`, or its product with a number from the second entry on."""
    taken = {str(entry[_NAME]) for entry in tokens if _NAME in entry}
    unused: dict[str, Iterator[str]] = {}
    names = []
    for entry in tokens:
        product = str(entry.get("product", "token"))
        names.append(str(entry[_NAME]) if _NAME in entry else next(unused.setdefault(product, _unused(product, taken))))
    return names


def _unused(name: str, taken: Collection[str]) -> Iterator[str]:
    """Yield the name, then the name with a number from 2 on, without names that are taken."""
    candidates = chain([name], (f"{name} {number}" for number in count(2)))
    return (candidate for candidate in candidates if candidate not in taken)


def _with_name(spec: ArgumentSpec, args: Mapping[str, Any]) -> Mapping[str, Any]:
    """Use the name of the entry as the name of the token, when one is required and not set."""
    likes = [group for group in spec.required_one_of if _RENAMED in group]
    if likes and _NAME in args and not any(option in args for group in likes for option in group):
        return {**args, _RENAMED: args[_NAME]}
    return args


def _entry(name: str, validated: ValidatedArguments) -> Entry:
    params = dict(validated.params)
    product = params.pop("product")
    del params[_NAME]
    if _NAME in PRODUCTS[product].argument_spec.options:
        params[_NAME] = params.pop(_RENAMED)
    return Entry(name, product, params, tuple(validated.warnings))


def _repeated_names(tokens: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    seen = set()
    for entry in tokens:
        name = str(entry.get(_NAME, ""))
        if name and name in seen:
            yield f"token '{name}': another entry has the same name; names must be unique"
        seen.add(name)


def _conflicts(entries: Sequence[Entry]) -> Iterator[str]:
    """Report entries that share a store with a different token: each run would replace one with the other."""
    firsts: dict[tuple[str, ...], Entry] = {}
    keepers: dict[tuple[str, ...], Entry] = {}
    for entry in entries:
        if not entry.store:
            continue
        others = [firsts.setdefault(entry.store, entry)]
        if not entry.operation.token_owner.is_reader(entry.params):
            others.append(keepers.setdefault(entry.store, entry))
        other = next((other for other in others if not _is_same_token(entry, other)), None)
        if other:
            option, *_place = entry.store
            yield f"token '{entry.name}': its {option} is already used by token '{other.name}'; set another path"


def _is_same_token(entry: Entry, other: Entry) -> bool:
    """Whether two entries with one store use one token. An entry without credentials only reads it."""
    mine, theirs = entry.operation.token_owner, other.operation.token_owner
    if mine.product != theirs.product:
        return False
    if mine.is_reader(entry.params) or theirs.is_reader(other.params):
        return True
    return _identity(entry) == _identity(other)


def _identity(entry: Entry) -> tuple[Any, ...]:
    owner = entry.operation.token_owner
    host, *further = (entry.params[name] for name in owner.server)
    return (_host(host), *further, *(entry.params[name] for name in owner.credentials))


def _host(text: Any) -> str:
    """The server in normalized form."""
    try:
        return str(BaseUrl.parse(str(text)))
    except InvalidOption:
        return str(text)


def groups_by_store(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Group the entries that share a store: those of a group run one after the other."""
    groups: dict[Any, list[Entry]] = {}
    for number, entry in enumerate(entries):
        groups.setdefault(entry.store or number, []).append(entry)
    return list(groups.values())
