#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: token_file_info
short_description: Tell what token files hold, and how long it lasts
version_added: 0.1.0
description:
  - Tells of each token file that the modules of this collection keep what is in it, for which server and user, and how
    long it lasts. No secret is in the result.
  - It makes no request. Whether the token works is what the server said when it was issued.
options:
  paths:
    description:
      - Token files, and folders whose files of the suffix V(.json) are looked at, on the host where the module runs.
      - A file that is not there or cannot be used is an entry with an error, and no failure of the task.
    type: list
    elements: path
    required: true
  min_remaining:
    description: Seconds of life that a token must still have to count as usable.
    type: str
    default: '300'
extends_documentation_fragment:
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Check the token files before a long play
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make sure that there is a token
      sddc.tokens.vrni_auth_token:
        hostname: vrni.example.com
        username: admin@local
        password: "{{ vrni_password }}"
        token_file: ~/.sddc/vrni.json
        return_token: false

    - name: Look at all that is kept
      sddc.tokens.token_file_info:
        paths:
          - ~/.sddc
        min_remaining: 3600
      register: kept

    - name: Stop where a token does not last an hour
      ansible.builtin.assert:
        that: kept.token_files | rejectattr('usable') | length == 0
"""

RETURN = r"""
action:
  description: What was done, always V(none).
  type: str
  returned: always
  sample: none
token_files:
  description: The files. What is not known is null.
  type: list
  elements: dict
  returned: success
  contains:
    path:
      description: Path of the file.
      type: str
      sample: /home/ops/.sddc/vrni.json
    product:
      description: The product that the token is for, by the first word of its module's name.
      type: str
      sample: vrni
    host:
      description: The server that the token is for.
      type: str
      sample: vrni.example.com
    principal:
      description: Whose token it is.
      type: str
      sample: LOCAL/admin@local
    issued_at:
      description: When the token was issued, in UTC.
      type: str
      sample: "2026-11-21T09:00:00Z"
    expires_at:
      description: When the token expires, in UTC.
      type: str
      sample: "2026-11-21T14:00:00Z"
    expires_in:
      description: Seconds of life that are left, by the server's clock as it was when the token was issued.
      type: int
      sample: 18000
    fingerprint:
      description: The first 12 hexadecimal digits of the SHA-256 of the token, by which to tell tokens apart.
      type: str
      sample: 5f2b0a91c3de
    usable:
      description:
        - Whether there is a token with at least O(min_remaining) seconds of life. One that never lives that long must
          have half its life left.
      type: bool
      sample: true
    status:
      description:
        - V(valid) if RV(token_files[].usable=true).
        - V(expiring) if the token expires too soon, and V(expired) if it has expired.
        - V(missing) if the file does not exist.
        - V(unusable) if the file cannot be used, for the reason in RV(token_files[].error), or if it holds only a token
          that is not yet verified.
      type: str
      choices: [valid, expiring, expired, missing, unusable]
      sample: valid
    error:
      description: Why the file cannot be used. Null when it can.
      type: str
      sample: null
request_count:
  description: All HTTP requests that the task made, which is none.
  type: int
  returned: always
  sample: 0
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.token_file_info import TokenFileInfo
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(TokenFileInfo)


if __name__ == "__main__":
    main()
