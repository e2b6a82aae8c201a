# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of a list of tokens: each is validated as the module of its product validates its options."""

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

# The options that may be given once for all entries.
SHARED = CONNECTION.merge(ArgumentSpec({"min_remaining": LIFECYCLE.options["min_remaining"]}))
# The name of an entry takes the place of an option of this name.
_NAME, _RENAMED = "name", "token_name"
_ENTRY = ArgumentSpec(
    {_NAME: {"type": "str"}, "product": {"type": "str", "required": True, "choices": tuple(PRODUCTS)}}
)
# The result holds no secret, whatever an entry says.
_RETURN_TOKEN = ArgumentSpec({"return_token": {"type": "bool", "choices": (False,), "default": False, "no_log": False}})
_MOST_NAMED = 5


def _entry_name(option: str) -> str:
    return _RENAMED if option == _NAME else option


def _spec_of(operation: type[Operation]) -> ArgumentSpec:
    """The options that an entry takes for an operation."""
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
    """A token of the list: what it is called, and the operation that keeps it, with validated parameters."""

    name: str
    product: str
    params: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def operation(self) -> type[Operation]:
        """What keeps the token."""
        return PRODUCTS[self.product]

    @property
    def file(self) -> Optional[str]:
        """The full path of its token file, where it has one."""
        path = self.params.get("token_file")
        return os.path.abspath(path) if path else None


class TokenSetSpec(ArgumentSpec):
    """The specification of a task with a list of tokens, whose entries the environment completes, too."""

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
    """An entry with what the environment variables of its product set. An option of the task counts as given."""
    spec = _spec_for(entry)
    if spec is None:
        return entry
    own = _given(entry)
    shared = {name for name in SHARED.options if args.get(name) not in (None, "") and name not in own}
    return {name: value for name, value in spec.complete(own, environ).items() if name not in shared}


def _given(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What is neither blank nor null."""
    return {str(name): value for name, value in entry.items() if value is not None and value != ""}


def validated_entries(tokens: Sequence[Mapping[str, Any]], shared: Mapping[str, Any]) -> list[Entry]:
    """All entries, with the options that they share. Raises InvalidOption, which says what is wrong with which."""
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
        # A secret of one entry may stand in the wrong place of another one.
        raise InvalidOption("tokens", redact(f"has {_number(errors)}: {'; '.join(errors[:_MOST_NAMED])}", secrets))
    return entries


def _number(errors: Sequence[str]) -> str:
    return "an invalid entry" if len(errors) == 1 else f"{len(errors)} invalid entries"


def _secrets_in(entry: Any) -> Iterator[str]:
    spec = _spec_for(entry)
    if spec:
        yield from spec.secrets_in(entry)
    # One of another product may stand in it, or the product be wrong.
    for option, value in entry.items() if isinstance(entry, Mapping) else ():
        if option in _SECRET_OPTIONS:
            yield from texts_in(value)


def _names(tokens: Sequence[Mapping[str, Any]]) -> list[str]:
    """What results and messages call each: its name, or its product, with a number from the second one on."""
    taken = {str(entry[_NAME]) for entry in tokens if _NAME in entry}
    unused: dict[str, Iterator[str]] = {}
    names = []
    for entry in tokens:
        product = str(entry.get("product", "token"))
        names.append(str(entry[_NAME]) if _NAME in entry else next(unused.setdefault(product, _unused(product, taken))))
    return names


def _unused(name: str, taken: Collection[str]) -> Iterator[str]:
    """The name, with a number from the second time on, without those that are taken."""
    candidates = chain([name], (f"{name} {number}" for number in count(2)))
    return (candidate for candidate in candidates if candidate not in taken)


def _with_name(spec: ArgumentSpec, args: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments, with the entry's name for the token's where one is required and none of its like is given."""
    likes = [group for group in spec.required_one_of if _RENAMED in group]
    if likes and _NAME in args and not any(option in args for group in likes for option in group):
        return {**args, _RENAMED: args[_NAME]}
    return args


def _entry(name: str, validated: ValidatedArguments) -> Entry:
    params = dict(validated.params)
    product = params.pop("product")
    del params[_NAME]
    if _RENAMED in params:
        params[_NAME] = params.pop(_RENAMED)
    return Entry(name, product, params, tuple(validated.warnings))


def _repeated_names(tokens: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    seen = set()
    for entry in tokens:
        name = str(entry.get(_NAME, ""))
        if name and name in seen:
            yield f"token '{name}': another entry has the same name"
        seen.add(name)


def _conflicts(entries: Sequence[Entry]) -> Iterator[str]:
    """The entries whose file is that of another token: each run would replace one with the other."""
    firsts: dict[str, Entry] = {}
    keepers: dict[str, Entry] = {}
    for entry in entries:
        if not entry.file:
            continue
        others = [firsts.setdefault(entry.file, entry)]
        if not entry.operation.token_owner.is_reader(entry.params):
            others.append(keepers.setdefault(entry.file, entry))
        other = next((other for other in others if not _is_same_token(entry, other)), None)
        if other:
            yield f"token '{entry.name}': its token_file is that of token '{other.name}', which is another token"


def _is_same_token(entry: Entry, other: Entry) -> bool:
    """Whether two entries with one file work on one token; one that only reads it has no credentials of its own."""
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
    """A server by one name, however it is written."""
    try:
        return str(BaseUrl.parse(str(text)))
    except InvalidOption:
        return str(text)


def groups_by_file(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The entries that must run one after the other, in their order: those with one file."""
    groups: dict[Any, list[Entry]] = {}
    for number, entry in enumerate(entries):
        groups.setdefault(entry.file or number, []).append(entry)
    return list(groups.values())
