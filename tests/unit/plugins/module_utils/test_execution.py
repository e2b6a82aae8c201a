# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From arguments to a result: the same keys everywhere, failures as results, no secret in any message."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ApiError, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.outcome import Outcome
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._http import session as transport
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated
from products import EXAMPLE
from support.in_process import operation_of

VALUE, COMPANION, PASSWORD = "token-of-great-value", "companion-of-great-value", "p4ssw0rd\\with'marks"
CREDENTIALS = {"username": "x", "password": "x"}
NOW = 1_800_000_000.0
TOKEN = Token(Secret(VALUE), "Bearer", NOW - 60, NOW + 3600, "all", {"id_token": Secret(COMPANION)})
OLD = Token(Secret("the-old-one-of-value"), "Bearer", NOW - 7200, NOW + 10)


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
    secret_results = frozenset(("token", "headers", "id_token"))
    job: ClassVar[Callable[[Operation], Outcome]]
    seen: ClassVar[list[str]]

    def run(self) -> Outcome:
        return type(self).job(self)

    def close(self) -> None:
        self.seen.append("closed")
        super().close()


def run(job: Callable[[Operation], Outcome], diff_mode: bool = False, **params: Any) -> dict[str, Any]:
    """The result of an operation with this job."""
    operation = type("Sample", (Sample,), {"job": staticmethod(job), "seen": []})
    validated = Validated(operation, {"hostname": "h", "password": PASSWORD, **params})
    assert validated.error is None
    result = execute(operation, validated.params, Runtime(), diff_mode=diff_mode)
    assert operation.seen == ["closed"]
    return result


def fail(error: Exception) -> Callable[[Operation], Outcome]:
    def job(operation: Operation) -> Outcome:
        operation.runtime.warn("before it failed")
        raise error

    return job


def outcome(**facts: Any) -> Callable[[Operation], Outcome]:
    return lambda operation: Outcome(**{"changed": True, "action": "created", "now": NOW, **facts})


# Results.


def test_result_of_a_token_has_the_same_keys_whatever_the_product() -> None:
    assert run(outcome(token=TOKEN, verified=True)) == {
        "changed": True,
        "action": "created",
        "token": VALUE,
        "id_token": COMPANION,
        "token_type": "Bearer",
        "headers": {"Authorization": f"Bearer {VALUE}"},
        "issued_at": "2027-01-15T07:59:00Z",
        "expires_at": "2027-01-15T09:00:00Z",
        "expires_in": 3600,
        "fingerprint": Secret(VALUE).fingerprint,
        "verified": True,
        "verified_at": "2027-01-15T08:00:00Z",
        "request_count": 0,
        "warnings": [],
    }


def test_without_return_token_nothing_in_the_result_is_secret() -> None:
    result = run(outcome(token=TOKEN, verified=True), return_token=False, diff_mode=True)
    assert VALUE not in json.dumps(result)
    assert COMPANION not in json.dumps(result)
    assert {"token", "id_token", "headers"}.isdisjoint(result)
    assert result["fingerprint"] == Secret(VALUE).fingerprint
    assert not Sample.carries_secret(result)
    assert Sample.carries_secret(run(outcome(token=TOKEN)))


@pytest.mark.parametrize(("left", "shown"), [(10.9, 10), (0.0, 0), (-500.0, 0)])
def test_remaining_seconds_are_whole_and_never_negative(left: float, shown: int) -> None:
    token = Token(Secret(VALUE), "Bearer", NOW, NOW + left)
    assert run(outcome(token=token))["expires_in"] == shown


def test_unknown_times_are_null() -> None:
    result = run(outcome(token=Token(Secret(VALUE), "Bearer")))
    assert (result["issued_at"], result["expires_at"], result["expires_in"]) == (None, None, None)


def test_values_of_the_operation_are_in_the_result() -> None:
    assert run(outcome(changed=False, action="none", values={"instances": [1]}))["instances"] == [1]


def test_result_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(run(outcome(token=TOKEN, before=OLD, about_token=True), diff_mode=True)))


def test_warnings_come_once_each_in_their_order() -> None:
    def job(operation: Operation) -> Outcome:
        for text in ("b", "a", "b", "c", "a"):
            operation.runtime.warn(text)
        return Outcome(False, "none")

    assert run(job)["warnings"] == ["b", "a", "c"]


def test_secret_options_reach_the_operation_as_secrets() -> None:
    found: list[Any] = []

    def job(operation: Operation) -> Outcome:
        found.append(operation.params["password"])
        return Outcome(False, "none")

    run(job)
    assert found == [Secret(PASSWORD)]


# Diffs.


def test_diff_shows_expiry_scope_and_fingerprint_only() -> None:
    diff = run(outcome(token=TOKEN, before=OLD, about_token=True), diff_mode=True)["diff"]
    assert diff == {
        "before": {"fingerprint": OLD.fingerprint, "expires_at": "2027-01-15T08:00:10Z"},
        "after": {"fingerprint": TOKEN.fingerprint, "expires_at": "2027-01-15T09:00:00Z", "scope": "all"},
    }


def test_diff_of_a_prediction_marks_unknown_values() -> None:
    diff = run(outcome(action="renewed", before=OLD, about_token=True), diff_mode=True)["diff"]
    assert diff["before"]["fingerprint"] == OLD.fingerprint
    assert diff["after"] == {"fingerprint": "known after the run", "expires_at": "known after the run"}


def test_diff_of_a_revoked_token_has_no_after_state() -> None:
    diff = run(outcome(action="revoked", before=OLD, about_token=True), diff_mode=True)["diff"]
    assert diff["after"] == {}


def test_diff_without_a_change_is_empty() -> None:
    diff = run(outcome(changed=False, action="none", before=OLD, about_token=True), diff_mode=True)["diff"]
    assert diff["before"] == diff["after"] != {}


def test_a_diff_is_returned_only_on_request_and_for_tokens_only() -> None:
    assert "diff" not in run(outcome(values={"instances": []}), diff_mode=True)
    assert "diff" not in run(outcome(token=TOKEN, before=OLD, about_token=True))


# Failures.


def test_failure_is_a_result_with_one_sentence() -> None:
    result = run(fail(ApiError(401, doing="create a token", host="h", advice="Check the password")))
    assert result == {
        "failed": True,
        "changed": False,
        "action": "none",
        "msg": "Could not create a token on h: the server returned status 401. Check the password.",
        "request_count": 0,
        "warnings": ["before it failed"],
    }


def test_failure_of_a_part_keeps_the_completed_parts() -> None:
    result = run(outcome(error=TokensError("one of two failed"), values={"instances": ["a", "b"]}))
    assert (result["failed"], result["changed"], result["action"]) == (True, True, "created")
    assert result["instances"] == ["a", "b"]
    assert result["msg"] == "One of two failed."


@pytest.mark.parametrize(
    "error",
    [ValueError(VALUE), KeyError(VALUE), RuntimeError("x", VALUE), RecursionError(VALUE), OSError(5, VALUE)],
    ids=lambda error: type(error).__name__,
)
def test_internal_error_shows_only_its_kind_and_place(error: Exception) -> None:
    result = run(fail(error))
    assert result["failed"] is True
    assert type(error).__name__ in result["msg"]
    assert "test_execution.py, line " in result["msg"]
    assert VALUE not in json.dumps(result)
    assert set(result) == {"failed", "changed", "action", "msg", "request_count", "warnings"}


def test_failure_of_the_sign_out_raises_no_exception() -> None:
    def sign_out() -> None:
        raise ValueError(VALUE)

    def job(operation: Operation) -> Outcome:
        operation.at_end(sign_out)
        return Outcome(True, "created")

    result = run(job)
    assert VALUE not in json.dumps(result)
    assert any("ValueError" in text for text in [*result["warnings"], result.get("msg", "")])


@pytest.mark.parametrize("expires_at", [float("inf"), float("nan"), 1e300])
def test_token_with_an_absurd_expiry_raises_no_exception(expires_at: float) -> None:
    run(outcome(token=Token(Secret(VALUE), "Bearer", NOW, expires_at)))


def test_missing_library_is_named_and_raises_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HAS_REQUESTS", False)
    operation = operation_of(EXAMPLE.module)
    validated = Validated(operation, {"hostname": "h", **CREDENTIALS})
    result = execute(operation, validated.params, Runtime())
    assert result["failed"] is True
    assert "requests" in result["msg"]
