#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vrni_vidm_client_info
short_description: Report the vIDM appliance and OAuth client of Aria Operations for Networks
version_added: 0.1.0
description:
  - Reads the name of the vIDM appliance (Workspace ONE Access) that VMware Aria Operations for Networks trusts, and the
    ID of its OAuth client on that appliance. Both are required to get a token of a vIDM user for
    M(sddc.tokens.vrni_auth_token).
  - The request requires no authentication. The options of a user have no effect. They exist so that the
    C(module_defaults) of the action group can contain them.
options:
  username:
    description: This option has no effect.
    type: str
  password:
    description: This option has no effect.
    type: str
  domain_type:
    description: This option has no effect.
    type: str
    choices: [LOCAL, LDAP]
    default: LOCAL
  domain:
    description: This option has no effect.
    type: str
  vidm_token:
    description: This option has no effect.
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
    description: The vendor's documentation of the response.
    link: >-
      https://developer.broadcom.com/xapis/vrealize-network-insight-api/latest/data-structures/VidmOauthClientResponse
  - module: sddc.tokens.vrni_auth_token
"""

EXAMPLES = r"""
- name: Find the vIDM appliance of Aria Operations for Networks
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Read the vIDM appliance and the client ID
      sddc.tokens.vrni_vidm_client_info:
        hostname: vrni.example.com
      register: vidm

    - name: Show the vIDM appliance and the client ID
      ansible.builtin.debug:
        msg: Sign in at {{ vidm.vidm_appliance }} as the client {{ vidm.client_id }}.
"""

RETURN = r"""
action:
  description: Action of the task. Always V(none).
  type: str
  returned: always
  sample: none
vidm_appliance:
  description: Name of the vIDM appliance.
  type: str
  returned: success
  sample: identity.example.com
client_id:
  description: ID of the OAuth client on the vIDM appliance, for the password grant.
  type: str
  returned: success
  sample: network-insight
request_count:
  description: Number of HTTP requests that the task sent.
  type: int
  returned: always
  sample: 1
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vrni_vidm_client_info import VrniVidmClientInfo
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(VrniVidmClientInfo)


if __name__ == "__main__":
    main()
