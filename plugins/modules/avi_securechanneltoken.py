#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: avi_securechanneltoken
short_description: Manage a secure channel token of an Avi controller
version_added: 0.1.0
description:
  - Creates, updates or deletes a secure channel token of an Avi Load Balancer controller. Only the options that are set
    are compared with the existing token.
  - With O(lifetime), the expiry of the token is renewed before the token expires.
options:
  state:
    description:
      - V(present) creates the token, or updates the existing one.
      - V(absent) deletes the token, and verifies that it no longer exists.
    type: str
    choices: [present, absent]
    default: present
  name:
    description:
      - Name of the token. If two tokens have this name, the task fails; set O(uuid) instead.
      - Required to create a token. Together with O(uuid), it renames the token with that UUID.
    type: str
  uuid:
    description: UUID of the token. By default, the token is found by its name, and the controller generates the UUID of
      a new token.
    type: str
  url:
    description: URL of a new token. By default, the controller generates it. The URL of an existing token is not
      compared.
    type: str
  lifetime:
    description:
      - Lifetime from now on (seconds), for a new token and for one that is valid for less than O(min_remaining).
      - A token that does not expire is not changed. To let it expire, set O(expiry_time).
      - Mutually exclusive with O(expiry_time). Without both options, the expiry is not changed.
    type: str
  min_remaining:
    description:
      - Remaining lifetime below which O(lifetime) is applied again (seconds).
      - If O(lifetime) is not longer than this, half of O(lifetime) is used instead.
    type: str
    default: '300'
  expiry_time:
    description: Time when the token expires (seconds since 1970, UTC). Any other expiry is changed to this value.
    type: float
  in_use:
    description: Whether a Service Engine or controller uses the token. Requires Avi 21.1.1 or later.
    type: bool
  metadata:
    description:
      - Metadata of the token, as a dictionary, or as a list of dictionaries with the keys C(key) and C(val).
      - Only the given keys are set. Other existing keys are not changed.
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
  - A task signs in, reads the token, updates it if anything differs, and signs out.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Secure Channel Token, in the VMware Avi Load Balancer API
    description: The vendor's documentation of the operations.
    link: https://developer.broadcom.com/xapis/vmware-avi-load-balancer/latest/secure-channel-token
  - module: sddc.tokens.avi_securechanneltoken_info
  - module: sddc.tokens.avi_se_auth_token
"""

EXAMPLES = r"""
- name: Manage a secure channel token
  hosts: localhost
  gather_facts: false
  module_defaults:
    group/sddc.tokens.avi:
      hostname: avi.example.com
      username: admin
      password: "{{ avi_password }}"
  tasks:
    - name: Ensure that the token exists and is valid for at least an hour
      sddc.tokens.avi_securechanneltoken:
        name: Engines in the east
        lifetime: 86400
        min_remaining: 3600
        metadata:
          site: east
      register: channel

    - name: Show when the token expires
      ansible.builtin.debug:
        msg: "{{ channel.action }}, expires at {{ channel.expires_at }}"

- name: Delete a secure channel token
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that no token has this name
      sddc.tokens.avi_securechanneltoken:
        hostname: avi.example.com
        username: admin
        password: "{{ avi_password }}"
        name: Engines in the east
        state: absent
"""

RETURN = r"""
action:
  description: Action of the task, or predicted action in check mode. V(created), V(updated), V(deleted) or V(none).
  type: str
  returned: always
  sample: created
token:
  description: The token, which is RV(name) or RV(uuid), whichever looks generated. This value is a secret.
  type: str
  returned: when a token exists and O(return_token) is true
  sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
token_type:
  description: Type of the token.
  type: str
  returned: when a token exists
  sample: SecureChannelToken
name:
  description: Name of the token. This value is a secret if it looks generated.
  type: str
  returned: when a token exists and O(return_token) is true
  sample: Engines in the east
uuid:
  description: UUID of the token. This value is a secret.
  type: str
  returned: when a token exists and O(return_token) is true
  sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
url:
  description: URL of the token. It ends with the UUID, and is a secret.
  type: str
  returned: when a token exists and O(return_token) is true
  sample: https://avi.example.com/api/securechanneltoken/6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
in_use:
  description: Whether a Service Engine or controller uses the token. Null if the API version does not provide it.
  type: bool
  returned: when a token exists
  sample: false
metadata:
  description: Metadata of the token as a dictionary.
  type: dict
  returned: when a token exists
  sample: {site: east}
issued_at:
  description: Always null, because the controller does not return the time of creation.
  type: str
  returned: when a token exists
  sample: null
expires_at:
  description: Time when the token expires (UTC). Null if it does not expire.
  type: str
  returned: when a token exists
  sample: "2026-11-22T09:00:00Z"
expires_in:
  description: Remaining lifetime (seconds). Null if the token does not expire.
  type: int
  returned: when a token exists
  sample: 86399
fingerprint:
  description: First 12 hexadecimal digits of the SHA-256 of RV(token). It identifies a token without revealing it.
  type: str
  returned: when a token exists
  sample: 5f2b0a91c3de
verified:
  description: Whether the task read the token in its final state, or with O(state=absent), verified that it no longer
    exists.
  type: bool
  returned: success
  sample: true
verified_at:
  version_added: 0.2.0
  description: Time of the last verification (UTC).
  type: str
  returned: when a token exists
  sample: '2026-10-05T09:30:00Z'
request_count:
  description: Number of HTTP requests that the task sent, including sign-in and sign-out.
  type: int
  returned: always
  sample: 4
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.avi_securechanneltoken import (
    AviSecurechanneltoken,
)
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(AviSecurechanneltoken)


if __name__ == "__main__":
    main()
