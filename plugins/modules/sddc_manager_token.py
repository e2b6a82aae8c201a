#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sddc_manager_token
short_description: Manage an access token of SDDC Manager
version_added: 0.1.0
description:
  - Ensures that a valid access token of SDDC Manager (VMware Cloud Foundation) exists, or revokes its refresh token.
  - An access token is valid for one hour. The refresh token that is issued with it is valid for one day, and renews the
    access token without the password. A task with O(token_file) stores both tokens, and signs in again only if SDDC
    Manager rejects the refresh token.
  - A VCF Installer has the same token operations. Set O(hostname) to the installer.
  - SDDC Manager can revoke refresh tokens, but not access tokens. An access token is valid until it expires.
options:
  hostname:
    description:
      - SDDC Manager or VCF Installer, as a name, name:port, or https base URL.
      - If not set, the environment variable E(SDDC_MANAGER_HOST) is used.
    type: str
    required: true
  username:
    description:
      - Name of the user, such as V(administrator@vsphere.local). The user requires a role in SDDC Manager.
      - The user of a VCF Installer is V(admin@local).
      - If not set, the environment variable E(SDDC_MANAGER_USERNAME) is used.
    type: str
  password:
    description:
      - Password of the user. It is required only when the user signs in.
      - If not set, the environment variable E(SDDC_MANAGER_PASSWORD) is used.
    type: str
  refresh_token:
    description:
      - Refresh token that was issued with O(token). It renews O(token), or is revoked with O(state=absent).
      - Mutually exclusive with O(token_file) and O(token_store), which store the refresh token.
    type: str
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
    membership: [sddc.tokens.all, sddc.tokens.sddc_manager]
notes:
  - O(state=absent) revokes the refresh token. With O(verify), the task then tries to use the refresh token and expects
    SDDC Manager to reject it, even if the revocation itself failed. A warning says how long the access token is still
    valid.
  - A refresh token can only be checked by using it, which creates an access token. In check mode, O(state=absent)
    therefore predicts that O(refresh_token) would be revoked, and warns that it may already be invalid.
  - O(revoke_old) revokes a refresh token that was replaced. A refresh token that renewed its own access token is kept,
    because the new access token depends on it.
  - With O(verify), a token is verified with C(GET /v1/sddc-managers). If the server returns 404, as a VCF Installer is
    expected to, C(GET /v1/sddcs) verifies the token.
  - The requests for a VCF Installer were compared with those of C(vcf-installer) 9.1.1.0. They are the same, except for
    C(GET /v1/sddc-managers), which that client does not have. No real VCF Installer was available.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Tokens APIs, in the VMware Cloud Foundation API
    description: The vendor's documentation of the operations.
    link: https://developer.broadcom.com/xapis/vmware-cloud-foundation-api/latest/tokens/
  - name: VCF Installer API
    description: The vendor's documentation of the operations of a VCF Installer.
    link: https://developer.broadcom.com/xapis/vcf-installer-api/latest/
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
    - name: Ensure that the token is valid for at least half an hour
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

- name: Use a token for one play and revoke its refresh token at the end
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Create, use and revoke a token
      block:
        # If the play is killed, the next task with this record_folder revokes the refresh token.
        - name: Create a token
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
        - name: Revoke the refresh token (the access token is valid until it expires)
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
  description: Action of the task, or predicted action in check mode. V(created), V(reused), V(renewed), V(revoked),
    V(forgotten) or V(none).
  type: str
  returned: always
  sample: created
token:
  description: The access token. This value is a secret.
  type: str
  returned: when a token exists and O(return_token) is true
  sample: eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl
token_type:
  description: Type of the token, which is the scheme in the C(Authorization) header.
  type: str
  returned: when a token exists
  sample: Bearer
headers:
  description: HTTP headers that authenticate a request, for O(ansible.builtin.uri#module:headers). They are secret.
  type: dict
  returned: when a token exists and O(return_token) is true
  sample: {Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl}
issued_at:
  description: Time when the token was issued (UTC). Null if unknown.
  type: str
  returned: when a token exists
  sample: "2026-11-21T09:00:00Z"
expires_at:
  description: Time when the token expires (UTC). Null if unknown.
  type: str
  returned: when a token exists
  sample: "2026-11-21T10:00:00Z"
expires_in:
  description: Remaining lifetime (seconds). Null if unknown.
  type: int
  returned: when a token exists
  sample: 3599
fingerprint:
  description: First 12 hexadecimal digits of the SHA-256 of the token. It identifies a token without revealing it.
  type: str
  returned: when a token exists
  sample: 5f2b0a91c3de
verified:
  description:
    - Whether it was verified that the token works.
    - With O(state=absent), whether the task verified that the refresh token no longer works.
  type: bool
  returned: success
  sample: true
verified_at:
  version_added: 0.2.0
  description: Time of the last verification (UTC). Another task may have performed it; see O(verify_max_age).
  type: str
  returned: when a token exists
  sample: '2026-10-05T09:30:00Z'
request_count:
  description: Number of HTTP requests that the task sent.
  type: int
  returned: always
  sample: 2
refresh_token:
  description: Refresh token that was issued with the access token. This value is a secret.
  type: str
  returned: when a refresh token exists and O(return_token) is true
  sample: 3c6b3c30-3bf2-480b-9539-8483699ab911
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.sddc_manager_token import SddcManagerToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(SddcManagerToken)


if __name__ == "__main__":
    main()
