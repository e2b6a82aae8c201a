#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: token_set
short_description: Manage many tokens of any product in one task
version_added: 0.2.0
description:
  - Manages each token of a list as the module of its product does. One process handles several tokens at the same time.
  - All entries are validated before the first request. If an entry fails, the others are still handled. The task then
    fails and names each entry that failed.
  - In check mode, the result is the plan.
options:
  tokens:
    description:
      - List of tokens. Each entry has a C(product) and the options of the module of that product.
      - C(product) is the name of an action group of this collection, which is the first word of the module's name, such
        as V(csp) (M(sddc.tokens.csp_access_token)), V(nsx) (M(sddc.tokens.nsx_service_reauth)) or V(vrni)
        (M(sddc.tokens.vrni_auth_token)). For a session of vCenter, it is V(vcenter_session)
        (M(sddc.tokens.vcenter_session)). The error for any other name lists all of them.
      - C(name) identifies the entry in the result and in all messages. It is not a secret and must be unique. By
        default, it is the product.
      - C(token_name) is the C(name) option of the module. By default, it is the C(name) of the entry, unless C(uuid) is
        set.
      - An entry that creates an access token requires C(token_file) or C(token_store), because the result does not
        contain the token. C(return_token=true) is refused.
      - Several entries can have the same C(token_file) or C(token_store) only if they describe the same token, with the
        same product, server and credentials. They run one after the other, in the order of the list.
      - If an option is not set or blank, the environment variables of the module of the product are used.
    type: list
    elements: dict
    required: true
  concurrency:
    description: Number of entries that are handled at the same time, from 1 to 64.
    type: int
    default: 8
  min_remaining:
    description: Default of C(min_remaining) for entries that do not set it (seconds).
    type: str
    default: '300'
extends_documentation_fragment:
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all]
notes:
  - Each connection option is the default for entries that do not set it.
  - The C(module_defaults) of a product's action group do not apply to entries. Set the options in the entries, or with
    the environment variables of the module of the product.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - module: sddc.tokens.token_info
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Keep the tokens of three products valid
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Renew each token that expires within 15 minutes
      sddc.tokens.token_set:
        min_remaining: 900
        tokens:
          - name: VMware Cloud Services
            product: csp
            api_token: "{{ csp_api_token }}"
            token_file: ~/.sddc/csp.json
          - name: Networks
            product: vrni
            hostname: vrni.example.com
            username: admin@local
            password: "{{ vrni_password }}"
            token_file: ~/.sddc/vrni.json
            min_remaining: 3600
          - name: Engines in the east
            product: avi
            hostname: avi.example.com
            username: admin
            password: "{{ avi_password }}"
            lifetime: 86400
      register: renewed

    - name: Show the remaining lifetime of each token
      ansible.builtin.debug:
        msg: "{{ renewed.tokens | items2dict(key_name='name', value_name='expires_in') }}"

- name: Show the plan, apply it, and continue if some of the tokens fail
  hosts: localhost
  gather_facts: false
  vars:
    # Servers and credentials come from VIDB_HOST, VIDB_API_TOKEN, VMWARE_HOST, VRNI_HOST and so on.
    tokens:
      - {product: vidb, token_file: ~/.sddc/vidb.json}
      - {product: vcenter, token_file: ~/.sddc/vidb.json}
      - {product: vrni, token_file: ~/.sddc/vrni.json}
  tasks:
    - name: Show what would change
      sddc.tokens.token_set:
        tokens: "{{ tokens }}"
      check_mode: true
      diff: true

    - name: Create or renew the tokens
      sddc.tokens.token_set:
        tokens: "{{ tokens }}"
        concurrency: 16
      register: renewed
      ignore_errors: true

    - name: List the entries that failed
      ansible.builtin.debug:
        msg: "{{ renewed.tokens | rejectattr('error', 'none') | map(attribute='name') }}"
"""

RETURN = r"""
action:
  description: Action of the task, or predicted action in check mode. V(updated) if any token changed, V(none)
    otherwise.
  type: str
  returned: always
  sample: updated
tokens:
  description: Result of each entry, in the order of O(tokens). It is also returned when the task fails, and contains no
    secret.
  type: list
  elements: dict
  returned: when all entries are valid
  contains:
    name:
      description: Name of the entry.
      type: str
      sample: Networks
    product:
      description: Product of the entry.
      type: str
      sample: vrni
    action:
      description: Action of the entry, or predicted action in check mode, as returned by the module of the product.
      type: str
      sample: renewed
    changed:
      description: Whether the entry changed anything, or would change anything in check mode.
      type: bool
      sample: true
    expires_at:
      description: Time when the token expires (UTC). Null if unknown.
      type: str
      sample: "2026-11-21T14:00:00Z"
    expires_in:
      description: Remaining lifetime (seconds). Null if unknown.
      type: int
      sample: 18000
    fingerprint:
      description: First 12 hexadecimal digits of the SHA-256 of the token. It identifies a token without revealing it.
      type: str
      sample: 5f2b0a91c3de
    error:
      description: Error message of the entry. Null if it did not fail.
      type: str
      sample: null
request_count:
  description: Number of HTTP requests that all entries sent.
  type: int
  returned: always
  sample: 6
"""

from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module
from ansible_collections.sddc.tokens.plugins.module_utils._runner.token_set import TokenSet


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(TokenSet)


if __name__ == "__main__":
    main()
