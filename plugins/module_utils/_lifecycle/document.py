# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of a shared store: flat, and with strings only, so that other programs can read the token."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Optional

from .._core.secret import Secret
from .._core.token import Token, iso8601
from .record import LaterVersion, Record

Fields = Mapping[str, str]

SCHEMA = "1"
# Prefixes of the fields of the three tokens.
_CURRENT, _PENDING, _SUPERSEDED = "", "pending_", "superseded_"
_TIMES = ("issued_at", "expires_at", "verified_at", "promised_until")
_TEXTS = ("token", "token_type", "scope", "fingerprint")
# Fields that list the names of further fields.
_LISTS = ("companions", "facts")
_ANNOUNCED = "announced"
_OWNER = ("schema", "product", "host", "principal")


def fields_of(record: Record, before: Fields) -> dict[str, str]:
    """The document of a record. Fields of other programs in the previous document are kept.

    Raises ValueError for a record with several superseded tokens: a document has fields for one.
    """
    if len(record.superseded) > 1:
        raise ValueError("a shared store keeps one replaced token")
    return {
        **{name: value for name, value in before.items() if name not in _own_fields(before)},
        **emptied(record),
        **({_ANNOUNCED: record.announced} if record.announced else {}),
        **_token_fields(_CURRENT, record.current),
        **_token_fields(_PENDING, record.pending),
        **_token_fields(_SUPERSEDED, next(iter(record.superseded), None)),
    }


def emptied(record: Record) -> dict[str, str]:
    """The document of a record without its tokens."""
    return {"schema": SCHEMA, "product": record.product, "host": record.host, "principal": record.principal}


def record_of(fields: Fields) -> Optional[Record]:
    """The record of a document; None if it contains no token and announces none.

    Raises ValueError for a damaged document, LaterVersion for one of a later release.
    """
    schema = fields.get("schema", "")
    if schema.isdecimal() and int(schema) > int(SCHEMA):
        raise LaterVersion(f"schema {schema}")
    if schema != SCHEMA:
        raise ValueError("unknown schema")
    current, pending, superseded = (_token(fields, prefix) for prefix in (_CURRENT, _PENDING, _SUPERSEDED))
    announced = fields.get(_ANNOUNCED) or None
    if not (current or pending or superseded or announced):
        return None
    try:
        return Record(
            fields["product"],
            fields["host"],
            fields["principal"],
            current=current,
            pending=pending,
            superseded=(superseded,) if superseded else (),
            announced=announced,
        )
    except KeyError as error:
        raise ValueError(f"it has no {error.args[0]}") from None


def is_recognizable(fields: Fields) -> bool:
    """Whether a document is empty, or was written by any release of this collection."""
    return not fields or "schema" in fields


def _own_fields(fields: Fields) -> set[str]:
    """The names of all fields that belong to our tokens, companions and facts included."""
    names = {*_OWNER, _ANNOUNCED}
    for prefix in (_CURRENT, _PENDING, _SUPERSEDED):
        listed = [name for each in _LISTS for name in _listed(fields, prefix + each)]
        names.update(prefix + name for name in (*_TEXTS, *_TIMES, *_LISTS, *listed))
    return names


def _token_fields(prefix: str, token: Optional[Token]) -> dict[str, str]:
    if token is None:
        return {}
    values: dict[str, Optional[str]] = {
        "token": token.secret.reveal(),
        "token_type": token.token_type,
        "fingerprint": token.fingerprint,
        "scope": token.scope,
        "companions": ",".join(token.companions) or None,
        "facts": ",".join(token.facts) or None,
        **{name: iso8601(getattr(token, name)) for name in _TIMES},
        **{name: secret.reveal() for name, secret in token.companions.items()},
        **token.facts,
    }
    return {prefix + name: value for name, value in values.items() if value is not None}


def _token(fields: Fields, prefix: str) -> Optional[Token]:
    secret = fields.get(f"{prefix}token")
    if not secret:
        return None
    try:
        return Token(
            secret=Secret(secret),
            token_type=fields[f"{prefix}token_type"],
            scope=fields.get(f"{prefix}scope"),
            companions={name: Secret(fields[prefix + name]) for name in _listed(fields, f"{prefix}companions")},
            facts={name: fields[prefix + name] for name in _listed(fields, f"{prefix}facts")},
            **{name: _time(fields.get(prefix + name)) for name in _TIMES},  # type: ignore[arg-type]
        )
    except KeyError as error:
        raise ValueError(f"it has no {error.args[0]}") from None


def _listed(fields: Fields, name: str) -> list[str]:
    """The names in a field that lists some."""
    return list(filter(None, fields.get(name, "").split(",")))


def _time(text: Optional[str]) -> Optional[float]:
    """Epoch seconds of a time in ISO 8601 in UTC. Raises ValueError."""
    if text is None:
        return None
    moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    return moment.replace(tzinfo=datetime.timezone.utc).timestamp()
