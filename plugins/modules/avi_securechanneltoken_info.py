#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: avi_securechanneltoken_info
short_description: List the secure channel tokens of an Avi controller
version_added: 0.1.0
description:
  - Lists all secure channel tokens of an Avi Load Balancer controller, or those with a given name or UUID.
  - The result contains no secret unless O(return_token) is true.
options:
  name:
    description: Exact name of the tokens to list. Mutually exclusive with O(uuid).
    type: str
  uuid:
    description: UUID of the token to list.
    type: str
  return_token:
    description: Whether to return the name, UUID and URL of each token. They are, or contain, the token itself.
    type: bool
    default: false
extends_documentation_fragment:
  - sddc.tokens.avi
  - sddc.tokens.sealing
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.avi]
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Secure Channel Token, in the VMware Avi Load Balancer API
    description: The vendor's documentation of the operations.
    link: https://developer.broadcom.com/xapis/vmware-avi-load-balancer/latest/secure-channel-token
  - module: sddc.tokens.avi_securechanneltoken
"""

EXAMPLES = r"""
- name: Find secure channel tokens that expire soon
  hosts: localhost
  gather_facts: false
  tasks:
    - name: List all secure channel tokens
      sddc.tokens.avi_securechanneltoken_info:
        hostname: avi.example.com
        username: admin
        password: "{{ avi_password }}"
      register: channel

    - name: Show the fingerprints of those that expire within an hour
      ansible.builtin.debug:
        msg: >-
          {{ channel.securechanneltokens | rejectattr('expires_in', 'none') | selectattr('expires_in', 'lt', 3600)
          | map(attribute='fingerprint') | list }}
"""

RETURN = r"""
action:
  description: Action of the task. Always V(none).
  type: str
  returned: always
  sample: none
securechanneltokens:
  description: Secure channel tokens.
  type: list
  elements: dict
  returned: success
  contains:
    fingerprint:
      description: First 12 hexadecimal digits of the SHA-256 of the name or UUID, whichever looks generated. Null if
        neither does.
      type: str
      sample: 5f2b0a91c3de
    expires_at:
      description: Time when the token expires (UTC). Null if it does not expire.
      type: str
      sample: "2026-11-22T09:00:00Z"
    expires_in:
      description: Remaining lifetime (seconds). Null if the token does not expire.
      type: int
      sample: 86399
    in_use:
      description: Whether a Service Engine or controller uses the token. Null if the API version does not provide it.
      type: bool
      sample: false
    metadata:
      description: Metadata of the token as a dictionary.
      type: dict
      sample: {site: east}
    name:
      description: Name of the token. This value is a secret if it looks generated.
      type: str
      returned: when O(return_token) is true
      sample: Engines in the east
    uuid:
      description: UUID of the token. This value is a secret.
      type: str
      returned: when O(return_token) is true
      sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
    url:
      description: URL of the token. It ends with the UUID, and is a secret.
      type: str
      returned: when O(return_token) is true
      sample: https://avi.example.com/api/securechanneltoken/6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
request_count:
  description: Number of HTTP requests that the task sent, including sign-in and sign-out.
  type: int
  returned: always
  sample: 3
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.avi_securechanneltoken_info import (
    AviSecurechanneltokenInfo,
)
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(AviSecurechanneltokenInfo)


if __name__ == "__main__":
    main()
