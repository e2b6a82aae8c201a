# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run an operation: every outcome and every failure is a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._core.errors import InvalidOption, MissingOption, TokensError, internal_error
from .._core.outcome import Outcome
from .._core.runtime import Runtime
from .._operations.base import Operation
from .result import result_of


def execute(
    operation_class: type[Operation], params: Mapping[str, Any], runtime: Runtime, *, diff_mode: bool = False
) -> dict[str, Any]:
    """Run an operation with validated parameters. `warnings` is always in the result, in place of runtime.warn."""
    warnings: dict[str, None] = {}
    runtime = replace(runtime, warn=warnings.setdefault)
    try:
        operation = operation_class(operation_class.argument_spec.typed(params), runtime)
    except InvalidOption as error:
        # Where an action has not validated the parameters before.
        result = result_of(_failed(error), runtime.redactor, return_token=False, diff_mode=False)
        return {**result, "request_count": 0, "warnings": []}
    try:
        result = result_from(operation, diff_mode=diff_mode)
    finally:
        operation.close()
    # What a warning quotes may have turned out to be a secret since.
    told = [operation.runtime.redactor.line(warning) for warning in warnings]
    # Counted after signing out, and so are its warnings.
    return {**result, "request_count": operation.request_count, "warnings": told}


def result_from(operation: Operation, *, diff_mode: bool = False) -> dict[str, Any]:
    """Run an operation that may run again: its result, without the number of requests and the warnings."""
    try:
        outcome = operation.run()
    except TokensError as error:
        if isinstance(error, MissingOption):
            variables = operation.argument_spec.variables_for(error.cause)
            error.cause += f" ({variables})" if variables else ""
        outcome = _failed(error)
    except Exception as error:  # pylint: disable=broad-exception-caught
        outcome = _failed(internal_error(error))
    return_token = operation.params.get("return_token", True)
    return result_of(outcome, operation.runtime.redactor, return_token=return_token, diff_mode=diff_mode)


def _failed(error: TokensError) -> Outcome:
    return Outcome(changed=False, action="none", error=error)
