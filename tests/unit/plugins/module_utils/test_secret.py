# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret does not print itself, and text is cleaned of secrets in every form."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core import secret as secrets
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import (
    MASK,
    Secret,
    authorization,
    basic_authorization,
    redact,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record

VALUE = "Mgs2YX0ZSY+gHW6RYypeeA=="
# Long enough that it does not stand in other text by chance; MASK itself is made of stars.
VALUES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="*"), min_size=6, max_size=40)
SURROUNDINGS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="*"), max_size=30)

SHOWN: dict[str, Callable[[Secret], object]] = {
    "repr": repr,
    "str": str,
    "format": format,
    "format with a specification": lambda secret: f"{secret:>40}|{secret!r}|{secret!s}|{secret!a}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "str.format": lambda secret: "{0} {0!r} {1}".format(secret, ""),
    "in a list": lambda secret: [secret],
    "in a mapping": lambda secret: {"a": secret, secret: "a"},
    "in a token": lambda secret: Token(secret, "Bearer", companions={"id_token": secret}),
    "in a record": lambda secret: Record("p", "h", "me", current=Token(secret, "Bearer")),
    "as authorization": lambda secret: authorization("NetworkInsight", secret),
    "as basic authorization": lambda secret: basic_authorization("admin", secret),
    "its attributes": lambda secret: getattr(secret, "__dict__", "none"),
}


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_secret_never_shows_its_value(shown: Callable[[Secret], object]) -> None:
    text = f"{shown(Secret(VALUE))} {shown(Secret(VALUE))!r}"
    assert VALUE not in text
    assert VALUE[:8] not in text


@given(value=VALUES)
def test_secret_of_any_value_shows_the_same(value: str) -> None:
    assert repr(Secret(value)) == str(Secret(value)) == f"{Secret(value):5}" == repr(Secret(VALUE))


def test_secret_is_not_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("%s %r %s", Secret(VALUE), Secret(VALUE), [Secret(VALUE)])
    assert caplog.messages
    assert VALUE not in caplog.text


def test_secret_is_not_in_an_exception_that_carries_it() -> None:
    with pytest.raises(ValueError, match="refused") as caught:
        raise ValueError("refused", Secret(VALUE))
    assert VALUE not in "".join(traceback.format_exception(caught.type, caught.value, caught.tb))


@pytest.mark.parametrize("serialize", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps], ids=lambda f: f.__name__)
def test_secret_cannot_be_serialized_or_copied_unseen(serialize: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as caught:
        serialize(Secret(VALUE))
    assert VALUE not in str(caught.value)


def test_secret_is_registered_with_the_core_as_soon_as_it_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr(secrets, "register_secret", registered.append)
    Secret(VALUE)
    assert registered == [VALUE]


def test_secret_reveals_a_plain_text_whatever_it_was_made_of() -> None:
    class Tagged(str):
        """A text with marks on it, as the core has them."""

        __slots__ = ("mark",)

    revealed = Secret(Tagged(VALUE)).reveal()
    assert (revealed, type(revealed)) == (VALUE, str)


@given(value=VALUES, other=VALUES)
def test_secrets_are_equal_when_their_values_are(value: str, other: str) -> None:
    assert Secret(value) == Secret(value)
    assert len({Secret(value), Secret(value)}) == 1
    assert (Secret(value) == Secret(other)) == (value == other)
    assert Secret(value) != value
    assert bool(Secret(value))
    assert not Secret("")


def test_fingerprint_is_the_start_of_the_sha256() -> None:
    assert Secret(VALUE).fingerprint == hashlib.sha256(VALUE.encode()).hexdigest()[:12]


# Redaction.

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "URL-encoded": lambda value: quote(value, safe=""),
    "URL-encoded path": quote,
    "URL-encoded form": quote_plus,
    "JSON": lambda value: json.dumps(value)[1:-1],
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
}
# As other libraries write the same.
VARIANTS: dict[str, Callable[[str], str]] = {
    "URL-encoded with small letters": lambda value: _small_escapes(quote(value, safe="")),
    "JSON with letters beyond ASCII": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "base64 without padding": lambda value: base64.b64encode(value.encode()).decode().rstrip("="),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
}


def _small_escapes(text: str) -> str:
    first, *others = text.split("%")
    return first + "".join("%" + other[:2].lower() + other[2:] for other in others)


@pytest.mark.parametrize("form", [*FORMS.values(), *VARIANTS.values()], ids=[*FORMS, *VARIANTS])
@given(value=VALUES, before=SURROUNDINGS, after=SURROUNDINGS)
def test_no_form_of_a_secret_survives_redaction(
    form: Callable[[str], str], value: str, before: str, after: str
) -> None:
    quoted = form(value)
    cleaned = redact(f"{before}<{quoted}>{after}", [Secret(value)])
    assert quoted not in cleaned
    assert value not in cleaned
    assert MASK in cleaned


@given(first=VALUES, second=VALUES, rest=SURROUNDINGS)
def test_secret_that_holds_another_one_is_redacted_as_a_whole(first: str, second: str, rest: str) -> None:
    whole = Secret(first + second)
    cleaned = redact(f"<{first}{second}>{rest}", [Secret(first), whole, Secret(second)])
    assert cleaned.startswith(f"<{MASK}>")


@given(text=SURROUNDINGS, value=VALUES)
def test_text_without_a_secret_stays_as_it_is(text: str, value: str) -> None:
    assume(not any(form(value) in text for form in FORMS.values()))
    assume("eyJ" not in text)
    assume(all(character.isprintable() or character.isspace() for character in text))
    assert redact(text, [Secret(value), Secret("")]) == text


def test_what_is_not_seen_is_taken_out_before_a_secret_that_it_tears_apart_is_looked_for() -> None:
    torn = "\u200b".join("hunter2-hunter2")
    assert redact(f"\x1b[2J<{torn}>\x07", [Secret("hunter2-hunter2")]) == f"[2J<{MASK}>"
    assert redact("<\x00\x01>", [Secret("\x00\x01")]) == f"<{MASK}>"


@pytest.mark.parametrize(
    "quoted",
    [
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9",
        "eyJhbGciOiJSUzI1NiJ9",
        "Bearer opaque-Token_1/2+3=",
        "bearer opaque-Token_1/2+3=",
        "Basic YWRtaW46c2VjcmV0",
        "NetworkInsight Mgs2YX0ZSY+gHW6RYypeeA==",
    ],
)
def test_what_looks_like_a_token_is_redacted_though_nobody_knew_it(quoted: str) -> None:
    scheme, _blank, credential = quoted.rpartition(" ")
    assert redact(f"refused: '{quoted}', try again") == f"refused: '{(scheme + ' ').lstrip()}{MASK}', try again"
    assert credential not in redact(quoted)


PASSWORD = "pa55 word/of\\admin"


@pytest.mark.parametrize(
    ("sent", "quoted"),
    [
        (lambda: authorization("NetworkInsight", Secret(VALUE)), VALUE),
        (lambda: basic_authorization("admin", Secret(PASSWORD)), PASSWORD),
        (lambda: basic_authorization("admin", Secret(PASSWORD)), json.dumps(PASSWORD)[1:-1]),
        (
            lambda: basic_authorization("admin", Secret(PASSWORD)),
            base64.b64encode(f"admin:{PASSWORD}".encode()).decode(),
        ),
    ],
    ids=["token", "password", "password as JSON", "name and password in base64"],
)
def test_credential_of_a_header_is_redacted_also_where_it_stands_alone(sent: Callable[[], Secret], quoted: str) -> None:
    assert redact(f"nobody knows {quoted} here", [sent()]) == f"nobody knows {MASK} here"
