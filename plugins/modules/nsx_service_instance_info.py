#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nsx_service_instance_info
short_description: List the partner service instances below the tier-0 gateways of NSX
version_added: 0.1.0
description:
  - Lists the partner service instances below all tier-0 gateways of NSX, or below one, with the alarms on each.
  - It reads with name and password, with or without a session, with an access token, or with the client certificate of
    a principal identity.
options:
  tier0_id:
    description: Only instances below this tier-0 gateway.
    type: str
  locale_service_id:
    description: Only instances below the locale services of this id, at the gateways that have one.
    type: str
  service_instance_id:
    description: Only instances of this id.
    type: str
  alarms:
    description: Whether to read the alarms, too. Where the manager has no API of alarms, a warning says so.
    type: bool
    default: true
extends_documentation_fragment:
  - sddc.tokens.nsx
  - sddc.tokens.connection
  - sddc.tokens.connection.issuer
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
  - sddc.tokens.attributes.action_group
attributes:
  check_mode:
    details:
      - It reads as it always does. Where it would have to create an access token for that, it lists no instance, and a
        warning says so.
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.nsx]
notes:
  - A task makes one request for the alarms, one for the tier-0 gateways, one for the locale services of each gateway,
    and one for the instances of each locale service. O(tier0_id) saves that for the gateways, and together with
    O(locale_service_id) that for the locale services, too.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Tier 0s Locale Services, in the NSX VMC policy API
    description: The vendor's page of the operations.
    link: https://developer.broadcom.com/xapis/nsx-vmc-policy/latest/tier-0s/locale-services
  - module: sddc.tokens.nsx_service_reauth
"""

EXAMPLES = r"""
- name: See which partner services have an alarm
  hosts: localhost
  gather_facts: false
  tasks:
    - name: List the service instances
      sddc.tokens.nsx_service_instance_info:
        hostname: nsx.example.com
        username: admin
        password: "{{ nsx_password }}"
        use_session: true
      register: nsx

    - name: Say which
      ansible.builtin.debug:
        msg: "{{ nsx.service_instances | selectattr('alarms') | map(attribute='path') | list }}"

- name: List the instances below one tier-0 gateway with an access token
  hosts: localhost
  gather_facts: false
  tasks:
    - name: List them without their alarms
      sddc.tokens.nsx_service_instance_info:
        hostname: nsx.example.com
        csp_api_token: "{{ csp_api_token }}"
        token_file: ~/.sddc/csp.json
        tier0_id: edge-t0
        alarms: false
"""

RETURN = r"""
action:
  description: What was done, always V(none).
  type: str
  returned: always
  sample: none
service_instances:
  description: The instances. A fact that the manager does not tell is null.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: Id of the instance.
      type: str
      sample: partner-firewall
    path:
      description: Policy path of the instance, as O(sddc.tokens.nsx_service_reauth#module:service_instances) takes it.
      type: str
      sample: /infra/tier-0s/edge-t0/locale-services/default/service-instances/partner-firewall
    display_name:
      description: Its name.
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
      description: V(STAND_ALONE) or V(ACTIVE_STANDBY).
      type: str
      sample: ACTIVE_STANDBY
    transport_type:
      description: V(L2_BRIDGE) or V(L3_ROUTED).
      type: str
      sample: L3_ROUTED
    compute_id:
      description: Id of the compute cluster.
      type: str
      sample: domain-c8
    storage_id:
      description: Id of the data store.
      type: str
      sample: datastore-11
    context_id:
      description: Id of the compute manager.
      type: str
      sample: 3c1d8f0e-3f57-4c39-9f0e-0c4bb0a1a6a4
    failure_policy:
      description: V(ALLOW) or V(BLOCK), for the traffic when the service fails.
      type: str
      sample: BLOCK
    attributes:
      description: Its attributes. The value of one of the type V(PASSWORD) is masked.
      type: list
      elements: dict
      sample: [{key: licence, value: trial, attribute_type: STRING}]
    alarms:
      description: Texts of the alarms that are raised on it.
      type: list
      elements: str
      returned: when O(alarms) is true and the manager has an API of alarms
      sample: ["The JWT token of the partner service has expired."]
request_count:
  description: All HTTP requests that the task made, to sign in and out included.
  type: int
  returned: always
  sample: 6
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_instance_info import (
    NsxServiceInstanceInfo,
)
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(NsxServiceInstanceInfo)


if __name__ == "__main__":
    main()
