#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: avi_se_auth_token
short_description: Create an authentication token for an Avi Service Engine
version_added: 0.1.0
description:
  - Creates a token with which one Service Engine can join a controller of Avi Load Balancer. The token can be used
    once, and expires after one hour by default.
  - The module also returns the UUID of the controller cluster and the OVA properties that the deployment of a Service
    Engine requires.
  - Every run creates a new token and reports a change.
options:
  cloud:
    description: Name of the cloud of the Service Engine. Mutually exclusive with O(cloud_uuid).
    type: str
  cloud_uuid:
    description: UUID of the cloud, instead of its name.
    type: str
extends_documentation_fragment:
  - sddc.tokens.avi
  - sddc.tokens.sealing
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.avi]
notes:
  - Set O(tenant) to the tenant of the Service Engine.
  - A token that is not used expires. It does not have to be deleted.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: VMware Avi Load Balancer API
    description: The vendor's overview. It does not describe this operation, but the vendor's own roles use it.
    link: https://developer.broadcom.com/xapis/vmware-avi-load-balancer/latest/
  - module: sddc.tokens.avi_securechanneltoken_info
"""

EXAMPLES = r"""
- name: Prepare the deployment of a Service Engine
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Create a token for the Service Engine
      sddc.tokens.avi_se_auth_token:
        hostname: avi.example.com
        username: admin
        password: "{{ avi_password }}"
        cloud: Default-Cloud
      register: engine

    - name: Save the OVA properties for the task that deploys the OVA
      ansible.builtin.copy:
        content: "{{ engine.ova_properties | to_json }}"
        dest: "{{ playbook_dir }}/engine.json"
        mode: "0600"
      no_log: true
"""

RETURN = r"""
action:
  description: Action of the task, or predicted action in check mode. Always V(created).
  type: str
  returned: always
  sample: created
token:
  description: The token. This value is a secret.
  type: str
  returned: success, except in check mode
  sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
token_type:
  description: Type of the token.
  type: str
  returned: success, except in check mode
  sample: SecureChannelToken
cluster_uuid:
  description: UUID of the controller cluster.
  type: str
  returned: success
  sample: cluster-2f4b9d0e-6f3e-4f0a-8d8e-5a0c9f1f7a11
ova_properties:
  description: OVA properties of the Service Engine, for the module that deploys the OVA. They contain the token.
  type: dict
  returned: success, except in check mode
  contains:
    AVICNTRL:
      description: IP address of the controller cluster, or of its first node if the cluster has none.
      type: str
      sample: 192.0.2.10
    AVICNTRL_AUTHTOKEN:
      description: The token. This value is a secret.
      type: str
      sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
    AVICNTRL_CLUSTERUUID:
      description: UUID of the controller cluster.
      type: str
      sample: cluster-2f4b9d0e-6f3e-4f0a-8d8e-5a0c9f1f7a11
request_count:
  description: Number of HTTP requests that the task sent, including sign-in and sign-out.
  type: int
  returned: always
  sample: 5
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.avi_se_auth_token import AviSeAuthToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(AviSeAuthToken)


if __name__ == "__main__":
    main()
