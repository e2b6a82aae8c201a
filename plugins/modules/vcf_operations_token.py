#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vcf_operations_token
short_description: Manage a token of VCF Operations
version_added: 0.2.0
description:
  - Ensures that a valid token of VCF Operations (VMware Aria Operations, vRealize Operations Manager) exists, or
    releases it.
  - A token is valid for six hours after the last request with it. A task that verifies a token therefore also extends
    it. A token that is used or verified at least every six hours is not replaced, unless O(renew=always).
options:
  hostname:
    description:
      - VCF Operations, as a name, name:port, or https base URL without C(/suite-api).
      - If not set, the environment variable E(VCF_OPERATIONS_HOST) is used.
    type: str
    required: true
  username:
    description:
      - Name of the user, such as V(admin).
      - If not set, the environment variable E(VCF_OPERATIONS_USERNAME) is used.
    type: str
  password:
    description:
      - Password of the user. It is required only to create a token.
      - If not set, the environment variable E(VCF_OPERATIONS_PASSWORD) is used.
    type: str
  auth_source:
    description:
      - Name of the authentication source of the user, as the sign-in page shows it. Do not set it for a local user.
      - If not set, the environment variable E(VCF_OPERATIONS_AUTH_SOURCE) is used.
    type: str
  auth_scheme:
    description:
      - Scheme of the C(Authorization) header, in the requests of the task and in the result RV(headers).
      - Releases before 9.0 accept V(vRealizeOpsToken) only. A server that does not know the scheme refuses every token,
        and the task cannot distinguish this from an invalid token. It does not try another scheme.
    type: str
    choices: [OpsToken, vRealizeOpsToken]
    default: OpsToken
extends_documentation_fragment:
  - sddc.tokens.lifecycle
  - sddc.tokens.token_store
  - sddc.tokens.lifecycle.revocation
  - sddc.tokens.token_store.record
  - sddc.tokens.sealing
  - sddc.tokens.sealing.return_token
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.vcf_operations]
notes:
  - A stored expiry is a lower bound, because other programs also extend the token. With O(verify), the server decides
    whether the token is valid, even after the stored expiry. Without it, the stored expiry decides.
  - A verification extends the token. The result contains the new expiry. It is also stored in O(token_file) or
    O(token_store) if the stored one is less than three hours away, or closer than O(min_remaining) or O(renew_before).
    This is not reported as a change.
  - Lookups and M(sddc.tokens.token_info) read the stored expiry. Run the task at least every three hours, so that they
    do not treat a valid token as expired.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Auth, in the API reference of VCF Operations
    description: The vendor's documentation of the operations.
    link: https://developer.broadcom.com/xapis/vcf-operations-api/latest/
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Store a token and use it
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that a valid token exists
      sddc.tokens.vcf_operations_token:
        hostname: vcf-operations.example.com
        username: admin
        password: "{{ vcf_operations_password }}"
        token_file: ~/.sddc/vcf-operations.json
      register: vcf_operations

    - name: Read the version
      ansible.builtin.uri:
        url: https://vcf-operations.example.com/suite-api/api/versions/current
        headers: "{{ vcf_operations.headers }}"
      no_log: true

- name: Use a token of a directory user for one play and release it at the end
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Create, use and release a token
      block:
        # If the play is killed, the next task with this record_folder releases the token.
        - name: Create a token
          sddc.tokens.vcf_operations_token:
            hostname: vcf-operations.example.com
            username: operator@example.com
            password: "{{ vcf_operations_directory_password }}"
            auth_source: Corporate directory
            record_folder: ~/.sddc/sessions
          register: vcf_operations

        - name: Read the version
          ansible.builtin.uri:
            url: https://vcf-operations.example.com/suite-api/api/versions/current
            headers: "{{ vcf_operations.headers }}"
          no_log: true
      always:
        - name: Release the token
          sddc.tokens.vcf_operations_token:
            hostname: vcf-operations.example.com
            token: "{{ vcf_operations.token }}"
            record_folder: ~/.sddc/sessions
            state: absent
          when: vcf_operations.token is defined
"""

RETURN = r"""
action:
  description: Action of the task, or predicted action in check mode. V(created), V(reused), V(renewed), V(revoked),
    V(forgotten) or V(none).
  type: str
  returned: always
  sample: created
token:
  description: The token. This value is a secret.
  type: str
  returned: when a token exists and O(return_token) is true
  sample: 1f0c8a3e-5f0b-4b7c-9a51-2f2f6d1f4a10::0c9d2c84-6d53-4a4f-8a2c-7c1f0f6f9b1e
token_type:
  description: Type of the token, which is O(auth_scheme).
  type: str
  returned: when a token exists
  sample: OpsToken
headers:
  description: HTTP headers that authenticate a request, for O(ansible.builtin.uri#module:headers). They are secret.
  type: dict
  returned: when a token exists and O(return_token) is true
  sample:
    Authorization: OpsToken 1f0c8a3e-5f0b-4b7c-9a51-2f2f6d1f4a10::0c9d2c84-6d53-4a4f-8a2c-7c1f0f6f9b1e
issued_at:
  description: Time when the token was issued (UTC). Null if unknown.
  type: str
  returned: when a token exists
  sample: "2026-11-21T09:00:00Z"
expires_at:
  description: Time when the token expires if it is not used again (UTC). Null if unknown.
  type: str
  returned: when a token exists
  sample: "2026-11-21T15:00:00Z"
expires_in:
  description: Remaining lifetime (seconds). Null if unknown.
  type: int
  returned: when a token exists
  sample: 21599
fingerprint:
  description: First 12 hexadecimal digits of the SHA-256 of the token. It identifies a token without revealing it.
  type: str
  returned: when a token exists
  sample: 5f2b0a91c3de
verified:
  description:
    - Whether it was verified that the token works.
    - With O(state=absent), whether the task verified that the token no longer works.
  type: bool
  returned: success
  sample: true
verified_at:
  description: Time of the last verification (UTC). Another task may have performed it; see O(verify_max_age).
  type: str
  returned: when a token exists
  sample: '2026-10-05T09:30:00Z'
request_count:
  description: Number of HTTP requests that the task sent.
  type: int
  returned: always
  sample: 2
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vcf_operations_token import VcfOperationsToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(VcfOperationsToken)


if __name__ == "__main__":
    main()
