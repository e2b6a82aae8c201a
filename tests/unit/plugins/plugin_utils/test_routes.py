# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a task runs in the controller process, and how its result is kept out of all output."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.plugin_utils import in_process, sealing


def connection(transport: str = "local", become: Any = None) -> Any:
    return SimpleNamespace(transport=transport, become=become)


@pytest.mark.parametrize("transport", ["local", "ansible.builtin.local"])
@pytest.mark.parametrize("switch", [True, "true", "yes", 1])
def test_local_task_runs_in_process(transport: str, switch: Any) -> None:
    assert in_process.may_run_in_process(connection(transport), switch) is True


@pytest.mark.parametrize("transport", ["ssh", "docker", "community.general.lxc", "paramiko_ssh", "not_local"])
def test_task_on_a_managed_node_runs_as_a_module(transport: str) -> None:
    assert in_process.may_run_in_process(connection(transport), True) is False


def test_task_of_another_user_runs_as_a_module() -> None:
    assert in_process.may_run_in_process(connection(become=object()), True) is False


@pytest.mark.parametrize("switch", [False, "false", "no", 0, None, "nonsense"])
def test_variable_disables_the_in_process_route(switch: Any) -> None:
    assert in_process.may_run_in_process(connection(), switch) is False


def test_without_the_library_a_task_runs_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_process, "HAS_REQUESTS", False)
    assert in_process.may_run_in_process(connection(), True) is False
    in_process.preload()


class Action:
    """The part of an action that sealing uses."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._display = SimpleNamespace(warning=self.shown.append)
        self._task = SimpleNamespace(no_log=False)
        self._play_context = SimpleNamespace(no_log=False)
        self._connection = SimpleNamespace(_play_context=SimpleNamespace(no_log=False))


def test_older_core_is_set_to_hide_the_result_and_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "CORE_MASKS_SECRETS", False)
    action, result = Action(), {"token": "x"}
    sealing.seal(action, result)
    assert result == {"token": "x", "_ansible_no_log": True}
    assert action._task.no_log is True


def test_core_that_masks_secrets_shows_the_rest_of_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "CORE_MASKS_SECRETS", True)
    action, result = Action(), {"token": "x", "warnings": ["w"]}
    sealing.seal(action, result)
    assert result == {"token": "x", "warnings": ["w"]}
    assert action._task.no_log is False


@pytest.mark.parametrize("core_keeps", [True, False])
@pytest.mark.parametrize("sealed", [True, False])
def test_warning_is_shown_once_whether_or_not_the_result_is_hidden(
    monkeypatch: pytest.MonkeyPatch, core_keeps: bool, sealed: bool
) -> None:
    monkeypatch.setattr(sealing, "CORE_MASKS_SECRETS", False)
    monkeypatch.setattr(sealing, "_CORE_KEEPS_WARNINGS", core_keeps)
    action, result = Action(), {"token": "x"}
    sealing.add_warnings(action, result, ["w"])
    if sealed:
        sealing.seal(action, result)
    seen = [*action.shown, *([] if sealed else result.get("warnings", []))]
    assert seen == ["w"]


def test_raw_response_of_a_module_is_hidden_from_the_connection() -> None:
    action = Action()
    with sealing.quiet_module(action):
        assert action._task.no_log is True
    assert action._play_context.no_log is True
    assert action._connection._play_context.no_log is True
