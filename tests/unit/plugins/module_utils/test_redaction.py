# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redaction of secrets in every form, of what looks like one, and of invisible characters; in bounded time."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core import redaction
from ansible_collections.sddc.tokens.plugins.module_utils._core.redaction import (
    LONGEST_QUOTE,
    LONGEST_TEXT,
    MARGIN,
    Redactor,
    redact,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import (
    MASK,
    Secret,
    authorization,
    basic_authorization,
)
from support.encodings import ENCODINGS, EXACT, INEXACT, encoded, pairs, values

VALUE = "Mgs2YX0ZSY+gHW6RYypeeA=="
PASSWORD = "pa55 word/of\\admin"
# Every notation changes some of its letters.
AWKWARD = 'Tom&Jerry "éß" \\ %2B+/=\'<>'
# Tests put them between two brackets. Together with a bracket, "<<<<<<" occurs twice.
SECRETS = values(6).filter(lambda value: not value.startswith("<") and not value.endswith(">"))
SURROUNDINGS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="*"), max_size=30)
# What depends on its neighbours in base64, encoded once more.
RESIDUE = 40
# So long that a part of it reveals much.
_GRAPHIC = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="*<>")
LONG = st.text(_GRAPHIC, min_size=24, max_size=80)


def rest(shown: str) -> str:
    """The rest of a secret between two brackets."""
    assert shown.startswith("<")
    assert shown.endswith(">")
    assert MASK in shown
    return shown[1:-1].replace(MASK, "")


# --- forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", list(itertools.product(ENCODINGS, ENCODINGS)), ids=" in ".join)
def test_no_two_encodings_in_a_row_hide_a_secret(names: tuple[str, str]) -> None:
    left = rest(redact(f"<{encoded(AWKWARD, names)}>", [Secret(AWKWARD)]))
    assert len(left) <= (RESIDUE if INEXACT.keys() & set(names) else 0)


@given(value=SECRETS, names=pairs(), before=SURROUNDINGS, after=SURROUNDINGS)
@example(value="Tom&Jerry", names=("HTML", "plain"), before="", after="")
def test_no_form_of_a_secret_survives_redaction(value: str, names: tuple[str, str], before: str, after: str) -> None:
    quoted = encoded(value, names)
    alone = redact(f"<{quoted}>", [Secret(value)])
    assert len(rest(alone)) <= (0 if set(names) <= EXACT.keys() else RESIDUE)
    cleaned = redact(f"{before}<{quoted}>{after}", [Secret(value)])
    assert quoted not in cleaned
    assert MASK in cleaned


@given(value=SECRETS, names=pairs(), width=st.integers(1, 20), separator=st.sampled_from(["\n", "\r\n", "\t", "\n   "]))
def test_a_secret_with_line_breaks_is_redacted(value: str, names: tuple[str, str], width: int, separator: str) -> None:
    quoted = encoded(value, names)
    broken = separator.join(quoted[start : start + width] for start in range(0, len(quoted), width))
    assert len("".join(rest(redact(f"<{broken}>", [Secret(value)])).split())) <= RESIDUE


@given(value=LONG, name=st.sampled_from(sorted(EXACT)), is_start=st.booleans())
def test_half_of_a_long_secret_is_redacted(value: str, name: str, is_start: bool) -> None:
    length = (len(value) + 1) // 2
    half = value[:length] if is_start else value[-length:]
    assert rest(redact(f"<{ENCODINGS[name](half)}>", [Secret(value)])) == ""


@pytest.mark.parametrize("parts", [lambda text: text[:100], lambda text: text[-100:], lambda text: text[500:540]])
def test_a_small_part_of_a_token_is_redacted_if_it_reveals_much(parts: Callable[[str], str]) -> None:
    token = base64.b64encode(bytes(range(256)) * 4).decode()
    assert redact(f"<{parts(token)}>", [Secret(token)]) == f"<{MASK}>"


@given(first=SECRETS, second=SECRETS, after=SURROUNDINGS)
def test_secret_that_contains_another_one_is_redacted_as_a_whole(first: str, second: str, after: str) -> None:
    whole = Secret(first + second)
    cleaned = redact(f"<{first}{second}>{after}", [Secret(first), whole, Secret(second)])
    assert cleaned.startswith(f"<{MASK}>")


def test_a_secret_is_redacted_although_many_others_share_each_piece_of_it() -> None:
    secret = "Zq7wX2Bk9mPt"
    others = [f"{secret[start : start + 8]}-{number:02}" for start in range(5) for number in range(20)]

    assert redact(f"<{secret}>", [*map(Secret, others), Secret(secret)]) == f"<{MASK}>"


def test_overlapping_secrets_are_both_redacted() -> None:
    secrets = [Secret("abcdefgh12345678"), Secret("12345678zyxw")]
    assert redact("<abcdefgh12345678zyxw>", secrets) == f"<{MASK}>"


@given(text=SURROUNDINGS, value=SECRETS)
def test_text_without_a_secret_stays_unchanged(text: str, value: str) -> None:
    assume("".join(value.split()) not in "".join(text.split()))
    assume("eyJ" not in text)
    assume(all(character.isprintable() or character.isspace() for character in text))
    assert redact(text, [Secret(value), Secret("")]) == text


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_secret_that_is_too_short_redacts_no_word(length: int) -> None:
    assert redact("ok: xxxxxxx", [Secret("x" * length)]) == "ok: xxxxxxx"
    assert redact("ok: xxxxxxx", [Secret("xxxx")]) != "ok: xxxxxxx"


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        (Secret("http://monitor:Zq7wX2%2Bk9@proxy.example.com:3128"), "no answer of proxy.example.com:3128 in 30 s"),
        (Secret("securechanneltoken-0123456789abcdef0123"), "Could not find the secure channel token"),
        (authorization("NetworkInsight", Secret("abcd1234")), "NetworkInsight has a hundred tokens of you"),
    ],
    ids=["URL", "generated name", "scheme"],
)
def test_text_that_a_secret_shares_with_other_text_is_not_redacted(secret: Secret, text: str) -> None:
    assert redact(text, [secret]) == text


def test_invisible_characters_are_removed_before_secrets_are_searched() -> None:
    torn = "\u200b".join("hunter2-hunter2")
    assert redact(f"\x1b[2J<{torn}>\x07", [Secret("hunter2-hunter2")]) == f"[2J<{MASK}>"
    assert redact("<\x00\x01>\udc80", [Secret("\x00\x01")]) == "<>"


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
def test_text_that_looks_like_a_token_is_redacted_even_if_unknown(quoted: str) -> None:
    scheme, _blank, credential = quoted.rpartition(" ")
    assert redact(f"refused: '{quoted}', try again") == f"refused: '{(scheme + ' ').lstrip()}{MASK}', try again"
    assert credential not in redact(quoted)


def test_words_after_the_name_of_a_scheme_stay() -> None:
    assert redact("the Basic license, and the bearer token, have expired") == (
        "the Basic license, and the bearer token, have expired"
    )


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
def test_credential_of_a_header_is_redacted_also_without_its_scheme(sent: Callable[[], Secret], quoted: str) -> None:
    assert redact(f"nobody knows {quoted} here", [sent()]) == f"nobody knows {MASK} here"


# --- length ----------------------------------------------------------------------------------------------------------

CUT = {
    "quote": (LONGEST_QUOTE, lambda redactor, text: redactor.quote(text)),
    "line": (LONGEST_TEXT, lambda redactor, text: redactor.line(text)),
    "value": (LONGEST_TEXT, lambda redactor, text: redactor.value({"a": [text]})["a"][0]),
}


@pytest.mark.parametrize(("longest", "leave"), CUT.values(), ids=CUT)
@settings(max_examples=20)
@given(
    before=st.integers(-60, 5),
    after=st.sampled_from([0, 10, MARGIN - 50, MARGIN, 5 * MARGIN]),
    name=st.sampled_from([*EXACT, "base64 at 0"]),
    masked=st.sampled_from([0, 1, 40]),
)
def test_text_is_redacted_before_it_is_shortened(
    longest: int, leave: Callable[[Redactor, str], str], before: int, after: int, name: str, masked: int
) -> None:
    quoted = ENCODINGS[name](AWKWARD)
    # Masking makes a text shorter. Its end must not become visible.
    start = (f"{VALUE} " * masked)[: longest - 100]
    text = start + "-" * (longest + before - len(start)) + quoted + "-" * after
    shown = leave(Redactor([Secret(AWKWARD), Secret(VALUE)]), text)
    assert len(shown) <= longest + len(" ...")
    assert set(shown.replace(MASK, "").replace("...", "")) <= set(" -=*"), shown[-80:]


def test_values_keep_their_lines_and_lose_all_other_control_characters() -> None:
    said = Redactor().value({"\x1b[2Ja\r": ["one\ntwo\tthree\rfour\x85\u2028five\ud800", 1, None, True, {"b": 1.5}]})
    assert said == {"[2Ja ": ["one\ntwo\tthree four  five", 1, None, True, {"b": 1.5}]}


def test_secrets_among_values_are_passed_unchanged() -> None:
    redactor = Redactor([Secret(VALUE)])
    assert redactor.value({"token": Secret(VALUE), "text": VALUE}) == {"token": VALUE, "text": MASK}


def test_values_are_processed_at_any_nesting_that_an_api_uses() -> None:
    deep: object = VALUE
    for _level in range(5000):
        deep = [deep]
    assert VALUE not in repr(Redactor([Secret(VALUE)]).value(deep))


def test_values_that_are_nested_too_deeply_are_masked() -> None:
    deep: object = "a text"
    for _level in range(100):
        deep = [deep]
    shown = Redactor().value(deep)
    while isinstance(shown, list):
        (shown,) = shown

    assert shown == MASK


# --- bounds ----------------------------------------------------------------------------------------------------------


def seconds(work: Callable[[], object]) -> float:
    """The processor time, the minimum of several attempts."""
    taken = []
    for _try in range(3):
        start = time.thread_time()
        work()
        taken.append(time.thread_time() - start)
    return min(taken)


HOSTILE = {
    "letters": "a",
    "hexadecimal": "4d",
    "base64": "QWxhZGRp",
    "JWT": "eyJ",
    "URL": "%25",
    "HTML": "&amp;",
    "JSON": "\\u005c",
    "blanks": " ",
    "control characters": "\x1b",
    "schemes": "bearer ",
    "a secret": VALUE,
    "most of a secret": VALUE[:-1],
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(("longest", "leave"), CUT.values(), ids=CUT)
def test_the_work_on_a_text_is_bounded_whatever_its_length(
    text: str, longest: int, leave: Callable[[Redactor, str], str]
) -> None:
    redactor = Redactor([Secret(VALUE), Secret("x" * 2000)])
    length = 2 * (longest + MARGIN)
    once, tenfold = (text * length)[:length], (text * 10 * length)[: 10 * length]
    assert seconds(lambda: leave(redactor, tenfold)) < 4 * seconds(lambda: leave(redactor, once)) + 1e-3


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_work_on_a_text_grows_at_most_linearly(text: str) -> None:
    redactor = Redactor([Secret(VALUE), Secret("x" * 2000)])
    once, tenfold = (text * 4000)[:4000], (text * 40000)[:40000]
    # Ten times if it is proportional; a hundred times if it is not.
    assert seconds(lambda: redactor.redact(tenfold)) < 30 * seconds(lambda: redactor.redact(once)) + 1e-3


def test_the_work_on_a_text_does_not_grow_with_the_number_of_secrets() -> None:
    def redactor(number: int) -> Redactor:
        known = Redactor()
        for index in range(number):
            known.hide_value(f"securechanneltoken-{index:08d}-0000-4000-8000-{index:012d}")
            known.hide_value(f"token-{index:05d}-aaaaaaaaaaaaaaaaaaaaaa")
        return known

    few, many = redactor(200), redactor(20_000)
    text = " ".join(f"securechanneltoken-{index:08d}-0000-4000-8000-{index:012d}" for index in range(150))

    assert redact(text) == text
    assert set(few.line(text)) == set(many.line(text)) == set(f"{MASK} ")
    assert many.quote("<token-12345-aaaaaaaaaaaaaaaaaaaaaa>") == f"<{MASK}>"
    assert seconds(lambda: many.line(text)) < 10 * seconds(lambda: few.line(text))


def test_with_too_many_secrets_no_text_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "MOST_SECRETS", 3)
    redactor = Redactor()
    for index in range(5):
        redactor.hide_value(f"secret number {index}")
    assert redactor.quote("secret number 4") == MASK
    assert redactor.value(["secret number 4", ""]) == [MASK, ""]
    assert redactor.line("Could not do it.") == "Could not do it."
