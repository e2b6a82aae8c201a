#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrni_vidm_client_info
short_description: Tell which vIDM appliance and client Aria Operations for Networks uses
version_added: 0.1.0
description:
  - Reads which vIDM appliance (Workspace ONE Access) VMware Aria Operations for Networks trusts, and the id of the
    OAuth client that it has there. Whoever wants a token of a vIDM user for M(sddc.tokens.vrni_auth_token) needs both.
  - No sign-in is needed. The options of a user are accepted only so that defaults for the action group of the product
    may hold them.
options:
  username:
    description: Not used.
    type: str
  password:
    description: Not used.
    type: str
  domain_type:
    description: Not used.
    type: str
    choices: [LOCAL, LDAP]
    default: LOCAL
  domain:
    description: Not used.
    type: str
  vidm_token:
    description: Not used.
    type: str
extends_documentation_fragment:
  - sddc.tokens.vrni
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.vrni]
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: VidmOauthClientResponse, in the API reference of vRealize Network Insight
    description: The vendor's page of what the operation returns.
    link: >-
      https://developer.broadcom.com/xapis/vrealize-network-insight-api/latest/data-structures/VidmOauthClientResponse
  - module: sddc.tokens.vrni_auth_token
"""

EXAMPLES = r"""
- name: Find out where the users of Aria Operations for Networks sign in
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Read the vIDM appliance and the client id
      sddc.tokens.vrni_vidm_client_info:
        hostname: vrni.example.com
      register: vidm

    - name: Say it
      ansible.builtin.debug:
        msg: Sign in at {{ vidm.vidm_appliance }} as the client {{ vidm.client_id }}.
"""

RETURN = r"""
action:
  description: What was done, always V(none).
  type: str
  returned: always
  sample: none
vidm_appliance:
  description: Name of the vIDM appliance.
  type: str
  returned: success
  sample: identity.example.com
client_id:
  description: Id of the OAuth client there, for the password grant.
  type: str
  returned: success
  sample: network-insight
request_count:
  description: All HTTP requests that the task made.
  type: int
  returned: always
  sample: 1
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vrni_vidm_client_info import VrniVidmClientInfo
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(VrniVidmClientInfo)


if __name__ == "__main__":
    main()
