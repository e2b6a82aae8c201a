# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options in a mapping, and those of a store among them: secrets, environment variables and types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK, Secret
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.store_options import TOKEN_STORE
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import ValidatedArguments

SPEC = ArgumentSpec({"token_store": {"type": "dict", "no_log": False, "spec": TOKEN_STORE}})
URL = "https://vault.example.com:8200"
TOKEN = "a-token-of-the-store"


def completed(environ: Mapping[str, str], **store: Any) -> dict[str, Any]:
    args: dict[str, Any] = SPEC.complete({"token_store": {"path": "sddc/one", **store}}, environ)["token_store"]
    return args


def validated(**store: Any) -> ValidatedArguments:
    return ValidatedArguments("the module", SPEC, {"token_store": {"path": "sddc/one", "url": URL, **store}})


def test_what_is_not_given_comes_from_the_variables_of_the_stores_own_tools() -> None:
    found = completed({"BAO_ADDR": URL, "VAULT_ADDR": "https://other.example.com", "VAULT_TOKEN": TOKEN})

    assert (found["url"], found["token"]) == (URL, TOKEN)


def test_a_given_option_wins_and_without_a_store_its_variables_set_nothing() -> None:
    assert completed({"VAULT_ADDR": "https://other.example.com"}, url=URL)["url"] == URL
    assert SPEC.complete({}, {"VAULT_ADDR": URL}) == {}


@pytest.mark.parametrize(
    ("value", "is_verified"), [("true", "False"), ("1", "False"), ("false", "True"), ("0", "True")]
)
def test_the_variable_that_skips_verification_is_the_opposite_of_the_option(value: str, is_verified: str) -> None:
    assert completed({"VAULT_SKIP_VERIFY": value})["validate_certs"] == is_verified


@pytest.mark.parametrize(
    ("value", "named"), [("true", [("VAULT_SKIP_VERIFY", "token_store.validate_certs")]), ("0", [])]
)
def test_a_variable_that_skips_verification_is_named(value: str, named: list[tuple[str, str]]) -> None:
    args = {"token_store": {"path": "p"}}

    assert list(SPEC.insecure_variables(args, {"VAULT_SKIP_VERIFY": value})) == named
    assert list(SPEC.insecure_variables({"token_store": {**args["token_store"], "validate_certs": True}}, {})) == []


def test_the_variables_of_a_store_are_among_those_that_are_not_sent_to_a_host() -> None:
    assert {"BAO_TOKEN", "VAULT_TOKEN", "VAULT_SECRET_ID", "VAULT_JWT"} <= SPEC.environment_variables


def test_secrets_in_a_mapping_are_known_and_concealed() -> None:
    args = {"token_store": {"path": "p", "token": TOKEN, "secret_id": ["in a list"], "tokn": "mistyped"}}

    assert set(SPEC.secrets_in(args)) == {TOKEN, "in a list"}
    shown = SPEC.concealed(args)
    assert shown == {"token_store": {"path": "p", "token": MASK, "secret_id": MASK, "tokn": MASK}}


def test_a_store_that_is_no_mapping_is_concealed_whole() -> None:
    assert SPEC.concealed({"token_store": TOKEN}) == {"token_store": MASK}


def test_values_have_their_types_and_secrets_are_secrets() -> None:
    result = validated(token=TOKEN, lease="2m", ca_path="~/ca.pem")
    assert result.error is None

    store = SPEC.typed(result.params)["token_store"]

    assert isinstance(store["token"], Secret)
    assert (store["lease"], store["mount"], store["auth_method"]) == (120.0, "secret", "token")
    assert store["ca_path"].startswith("/")


@pytest.mark.parametrize(
    ("store", "named"),
    [
        ({"path": None}, "path"),
        ({"url": ""}, "url"),
        ({"auth_method": "approle"}, "role_id"),
        ({"auth_method": "jwt", "role": "r"}, "jwt"),
        ({"auth_method": "kubernetes"}, "role"),
        ({"auth_method": "ldap"}, "auth_method"),
        ({"lease": "soon"}, "lease"),
        ({"pth": "x"}, "pth"),
    ],
)
def test_what_is_missing_or_wrong_in_a_store_is_named(store: dict[str, Any], named: str) -> None:
    assert named in (validated(**store).error or "")


def test_no_secret_of_a_store_is_quoted_in_an_error() -> None:
    error = validated(token=TOKEN, lease=TOKEN, auth_method=TOKEN).error

    assert error
    assert TOKEN not in error
