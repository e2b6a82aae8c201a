#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vcf_api_token_info
short_description: List the API tokens of the VCF SSO
version_added: 0.2.0
description:
  - Lists the API tokens of a realm of the VCF SSO (VMware Cloud Foundation 9.1), with their owners, expiry and last
    use. The result contains no secret.
  - The options select API tokens. An API token is in the result if it meets all of them.
options:
  status:
    description: Status of the API tokens to list.
    type: str
    choices: [active, expired, unknown]
  api_client:
    description: ID or name of the API client whose API tokens to list.
    type: str
  unused_for:
    description:
      - Time for which an API token was not exchanged (seconds). For one that was never used, it is the time since its
        creation.
      - An API token is not listed if neither time is known.
    type: str
  expiring_within:
    description: Time within which an API token expires (seconds). One that has expired is not listed.
    type: str
extends_documentation_fragment:
  - sddc.tokens.vcf_api
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.vcf_operations]
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: VCF Operations API
    description: The vendor's documentation of the operations.
    link: https://developer.broadcom.com/xapis/vcf-operations-api/latest/
  - module: sddc.tokens.vcf_api_token
"""

EXAMPLES = r"""
- name: Find API tokens that nobody uses
  hosts: localhost
  gather_facts: false
  tasks:
    - name: List the active API tokens that were not used for 90 days
      sddc.tokens.vcf_api_token_info:
        hostname: vcf-operations.example.com
        username: admin
        password: "{{ vcf_operations_password }}"
        status: active
        unused_for: 90d
      register: unused

    - name: Show their names
      ansible.builtin.debug:
        msg: "{{ unused.api_tokens | map(attribute='name') | list }}"
"""

RETURN = r"""
action:
  description: Action of the task. Always V(none).
  type: str
  returned: always
  sample: none
api_tokens:
  description: API tokens, those that expire first at the beginning.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: ID of the API token, for O(sddc.tokens.vcf_api_token#module:token_id).
      type: str
      sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
    name:
      description: Name of the API token.
      type: str
      sample: sddc.tokens-8d1f0c5b7a3e9246
    status:
      description: V(active), V(expired) or V(unknown).
      type: str
      sample: active
    type:
      description: V(api_client), V(user) or V(unknown).
      type: str
      sample: api_client
    principal:
      description: User or API client whose rights the API token has.
      type: str
      sample: automation-1f0c5b7a
    api_client:
      description: ID of the API client. Null for the API token of a user.
      type: str
      sample: automation-1f0c5b7a
    last_characters:
      description: Last characters of the value, by which a person recognizes it.
      type: str
      sample: PQ==
    created_at:
      description: Time when the API token was created (UTC). Null if unknown.
      type: str
      sample: "2026-11-21T09:00:00Z"
    expires_at:
      description: Time when the API token expires (UTC). Null if unknown.
      type: str
      sample: "2027-02-19T09:00:00Z"
    last_used_at:
      description: Time when the API token was last exchanged for an access token (UTC). Null if it never was.
      type: str
      sample: "2026-11-28T08:00:00Z"
request_count:
  description: Number of HTTP requests that the task sent, including sign-in and sign-out.
  type: int
  returned: always
  sample: 4
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vcf_api_token_info import VcfApiTokenInfo
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(VcfApiTokenInfo)


if __name__ == "__main__":
    main()
