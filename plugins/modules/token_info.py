#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: token_info
short_description: Report the contents and remaining lifetime of stored tokens
version_added: 0.2.0
description:
  - Reports the product, server, user and remaining lifetime of each token that the modules of this collection store in
    token files, or in Vault or OpenBao. The result contains no secret.
  - RV(token_files[].usable) is derived from the stored expiry. The server that issued the token is not contacted.
options:
  paths:
    description:
      - Token files, and folders with token files, on the managed node. Of a folder, only files whose names end with
        V(.json) are read.
      - If a file is missing or cannot be used, its entry contains an error. The task does not fail.
      - At least one of O(paths) and O(stores) is required.
    type: list
    elements: path
  min_remaining:
    description: Minimum remaining lifetime of a token that is reported as usable (seconds).
    type: str
    default: '300'
extends_documentation_fragment:
  - sddc.tokens.token_store.list
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Check the token files before a long play
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that a valid token exists
      sddc.tokens.vrni_auth_token:
        hostname: vrni.example.com
        username: admin@local
        password: "{{ vrni_password }}"
        token_file: ~/.sddc/vrni.json
        return_token: false

    - name: Read all token files
      sddc.tokens.token_info:
        paths:
          - ~/.sddc
        min_remaining: 3600
      register: stored

    - name: Fail if a token is not valid for an hour
      ansible.builtin.assert:
        that: stored.token_files | rejectattr('usable') | length == 0
"""

RETURN = r"""
action:
  description: Action of the task. Always V(none).
  type: str
  returned: always
  sample: none
token_files:
  description: Token files. Unknown values are null.
  type: list
  elements: dict
  returned: success
  contains:
    path:
      description: Path of the file.
      type: str
      sample: /home/ops/.sddc/vrni.json
    product:
      description: Product of the token, named after its action group.
      type: str
      sample: vrni
    host:
      description: Server that issued the token.
      type: str
      sample: vrni.example.com
    principal:
      description: User, client or API token to which the token was issued. An API token is named by its fingerprint.
      type: str
      sample: LOCAL/admin@local
    issued_at:
      description: Time when the token was issued (UTC).
      type: str
      sample: "2026-11-21T09:00:00Z"
    expires_at:
      description: Time when the token expires (UTC).
      type: str
      sample: "2026-11-21T14:00:00Z"
    expires_in:
      description: Remaining lifetime (seconds), corrected by the clock offset to the server at the time of issue.
      type: int
      sample: 18000
    fingerprint:
      description: First 12 hexadecimal digits of the SHA-256 of the token. It identifies a token without revealing it.
      type: str
      sample: 5f2b0a91c3de
    usable:
      description:
        - Whether the token is valid for at least O(min_remaining). If the total lifetime of the token is not longer
          than that, half of it must remain.
      type: bool
      sample: true
    status:
      description:
        - V(valid) if RV(token_files[].usable=true).
        - V(expiring) if the token expires too soon.
        - V(expired) if the token has expired.
        - V(missing) if the file does not exist.
        - V(unusable) if the file cannot be used, for the reason in RV(token_files[].error), or if its only token is not
          verified yet.
      type: str
      choices: [valid, expiring, expired, missing, unusable]
      sample: valid
    error:
      description: Reason why the file cannot be used. Null if it can.
      type: str
      sample: null
token_stores:
  description: Documents of O(stores). Unknown values are null.
  type: list
  elements: dict
  returned: success
  contains:
    url:
      description: URL of the store.
      type: str
      sample: https://vault.example.com:8200
    path:
      description: Mount and path of the document.
      type: str
      sample: secret/sddc/vrni
    product:
      description: Product of the token, as in RV(token_files[].product).
      type: str
      sample: vrni
    host:
      description: Server that issued the token, as in RV(token_files[].host).
      type: str
      sample: vrni.example.com
    principal:
      description: User, client or API token, as in RV(token_files[].principal).
      type: str
      sample: LOCAL/admin@local
    issued_at:
      description: Time when the token in the document was issued (UTC).
      type: str
      sample: "2026-11-21T09:00:00Z"
    expires_at:
      description: Time when the token in the document expires (UTC).
      type: str
      sample: "2026-11-21T14:00:00Z"
    expires_in:
      description: Remaining lifetime (seconds), by the clock of the store.
      type: int
      sample: 18000
    fingerprint:
      description: First 12 hexadecimal digits of the SHA-256 of the token, as in RV(token_files[].fingerprint).
      type: str
      sample: 5f2b0a91c3de
    usable:
      description: Whether the token is valid for at least O(min_remaining), as in RV(token_files[].usable).
      type: bool
      sample: true
    status:
      description: Status of the token, as in RV(token_files[].status). V(missing) if the document has no token.
      type: str
      choices: [valid, expiring, expired, missing, unusable]
      sample: valid
    error:
      description: Reason why the document cannot be used. Null if it can.
      type: str
      sample: null
request_count:
  description: Number of HTTP requests that the task sent to O(stores).
  type: int
  returned: always
  sample: 0
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.token_info import TokenInfo
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(TokenInfo)


if __name__ == "__main__":
    main()
