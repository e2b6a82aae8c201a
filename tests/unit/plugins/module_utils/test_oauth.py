# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A JWT is valid within the times of its claims."""

from __future__ import annotations

import jwt
import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._clients.oauth import is_valid_by_claims
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret

NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("claims", "is_valid"),
    [
        ({}, True),
        ({"exp": NOW + 1}, True),
        ({"exp": NOW}, False),
        ({"nbf": NOW + 60}, True),
        ({"nbf": NOW + 61}, False),
        ({"exp": NOW + 600, "nbf": NOW - 1}, True),
        ({"exp": NOW + 600, "nbf": NOW + 300}, False),
    ],
)
def test_a_token_is_valid_between_its_nbf_and_its_expiry_with_a_minute_of_leeway(
    claims: dict[str, int], is_valid: bool
) -> None:
    token = Secret(jwt.encode({"sub": "me", **claims}, "a-key-of-thirty-two-characters-..", "HS256"))

    assert is_valid_by_claims(token, NOW) == is_valid
