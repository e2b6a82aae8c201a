#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: avi_se_auth_token
short_description: Create a token with which a Service Engine joins an Avi controller
version_added: 0.1.0
description:
  - Creates a token with which one Service Engine joins a controller of Avi Load Balancer, once, within an hour by
    default, and reads the other facts that the engine needs for it.
  - Every run creates another token, and is a change.
options:
  cloud:
    description: Name of the cloud in which the engine will live. Mutually exclusive with O(cloud_uuid).
    type: str
  cloud_uuid:
    description: UUID of that cloud, in place of its name.
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
  - Give the tenant in which the engine will live.
  - A token that no engine uses ends by itself.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: VMware Avi Load Balancer API
    description: The vendor's overview. The operation itself is not in it; the vendor's own roles use it.
    link: https://developer.broadcom.com/xapis/vmware-avi-load-balancer/latest/
  - module: sddc.tokens.avi_securechanneltoken_info
"""

EXAMPLES = r"""
- name: Prepare the deployment of a Service Engine
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Create a token for it
      sddc.tokens.avi_se_auth_token:
        hostname: avi.example.com
        username: admin
        password: "{{ avi_password }}"
        cloud: Default-Cloud
      register: engine

    - name: Keep the properties of its OVA for the task that deploys it
      ansible.builtin.copy:
        content: "{{ engine.ova_properties | to_json }}"
        dest: "{{ playbook_dir }}/engine.json"
        mode: "0600"
      no_log: true
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode, always V(created).
  type: str
  returned: always
  sample: created
token:
  description: The token. It is a secret.
  type: str
  returned: success, except in check mode
  sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
token_type:
  description: The kind of the token.
  type: str
  returned: success, except in check mode
  sample: SecureChannelToken
cluster_uuid:
  description: UUID of the controllers' cluster.
  type: str
  returned: success
  sample: cluster-2f4b9d0e-6f3e-4f0a-8d8e-5a0c9f1f7a11
ova_properties:
  description: Properties of the engine's OVA, ready for the module that deploys it. They hold the token.
  type: dict
  returned: success, except in check mode
  contains:
    AVICNTRL:
      description: Address of the cluster, or of its first node where it has none.
      type: str
      sample: 192.0.2.10
    AVICNTRL_AUTHTOKEN:
      description: The token. It is a secret.
      type: str
      sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
    AVICNTRL_CLUSTERUUID:
      description: UUID of the cluster.
      type: str
      sample: cluster-2f4b9d0e-6f3e-4f0a-8d8e-5a0c9f1f7a11
request_count:
  description: All HTTP requests that the task made, to sign in and out included.
  type: int
  returned: always
  sample: 5
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.avi_se_auth_token import AviSeAuthToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(AviSeAuthToken)


if __name__ == "__main__":
    main()
