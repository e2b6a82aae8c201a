#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: token_set
short_description: Manage many tokens of any product in one task
version_added: 0.1.0
description:
  - Manages each token of a list as the module of its product would, several at a time, in one process.
  - All entries are validated before the first request. An entry that fails does not stop the others. The task fails at
    the end and names each entry that failed.
  - In check mode the result is the plan.
options:
  tokens:
    description:
      - The tokens. Each entry has a C(product), and the options of the module of that product.
      - C(product) is the name of an action group of this collection, which is the first word of the module's name, such
        as V(csp) (M(sddc.tokens.csp_access_token)), V(nsx) (M(sddc.tokens.nsx_service_reauth)) or V(vrni)
        (M(sddc.tokens.vrni_auth_token)). The error for any other name lists them all.
      - C(name) is what the result and all messages call the entry. It is not a secret, and must be unique. By default
        it is the product.
      - C(token_name) is the option C(name) of the module. By default it is the C(name) of the entry, unless C(uuid) is
        given.
      - An entry that creates an access token requires C(token_file), because the result does not return the token.
        C(return_token=true) is refused.
      - Several entries can have the same C(token_file) only for the same token, which is that of the same product,
        server and credentials. They run one after the other, in the order of the list.
      - An option that is not given, or is blank, is taken from the environment variables of the module of the product.
    type: list
    elements: dict
    required: true
  concurrency:
    description: Number of entries that run at the same time, from 1 to 64.
    type: int
    default: 8
  min_remaining:
    description: Default of C(min_remaining), in seconds, for the entries that do not set it.
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
  - Each option of the connection is the default for the entries that do not set it.
  - Defaults for the action group of one product do not apply to the entries. Set them in the entries, or in the
    environment variables of the module of the product.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - module: sddc.tokens.token_file_info
  - plugin: sddc.tokens.token_file
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
      register: kept

    - name: Report the remaining lifetime of each token
      ansible.builtin.debug:
        msg: "{{ kept.tokens | items2dict(key_name='name', value_name='expires_in') }}"

- name: Show the plan, then carry it out, and go on when some of the tokens fail
  hosts: localhost
  gather_facts: false
  vars:
    # Servers and credentials are those of VIDB_HOST, VIDB_API_TOKEN, VMWARE_HOST, VRNI_HOST and so on.
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
      register: kept
      ignore_errors: true

    - name: List those that failed
      ansible.builtin.debug:
        msg: "{{ kept.tokens | rejectattr('error', 'none') | map(attribute='name') }}"
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode. V(updated) where any token has changed, V(none) otherwise.
  type: str
  returned: always
  sample: updated
tokens:
  description:
    - The outcome of each entry, in the order of O(tokens), also when the task fails. No secret is in it.
    - Not returned where an entry is invalid.
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
      description: What was done, or would be done in check mode, as the module of the product returns it.
      type: str
      sample: renewed
    changed:
      description: Whether anything was changed, or would be changed in check mode.
      type: bool
      sample: true
    expires_at:
      description: When the token expires, in UTC. Null when that is unknown.
      type: str
      sample: "2026-11-21T14:00:00Z"
    expires_in:
      description: Remaining lifetime in seconds. Null when that is unknown.
      type: int
      sample: 18000
    fingerprint:
      description: The first 12 hexadecimal digits of the SHA-256 of the token, by which to tell tokens apart.
      type: str
      sample: 5f2b0a91c3de
    error:
      description: Why the entry failed. Null when it did not.
      type: str
      sample: null
request_count:
  description: All HTTP requests that the entries made.
  type: int
  returned: always
  sample: 6
"""

from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module
from ansible_collections.sddc.tokens.plugins.module_utils._runner.token_set import TokenSet


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(TokenSet)


if __name__ == "__main__":
    main()
