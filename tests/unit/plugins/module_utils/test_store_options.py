# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options in a mapping, and those of a store among them: secrets, environment variables and types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK, Secret
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.store_options import TOKEN_STORE
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._operations.token_info import TokenInfo
from ansible_collections.sddc.tokens.plugins.module_utils._operations.token_store_lookup import TokenStoreLookup
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated, ValidatedArguments
from products import EXAMPLE
from support.in_process import operation_of

SPEC = ArgumentSpec({"token_store": {"type": "dict", "no_log": False, "spec": TOKEN_STORE}})
MAIN = operation_of(EXAMPLE.module)
NOWHERE = "127.0.0.1:1"
URL = "https://vault.example.com:8200"
TOKEN = "a-token-of-the-store"


def completed(environ: Mapping[str, str], **store: Any) -> dict[str, Any]:
    args: dict[str, Any] = SPEC.complete({"token_store": {"path": "sddc/one", **store}}, environ)["token_store"]
    return args


def validated(**store: Any) -> ValidatedArguments:
    return ValidatedArguments("the module", SPEC, {"token_store": {"path": "sddc/one", "url": URL, **store}})


def failure(operation: type[Operation] = MAIN, option: str = "token_store", **store: Any) -> str:
    """The message of a task whose store cannot be reached."""
    given: dict[str, Any] = {"path": "sddc/one", "url": NOWHERE, "token": TOKEN, **store}
    args = {"hostname": NOWHERE, "username": "u", "password": "a-password", "retries": 0}
    known = {name: value for name, value in args.items() if name in operation.argument_spec.options}
    found = Validated(operation, {**known, option: given if option == "token_store" else [given]})
    assert found.error is None
    result = execute(operation, found.params, Runtime())
    return str(result["token_stores"][0]["error"] if "token_stores" in result else result["msg"])


def test_a_check_without_the_environment_requires_no_key_that_a_variable_may_set() -> None:
    spec = ArgumentSpec({"token_store": {"type": "dict", "spec": TOKEN_STORE}}).without_environment()

    def errors(store: dict[str, Any]) -> list[str]:
        return [str(error) for error in spec.validator().validate({"token_store": store}).errors.errors]

    assert errors({"path": "sddc/example", "auth_method": "approle"}) == []
    assert errors({}) == ["missing required arguments: path found in token_store"]


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


@pytest.mark.parametrize(
    ("store", "sentence"),
    [
        (
            {"url": None},
            "missing required arguments: token_store.url (or set the environment variable BAO_ADDR or "
            "VAULT_ADDR for token_store.url)",
        ),
        (
            {"path": None, "pth": "x"},
            "there is no option token_store.pth. Did you mean path? Supported options of "
            f"token_store: {', '.join(sorted(TOKEN_STORE.options))}",
        ),
        (
            {"auth_method": "aprole"},
            "value of token_store.auth_method must be one of: token, approle, jwt, kubernetes, "
            "got: aprole. Did you mean approle?",
        ),
        (
            {"auth_method": "jwt", "role": "r"},
            "with token_store.auth_method: jwt, set token_store.jwt (or set the "
            "environment variable VAULT_JWT for token_store.jwt)",
        ),
        ({"validate_certs": "perhaps"}, "the option token_store.validate_certs must be true or false, not 'perhaps'"),
    ],
)
def test_keys_of_a_store_have_the_messages_of_options(store: dict[str, Any], sentence: str) -> None:
    assert validated(**store).error == f"the module: {sentence}"


def test_mistyped_option_of_the_lookup_gets_a_suggestion_from_the_options_of_the_store() -> None:
    args = {"token_store": {"path": "p", "url": URL}, "tokn": "x", "tiemout": 1}
    error = Validated(TokenStoreLookup, args).error or ""

    assert "there is no option tokn. Did you mean token? There is no option tiemout. Did you mean timeout? " in error
    assert "token_store," not in error


@pytest.mark.parametrize(
    ("content", "state"), [(None, "does not exist"), ("\n", "is empty"), (b"\xff", "cannot be read")]
)
def test_missing_token_of_the_store_is_named_with_its_variables_and_the_state_of_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: Any, state: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if content:
        (tmp_path / ".vault-token").write_bytes(content.encode() if isinstance(content, str) else content)

    message = failure(token=None)

    assert f"The option token_store.token is required, because ~/.vault-token {state}. " in message
    assert "BAO_TOKEN or VAULT_TOKEN" in message


@pytest.mark.parametrize(
    ("operation", "option", "prefix"),
    [(MAIN, "token_store", "token_store."), (TokenInfo, "stores", "stores."), (TokenStoreLookup, "token_store", "")],
    ids=["module", "token_info", "lookup"],
)
def test_store_that_cannot_be_reached_is_named_by_its_own_option(
    operation: type[Operation], option: str, prefix: str
) -> None:
    assert f"Check the name and port in {prefix}url, " in failure(operation, option)


@pytest.mark.parametrize(
    ("store", "named"),
    [
        ({"url": "http://vault.example.com"}, "The option token_store.url must use https"),
        ({"lease": 1}, "The option token_store.lease must be at least"),
        ({"client_key": "/key.pem"}, "The option token_store.client_key is set without token_store.client_cert"),
        ({"ca_path": "/no/such/file"}, "The option token_store.ca_path cannot be read"),
    ],
)
def test_invalid_option_of_a_store_is_named_as_in_the_task(store: dict[str, Any], named: str) -> None:
    assert named in failure(**store)


def test_no_secret_of_a_store_is_quoted_in_an_error() -> None:
    error = validated(token=TOKEN, lease=TOKEN, auth_method=TOKEN).error

    assert error
    assert TOKEN not in error
