#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrni_auth_token
short_description: Manage an authentication token of Aria Operations for Networks
version_added: 0.1.0
description:
  - Ensures that a valid authentication token of VMware Aria Operations for Networks (vRealize Network Insight) exists
    for a local user, an LDAP user or a vIDM user, or revokes the token.
  - A user can have at most 100 valid tokens. A task with O(token_file) reuses its token, renews it before it expires,
    and revokes the token that it replaced, so that unused tokens do not accumulate.
options:
  username:
    description:
      - Name of the user, such as V(admin@local).
      - If neither this nor O(vidm_token) is set, the environment variable E(VRNI_USERNAME) is used.
    type: str
  password:
    description:
      - Password of the user. It is required only to create a token.
      - If neither this nor O(vidm_token) is set, the environment variable E(VRNI_PASSWORD) is used.
    type: str
  domain_type:
    description: Type of the user's domain.
    type: str
    choices: [LOCAL, LDAP]
    default: LOCAL
  domain:
    description: LDAP domain of the user, such as V(example.com). Required with O(domain_type=LDAP).
    type: str
  vidm_token:
    description: Access token of the vIDM appliance (Workspace ONE Access), instead of O(username) and O(password).
    type: str
extends_documentation_fragment:
  - sddc.tokens.vrni
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
    membership: [sddc.tokens.all, sddc.tokens.vrni]
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Create, in the API reference of vRealize Network Insight
    description: The vendor's documentation of the operation that creates a token.
    link: https://developer.broadcom.com/xapis/vrealize-network-insight-api/latest/api/ni/auth/token/post/
  - module: sddc.tokens.vrni_vidm_client_info
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Store a token of a local user and use it
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that the token is valid for at least an hour
      sddc.tokens.vrni_auth_token:
        hostname: vrni.example.com
        username: admin@local
        password: "{{ vrni_password }}"
        token_file: ~/.sddc/vrni.json
        min_remaining: 3600
      register: vrni

    - name: Read the version
      ansible.builtin.uri:
        url: https://vrni.example.com/api/ni/info/version
        headers: "{{ vrni.headers }}"
      no_log: true

- name: Store a token of an LDAP user without returning it
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that a valid token exists
      sddc.tokens.vrni_auth_token:
        hostname: vrni.example.com
        username: admin@vrni.com
        password: "{{ vrni_ldap_password }}"
        domain_type: LDAP
        domain: example.com
        token_file: ~/.sddc/vrni-ldap.json
        return_token: false

    - name: Read the version
      ansible.builtin.uri:
        url: https://vrni.example.com/api/ni/info/version
        headers:
          Authorization: NetworkInsight {{ lookup('sddc.tokens.token_file', '~/.sddc/vrni-ldap.json') }}
      no_log: true

- name: Share a token with other machines through Vault or OpenBao
  hosts: localhost
  gather_facts: false
  tasks:
    # The environment variables VAULT_ADDR and VAULT_TOKEN name the store. Only one machine renews the token at a time.
    - name: Ensure that a valid token exists
      sddc.tokens.vrni_auth_token:
        hostname: vrni.example.com
        username: admin@local
        password: "{{ vrni_password }}"
        token_store:
          mount: secret
          path: sddc/vrni
        return_token: false

    - name: Read the version on any machine that can read the document
      ansible.builtin.uri:
        url: https://vrni.example.com/api/ni/info/version
        headers:
          Authorization: NetworkInsight {{ lookup('sddc.tokens.token_store', 'sddc/vrni') }}
      no_log: true

- name: Use a token of a vIDM user for one play and revoke it at the end
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Create, use and revoke a token
      block:
        # If the play is killed, the next task with this record_folder revokes the token.
        - name: Create a token
          sddc.tokens.vrni_auth_token:
            hostname: vrni.example.com
            vidm_token: "{{ vidm_token }}"
            record_folder: ~/.sddc/sessions
          register: vrni

        - name: Read the version
          ansible.builtin.uri:
            url: https://vrni.example.com/api/ni/info/version
            headers: "{{ vrni.headers }}"
          no_log: true
      always:
        - name: Revoke the token
          sddc.tokens.vrni_auth_token:
            hostname: vrni.example.com
            token: "{{ vrni.token }}"
            record_folder: ~/.sddc/sessions
            state: absent
          when: vrni.token is defined
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
  sample: Mgs2YX0ZSY+gHW6RYypeeA==
token_type:
  description: Type of the token, which is the scheme in the C(Authorization) header.
  type: str
  returned: when a token exists
  sample: NetworkInsight
headers:
  description: HTTP headers that authenticate a request, for O(ansible.builtin.uri#module:headers). They are secret.
  type: dict
  returned: when a token exists and O(return_token) is true
  sample: {Authorization: NetworkInsight Mgs2YX0ZSY+gHW6RYypeeA==}
issued_at:
  description: Time when the token was issued (UTC). Null if unknown.
  type: str
  returned: when a token exists
  sample: "2026-11-21T09:00:00Z"
expires_at:
  description: Time when the token expires (UTC). Null if unknown.
  type: str
  returned: when a token exists
  sample: "2026-11-21T14:00:00Z"
expires_in:
  description: Remaining lifetime (seconds). Null if unknown.
  type: int
  returned: when a token exists
  sample: 18000
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
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vrni_auth_token import VrniAuthToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(VrniAuthToken)


if __name__ == "__main__":
    main()
