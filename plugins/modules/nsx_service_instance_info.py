#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nsx_service_instance_info
short_description: List the partner service instances of NSX tier-0 gateways
version_added: 0.1.0
description:
  - Lists the partner service instances of all tier-0 gateways of NSX, or of one gateway, with the open alarms of each
    instance.
  - The module authenticates with a user name and password (with or without a session), an access token, or the client
    certificate of a principal identity.
options:
  tier0_id:
    description: ID of the tier-0 gateway whose instances are listed. By default, all gateways.
    type: str
  locale_service_id:
    description: ID of the locale services whose instances are listed. By default, all locale services. Gateways without
      this locale service are skipped.
    type: str
  service_instance_id:
    description: ID of the service instances to list. By default, all instances.
    type: str
  alarms:
    description: Whether to read the alarms as well. If the NSX manager has no alarm API, the task returns a warning.
    type: bool
    default: true
extends_documentation_fragment:
  - sddc.tokens.nsx
  - sddc.tokens.token_store.read
  - sddc.tokens.connection
  - sddc.tokens.connection.issuer
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
  - sddc.tokens.attributes.action_group
attributes:
  check_mode:
    details:
      - The task reads as in a normal run. If it would have to create an access token first, it returns no instances and
        a warning.
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.nsx]
notes:
  - A task sends one request for the alarms, one for the tier-0 gateways, one for the locale services of each gateway,
    and one for the instances of each locale service. With O(tier0_id), it does not list the gateways. With O(tier0_id)
    and O(locale_service_id), it does not list the locale services either.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Tier 0s Locale Services, in the NSX VMC policy API
    description: The vendor's documentation of the operations.
    link: https://developer.broadcom.com/xapis/nsx-vmc-policy/latest/tier-0s/locale-services
  - module: sddc.tokens.nsx_service_reauth
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Find partner services with alarms
  hosts: localhost
  gather_facts: false
  tasks:
    - name: List all service instances
      sddc.tokens.nsx_service_instance_info:
        hostname: nsx.example.com
        username: admin
        password: "{{ nsx_password }}"
        use_session: true
      register: nsx

    - name: Show the instances with alarms
      ansible.builtin.debug:
        msg: "{{ nsx.service_instances | selectattr('alarms') | map(attribute='path') | list }}"

- name: List the instances of one tier-0 gateway with an access token
  hosts: localhost
  gather_facts: false
  tasks:
    - name: List the instances without their alarms
      sddc.tokens.nsx_service_instance_info:
        hostname: nsx.example.com
        csp_api_token: "{{ csp_api_token }}"
        token_file: ~/.sddc/csp.json
        tier0_id: edge-t0
        alarms: false
"""

RETURN = r"""
action:
  description: Action of the task. Always V(none).
  type: str
  returned: always
  sample: none
service_instances:
  description: Service instances. A property that the NSX manager does not return is null.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: ID of the service instance.
      type: str
      sample: partner-firewall
    path:
      description: Policy path of the service instance, for O(sddc.tokens.nsx_service_reauth#module:service_instances).
      type: str
      sample: /infra/tier-0s/edge-t0/locale-services/default/service-instances/partner-firewall
    display_name:
      description: Display name of the service instance.
      type: str
      sample: Partner firewall
    partner_service_name:
      description: Name of the partner service.
      type: str
      sample: Partner Firewall
    deployment_spec_name:
      description: Name of the deployment specification.
      type: str
      sample: medium
    deployment_template_name:
      description: Name of the deployment template.
      type: str
      sample: default-template
    deployment_mode:
      description: Deployment mode, V(STAND_ALONE) or V(ACTIVE_STANDBY).
      type: str
      sample: ACTIVE_STANDBY
    transport_type:
      description: Transport type, V(L2_BRIDGE) or V(L3_ROUTED).
      type: str
      sample: L3_ROUTED
    compute_id:
      description: ID of the compute cluster.
      type: str
      sample: domain-c8
    storage_id:
      description: ID of the datastore.
      type: str
      sample: datastore-11
    context_id:
      description: ID of the compute manager.
      type: str
      sample: 3c1d8f0e-3f57-4c39-9f0e-0c4bb0a1a6a4
    failure_policy:
      description: Treatment of traffic when the service fails, V(ALLOW) or V(BLOCK).
      type: str
      sample: BLOCK
    attributes:
      description: Attributes of the service instance. The values of attributes of the type V(PASSWORD) are masked.
      type: list
      elements: dict
      sample: [{key: licence, value: trial, attribute_type: STRING}]
    alarms:
      description: Texts of the open alarms of the service instance.
      type: list
      elements: str
      returned: when O(alarms) is true and the NSX manager has an alarm API
      sample: ["The JWT token of the partner service has expired."]
request_count:
  description: Number of HTTP requests that the task sent, including sign-in and sign-out.
  type: int
  returned: always
  sample: 6
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_instance_info import (
    NsxServiceInstanceInfo,
)
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(NsxServiceInstanceInfo)


if __name__ == "__main__":
    main()
