# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner of a token: no two users have the same name in a token file."""

from __future__ import annotations

from itertools import combinations

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vrni_auth_token import User

USERS = [
    ("LDAP", "corp", "a/admin"),
    ("LDAP", "corp/a", "admin"),
    ("LDAP", "corp", "a%2Fadmin"),
    ("LDAP", "corp%2Fa", "admin"),
    ("LOCAL", None, "corp/a/admin"),
]


def test_two_users_never_have_the_same_principal_wherever_a_slash_is() -> None:
    principals = [User(dict(zip(("domain_type", "domain", "username"), user, strict=True))).principal for user in USERS]

    assert [pair for pair in combinations(principals, 2) if pair[0] == pair[1]] == []
    assert User({"domain_type": "LDAP", "domain": "corp", "username": "admin"}).principal == "LDAP/corp/admin"
