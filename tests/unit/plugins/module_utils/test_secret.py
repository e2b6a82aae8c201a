# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret does not print itself."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core import secret as secrets
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import (
    Secret,
    authorization,
    basic_authorization,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record

VALUE = "Mgs2YX0ZSY+gHW6RYypeeA=="
VALUES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40)

SHOWN: dict[str, Callable[[Secret], object]] = {
    "repr": repr,
    "str": str,
    "format": format,
    "format with a specification": lambda secret: f"{secret:>40}|{secret!r}|{secret!s}|{secret!a}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - this format is what is tested
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
def test_secrets_with_different_values_have_the_same_representation(value: str) -> None:
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
def test_secret_cannot_be_serialized_or_copied_by_accident(serialize: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as caught:
        serialize(Secret(VALUE))
    assert VALUE not in str(caught.value)


def test_secret_is_registered_with_ansible_core_when_it_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr(secrets, "register_secret", registered.append)
    Secret(VALUE)
    assert registered == [VALUE]


def test_secret_that_is_too_short_is_not_registered_with_ansible_core(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    monkeypatch.setattr(secrets, "register_secret", registered.append)
    for length in range(5):
        Secret("x" * length)
    assert registered == ["xxxx"]


def test_a_core_is_said_to_mask_secrets_only_if_it_has_the_registry() -> None:
    assert (find_spec("ansible.module_utils.secrets") is not None) == secrets.CORE_MASKS_SECRETS


def test_secret_reveals_a_plain_string_whatever_type_it_was_created_from() -> None:
    class Tagged(str):
        """A string with tags, as the core uses them."""

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
