# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From arguments to a result, the same for both routes: in the controller's process and as a module."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

from .._core.argspec import with_secrets, without_fallbacks
from .._core.errors import TokensError, internal_error
from .._core.outcome import Outcome
from .._core.secret import Secret, redact
from .._core.token import Token, iso8601
from .._operations.base import Operation, Runtime

# What ends the core's own conversion, at an infinite integer for example. It quotes the value, and names no option.
_STUMBLED = (ArithmeticError, ValueError)
_UNKNOWN_YET = "known after the run"


class Validated:
    """Arguments after validation: either `params`, or `error`, a sentence without secrets."""

    def __init__(self, operation: type[Operation], args: Mapping[str, Any]) -> None:
        self.params: Mapping[str, Any] = {}
        self.error: Optional[str] = None
        self.deprecations: list[Mapping[str, Any]] = []
        self.warnings: list[str] = []
        validator = ArgumentSpecValidator(
            without_fallbacks(operation.argument_spec),
            mutually_exclusive=operation.mutually_exclusive,
            required_together=operation.required_together,
            required_one_of=operation.required_one_of,
            required_if=operation.required_if,
        )
        try:
            result = validator.validate(dict(args))
        except _STUMBLED:
            self.error = f"{operation.name}: {'; '.join(_stumbling_blocks(operation, args))}"
            return
        self.params = result.validated_parameters
        self.deprecations = list(result._deprecations)
        self.warnings = [
            f"Both option {warning['option']} and its alias {warning['alias']} are set." for warning in result._warnings
        ]
        complaints = _complaints(result.errors.errors) or _senseless_values(operation, self.params)
        if complaints:
            # Messages quote values, and the value of a secret may stand in any of them.
            self.error = _without(f"{operation.name}: {'; '.join(complaints)}", result._no_log_values)


def _stumbling_blocks(operation: type[Operation], args: Mapping[str, Any]) -> list[str]:
    """Complaints of the options that cannot be converted, each of which is tried alone."""
    found = []
    for name, option in operation.argument_spec.items():
        given = {key: args[key] for key in (name, *option.get("aliases", ())) if key in args}
        try:
            ArgumentSpecValidator(without_fallbacks({name: {**option, "required": False}})).validate(given)
        except _STUMBLED:
            found.append(f"the option {name} was given a value that cannot be of its type, {option['type']}")
    return found


def _complaints(errors: Sequence[Exception]) -> list[str]:
    """All that the validator found; an option that does not exist comes alone, for it explains the rest."""
    unsupported = [f"there is no option {error}" for error in errors if isinstance(error, UnsupportedError)]
    return unsupported or [str(error).rstrip(".") for error in errors]


def _senseless_values(operation: type[Operation], params: Mapping[str, Any]) -> list[str]:
    return _senseless_numbers(operation, params) + _senseless_texts(operation, params)


def _senseless_numbers(operation: type[Operation], params: Mapping[str, Any]) -> list[str]:
    """All numbers with a fraction are seconds: none is negative, infinite or no number."""
    return [
        f"the option {name} must be a number of seconds, 0 or more"
        for name, option in operation.argument_spec.items()
        if option["type"] == "float" and params.get(name) is not None and not 0 <= params[name] < math.inf
    ]


def _senseless_texts(operation: type[Operation], params: Mapping[str, Any]) -> list[str]:
    """Bytes that are no UTF-8, as an environment variable may hold, arrive as halves of characters."""
    return [
        f"the option {name} holds bytes that are no UTF-8"
        for name in operation.argument_spec
        if isinstance(params.get(name), str) and any("\ud800" <= character <= "\udfff" for character in params[name])
    ]


def _without(text: str, values: set[str]) -> str:
    return redact(text, map(Secret, values))


def execute(
    operation_class: type[Operation],
    params: Mapping[str, Any],
    *,
    check_mode: bool,
    diff_mode: bool,
    environ: Mapping[str, str],
    notify: Callable[[str], None],
) -> dict[str, Any]:
    """Run an operation with validated parameters. Every failure is a result; `warnings` is always there."""
    warnings: dict[str, None] = {}
    runtime = Runtime(check_mode, environ, warn=warnings.setdefault, notify=notify)
    operation = operation_class(with_secrets(operation_class.argument_spec, params), runtime)
    try:
        outcome = operation.run()
    except TokensError as error:
        outcome = Outcome(changed=False, action="none", error=error)
    except Exception as error:  # pylint: disable=broad-exception-caught
        outcome = Outcome(changed=False, action="none", error=internal_error(error))
    finally:
        operation.close()
    result = _result(outcome, params, diff_mode=diff_mode)
    # Counted after signing out, and so are its warnings.
    result["request_count"] = operation.request_count
    result["warnings"] = list(warnings)
    return result


def _result(outcome: Outcome, params: Mapping[str, Any], *, diff_mode: bool) -> dict[str, Any]:
    result: dict[str, Any] = {"changed": outcome.changed, "action": outcome.action, **outcome.values}
    if outcome.error:
        result.update(failed=True, msg=str(outcome.error))
    if outcome.verified is not None:
        result["verified"] = outcome.verified
    if outcome.token:
        result.update(_facts(outcome.token, outcome.now))
        if params.get("return_token", True):
            result.update(_secrets(outcome.token))
    if diff_mode and outcome.about_token:
        result["diff"] = _diff(outcome)
    return result


def _facts(token: Token, now: float) -> dict[str, Any]:
    expires_in = token.expires_in(now)
    return {
        "token_type": token.token_type,
        "issued_at": iso8601(token.issued_at),
        "expires_at": iso8601(token.expires_at),
        "expires_in": None if expires_in is None else max(0, int(expires_in)),
        "fingerprint": token.fingerprint,
    }


def _secrets(token: Token) -> dict[str, Any]:
    value = token.secret.reveal()
    secrets: dict[str, Any] = {"token": value}
    if token.signs_requests:
        secrets["headers"] = {"Authorization": f"{token.token_type} {value}"}
    return {**secrets, **{name: secret.reveal() for name, secret in token.companions.items()}}


def _diff(outcome: Outcome) -> dict[str, Any]:
    # A token that the product cannot end is in no outcome of absent, and yet still there.
    after = _shown(outcome.token if outcome.changed else outcome.before)
    if outcome.changed and outcome.token is None and outcome.action in ("created", "renewed"):
        after = {"fingerprint": _UNKNOWN_YET, "expires_at": _UNKNOWN_YET}
    return {"before": _shown(outcome.before), "after": after}


def _shown(token: Optional[Token]) -> dict[str, Any]:
    """What a diff may show of a token."""
    if token is None:
        return {}
    shown = {"fingerprint": token.fingerprint, "expires_at": iso8601(token.expires_at)}
    return {**shown, "scope": token.scope} if token.scope else shown
