# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that calculates the fingerprint of a token."""

from __future__ import annotations

DOCUMENTATION = r"""
name: token_fingerprint
short_description: Calculate the fingerprint of a token
version_added: 0.1.0
description:
  - Returns the first 12 hexadecimal digits of the SHA-256 of a token. The modules of this collection return the same
    value as C(fingerprint). It identifies a token without revealing it.
  - The fingerprint of a generated token is not a secret. The fingerprint of a value that can be guessed, such as a
    password, can reveal the value.
options:
  _input:
    description: Token.
    type: str
    required: true
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - plugin: sddc.tokens.jwt_claims
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Compare the token of a result with the token in a file
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that a valid token exists
      sddc.tokens.vrni_auth_token:
        hostname: vrni.example.com
        username: admin@local
        password: "{{ vrni_password }}"
        token_file: ~/.sddc/vrni.json
        return_token: false
      register: vrni

    - name: Check that the file contains the token of the result
      ansible.builtin.assert:
        that: lookup('sddc.tokens.token_file', '~/.sddc/vrni.json') | sddc.tokens.token_fingerprint == vrni.fingerprint
"""

RETURN = r"""
_value:
  description: Fingerprint of the token.
  type: str
  sample: 5f2b0a91c3de
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import fingerprint


def token_fingerprint(token: Any) -> str:
    """Return the fingerprint of a token. Raises AnsibleFilterError without the token in its message."""
    # Vaulted values of older cores are not of the type str, but behave like it.
    text = str(token) if hasattr(token, "encode") else ""
    if not text:
        raise AnsibleFilterError("token_fingerprint: the input is not a token; it must be a string that is not empty")
    try:
        return fingerprint(text)
    except UnicodeEncodeError:
        raise AnsibleFilterError("token_fingerprint: the input is not valid Unicode") from None


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"token_fingerprint": token_fingerprint}
