# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert an outcome to the result of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from .._core.outcome import Outcome
from .._core.redaction import Redactor
from .._core.secret import Secret
from .._core.token import Token, iso8601

_KNOWN_LATER = "known after the run"


def result_of(outcome: Outcome, redactor: Redactor, *, return_token: bool, diff_mode: bool) -> dict[str, Any]:
    """The result of a task. It contains secrets only with `return_token`, and where a value is a Secret.

    Texts of servers, files and users are redacted.
    """
    result: dict[str, Any] = {"changed": outcome.changed, "action": outcome.action, **redactor.value(outcome.values)}
    if outcome.error:
        result.update(failed=True, msg=redactor.line(str(outcome.error)))
    if outcome.verified is not None:
        result["verified"] = outcome.verified
    if outcome.token:
        result.update(_facts(outcome.token, outcome.now))
        proven_now = outcome.now if outcome.verified else None
        result["verified_at"] = iso8601(outcome.token.verified_at or proven_now)
        if return_token:
            result.update(_secrets(outcome.token, outcome.headers))
    diff = _diff(outcome) if outcome.about_token else outcome.diff
    if diff_mode and diff:
        result["diff"] = redactor.value(diff)
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


def _secrets(token: Token, headers: Optional[Mapping[str, Secret]]) -> dict[str, Any]:
    secrets: dict[str, Any] = {"token": token.secret.reveal()}
    if token.signs_requests:
        secrets["headers"] = (
            {"Authorization": f"{token.token_type} {token.secret.reveal()}"}
            if headers is None
            else {name: value.reveal() for name, value in headers.items()}
        )
    return {**secrets, **{name: secret.reveal() for name, secret in token.companions.items()}}


def _diff(outcome: Outcome) -> Mapping[str, Any]:
    # For a token that cannot be revoked, `absent` changes nothing: it is in the diff before and after.
    after = _shown(outcome.token if outcome.changed else outcome.before)
    if outcome.changed and outcome.token is None and outcome.action in ("created", "renewed"):
        after = {"fingerprint": _KNOWN_LATER, "expires_at": _KNOWN_LATER}
    return {"before": _shown(outcome.before), "after": after}


def _shown(token: Optional[Token]) -> dict[str, Any]:
    """The facts about a token that a diff shows."""
    if token is None:
        return {}
    shown = {"fingerprint": token.fingerprint, "expires_at": iso8601(token.expires_at)}
    return {**shown, "scope": token.scope} if token.scope else shown
