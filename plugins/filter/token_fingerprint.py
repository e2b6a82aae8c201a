# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that tells tokens apart."""

from __future__ import annotations

DOCUMENTATION = r"""
name: token_fingerprint
short_description: Tell tokens apart without showing them
version_added: 0.1.0
description:
  - Returns the first 12 hexadecimal digits of the SHA-256 of a token, as the modules of this collection return it in
    their result C(fingerprint).
  - The fingerprint of a generated token gives nothing away. That of a value which can be guessed, such as a password,
    does.
options:
  _input:
    description: The token.
    type: str
    required: true
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - plugin: sddc.tokens.jwt_claims
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See which token is in use
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make sure that there is a token
      sddc.tokens.vrni_auth_token:
        hostname: vrni.example.com
        username: admin@local
        password: "{{ vrni_password }}"
        token_file: ~/.sddc/vrni.json
        return_token: false
      register: vrni

    - name: Check that the file holds the token of the result
      ansible.builtin.assert:
        that: lookup('sddc.tokens.token_file', '~/.sddc/vrni.json') | sddc.tokens.token_fingerprint == vrni.fingerprint
"""

RETURN = r"""
_value:
  description: The fingerprint.
  type: str
  sample: 5f2b0a91c3de
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import fingerprint


def token_fingerprint(token: Any) -> str:
    """The fingerprint of a token. Raises AnsibleFilterError, whose text does not hold the token."""
    # Vaulted values of older cores are no str, but behave like one.
    text = str(token) if hasattr(token, "encode") else ""
    if not text:
        raise AnsibleFilterError("token_fingerprint: the input is not a token: it is empty, or no text")
    try:
        return fingerprint(text)
    except UnicodeEncodeError:
        raise AnsibleFilterError("token_fingerprint: the input is not valid Unicode") from None


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return {"token_fingerprint": token_fingerprint}
