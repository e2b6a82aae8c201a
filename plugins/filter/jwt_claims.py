# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that decodes the claims of a JWT."""

from __future__ import annotations

DOCUMENTATION = r"""
name: jwt_claims
short_description: Decode the claims of a JWT without verifying them
version_added: 0.1.0
description:
  - Returns the claims of a JSON Web Token (JWT), such as an access token. They show, for example, to whom the token was
    issued and when it expires.
  - The filter verifies neither the signature nor the expiry of the token. Anyone can create a token with any claims. Do
    not base access decisions on them.
options:
  _input:
    description: JWT in its compact form, which has three parts.
    type: str
    required: true
notes:
  - Claims are not secret and are not masked. They can contain the names of users and groups.
  - If the input is not a JWT with claims, the filter fails. The error message does not contain the input.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - plugin: sddc.tokens.token_fingerprint
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read the claims of an access token
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Create an access token
      sddc.tokens.csp_access_token:
        api_token: "{{ csp_api_token }}"
      register: csp

    - name: Show when the token expires, in seconds since 1970
      ansible.builtin.debug:
        msg: "{{ (csp.token | sddc.tokens.jwt_claims).exp }}"
"""

RETURN = r"""
_value:
  description: Claims by name. They are not verified.
  type: dict
  sample: {iss: "https://gaz.csp-vmware.local", sub: lab-user, exp: 1795257000}
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.sddc.tokens.plugins.module_utils._core import token as tokens


def jwt_claims(token: Any) -> dict[str, Any]:
    """Return the unverified claims of a JWT. Raises AnsibleFilterError without the token in its message."""
    # Vaulted values of older cores are not of the type str, but behave like it.
    claims = tokens.jwt_claims(str(token)) if hasattr(token, "encode") else {}
    if not claims:
        raise AnsibleFilterError("jwt_claims: the input is not a JWT with claims")
    return dict(claims)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"jwt_claims": jwt_claims}
