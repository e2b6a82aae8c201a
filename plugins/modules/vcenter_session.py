#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vcenter_session
short_description: Manage an API session of vCenter
version_added: 0.2.0
description:
  - Ensures that an open API session of vCenter exists for a user with a password, or for an access token of the single
    sign-on of VMware Cloud Foundation (VCF SSO), or ends the session.
  - Each sign-in opens a session, which counts until it has been idle for its time. The number of sessions is limited,
    and when the limit is reached, every sign-in fails. Tasks with the same O(token_file) or O(token_store) share one
    session. A session that is only returned stays open until a task with O(state=absent) ends it.
  - vCenter takes no access token for a session. The task exchanges the token for a SAML assertion, and signs in with
    the assertion. This requires vCenter 9.1.
options:
  username:
    description:
      - Name of the user, with the domain, such as V(administrator@vsphere.local).
      - If neither this nor O(access_token) is set, the environment variable E(VMWARE_USER) is used.
    type: str
  password:
    description:
      - Password of the user. It is required only to open a session.
      - If neither this nor O(access_token) is set, the environment variable E(VMWARE_PASSWORD) is used.
    type: str
  access_token:
    description:
      - Access token of the VMware Identity Broker, from M(sddc.tokens.vidb_access_token), instead of O(username) and
        O(password).
      - An overflow token must be registered first. See M(sddc.tokens.vcenter_registered_token).
      - If this, O(username) and O(password) are not set, nor their environment variables, the environment variable
        E(VCENTER_ACCESS_TOKEN) is used.
    type: str
extends_documentation_fragment:
  - sddc.tokens.vcenter
  - sddc.tokens.lifecycle
  - sddc.tokens.token_store
  - sddc.tokens.token_store.record
  - sddc.tokens.lifecycle.revocation
  - sddc.tokens.sealing
  - sddc.tokens.sealing.return_token
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.vcenter]
notes:
  - The token of this module is the session ID.
  - vCenter does not return when a session ends. So O(min_remaining) and O(renew_before) have no effect, and with
    O(verify=false) the stored session is used without a check. A session ends after some time without a request, often
    30 minutes, and at the latest at a time that vCenter sets. A verification is a request, so it keeps the session
    open.
  - With O(verify_max_age), tasks do not verify a session again that was verified within this time. Set it to less than
    the idle time.
  - A task sends one request if the stored session is open, and two if it opens a session with a password, three if with
    an access token. vCenter before 7.0 U2 has another API for sessions, which needs one more request.
  - Since vCenter 8.0 U3, the session ID is that of a SOAP session, too. The session ends for both.
  - The modules of C(vmware.vmware_rest) have no option for a session. They sign in by themselves, with the same
    environment variables.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: CIS Session create, in the vSphere Automation API
    description: The vendor's documentation of the operation that opens a session.
    link: https://developer.broadcom.com/xapis/vsphere-automation-api/latest/api/session/post/
  - module: sddc.tokens.vidb_access_token
  - module: sddc.tokens.vcenter_registered_token
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Share one session between tasks, plays and runs
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that the session is open
      sddc.tokens.vcenter_session:
        hostname: vcenter.example.com
        username: administrator@vsphere.local
        password: "{{ vcenter_password }}"
        token_file: ~/.sddc/vcenter-session.json
      register: vcenter

    - name: List the datacenters
      ansible.builtin.uri:
        url: https://vcenter.example.com/api/vcenter/datacenter
        headers: "{{ vcenter.headers }}"
      no_log: true

- name: Use a session for one play and end it
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Open, use and end a session
      block:
        # If the play is killed, the next task with this record_folder ends the session.
        - name: Open a session
          sddc.tokens.vcenter_session:
            hostname: vcenter.example.com
            username: administrator@vsphere.local
            password: "{{ vcenter_password }}"
            record_folder: ~/.sddc/sessions
          register: vcenter

        - name: List the datacenters
          ansible.builtin.uri:
            url: https://vcenter.example.com/api/vcenter/datacenter
            headers: "{{ vcenter.headers }}"
          no_log: true
      always:
        - name: End the session
          sddc.tokens.vcenter_session:
            hostname: vcenter.example.com
            username: administrator@vsphere.local
            token: "{{ vcenter.token }}"
            record_folder: ~/.sddc/sessions
            state: absent
          when: vcenter.token is defined

- name: Sign in without a password, with the single sign-on of VMware Cloud Foundation
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that an access token exists that vCenter accepts
      sddc.tokens.vcenter_registered_token:
        hostname: vcenter.example.com
        vidb_hostname: vidb.example.com
        vidb_api_token: "{{ vidb_api_token }}"
        token_file: ~/.sddc/vidb.json
        return_token: false

    - name: Ensure that a session of its user is open
      sddc.tokens.vcenter_session:
        hostname: vcenter.example.com
        access_token: "{{ lookup('sddc.tokens.token_file', '~/.sddc/vidb.json') }}"
        token_file: ~/.sddc/vcenter-sso-session.json
        return_token: false

    - name: List the datacenters
      ansible.builtin.uri:
        url: https://vcenter.example.com/api/vcenter/datacenter
        headers:
          vmware-api-session-id: "{{ lookup('sddc.tokens.token_file', '~/.sddc/vcenter-sso-session.json') }}"
      no_log: true
"""

RETURN = r"""
action:
  description: Action of the task, or predicted action in check mode. V(created), V(reused), V(renewed), V(revoked),
    V(forgotten) or V(none).
  type: str
  returned: always
  sample: created
token:
  description: The session ID. This value is a secret.
  type: str
  returned: when a session exists and O(return_token) is true
  sample: cb40d6a8f1c94bd7b0e94a8f0f0b8a51
token_type:
  description: Type of the token, which is the name of the header of the session ID.
  type: str
  returned: when a session exists
  sample: vmware-api-session-id
headers:
  description: HTTP headers that authenticate a request, for O(ansible.builtin.uri#module:headers). They are secret.
  type: dict
  returned: when a session exists and O(return_token) is true
  sample: {vmware-api-session-id: cb40d6a8f1c94bd7b0e94a8f0f0b8a51}
issued_at:
  description: Time when the session was opened (UTC). Null if unknown.
  type: str
  returned: when a session exists
  sample: "2026-11-21T09:00:00Z"
expires_at:
  description: Always null, because vCenter does not return when a session ends.
  type: str
  returned: when a session exists
  sample: null
expires_in:
  description: Always null, as RV(expires_at).
  type: int
  returned: when a session exists
  sample: null
fingerprint:
  description: First 12 hexadecimal digits of the SHA-256 of the session ID. It identifies a session without revealing
    it.
  type: str
  returned: when a session exists
  sample: 5f2b0a91c3de
verified:
  description:
    - Whether it was verified that the session is open.
    - With O(state=absent), whether the task verified that it is not.
  type: bool
  returned: success
  sample: true
verified_at:
  description: Time of the last verification (UTC). Another task may have performed it; see O(verify_max_age).
  type: str
  returned: when a session exists
  sample: '2026-11-21T09:00:00Z'
request_count:
  description: Number of HTTP requests that the task sent.
  type: int
  returned: always
  sample: 2
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vcenter_session import VcenterSession
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(VcenterSession)


if __name__ == "__main__":
    main()
