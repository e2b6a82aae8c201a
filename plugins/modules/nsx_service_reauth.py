#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nsx_service_reauth
short_description: Renew the authentication tokens of NSX partner service instances
version_added: 0.1.0
description:
  - Re-authenticates partner service instances below tier-0 gateways of NSX, so that their service VMs can be deployed
    again after an alarm that complains of an expired token (JWT).
  - An instance is re-authenticated only while such an alarm is raised on it, so that a second run changes nothing. Then
    the task waits until the alarms are cleared.
  - An instance on which no such alarm is raised must exist. One request checks all instances of a locale service.
  - One task handles one instance or many. When one fails, the others are still handled; the task fails at the end.
  - It needs an access token and an OpenID token of VMware Cloud Services. They are given, read from O(token_file), or
    got by this task itself with O(csp_api_token) or O(csp_client_id).
options:
  tier0_id:
    description: Id of the tier-0 gateway.
    type: str
  locale_service_id:
    description: Id of the locale service below it.
    type: str
  service_instance_id:
    description: Id of the service instance below that. Mutually exclusive with O(service_instances).
    type: str
  service_instances:
    description:
      - Several instances. Each is a policy path, V(/infra/tier-0s/.../locale-services/.../service-instances/...), or a
        mapping with the keys C(tier0_id), C(locale_service_id) and C(service_instance_id).
      - Ids may hold any character in a mapping.
    type: list
    elements: raw
  alarm_pattern:
    description:
      - Regular expression that the text of an alarm must match to be a complaint of an expired token.
      - The vendor documents that there is such an alarm, but not its text. Alarms on an instance that do not match are
        quoted in a warning.
    type: str
    default: (?i)jwt
  force:
    description:
      - Whether to re-authenticate without looking at alarms. Every run is a change then.
      - A manager without an API of alarms needs this, such as one behind the proxy of VMware Cloud on AWS.
    type: bool
    default: false
  wait:
    description: Whether to wait until the alarms that made the task act are cleared.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for that. When it is over and an alarm is still raised, the task fails.
    type: str
    default: '300'
  concurrency:
    description:
      - How many instances are handled at the same time.
      - NSX serves 40 requests at a time, and 100 a second, of one client.
    type: int
    default: 4
  min_remaining:
    description:
      - Remaining lifetime (seconds) below which this task renews the token of VMware Cloud Services.
      - It has no effect on a token that this task does not get by itself.
    type: str
    default: '300'
extends_documentation_fragment:
  - sddc.tokens.nsx
  - sddc.tokens.connection
  - sddc.tokens.connection.issuer
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.nsx]
notes:
  - A task reads the alarms once, makes one request for each instance that is due, and reads the alarms again while it
    waits. With O(force=true) it reads none. It gets a token from the other server only when it has none that is good,
    or when the manager refuses the one that it has.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Renew Auth Tokens For Policy Service, in the NSX VMC policy API
    description: The vendor's page of the operation.
    link: https://developer.broadcom.com/xapis/nsx-vmc-policy/latest/
  - module: sddc.tokens.csp_access_token
  - module: sddc.tokens.nsx_service_instance_info
"""

EXAMPLES = r"""
- name: Re-authenticate where an alarm complains of an expired token
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Re-authenticate one instance
      sddc.tokens.nsx_service_reauth:
        hostname: nsx.example.com
        csp_api_token: "{{ csp_api_token }}"
        token_file: ~/.sddc/csp.json
        tier0_id: edge-t0
        locale_service_id: default
        service_instance_id: partner-firewall

    - name: Re-authenticate several
      sddc.tokens.nsx_service_reauth:
        hostname: nsx.example.com
        csp_api_token: "{{ csp_api_token }}"
        token_file: ~/.sddc/csp.json
        service_instances:
          - /infra/tier-0s/edge-t0/locale-services/default/service-instances/partner-firewall
          - tier0_id: edge-t0
            locale_service_id: default
            service_instance_id: partner ids
      register: reauth

    - name: Say what became of them
      ansible.builtin.debug:
        msg: "{{ reauth.instances | map(attribute='path') | zip(reauth.instances | map(attribute='reason')) | list }}"

- name: Re-authenticate with tokens that another task has got
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Get an access token and an OpenID token
      sddc.tokens.csp_access_token:
        api_token: "{{ csp_api_token }}"
        require_id_token: true
      register: csp

    - name: Re-authenticate one instance
      sddc.tokens.nsx_service_reauth:
        hostname: nsx.example.com
        access_token: "{{ csp.token }}"
        open_id_token: "{{ csp.id_token }}"
        tier0_id: edge-t0
        locale_service_id: default
        service_instance_id: partner-firewall

- name: Re-authenticate behind the proxy of VMware Cloud on AWS, which has no alarms
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Re-authenticate in any case
      sddc.tokens.nsx_service_reauth:
        hostname: "{{ nsx_reverse_proxy_url }}"
        csp_api_token: "{{ csp_api_token }}"
        token_file: ~/.sddc/csp.json
        csp_auth_token_header: true
        tier0_id: vmc
        locale_service_id: default
        service_instance_id: partner-firewall
        force: true
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode, V(reauthenticated) or V(none).
  type: str
  returned: always
  sample: reauthenticated
instances:
  description: What became of each instance, also when the task fails.
  type: list
  elements: dict
  returned: when the instances could be looked at
  contains:
    path:
      description: Policy path of the instance.
      type: str
      sample: /infra/tier-0s/edge-t0/locale-services/default/service-instances/partner-firewall
    reauthenticated:
      description: Whether it was re-authenticated. Always false in check mode.
      type: bool
      sample: true
    reason:
      description:
        - V(alarm) if an alarm on it matches O(alarm_pattern), and V(no_matching_alarm) if none does.
        - V(force) if O(force=true), so that no alarm was read.
        - V(not_found) if the instance does not exist. Then the task fails.
        - V(unknown_in_check_mode) if the alarms could not be read without creating a token.
      type: str
      choices: [alarm, force, no_matching_alarm, not_found, unknown_in_check_mode]
      sample: alarm
    alarms:
      description: Texts of the alarms on it that match O(alarm_pattern), as they were at the start.
      type: list
      elements: str
      sample: ["The JWT token of the partner service has expired."]
    error:
      description: What went wrong with it. Null when nothing did.
      type: str
      sample: null
request_count:
  description: All HTTP requests that the task made, those for its tokens, and to sign in and out, included.
  type: int
  returned: always
  sample: 3
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_reauth import NsxServiceReauth
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(NsxServiceReauth)


if __name__ == "__main__":
    main()
