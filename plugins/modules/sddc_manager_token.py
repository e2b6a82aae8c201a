#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sddc_manager_token
short_description: Keep an access token of SDDC Manager alive
version_added: 0.1.0
description:
  - Makes sure that a working access token of SDDC Manager (VMware Cloud Foundation) exists, or revokes what renews it.
  - An access token lives for an hour. The refresh token that comes with it lives for a day, and renews it without the
    password as often as needed. A task with O(token_file) keeps both, and signs in again only when the refresh token
    is refused.
  - The product can revoke a refresh token, not an access token, which lives until it expires.
options:
  hostname:
    description:
      - The SDDC Manager, as a name, name:port, or https base URL.
      - The environment variable E(SDDC_MANAGER_HOST) is used when this is not set.
    type: str
    required: true
  username:
    description:
      - Name of the user, such as V(administrator@vsphere.local). It needs a role in SDDC Manager.
      - The environment variable E(SDDC_MANAGER_USERNAME) is used when this is not set.
    type: str
  password:
    description:
      - Password of the user. It is needed only when the user has to sign in.
      - The environment variable E(SDDC_MANAGER_PASSWORD) is used when this is not set.
    type: str
  refresh_token:
    description:
      - The refresh token that came with O(token), by which to renew that, or which O(state=absent) is to revoke.
      - Mutually exclusive with O(token_file), where it is kept.
    type: str
extends_documentation_fragment:
  - sddc.tokens.lifecycle
  - sddc.tokens.lifecycle.revocation
  - sddc.tokens.sealing
  - sddc.tokens.sealing.return_token
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.sddc_manager]
notes:
  - O(state=absent) revokes the refresh token, and with O(verify) proves it, by a refresh that SDDC Manager must refuse,
    also when the revocation itself is refused. A warning says until when the access token lives.
  - A refresh token can only be checked by using it, which creates an access token. In check mode,
    O(state=absent) therefore predicts that O(refresh_token) would be revoked, and warns that it may be dead already.
  - O(revoke_old) revokes a refresh token that was replaced. One that has renewed its access token stays, for the new
    access token depends on it.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Tokens APIs, in the VMware Cloud Foundation API
    description: The vendor's page of the operations.
    link: https://developer.broadcom.com/xapis/vmware-cloud-foundation-api/latest/tokens/
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Keep a token, and use it
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make sure that there is a token with half an hour of life
      sddc.tokens.sddc_manager_token:
        hostname: sddc-manager.example.com
        username: administrator@vsphere.local
        password: "{{ sddc_manager_password }}"
        token_file: ~/.sddc/sddc-manager.json
        min_remaining: 1800
      register: sddc_manager

    - name: List the SDDC Managers
      ansible.builtin.uri:
        url: https://sddc-manager.example.com/v1/sddc-managers
        headers: "{{ sddc_manager.headers }}"
      no_log: true

- name: Use a token for one play, and revoke its refresh token; the next run does that for one that was killed
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Work with a token
      block:
        - name: Create it
          sddc.tokens.sddc_manager_token:
            hostname: sddc-manager.example.com
            username: administrator@vsphere.local
            password: "{{ sddc_manager_password }}"
            record_folder: ~/.sddc/sessions
          register: sddc_manager

        - name: List the SDDC Managers
          ansible.builtin.uri:
            url: https://sddc-manager.example.com/v1/sddc-managers
            headers: "{{ sddc_manager.headers }}"
          no_log: true
      always:
        - name: Revoke the refresh token; the access token lives until it expires
          sddc.tokens.sddc_manager_token:
            hostname: sddc-manager.example.com
            token: "{{ sddc_manager.token }}"
            refresh_token: "{{ sddc_manager.refresh_token }}"
            record_folder: ~/.sddc/sessions
            state: absent
          when: sddc_manager.token is defined
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  type: str
  returned: always
  sample: created
token:
  description: The token. It is a secret.
  type: str
  returned: when there is a token and O(return_token) is true
  sample: eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl
token_type:
  description: The scheme with which the token is sent.
  type: str
  returned: when there is a token
  sample: Bearer
headers:
  description: Headers that sign a request, ready for O(ansible.builtin.uri#module:headers). They are secret.
  type: dict
  returned: when there is a token and O(return_token) is true
  sample: {Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl}
issued_at:
  description: When the token was issued, in UTC. Null when that is unknown.
  type: str
  returned: when there is a token
  sample: "2026-11-21T09:00:00Z"
expires_at:
  description: When the token expires, in UTC. Null when that is unknown.
  type: str
  returned: when there is a token
  sample: "2026-11-21T10:00:00Z"
expires_in:
  description: Seconds of life that are left. Null when that is unknown.
  type: int
  returned: when there is a token
  sample: 3599
fingerprint:
  description: The first 12 hexadecimal digits of the SHA-256 of the token, by which to tell tokens apart.
  type: str
  returned: when there is a token
  sample: 5f2b0a91c3de
verified:
  description:
    - Whether this task has seen that the token works.
    - For O(state=absent) whether it has seen that the refresh token works no longer.
  type: bool
  returned: success
  sample: true
verified_at:
  description: When the token was last proven, in UTC. It may have been another task; see O(verify_max_age).
  type: str
  returned: when there is a token
  sample: '2026-10-05T09:30:00Z'
request_count:
  description: All HTTP requests that the task made.
  type: int
  returned: always
  sample: 2
refresh_token:
  description: The refresh token that came with the access token. It is a secret.
  type: str
  returned: when there is one and O(return_token) is true
  sample: 3c6b3c30-3bf2-480b-9539-8483699ab911
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.sddc_manager_token import SddcManagerToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(SddcManagerToken)


if __name__ == "__main__":
    main()
