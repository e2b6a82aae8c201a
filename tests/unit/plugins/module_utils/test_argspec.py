# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and their environment variables: the task first, empty means unset, credentials are never mixed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.store_options import TOKEN_STORE
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated, ValidatedArguments
from products import EXAMPLE, KITS
from support.in_process import operation_of
from support.kit import Kit

ALTERNATIVES = (("api_token",), ("client_id", "client_secret"))
PLAIN = ArgumentSpec(
    {
        "hostname": {"type": "str", "required": True, "environment": ("X_HOST",)},
        "api_token": {
            "type": "str",
            "no_log": True,
            "aliases": ["pat"],
            "environment": ("X_API_TOKEN", "OLD_TOKEN"),
        },
        "client_id": {"type": "str", "environment": ("X_CLIENT_ID",)},
        "client_secret": {"type": "str", "no_log": True, "environment": ("X_CLIENT_SECRET",)},
        "retries": {"type": "int", "default": 3},
    }
)
SPEC = PLAIN.merge(ArgumentSpec(alternatives=ALTERNATIVES))
VARIABLES = ("X_HOST", "X_API_TOKEN", "OLD_TOKEN", "X_CLIENT_ID", "X_CLIENT_SECRET")
ENVIRONMENTS = st.dictionaries(st.sampled_from(VARIABLES), st.sampled_from(["", "from environment"]))
ARGUMENTS = st.dictionaries(
    st.sampled_from(["hostname", "api_token", "client_id", "client_secret"]), st.sampled_from(["", None, "from task"])
)
each_product = pytest.mark.parametrize("kit", KITS.values(), ids=KITS)


@each_product
def test_operation_falls_back_to_the_documented_variables(kit: Kit) -> None:
    spec = operation_of(kit.module).argument_spec
    found = {name: option["environment"] for name, option in spec.options.items() if option.get("environment")}
    assert kit.exported
    assert {name: found.get(name) for name in kit.exported} == kit.exported
    of_store = TOKEN_STORE.environment_variables if "token_store" in spec.options else set()
    assert spec.environment_variables == {name for names in found.values() for name in names} | of_store


@given(args=ARGUMENTS, environ=ENVIRONMENTS)
def test_option_of_the_task_overrides_the_environment_and_an_empty_one_counts_as_not_given(
    args: dict[str, Any], environ: dict[str, str]
) -> None:
    completed = PLAIN.complete(args, environ)
    for name, variables in (("hostname", ["X_HOST"]), ("api_token", ["X_API_TOKEN", "OLD_TOKEN"])):
        expected = args.get(name) or next((environ[one] for one in variables if environ.get(one)), None)
        assert completed.get(name) == expected
        assert (name in completed) is (expected is not None)


@given(args=ARGUMENTS, environ=ENVIRONMENTS)
def test_credential_of_the_task_is_never_mixed_with_another_one_of_the_environment(
    args: dict[str, Any], environ: dict[str, str]
) -> None:
    completed = SPEC.complete(args, environ)
    of_task = {group for group in ALTERNATIVES if any(args.get(name) for name in group)}
    groups = {group for group in ALTERNATIVES if any(completed.get(name) for name in group)}
    if of_task:
        assert groups == of_task
    else:
        assert len(groups) <= 1
        assert bool(groups) == any(environ.get(name) for name in VARIABLES[1:])


@given(args=ARGUMENTS, environ=ENVIRONMENTS)
def test_arguments_of_the_task_are_not_changed_in_place(args: dict[str, Any], environ: dict[str, str]) -> None:
    before = dict(args)
    SPEC.complete(args, environ)
    assert args == before


def test_first_of_several_variables_wins_and_the_first_group_before_the_second() -> None:
    environ = {"X_API_TOKEN": "new", "OLD_TOKEN": "old", "X_CLIENT_ID": "id", "X_CLIENT_SECRET": "secret"}
    assert SPEC.complete({}, environ) == {"api_token": "new"}
    assert SPEC.complete({}, {**environ, "X_API_TOKEN": ""}) == {"api_token": "old"}


def test_both_parts_of_a_credential_may_come_from_different_places() -> None:
    completed = SPEC.complete({"client_id": "mine"}, {"X_CLIENT_SECRET": "its secret"})
    assert completed == {"client_id": "mine", "client_secret": "its secret"}


def test_alias_of_the_task_overrides_the_environment() -> None:
    assert PLAIN.complete({"pat": "mine"}, {"X_API_TOKEN": "other"}) == {"pat": "mine"}


@pytest.mark.parametrize("blank", ["", None])
@each_product
def test_an_option_that_is_blank_or_null_is_not_given(kit: Kit, blank: Any) -> None:
    """A survey leaves it blank, and an unset variable leaves it null: no rule counts it."""
    spec = operation_of(kit.module).argument_spec
    args = {name: blank for name, option in spec.options.items() for name in (name, *option.get("aliases", ()))}
    assert spec.complete(args, {}) == {}
    assert spec.complete({**args, "no_such_option": blank}, {}) == {"no_such_option": blank}


@pytest.mark.parametrize("blank", ["", None])
def test_absent_with_nothing_to_act_on_is_an_error(blank: Any) -> None:
    operation = operation_of(EXAMPLE.module)
    args = operation.argument_spec.complete(
        {"hostname": "h", "state": "absent", "token": blank, "token_file": blank}, {}
    )
    assert "token, token_file" in str(Validated(operation, args).error)


def test_empty_alias_counts_as_not_given() -> None:
    completed = PLAIN.complete({"hostname": "h", "pat": ""}, {"X_API_TOKEN": "from environment"})
    validated = ValidatedArguments("a task", PLAIN, completed)
    assert (validated.error, validated.params["api_token"]) == (None, "from environment")


def test_ansible_core_gets_the_specification_without_variables() -> None:
    arguments = SPEC.core_arguments()
    assert arguments["argument_spec"]["api_token"] == {"type": "str", "no_log": True, "aliases": ["pat"]}
    assert arguments["argument_spec"].keys() == SPEC.options.keys()
    assert arguments.keys() == {
        "argument_spec",
        "mutually_exclusive",
        "required_together",
        "required_one_of",
        "required_if",
    }


def test_merged_specifications_have_the_rules_of_all_and_the_option_of_the_last() -> None:
    rules = ArgumentSpec({"retries": {"type": "int", "default": 5}}, mutually_exclusive=(("client_id", "api_token"),))
    merged = SPEC.merge(rules, ArgumentSpec(required_if=(("state", "absent", ("token",)),)))
    assert merged.options == {**SPEC.options, "retries": {"type": "int", "default": 5}}
    assert merged.mutually_exclusive == (("client_id", "api_token"),)
    assert merged.required_if == (("state", "absent", ("token",)),)
    assert merged.alternatives == ALTERNATIVES


def test_a_prefix_applies_to_every_option_and_every_rule() -> None:
    spec = ArgumentSpec(
        {"a": {"type": "str", "environment": ("A",)}, "b": {"type": "str"}},
        mutually_exclusive=(("a", "b"),),
        required_together=(("a", "b"),),
        required_one_of=(("a", "b"),),
        required_if=(("a", "value", ("b",), True),),
        alternatives=(("a",), ("b",)),
    ).prefixed("x_")
    assert set(spec.options) == {"x_a", "x_b"}
    assert spec.mutually_exclusive == spec.required_together == spec.required_one_of == (("x_a", "x_b"),)
    assert spec.required_if == (("x_a", "value", ("x_b",), True),)
    assert spec.alternatives == (("x_a",), ("x_b",))
    assert spec.environment_variables == {"A"}


def test_options_with_a_variable_are_not_required_where_the_environment_is_unknown() -> None:
    own = ArgumentSpec(
        {"name": {"type": "str", "required": True}, "uuid": {"type": "str"}},
        required_one_of=(("name", "uuid"), ("name", "api_token")),
        required_together=(("name", "uuid"), ("client_id", "client_secret")),
        required_if=(("name", "all", ("uuid",)), ("name", "all", ("uuid", "api_token"), True)),
        mutually_exclusive=(("uuid", "api_token"),),
    )

    spec = SPEC.merge(own).without_environment()

    assert [name for name, option in spec.options.items() if option.get("required")] == ["name"]
    assert spec.required_one_of == (("name", "uuid"),)
    assert spec.required_together == (("name", "uuid"),)
    assert spec.required_if == (("name", "all", ("uuid",)),)
    assert spec.mutually_exclusive == own.mutually_exclusive


def test_ignored_options_have_no_rule_and_no_variable() -> None:
    ignored = SPEC.ignored()
    assert ignored.options.keys() == SPEC.options.keys()
    assert (ignored.environment_variables, ignored.alternatives) == (set(), ())


def test_every_secret_option_becomes_a_secret_and_an_empty_one_is_not_given() -> None:
    params = SPEC.typed({"hostname": "h", "api_token": "t", "client_secret": "", "retries": 3, "pat": "t"})
    assert params == {"hostname": "h", "api_token": Secret("t"), "client_secret": None, "retries": 3}


@each_product
def test_every_option_with_a_secret_name_is_a_secret(kit: Kit) -> None:
    harmless = ("token_file", "token_store", "return_token", "require_id_token", "_header")
    harmless += ("token_id", "token_name", "token_lifetime")
    for name, option in (*operation_of(kit.module).argument_spec.options.items(), *TOKEN_STORE.options.items()):
        if any(word in name for word in ("token", "secret", "password", "proxy_url")) and not name.endswith(harmless):
            assert option.get("no_log") is True, name
