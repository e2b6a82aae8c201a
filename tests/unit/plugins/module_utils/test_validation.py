# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments are validated before a task does anything: each error names the option and what it accepts."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated, ValidatedArguments
from products import EXAMPLE, ISSUER
from support.collection import MODULES
from support.in_process import operation_of
from support.kit import Kit

CREDENTIALS = {"username": "x", "password": "x"}
MAIN = operation_of(EXAMPLE.module)
FILES = operation_of("token_info")


class Sample(Operation):
    """An operation that does what a test says."""

    name = "sddc.tokens.sample"
    argument_spec = ArgumentSpec(
        {
            "hostname": {"type": "str", "required": True},
            "password": {"type": "str", "no_log": True},
            "timeout": {"type": "duration", "default": 30},
            "retries": {"type": "int", "default": 3},
            "level": {"type": "str", "choices": ["low", "high"], "default": "low", "aliases": ["grade"]},
            "return_token": {"type": "bool", "default": True, "no_log": False},
        }
    )


def complaint(**args: Any) -> str:
    error = Validated(Sample, {"hostname": "h", **args}).error
    assert error is not None
    return error


def test_unknown_option_is_an_error_that_lists_the_options() -> None:
    error = complaint(pasword="x")
    assert error.startswith("sddc.tokens.sample: there is no option pasword")
    assert all(name in error for name in Sample.argument_spec.options)


def test_invalid_choice_is_an_error_that_lists_the_choices() -> None:
    assert "low, high" in complaint(level="middle")
    assert "timeout" in complaint(timeout="soon")
    assert "hostname" in (Validated(Sample, {}).error or "")


@pytest.mark.parametrize("password", [b"s\xe9same-of-a-user".decode("utf-8", "surrogateescape"), "half \ud800 of one"])
def test_option_with_invalid_utf_8_is_named_and_not_quoted(password: str) -> None:
    error = Validated(Sample, {"hostname": "h", "password": password}).error

    assert error == "sddc.tokens.sample: the option password is not valid UTF-8"


def test_option_together_with_its_alias_is_a_warning() -> None:
    validated = Validated(Sample, {"hostname": "h", "level": "low", "grade": "high"})
    assert validated.error is None
    assert len(validated.warnings) == 1
    assert "level" in validated.warnings[0]
    assert "grade" in validated.warnings[0]


@given(
    # As digits only it would be a number of seconds.
    password=st.text(st.characters(exclude_categories=("Cs", "Nd")), min_size=8, max_size=30),
    option=st.sampled_from(["timeout", "retries", "level", "return_token"]),
)
@example(password="back\\slash and 'quote\"", option="retries")
@example(password="two\nlines", option="retries")
@example(password="INFINITY", option="retries")
@example(password="\u00e4\u00f6\u00fc \x7f\x00", option="retries")
def test_secret_that_is_given_for_the_wrong_option_is_not_in_the_message(password: str, option: str) -> None:
    assume(not set(password) <= set("*, "))
    # A part of the option's own name is masked in it, too.
    assume("".join(password.split()) not in option)
    error = complaint(password=password, **{option: password})
    assert option in error
    assert password not in error
    assert repr(password)[1:-1] not in error


NO_CREDENTIAL = {name: "" for group in operation_of(EXAMPLE.module).argument_spec.alternatives for name in group}


@pytest.mark.parametrize(
    ("kit", "args", "named"),
    [
        (ISSUER, {"api_token": ""}, "api_token"),
        (ISSUER, {"client_id": "x", "client_secret": ""}, "client_secret"),
        (EXAMPLE, {"username": "x", "password": ""}, "password"),
        (EXAMPLE, {"username": "", "password": "x"}, "username"),
        (EXAMPLE, {"username": "x"}, "password"),
        (EXAMPLE, NO_CREDENTIAL, "username"),
        (EXAMPLE, {**CREDENTIALS, "timeout": 0}, "timeout"),
        (EXAMPLE, {**CREDENTIALS, "retries": -1}, "retries"),
        (EXAMPLE, {**CREDENTIALS, "retries": "Infinity"}, "retries"),
        (EXAMPLE, {**CREDENTIALS, "min_remaining": -1}, "min_remaining"),
        (EXAMPLE, {**CREDENTIALS, "client_key": "/x"}, "client_key"),
        (EXAMPLE, {**CREDENTIALS, "timeout": float("nan")}, "timeout"),
        (EXAMPLE, {**CREDENTIALS, "timeout": float("inf")}, "timeout"),
    ],
    ids=lambda value: value.name if isinstance(value, Kit) else str(value),
)
def test_option_that_is_empty_or_out_of_range_is_named(kit: Kit, args: dict[str, Any], named: str) -> None:
    operation = operation_of(kit.module)
    validated = Validated(operation, {"hostname": "127.0.0.1:1", "retries": 0, **args})
    start = time.monotonic()
    message = validated.error
    if message is None:
        message = execute(operation, validated.params, Runtime()).get("msg", "")
    assert named in message
    assert "internal error" not in message
    assert time.monotonic() - start < 120


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(90, 90), ("90", 90), (2.5, 2.5), ("90s", 90), ("30m", 1800), ("12 h", 43200), ("14d", 1209600), ("0.5h", 1800)],
)
def test_duration_is_a_number_of_seconds_or_a_number_with_a_unit(given: Any, seconds: float) -> None:
    args = {"hostname": "h", "username": "somebody", "password": "a-password"}
    durations = [name for name, option in MAIN.argument_spec.options.items() if option["type"] == "duration"]
    validated = Validated(MAIN, {**args, **dict.fromkeys(durations, given)})

    assert len(durations) > 3
    assert validated.error is None
    assert {validated.params[name] for name in durations} == {seconds}


@pytest.mark.parametrize(
    "given", ["soon", "1 week", "-1", "-1m", " ", "1h30m", "inf", "nan", "0x10", "1e400", True, [5], {}]
)
def test_invalid_duration_is_an_error_that_lists_the_forms(given: Any) -> None:
    error = complaint(timeout=given)

    assert "the option timeout must be a number of seconds or a number with a unit" in error
    assert "such as 90s, 30m, 12h or 14d" in error


def test_value_of_a_wrong_type_is_named_in_plain_words() -> None:
    class TaggedText(str):
        """As newer cores pass strings."""

    wrong = {
        "retries": (TaggedText("many"), "a whole number, not 'many'"),
        "return_token": (TaggedText("perhaps"), "true or false, not 'perhaps'"),
    }
    for name, (value, words) in wrong.items():
        error = complaint(**{name: value})
        assert error == f"sddc.tokens.sample: the option {name} must be {words}"
    for value in ({"path": "/x"}, 5j):
        error = Validated(FILES, {"paths": value}).error or ""
        assert "the option paths must be a list, not " in error
        assert "class" not in error


@pytest.mark.parametrize(
    ("args", "variables"),
    [
        ({"username": "somebody", "password": "a-password"}, ["environment variable {hostname} for hostname"]),
        ({"hostname": "h"}, ["{username} for username", "{password} for password"]),
    ],
)
def test_missing_option_is_named_with_its_environment_variable(args: dict[str, Any], variables: list[str]) -> None:
    error = Validated(MAIN, args).error or ""

    exported = {option: names[0] for option, names in EXAMPLE.exported.items()}
    assert all(variable.format(**exported) in error for variable in variables)


def test_option_required_at_run_time_is_named_with_its_variable() -> None:
    validated = Validated(MAIN, {"hostname": "127.0.0.1:1", "username": "u"})

    assert EXAMPLE.exported["password"][0] in execute(MAIN, validated.params, Runtime())["msg"]


@pytest.mark.parametrize(
    ("typo", "meant"), [("token_flie", "token_file"), ("tokenfile", "token_file"), ("user", "username")]
)
def test_suggestion_stands_directly_after_the_mistyped_option(typo: str, meant: str) -> None:
    error = Validated(MAIN, {"hostname": "h", "username": "somebody", "password": "a-password", typo: "x"}).error or ""

    assert f"there is no option {typo}. Did you mean {meant}? Supported options: " in error


def test_every_mistyped_option_gets_its_own_suggestion() -> None:
    error = complaint(pasword="x", retrys=1, colour="red")

    assert "there is no option pasword. Did you mean password? " in error
    assert "There is no option retrys. Did you mean retries? " in error
    assert "There is no option colour. Supported options: " in error


@pytest.mark.parametrize(("typo", "meant"), [("presnt", ". Did you mean present?"), ("colourful", "")])
def test_wrong_choice_gets_a_suggestion(typo: str, meant: str) -> None:
    error = Validated(MAIN, {"hostname": "h", **CREDENTIALS, "state": typo}).error or ""

    assert error.endswith(f"value of state must be one of: present, absent, got: {typo}{meant}")


PAIR = ArgumentSpec(
    {
        "state": {"type": "str", "default": "present"},
        "username": {"type": "str", "environment": ("USER_NAME", "OLD_USER_NAME")},
        "password": {"type": "str", "no_log": True, "environment": ("USER_PASSWORD",)},
        "ticket": {"type": "str"},
        "file": {"type": "path"},
        **{name: {"type": "str"} for name in ("tier", "locale", "names")},
    },
    alternatives=(("username", "password"), ("ticket",)),
    required_if=(
        ("state", "present", ("username", "ticket"), True),
        ("state", "absent", ("file", "names"), True),
        ("state", "moved", ("file", "names")),
    ),
    required_together=(("tier", "locale"),),
    required_one_of=(("tier", "names"),),
)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (
            {"names": "x"},
            "set username and password, or ticket (or set the environment variables USER_NAME or OLD_USER_NAME for "
            "username, USER_PASSWORD for password)",
        ),
        ({"state": "absent", "tier": "x", "locale": "x"}, "with state: absent, set file or names"),
        ({"state": "moved", "tier": "x", "locale": "x"}, "with state: moved, set file and names"),
        ({"ticket": "x"}, "set tier and locale, or names"),
        ({"ticket": "x", "names": "x", "tier": "x"}, "set tier and locale together"),
    ],
)
def test_missing_options_are_what_to_set_with_what_belongs_together(args: dict[str, Any], sentence: str) -> None:
    assert ValidatedArguments("it", PAIR, args).error == f"it: {sentence}"


@pytest.mark.parametrize("module", MODULES)
def test_no_missing_option_is_reported_in_the_words_of_the_core(module: str) -> None:
    operation = operation_of(module)
    for state in ("present", "absent"):
        args = {"state": state} if "state" in operation.argument_spec.options else {}
        error = Validated(operation, args).error or ""

        assert "following" not in error
        for option in (name for group in operation.argument_spec.alternatives for name in group):
            variables = operation.argument_spec.options[option].get("environment", ())
            assert f" {option}" not in error.partition("(")[0] or all(name in error for name in variables)


@pytest.mark.parametrize(
    "path", ["report.html", "./token.json", "../token.json", "~no-such-user/token.json", "$NO_SUCH_VARIABLE/x", "/x\0y"]
)
@pytest.mark.parametrize("option", ["token_file", "ca_path", "client_cert", "client_key"])
def test_relative_or_invalid_path_is_refused_before_anything_is_changed(option: str, path: str) -> None:
    args = {"hostname": "127.0.0.1:1", "username": "somebody", "password": "a-password", option: path}
    error = Validated(MAIN, args).error or ""

    assert error.startswith(f"{MAIN.name}: the option {option} ")
    # The module route has only the core's own validation.
    bare = dict.fromkeys(MAIN.argument_spec.options)
    result = execute(MAIN, {**bare, **args}, Runtime())
    assert option in result["msg"]
    assert "internal error" not in result["msg"]
    assert result["request_count"] == 0


def test_every_path_of_a_list_must_be_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    paths = ["~/tokens", "$HOME/other", "/third"]
    validated = Validated(FILES, {"paths": paths})

    assert validated.params["paths"] == ["/home/somebody/tokens", "/home/somebody/other", "/third"]
    assert "the option paths must be an absolute path" in (Validated(FILES, {"paths": [*paths, "x"]}).error or "")


def test_unknown_home_folder_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a container whose user has no entry in the system's list of users.
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    error = Validated(FILES, {"paths": ["~/tokens"]}).error or ""

    assert "Set HOME" in error


@pytest.mark.parametrize("nothing", ["", None])
@pytest.mark.parametrize("module", MODULES)
def test_blank_or_null_option_counts_as_not_given_and_raises_no_internal_error(module: str, nothing: Any) -> None:
    operation = operation_of(module)

    for option in operation.argument_spec.options:
        validated = Validated(operation, {option: nothing})
        assert validated.error == Validated(operation, {}).error
        assert validated.params == Validated(operation, {}).params


def test_null_as_an_entry_of_a_list_is_named() -> None:
    assert "must be a mapping, not null" in (Validated(operation_of("token_set"), {"tokens": [None]}).error or "")
