# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module prints what the operation returned: the action seals it, and nothing else masks a part of it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.outcome import Outcome
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._runner import module as route


class Printed(Exception):
    """The module has exited."""


class CoreModule:
    """The part of AnsibleModule that the route requires. It masks values in its output that it considers secret."""

    printed: dict[str, Any]
    masked: set[str]
    check_mode, _diff = False, False

    def __init__(self, **_arguments: Any) -> None:
        self.params = {"token": "a-valid-token"}
        self.no_log_values = {"a-valid-token"}

    def exit_json(self, **result: Any) -> None:
        type(self).printed, type(self).masked = result, self.no_log_values
        raise Printed

    fail_json = exit_json


class Sample(Operation):
    """An operation that reports whether it can."""

    name = "sddc.tokens.sample"
    argument_spec = ArgumentSpec({"token": {"type": "str", "no_log": True}})
    fails = False

    def run(self) -> Outcome:
        if self.fails:
            raise TokensError("it failed")
        return Outcome(True, "reused", values={"kept": True})


@pytest.mark.parametrize("fails", [False, True])
def test_a_module_masks_nothing_in_its_result_and_shows_no_arguments(
    monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    monkeypatch.setattr(route, "AnsibleModule", CoreModule)
    monkeypatch.setattr(Sample, "fails", fails)

    with pytest.raises(Printed):
        route.run_module(Sample)

    assert CoreModule.masked == set()
    assert CoreModule.printed["invocation"] == {}
    assert CoreModule.printed.get("failed", False) == fails
