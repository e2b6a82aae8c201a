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
  - Re-authenticates partner service instances of NSX tier-0 gateways after an alarm reports that their token (JWT) has
    expired, so that NSX can deploy their service VMs again.
  - An instance is re-authenticated only while it has an open alarm of this kind. A second run changes nothing. After
    the re-authentication, the task waits until the alarms are cleared.
  - An instance without such an alarm must exist. One request checks all instances of a locale service.
  - One task handles one or more instances. If one fails, the task still handles the others, and then fails.
  - The module requires an access token and an OpenID token of VMware Cloud Services. Set them as options, set
    O(token_file) or O(token_store), or set O(csp_api_token) or O(csp_client_id) to let this task request them.
options:
  tier0_id:
    description: ID of the tier-0 gateway.
    type: str
  locale_service_id:
    description: ID of the locale services of the tier-0 gateway.
    type: str
  service_instance_id:
    description: ID of the service instance in these locale services. Mutually exclusive with O(service_instances).
    type: str
  service_instances:
    description:
      - List of instances. Each entry is a policy path, such as
        V(/infra/tier-0s/edge-t0/locale-services/default/service-instances/partner-firewall), or a dictionary with the
        keys C(tier0_id), C(locale_service_id) and C(service_instance_id).
      - The IDs in a dictionary can contain any character.
    type: list
    elements: raw
  alarm_pattern:
    description:
      - Regular expression that matches the text of an alarm about an expired token.
      - The vendor's documentation mentions the alarm, but not its text. If an instance has alarms that do not match,
        the task quotes them in a warning.
    type: str
    default: (?i)jwt
  force:
    description:
      - Whether to re-authenticate all instances without reading the alarms. Every run then reports a change.
      - This is required if the NSX manager has no alarm API, for example behind the proxy of VMware Cloud on AWS.
    type: bool
    default: false
  wait:
    description: Whether to wait until the alarms that matched O(alarm_pattern) are cleared.
    type: bool
    default: true
  wait_timeout:
    description: Maximum time to wait for the alarms to clear (seconds). If an alarm is still open after this time, the
      task fails.
    type: str
    default: '300'
  concurrency:
    description:
      - Number of instances that are handled at the same time.
      - NSX accepts 40 concurrent requests, and 100 requests per second, from one client.
    type: int
    default: 4
  min_remaining:
    version_added: 0.2.0
    description:
      - Remaining lifetime below which this task renews the token of VMware Cloud Services (seconds).
      - This option has no effect if the task does not request the token itself.
    type: str
    default: '300'
extends_documentation_fragment:
  - sddc.tokens.nsx
  - sddc.tokens.token_store.read
  - sddc.tokens.connection
  - sddc.tokens.connection.issuer
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.nsx]
notes:
  - A task reads the alarms once, sends one request for each instance to re-authenticate, and reads the alarms again
    while it waits. With O(force=true), it does not read alarms. It requests a new token only if it has no valid token,
    or if the NSX manager rejects it.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Renew Auth Tokens For Policy Service, in the NSX VMC policy API
    description: The vendor's documentation of the operation.
    link: https://developer.broadcom.com/xapis/nsx-vmc-policy/latest/
  - module: sddc.tokens.csp_access_token
  - module: sddc.tokens.nsx_service_instance_info
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Re-authenticate partner services whose token has expired
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

    - name: Re-authenticate several instances
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

    - name: Show the result of each instance
      ansible.builtin.debug:
        msg: "{{ reauth.instances | map(attribute='path') | zip(reauth.instances | map(attribute='reason')) | list }}"

- name: Re-authenticate with the tokens of another task
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Create an access token and an OpenID token
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

- name: Re-authenticate behind the proxy of VMware Cloud on AWS, which has no alarm API
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Re-authenticate without reading alarms
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
  description: Action of the task, or predicted action in check mode. V(reauthenticated) or V(none).
  type: str
  returned: always
  sample: reauthenticated
instances:
  description: Result of each instance. It is also returned when the task fails.
  type: list
  elements: dict
  returned: when the instances could be read
  contains:
    path:
      description: Policy path of the instance.
      type: str
      sample: /infra/tier-0s/edge-t0/locale-services/default/service-instances/partner-firewall
    reauthenticated:
      description: Whether the instance was re-authenticated. Always false in check mode.
      type: bool
      sample: true
    reason:
      description:
        - V(alarm) if an alarm of the instance matches O(alarm_pattern).
        - V(no_matching_alarm) if no alarm of the instance matches.
        - V(force) if O(force=true). The alarms were not read.
        - V(not_found) if the instance does not exist. The task fails.
        - V(unknown_in_check_mode) if the alarms could not be read without creating a token.
      type: str
      choices: [alarm, force, no_matching_alarm, not_found, unknown_in_check_mode]
      sample: alarm
    alarms:
      description: Texts of the alarms that matched O(alarm_pattern) at the start of the task.
      type: list
      elements: str
      sample: ["The JWT token of the partner service has expired."]
    error:
      description: Error message of the instance. Null if it did not fail.
      type: str
      sample: null
request_count:
  description: Number of HTTP requests that the task sent, including sign-in, sign-out and the requests for tokens.
  type: int
  returned: always
  sample: 3
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_reauth import NsxServiceReauth
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(NsxServiceReauth)


if __name__ == "__main__":
    main()
