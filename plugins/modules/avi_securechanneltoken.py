#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: avi_securechanneltoken
short_description: Create, renew and delete secure channel tokens of an Avi controller
version_added: 0.1.0
description:
  - Makes sure that a secure channel token of an Avi Load Balancer controller exists with the fields given, or that it
    does not exist. Only the fields that are given are compared, and a second run changes nothing.
  - With O(lifetime) the token's expiry is renewed before it is over.
options:
  state:
    description:
      - V(present) creates the token, or updates the one that there is.
      - V(absent) deletes it, and proves that it is gone.
    type: str
    choices: [present, absent]
    default: present
  name:
    description:
      - Name of the token. Two tokens of one name are an error; give O(uuid) then.
      - Needed to create one. Together with O(uuid) it renames the token that has that UUID.
    type: str
  uuid:
    description: UUID of the token. By default it is found by its name, and the controller chooses that of a new one.
    type: str
  url:
    description: URL of a new token. By default the controller chooses it. It is not compared.
    type: str
  lifetime:
    description:
      - Seconds of life from now on, for a new token and for one with less than O(min_remaining) left.
      - A token that does not expire is left as it is. Give it an end with O(expiry_time).
      - Mutually exclusive with O(expiry_time). Without either the expiry is left alone.
    type: str
  min_remaining:
    description:
      - Seconds of life below which O(lifetime) is applied anew.
      - Where O(lifetime) is not longer than this, half of it counts.
    type: str
    default: '300'
  expiry_time:
    description: When the token expires, in seconds since 1970, UTC. It is compared as it is.
    type: float
  in_use:
    description: Whether a Service Engine or controller uses the token. It needs release 21.1.1.
    type: bool
  metadata:
    description:
      - Metadata of the token, as a mapping, or as a list of mappings with the keys C(key) and C(val).
      - The keys given get their values. Others stay.
    type: raw
extends_documentation_fragment:
  - sddc.tokens.avi
  - sddc.tokens.sealing
  - sddc.tokens.sealing.return_token
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.avi]
notes:
  - A task signs in, reads the token, writes it where something differs, and signs out.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Secure Channel Token, in the VMware Avi Load Balancer API
    description: The vendor's page of the operations.
    link: https://developer.broadcom.com/xapis/vmware-avi-load-balancer/latest/secure-channel-token
  - module: sddc.tokens.avi_securechanneltoken_info
  - module: sddc.tokens.avi_se_auth_token
"""

EXAMPLES = r"""
- name: Keep a secure channel token
  hosts: localhost
  gather_facts: false
  module_defaults:
    group/sddc.tokens.avi:
      hostname: avi.example.com
      username: admin
      password: "{{ avi_password }}"
  tasks:
    - name: Make sure that it exists, and lives a day
      sddc.tokens.avi_securechanneltoken:
        name: Engines in the east
        lifetime: 86400
        min_remaining: 3600
        metadata:
          site: east
      register: channel

    - name: Say how long it lasts
      ansible.builtin.debug:
        msg: "{{ channel.action }}: it ends at {{ channel.expires_at }}."

- name: Delete a secure channel token
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make sure that there is none of this name
      sddc.tokens.avi_securechanneltoken:
        hostname: avi.example.com
        username: admin
        password: "{{ avi_password }}"
        name: Engines in the east
        state: absent
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode, V(created), V(updated), V(deleted) or V(none).
  type: str
  returned: always
  sample: created
token:
  description: The token, which is that of RV(name) and RV(uuid) that looks generated. It is a secret.
  type: str
  returned: when there is a token and O(return_token) is true
  sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
token_type:
  description: The kind of the token.
  type: str
  returned: when there is a token
  sample: SecureChannelToken
name:
  description: Its name. It is a secret where it looks generated.
  type: str
  returned: when there is a token and O(return_token) is true
  sample: Engines in the east
uuid:
  description: Its UUID. It is a secret.
  type: str
  returned: when there is a token and O(return_token) is true
  sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
url:
  description: Its URL, which ends in its UUID. It is a secret.
  type: str
  returned: when there is a token and O(return_token) is true
  sample: https://avi.example.com/api/securechanneltoken/6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
in_use:
  description: Whether a Service Engine or controller uses it. Null where the version of the API does not tell.
  type: bool
  returned: when there is a token
  sample: false
metadata:
  description: Its metadata by key.
  type: dict
  returned: when there is a token
  sample: {site: east}
issued_at:
  description: Always null, for the controller does not tell.
  type: str
  returned: when there is a token
  sample: null
expires_at:
  description: When the token expires, in UTC. Null when it does not.
  type: str
  returned: when there is a token
  sample: "2026-11-22T09:00:00Z"
expires_in:
  description: Seconds of life that are left. Null when it does not expire.
  type: int
  returned: when there is a token
  sample: 86399
fingerprint:
  description:
    - The first 12 hexadecimal digits of the SHA-256 of RV(token), by which to tell tokens apart.
  type: str
  returned: when there is a token
  sample: 5f2b0a91c3de
verified:
  description: Whether this task has seen the token as it is now, or for O(state=absent) that it is gone.
  type: bool
  returned: success
  sample: true
verified_at:
  description: When the token was last seen to be valid, in UTC.
  type: str
  returned: when there is a token
  sample: '2026-10-05T09:30:00Z'
request_count:
  description: All HTTP requests that the task made, to sign in and out included.
  type: int
  returned: always
  sample: 4
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.avi_securechanneltoken import (
    AviSecurechanneltoken,
)
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(AviSecurechanneltoken)


if __name__ == "__main__":
    main()
