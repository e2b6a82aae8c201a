# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup that hands over a token of a token file."""

from __future__ import annotations

DOCUMENTATION = r"""
name: token_file
short_description: Read the token of a token file
version_added: 0.1.0
description:
  - Returns the token that a module of this collection keeps in its O(ignore:token_file).
  - It reads the disk of the controller, while the option of a module names a file on the host where the module runs.
    The two are the same on a local connection.
  - It makes no request. A token that has expired, or will within O(min_remaining) seconds, is an error.
options:
  _terms:
    description: Paths of token files.
    type: list
    elements: str
    required: true
  secret:
    description:
      - Which of the secrets in the file to return, V(token), or what came with it, such as V(id_token).
    type: str
    default: token
  min_remaining:
    description: Seconds of life that the token must still have.
    type: str
    default: '0'
notes:
  - On ansible-core 2.22 and later the returned value is masked in all output. On older cores use C(no_log) on
    tasks that would print it.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - module: sddc.tokens.csp_access_token
  - module: sddc.tokens.vrni_auth_token
"""

EXAMPLES = r"""
- name: Use the token that an earlier task keeps
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

    - name: Read the version
      ansible.builtin.uri:
        url: https://vrni.example.com/api/ni/info/version
        headers:
          Authorization: NetworkInsight {{ lookup('sddc.tokens.token_file', '~/.sddc/vrni.json') }}
      no_log: true
"""

RETURN = r"""
_raw:
  description: One token for each path. They are secrets.
  type: list
  elements: str
"""

from typing import Any, Optional

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import StoreError, TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import SYSTEM_CLOCK, Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._core.values import absolute_path, duration
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.file_store import FileStore
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.reader import read_token

display = Display()

_ADVICE = "Run the module that keeps it first."


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Optional[dict[str, Any]] = None, **kwargs: Any) -> list[str]:
        """Raises AnsibleError."""
        self.set_options(var_options=variables, direct=kwargs)
        name, min_remaining = self.get_option("secret"), self.get_option("min_remaining")
        try:
            seconds = duration(min_remaining, "min_remaining")
            # A text of its own: on cores before 2.19 a path may be an object that a vault has to decrypt.
            paths = [absolute_path(str(term), "_terms") for term in terms]
            return [_secret(path, name, seconds).reveal() for path in paths]
        except TokensError as error:
            raise AnsibleError(f"token_file lookup: {error}") from None


def _secret(path: str, name: str, min_remaining: float) -> Secret:
    store = FileStore(path, Runtime(warn=display.warning, notify=display.vv), read_only=True)
    return _named(read_token(store, SYSTEM_CLOCK, min_remaining=max(min_remaining, 1), advice=_ADVICE), name, path)


def _named(token: Token, name: str, path: str) -> Secret:
    secrets = {"token": token.secret, **token.companions}
    if name not in secrets:
        raise StoreError(f"there is no {name} in {path}, only {', '.join(secrets)}")
    return secrets[name]
