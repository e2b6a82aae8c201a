# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses of OAuth 2.0 servers (RFC 6749, section 5), and access tokens that are JWTs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from .._core.errors import BadResponse
from .._core.secret import Secret, authorization
from .._core.token import Token, claimed_time, jwt_claims
from .._http.response import Response, number

SCHEME = "Bearer"
# The type of a stored token that is exchanged for access tokens.
API_TOKEN = "api_token"
ID_TOKEN = "id_token"
REFRESH_TOKEN = "refresh_token"

# Seconds by which clocks may differ when `nbf` is checked.
_LEEWAY = 60


def token_of_response(response: Response, now: float, companions: tuple[str, ...]) -> Token:
    """The token of a successful response. `now` is the server's time in epoch seconds.

    `companions` names further secrets of the response to keep. Raises BadResponse with the usable companions: a new
    refresh token may be the only one that is still valid.
    """
    document = response.mapping()
    kept: dict[str, Secret] = {}
    problem: Optional[BadResponse] = None
    for name in ("access_token", *companions):
        try:
            if name == "access_token" or _text(document.get(name)):
                kept[name] = response.secret(name)
        except BadResponse as error:
            problem = problem or error
    secret = kept.pop("access_token", None)
    if problem is not None or secret is None:
        problem = problem or response.bad("the response has no usable 'access_token'")
        problem.companions = kept
        raise problem
    return access_token_of(
        secret,
        issued_at=now,
        expires_at=_expiry(document.get("expires_in"), now),
        scope=_text(document.get("scope")),
        companions=kept,
    )


def jwt_of_response(response: Response, what: str) -> Secret:
    """The JWT that is the whole body, plain or as a JSON string. `what` names it in errors. Raises BadResponse."""
    text = response.body.decode("utf-8", "replace").strip()
    text = text[1:-1] if text.startswith('"') and text.endswith('"') else text
    if jwt_claims(text):
        return response.sendable(text, what)
    if not response.body.strip():
        raise response.bad(f"the response is empty instead of {what}")
    raise response.bad(f"the response is not {what}: it is not a JWT")


def access_token_of(
    secret: Secret,
    *,
    issued_at: Optional[float] = None,
    expires_at: Optional[float] = None,
    scope: Optional[str] = None,
    companions: Optional[Mapping[str, Secret]] = None,
) -> Token:
    """An access token with the facts in its claims. The earliest expiry counts, including that of its OpenID token."""
    companions = companions or {}
    claims = jwt_claims(secret.reveal())
    expiries = [expires_at, claimed_time(claims, "exp")]
    if ID_TOKEN in companions:
        expiries.append(claimed_time(jwt_claims(companions[ID_TOKEN].reveal()), "exp"))
    return Token(
        secret,
        SCHEME,
        issued_at if issued_at is not None else claimed_time(claims, "iat"),
        min((time for time in expiries if time is not None), default=None),
        scope,
        companions,
    )


def is_valid_by_claims(secret: Secret, now: float) -> bool:
    """Whether `exp` and `nbf` of a JWT allow its use at `now`; true for a token without these claims."""
    claims = jwt_claims(secret.reveal())
    expires_at, valid_from = claimed_time(claims, "exp"), claimed_time(claims, "nbf")
    return (expires_at is None or expires_at > now) and (valid_from is None or valid_from <= now + _LEEWAY)


def bearer(secret: Secret) -> Secret:
    """The value of an Authorization header (RFC 6750, section 2.1)."""
    return authorization(SCHEME, secret)


def _expiry(expires_in: Any, now: float) -> Optional[float]:
    seconds = number(expires_in)
    return now + seconds if seconds is not None and seconds > 0 else None


def _text(value: Any) -> Optional[str]:
    """A non-empty string that is valid Unicode; None for anything else."""
    is_text = isinstance(value, str) and value and not any("\ud800" <= character <= "\udfff" for character in value)
    return value if is_text else None
