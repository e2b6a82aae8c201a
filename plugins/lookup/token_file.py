# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup that reads a token from a token file."""

from __future__ import annotations

DOCUMENTATION = r"""
name: token_file
short_description: Read a token from a token file
version_added: 0.1.0
description:
  - Returns the token that a module of this collection stores in its O(ignore:token_file).
  - The lookup reads a file on the control node. The option of a module names a file on the managed node. On a local
    connection, both are the same.
  - The server is not contacted. If the token has expired, or expires within O(min_remaining), the lookup fails.
options:
  _terms:
    description: Paths of token files.
    type: list
    elements: str
    required: true
  secret:
    description:
      - Name of the secret in the file. V(token), or a secret that was issued with the token, such as V(id_token).
    type: str
    default: token
  min_remaining:
    description: Minimum remaining lifetime of the token (seconds).
    type: str
    default: '0'
notes:
  - With ansible-core 2.22 and later, the returned value is masked in all output. With older versions, set C(no_log) on
    tasks that print the value.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - module: sddc.tokens.csp_access_token
  - module: sddc.tokens.vrni_auth_token
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Use the token of a previous task
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

    - name: Read the version
      ansible.builtin.uri:
        url: https://vrni.example.com/api/ni/info/version
        headers:
          Authorization: NetworkInsight {{ lookup('sddc.tokens.token_file', '~/.sddc/vrni.json') }}
      no_log: true
"""

RETURN = r"""
_raw:
  description: One token for each path. The values are secrets.
  type: list
  elements: str
"""

from typing import Any, Optional

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import SYSTEM_CLOCK, Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.values import absolute_path, duration
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.reader import named_secret, read_token

display = Display()

_ADVICE = "Run the task that stores the token in this file first."


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Optional[dict[str, Any]] = None, **kwargs: Any) -> list[str]:
        """Raises AnsibleError."""
        self.set_options(var_options=variables, direct=kwargs)
        name, min_remaining = self.get_option("secret"), self.get_option("min_remaining")
        try:
            seconds = duration(min_remaining, "min_remaining")
            # Before ansible-core 2.19, a path can be a vaulted object that str() decrypts.
            paths = [absolute_path(str(term), "_terms") for term in terms]
            return [_secret(path, name, seconds).reveal() for path in paths]
        except TokensError as error:
            raise AnsibleError(f"token_file lookup: {error}") from None


def _secret(path: str, name: str, min_remaining: float) -> Secret:
    store = FileStore(path, Runtime(warn=display.warning, notify=display.vv), read_only=True)
    token = read_token(store, SYSTEM_CLOCK, min_remaining=max(min_remaining, 1), advice=_ADVICE)
    return named_secret(token, name, path)
