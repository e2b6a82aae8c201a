# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that looks at the claims of a JWT."""

from __future__ import annotations

DOCUMENTATION = r"""
name: jwt_claims
short_description: Look at the claims of a JWT without verifying them
version_added: 0.1.0
description:
  - Returns what a JSON Web Token, such as an access token, says of itself, to see for whom it is and when it expires.
  - Nothing is verified, neither the signature nor the expiry. Whoever made the token may have written anything. Never
    decide by it whether somebody may do something.
options:
  _input:
    description: The token, in its compact form of three parts.
    type: str
    required: true
notes:
  - The claims are not secret as such, and are not masked. They may name people and groups.
  - Anything but a JWT with claims is an error, which does not quote it.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - plugin: sddc.tokens.token_fingerprint
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See what an access token says of itself
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Get an access token
      sddc.tokens.csp_access_token:
        api_token: "{{ csp_api_token }}"
      register: csp

    - name: Say when it expires, in seconds since 1970
      ansible.builtin.debug:
        msg: "{{ (csp.token | sddc.tokens.jwt_claims).exp }}"
"""

RETURN = r"""
_value:
  description: The claims by name, unverified.
  type: dict
  sample: {iss: "https://gaz.csp-vmware.local", sub: lab-user, exp: 1795257000}
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.sddc.tokens.plugins.module_utils._core import token as tokens


def jwt_claims(token: Any) -> dict[str, Any]:
    """The claims of a JWT, unverified. Raises AnsibleFilterError, whose text does not hold the token."""
    # Vaulted values of older cores are no str, but behave like one.
    claims = tokens.jwt_claims(str(token)) if hasattr(token, "encode") else {}
    if not claims:
        raise AnsibleFilterError("jwt_claims: the input is not a JWT with claims")
    return dict(claims)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by its name."""
        return {"jwt_claims": jwt_claims}
