#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrni_auth_token
short_description: Keep an auth token of Aria Operations for Networks alive
version_added: 0.1.0
description:
  - Makes sure that a working auth token of VMware Aria Operations for Networks (vRealize Network Insight) exists, for a
    local user, an LDAP user or a vIDM user, or revokes it.
  - A user has at most 100 valid tokens. A task with O(token_file) reuses its token, renews it before it expires, and
    revokes what it has replaced, so that tokens do not pile up.
options:
  username:
    description:
      - Name of the user, such as V(admin@local).
      - The environment variable E(VRNI_USERNAME) is used when neither this nor O(vidm_token) is set.
    type: str
  password:
    description:
      - Password of the user. It is needed only when a token is created.
      - The environment variable E(VRNI_PASSWORD) is used when neither this nor O(vidm_token) is set.
    type: str
  domain_type:
    description: Where the user is known.
    type: str
    choices: [LOCAL, LDAP]
    default: LOCAL
  domain:
    description: The LDAP domain, such as V(example.com). Required with O(domain_type=LDAP).
    type: str
  vidm_token:
    description: An access token of the vIDM appliance (Workspace ONE Access), in place of name and password.
    type: str
extends_documentation_fragment:
  - sddc.tokens.vrni
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
    membership: [sddc.tokens.all, sddc.tokens.vrni]
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Create, in the API reference of vRealize Network Insight
    description: The vendor's page of the operation that creates a token.
    link: https://developer.broadcom.com/xapis/vrealize-network-insight-api/latest/api/ni/auth/token/post/
  - module: sddc.tokens.vrni_vidm_client_info
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Keep a token of a local user, and use it
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make sure that there is a token with an hour of life
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

- name: Keep a token of an LDAP user, with nothing secret in the result
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make sure that there is a token
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

- name: Use a token of a vIDM user for one play, and revoke it; the next run does that for one that was killed
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Work with a token
      block:
        - name: Create it
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
        - name: Revoke it
          sddc.tokens.vrni_auth_token:
            hostname: vrni.example.com
            token: "{{ vrni.token }}"
            record_folder: ~/.sddc/sessions
            state: absent
          when: vrni.token is defined
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
  sample: Mgs2YX0ZSY+gHW6RYypeeA==
token_type:
  description: The scheme with which the token is sent.
  type: str
  returned: when there is a token
  sample: NetworkInsight
headers:
  description: Headers that sign a request, ready for O(ansible.builtin.uri#module:headers). They are secret.
  type: dict
  returned: when there is a token and O(return_token) is true
  sample: {Authorization: NetworkInsight Mgs2YX0ZSY+gHW6RYypeeA==}
issued_at:
  description: When the token was issued, in UTC. Null when that is unknown.
  type: str
  returned: when there is a token
  sample: "2026-11-21T09:00:00Z"
expires_at:
  description: When the token expires, in UTC. Null when that is unknown.
  type: str
  returned: when there is a token
  sample: "2026-11-21T14:00:00Z"
expires_in:
  description: Seconds of life that are left. Null when that is unknown.
  type: int
  returned: when there is a token
  sample: 18000
fingerprint:
  description: The first 12 hexadecimal digits of the SHA-256 of the token, by which to tell tokens apart.
  type: str
  returned: when there is a token
  sample: 5f2b0a91c3de
verified:
  description: Whether this task has seen that the token works, or for O(state=absent) that it works no longer.
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
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vrni_auth_token import VrniAuthToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(VrniAuthToken)


if __name__ == "__main__":
    main()
