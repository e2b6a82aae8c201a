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
  - Lists the secure channel tokens of an Avi Load Balancer controller, or those of one name, or one.
  - Nothing in the result is secret unless O(return_token) is true.
options:
  name:
    description: Only tokens that have exactly this name. Mutually exclusive with O(uuid).
    type: str
  uuid:
    description: Only the token of this UUID.
    type: str
  return_token:
    description: Whether the entries hold name, UUID and URL, which are the tokens themselves.
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
    description: The vendor's page of the operations.
    link: https://developer.broadcom.com/xapis/vmware-avi-load-balancer/latest/secure-channel-token
  - module: sddc.tokens.avi_securechanneltoken
"""

EXAMPLES = r"""
- name: See which secure channel tokens are about to expire
  hosts: localhost
  gather_facts: false
  tasks:
    - name: List them
      sddc.tokens.avi_securechanneltoken_info:
        hostname: avi.example.com
        username: admin
        password: "{{ avi_password }}"
      register: channel

    - name: Name those with less than an hour of life by their fingerprints
      ansible.builtin.debug:
        msg: >-
          {{ channel.securechanneltokens | rejectattr('expires_in', 'none') | selectattr('expires_in', 'lt', 3600)
          | map(attribute='fingerprint') | list }}
"""

RETURN = r"""
action:
  description: What was done, always V(none).
  type: str
  returned: always
  sample: none
securechanneltokens:
  description: The tokens.
  type: list
  elements: dict
  returned: success
  contains:
    fingerprint:
      description:
        - The first 12 hexadecimal digits of the SHA-256 of that of name and UUID which looks generated. Null where
          neither does.
      type: str
      sample: 5f2b0a91c3de
    expires_at:
      description: When it expires, in UTC. Null when it does not.
      type: str
      sample: "2026-11-22T09:00:00Z"
    expires_in:
      description: Seconds of life that are left. Null when it does not expire.
      type: int
      sample: 86399
    in_use:
      description: Whether a Service Engine or controller uses it. Null where the version of the API does not tell.
      type: bool
      sample: false
    metadata:
      description: Its metadata by key.
      type: dict
      sample: {site: east}
    name:
      description: Its name. It is a secret where it looks generated.
      type: str
      returned: when O(return_token) is true
      sample: Engines in the east
    uuid:
      description: Its UUID. It is a secret.
      type: str
      returned: when O(return_token) is true
      sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
    url:
      description: Its URL, which ends in its UUID. It is a secret.
      type: str
      returned: when O(return_token) is true
      sample: https://avi.example.com/api/securechanneltoken/6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
request_count:
  description: All HTTP requests that the task made, to sign in and out included.
  type: int
  returned: always
  sample: 3
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.avi_securechanneltoken_info import (
    AviSecurechanneltokenInfo,
)
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(AviSecurechanneltokenInfo)


if __name__ == "__main__":
    main()
