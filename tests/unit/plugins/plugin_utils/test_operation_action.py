# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action: options from the task, its environment and the process, one route or the other, returned failures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader
from ansible.template import Templar

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.outcome import Outcome
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.plugin_utils.operation_action import OperationAction
from support.cores import DEFAULT

PASSWORD = "p4ssw0rd-of-great-value"
Act = Callable[..., dict[str, Any]]


class Echo(Operation):
    """An operation that returns its arguments."""

    name = "sddc.tokens.echo"
    argument_spec = ArgumentSpec(
        {
            "hostname": {"type": "str", "required": True, "environment": ("ECHO_HOST",)},
            "password": {"type": "str", "no_log": True, "environment": ("ECHO_PASSWORD", "OLD_PASSWORD")},
            "key": {"type": "str", "no_log": True, "environment": ("ECHO_KEY",)},
            "level": {"type": "int", "default": 1},
        },
        alternatives=(("password",), ("key",)),
    )
    secret_results = frozenset(("token",))

    def run(self) -> Outcome:
        password = self.params["password"]
        if self.params["level"] > 8:
            raise RuntimeError(PASSWORD)
        self.runtime.warn("a warning")
        values = {
            "hostname": self.params["hostname"],
            "password_length": len(password.reveal()) if password else 0,
            "has_key": self.params["key"] is not None,
            "proxy": self.runtime.environ.get("https_proxy"),
            "check_mode": self.runtime.check_mode,
        }
        return Outcome(False, "none", values={**values, **({"token": "t"} if self.params["level"] == 7 else {})})


class EchoAction(OperationAction):
    operation = Echo


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch) -> Callable[..., EchoAction]:
    """A function that creates the action of a task, on a local connection."""

    def action(environment: Any = None, **facts: Any) -> EchoAction:
        task = Task()
        task.action = "sddc.tokens.echo"
        task.args = facts.pop("args", {})
        task.environment = environment
        for name, value in facts.items():
            setattr(task, name, value)
        loader = DataLoader()
        context = PlayContext()
        connection = connection_loader.get("local", context)
        made = EchoAction(task, connection, context, loader, Templar(loader), None)
        monkeypatch.setattr(made, "_execute_module", lambda **call: {"as_module": call, "invocation": {"secret": 1}})
        return made

    return action


@pytest.fixture
def act(action: Callable[..., EchoAction]) -> Act:
    return lambda environment=None, task_vars=None, **facts: action(environment, **facts).run(task_vars=task_vars or {})


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ECHO_HOST", "ECHO_PASSWORD", "OLD_PASSWORD", "ECHO_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_option_of_the_task_overrides_its_environment_and_that_the_process(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHO_HOST", "process")
    assert act()["hostname"] == "process"
    assert act([{"ECHO_HOST": "task"}])["hostname"] == "task"
    assert act([{"ECHO_HOST": "task"}], args={"hostname": "option"})["hostname"] == "option"


@pytest.mark.parametrize("nothing", [None, "__omit_place_holder__of_this_run"])
def test_null_and_omit_in_the_environment_of_the_task_are_not_values(
    act: Act, monkeypatch: pytest.MonkeyPatch, nothing: Any
) -> None:
    monkeypatch.setenv("ECHO_PASSWORD", "process")
    variables = {"omit": "__omit_place_holder__of_this_run"}
    done = act([{"ECHO_HOST": "task", "ECHO_PASSWORD": nothing}], variables)
    assert (done["hostname"], done["password_length"]) == ("task", len("process"))


@pytest.mark.parametrize("blank", ["", None])
def test_a_blank_option_does_not_hide_the_environment(act: Act, blank: Any) -> None:
    done = act([{"ECHO_HOST": "task", "ECHO_PASSWORD": "p"}], args={"hostname": blank, "password": blank, "key": blank})
    assert (done["hostname"], done["password_length"], done["has_key"]) == ("task", 1, False)


@pytest.mark.parametrize("empty", [[{"ECHO_HOST": ""}], [{"ECHO_HOST": "x"}, {"ECHO_HOST": ""}]])
def test_empty_variable_of_the_task_does_not_hide_the_one_of_the_process(
    act: Act, monkeypatch: pytest.MonkeyPatch, empty: Any
) -> None:
    monkeypatch.setenv("ECHO_HOST", "process")
    assert act(empty)["hostname"] in ("process", "x")


def test_older_variable_of_the_task_overrides_a_newer_one_of_the_process(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHO_PASSWORD", "process")
    assert act([{"OLD_PASSWORD": "the task's own"}], args={"hostname": "h"})["password_length"] == len("the task's own")


def test_credential_of_the_task_environment_is_not_mixed_with_another_one_of_the_process(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHO_PASSWORD", "process")
    result = act([{"ECHO_KEY": "the task's own"}], args={"hostname": "h"})
    assert (result["has_key"], result["password_length"]) == (True, 0)


def test_innermost_environment_wins_and_templates_are_rendered(act: Act) -> None:
    environment = [{"ECHO_HOST": "play", "https_proxy": "http://p:1"}, {}, {"ECHO_HOST": "task"}]
    result = act(environment)
    assert (result["hostname"], result["proxy"]) == ("task", "http://p:1")


def test_missing_option_is_a_returned_failure(act: Act) -> None:
    result = act()
    assert (result["failed"], result["changed"]) == (True, False)
    assert "hostname" in result["msg"]


def test_secret_of_the_environment_is_in_no_validation_message(act: Act) -> None:
    result = act([{"ECHO_PASSWORD": PASSWORD}], args={"hostname": "h", "level": PASSWORD})
    assert result["failed"] is True
    assert "level" in result["msg"]
    assert PASSWORD not in json.dumps(result)


def test_internal_error_is_a_returned_failure(act: Act) -> None:
    result = act(args={"hostname": "h", "password": PASSWORD, "level": 9})
    assert result["failed"] is True
    assert PASSWORD not in json.dumps(result)


@pytest.mark.parametrize(("length", "shown"), [(1, "x"), (100, "x" * 100), (101, "x" * 96 + " ...")])
def test_only_a_notice_that_is_too_long_is_shortened(
    action: Callable[..., EchoAction], monkeypatch: pytest.MonkeyPatch, length: int, shown: str
) -> None:
    notices: list[str] = []
    made = action()
    monkeypatch.setattr(made._display, "display", lambda notice, **_options: notices.append(notice))

    made._notify("x" * length)

    assert notices == [shown]


def test_async_is_refused(act: Act) -> None:
    result = act(args={"hostname": "h"}, async_val=10)
    assert result["failed"] is True
    assert "async" in result["msg"]


def test_check_mode_of_the_task_reaches_the_operation(act: Act) -> None:
    assert act(args={"hostname": "h"}, check_mode=True)["check_mode"] is True


@pytest.mark.skipif(DEFAULT.masks_secrets, reason="this ansible-core masks what is registered as a secret by itself")
def test_result_is_sealed_only_if_it_contains_a_secret(act: Act) -> None:
    assert "_ansible_no_log" not in act(args={"hostname": "h"})
    assert act(args={"hostname": "h", "level": 7})["_ansible_no_log"] is True


def test_proxy_of_the_task_overrides_one_of_the_process_in_another_letter_case(
    act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://process:1")
    assert act([{"HTTPS_PROXY": "http://task:1"}], args={"hostname": "h"})["proxy"] == "http://task:1"
    assert act([{"HTTPS_PROXY": ""}], args={"hostname": "h"})["proxy"] == ""


def test_module_route_removes_credentials_from_the_environment_and_passes_them_as_arguments(
    action: Callable[..., EchoAction],
) -> None:
    environment = [{"ECHO_PASSWORD": PASSWORD, "OLD_PASSWORD": "older", "https_proxy": "http://p:1"}]
    made = action(environment, args={"hostname": "h"})
    seen: list[Any] = []
    execute = made._execute_module
    made._execute_module = lambda **call: (seen.append(made._task.environment), execute(**call))[1]
    result = made.run(task_vars={"sddc_tokens_in_process": False})
    # In both letter cases: the value of the task overrides the environment of the managed node.
    assert seen == [[{"https_proxy": "http://p:1", "HTTPS_PROXY": "http://p:1"}]]
    assert result["as_module"]["module_args"] == {"hostname": "h", "password": PASSWORD}
    assert result["as_module"]["module_name"] == "sddc.tokens.echo"
    assert "invocation" not in result
    assert made._play_context.no_log is True


def test_invalid_arguments_never_reach_the_managed_node(act: Act) -> None:
    result = act(args={"hostname": "h", "levle": 1}, task_vars={"sddc_tokens_in_process": False})
    assert "levle" in result["msg"]
    assert "as_module" not in result


def test_task_arguments_contain_no_secret_after_the_run_and_a_retry_gets_them_back(
    action: Callable[..., EchoAction],
) -> None:
    args = {"hostname": "h", "key": "a-key-of-value", "level": 1, "passwort": PASSWORD}
    environment = [{"ECHO_PASSWORD": "e-password-of-value", "OTHER": "not a-key-of-value"}, {"NSXT_PASSWORD": PASSWORD}]
    made = action(environment, args=args)

    results = [made.run(task_vars={}) for _attempt in range(2)]

    assert made._task.args == {"hostname": "h", "key": "********", "level": 1, "passwort": "********"}
    assert made._task.environment == [
        {"ECHO_PASSWORD": "********", "OTHER": "not ********"},
        {"NSXT_PASSWORD": "********"},
    ]
    assert (args["key"], environment[0]["ECHO_PASSWORD"]) == ("a-key-of-value", "e-password-of-value")
    assert results[0] == results[1]
    made._task.args = {"hostname": "h", "password": "another"}
    assert made.run(task_vars={})["password_length"] == len("another")


@pytest.mark.parametrize("wrong", [{"args": {"hostname": "h", "level": "x", "key": PASSWORD}}, {"async_val": 10}])
def test_a_task_that_fails_early_shows_no_secret_either(action: Callable[..., EchoAction], wrong: Any) -> None:
    made = action([{"ECHO_PASSWORD": PASSWORD}], **{"args": {"key": PASSWORD}, **wrong})

    assert made.run(task_vars={})["failed"] is True

    assert PASSWORD not in repr((made._task.args, made._task.environment))
