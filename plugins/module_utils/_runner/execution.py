# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run an operation, and convert its outcome or its failure to a result."""

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
    """Run an operation with validated parameters. Warnings are returned as `warnings`; runtime.warn is not used."""
    warnings: dict[str, None] = {}
    runtime = replace(runtime, warn=warnings.setdefault)
    try:
        operation = operation_class(operation_class.argument_spec.typed(params), runtime)
    except InvalidOption as error:
        # On the module route, no action plugin has validated the parameters.
        result = result_of(_failed(error), runtime.redactor, return_token=False, diff_mode=False)
        return {**result, "request_count": 0, "warnings": []}
    try:
        result = result_from(operation, diff_mode=diff_mode)
    finally:
        operation.close()
    # Redact again: a quoted text may have become known as a secret after the warning.
    redacted = [operation.runtime.redactor.line(warning) for warning in warnings]
    # The sign-out counts too, and may warn.
    return {**result, "request_count": operation.request_count, "warnings": redacted}


def result_from(operation: Operation, *, diff_mode: bool = False) -> dict[str, Any]:
    """Run an operation without closing it, so that it can run again. Returns no `request_count` and `warnings`."""
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
