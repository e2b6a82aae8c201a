# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup that reads a token from a shared store."""

from __future__ import annotations

DOCUMENTATION = r"""
name: token_store
short_description: Read a token from a shared store
version_added: 0.2.0
description:
  - Returns the token that a module of this collection stores in a KV secrets engine (version 2) of Vault or OpenBao.
    See O(ignore:token_store) of the modules.
  - The lookup sends one request to the store for each path, and two more to sign in and out. The product of the token
    is not contacted. If the token has expired, or expires within O(min_remaining), the lookup fails.
extends_documentation_fragment:
  - sddc.tokens.token_store.lookup
options:
  _terms:
    description: Paths of the documents, relative to O(mount).
    type: list
    elements: str
    required: true
  secret:
    description:
      - Name of the secret in the document. V(token), or a secret that was issued with the token, such as V(id_token).
    type: str
    default: token
  min_remaining:
    description: Minimum remaining lifetime of the token (seconds).
    type: str
    default: '0'
  proxy_url:
    description: Proxy for the requests to the store, as O(ignore:proxy_url) of the modules.
    type: str
  timeout:
    description: Total timeout for one attempt of a request (seconds).
    type: str
    default: '30'
  retries:
    description: Number of retries of a request after a transient error.
    type: int
    default: 3
notes:
  - With ansible-core 2.22 and later, the returned value is masked in all output. With older versions, set C(no_log) on
    tasks that print the value.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Use a token that another machine renews
  hosts: localhost
  gather_facts: false
  tasks:
    # The environment variables VAULT_ADDR and VAULT_TOKEN name the store, here and on the other machines.
    - name: Ensure that a valid token exists
      sddc.tokens.vrni_auth_token:
        hostname: vrni.example.com
        username: admin@local
        password: "{{ vrni_password }}"
        token_store:
          path: sddc/vrni
        return_token: false

    - name: Read the version
      ansible.builtin.uri:
        url: https://vrni.example.com/api/ni/info/version
        headers:
          Authorization: NetworkInsight {{ lookup('sddc.tokens.token_store', 'sddc/vrni') }}
      no_log: true
"""

RETURN = r"""
_raw:
  description: One token for each path. The values are secrets.
  type: list
  elements: str
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import TokensError
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Resources, Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.store_options import TOKEN_STORE
from ansible_collections.sddc.tokens.plugins.module_utils._operations.token_store_lookup import TokenStoreLookup
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated, unverified

display = Display()


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Optional[dict[str, Any]] = None, **kwargs: Any) -> list[str]:
        """Raises AnsibleError."""
        # Those that are not given have the defaults of the modules, after the environment.
        store = {name: value for name, value in kwargs.items() if name in TOKEN_STORE.options}
        others = {name: value for name, value in kwargs.items() if name not in store}
        runtime = Runtime(environ=os.environ, warn=display.warning, notify=display.vv)
        # The terms share one sign-in.
        resources = Resources(runtime)
        runtime = replace(runtime, resources=resources)
        try:
            return [_secret({**others, "token_store": {**store, "path": str(term)}}, runtime) for term in terms]
        finally:
            resources.close()


def _secret(args: Mapping[str, Any], runtime: Runtime) -> str:
    spec = TokenStoreLookup.argument_spec
    for variable, option in spec.insecure_variables(args, os.environ):
        display.warning(unverified(variable, option))
    validated = Validated(TokenStoreLookup, spec.complete(args, os.environ))
    if validated.error:
        raise AnsibleError(validated.error)
    operation = TokenStoreLookup(spec.typed(validated.params), runtime)
    try:
        return str(operation.run().values["secret"].reveal())
    except TokensError as error:
        raise AnsibleError(f"token_store lookup: {runtime.redactor.line(str(error))}") from None
    finally:
        operation.close()
