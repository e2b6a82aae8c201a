#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vcf_api_token
short_description: Manage an API token of the VCF SSO
version_added: 0.2.0
description:
  - Ensures that a valid API token of the VCF SSO (VMware Cloud Foundation 9.1) exists, or deletes it. Other modules
    exchange an API token for access tokens at the VMware Identity Broker. When it expires, all of them fail.
  - VCF Operations shows the value of an API token only once, when it is created. The value is therefore always stored.
  - A renewal creates a new API token, stores it, and verifies it at the identity broker, before it replaces the old
    one. An API token is never regenerated, because that ends the old value before the new one is stored.
  - The name of an API token is stored before it is created. If a response is lost or a task is interrupted, the same
    task or the next one finds the API token by its name and deletes it.
  - A renewal deletes only API tokens that this module has created with the same O(token_file) or O(token_store).
options:
  api_client:
    description: ID or name of the API client to which the API token belongs. It is required to create an API token.
    type: str
  token_name:
    description: Beginning of the name of a new API token. A random part is added.
    type: str
    default: sddc.tokens
  token_id:
    description:
      - ID of an API token to delete with O(state=absent), instead of O(token_file) or O(token_store), no matter who
        created it.
      - M(sddc.tokens.vcf_api_token_info) returns the IDs.
    type: str
  description:
    description: Description of a new API token.
    type: str
  lifetime:
    description:
      - Lifetime of a new API token (seconds), between 30 and 180 days.
      - By default, the lifetime in the settings of the realm.
    type: str
  access_token_lifetime:
    description:
      - Lifetime of the access tokens for which a new API token is exchanged (seconds), between 30 minutes and 8 hours.
      - By default, the lifetime in the settings of the realm.
    type: str
  vidb_hostname:
    description:
      - Identity broker at which the API token is verified, as a name, name:port, or https base URL. It is required to
        create or verify an API token.
      - If not set, the environment variable E(VIDB_HOST) is used.
    type: str
  vidb_tenant:
    description:
      - Tenant at O(vidb_hostname).
      - If not set, the environment variable E(VIDB_TENANT) is used.
    type: str
    default: CUSTOMER
  vidb_validate_certs:
    description: Whether to verify the TLS certificate of O(vidb_hostname).
    type: bool
    default: true
  vidb_ca_path:
    description:
      - PEM file with the CA certificates to trust for O(vidb_hostname), or folder of hashed PEM files.
      - By default, the trust store of the system and O(ca_path).
    type: path
  min_remaining:
    description:
      - Minimum remaining lifetime of the API token (seconds). By default, two weeks, so that a person can act if it
        cannot be renewed. An API token with less is replaced. If that is not possible, the task fails.
      - An API token whose total lifetime is not longer than this is replaced after half its lifetime, with a warning
        when it is created.
    type: str
    default: 14d
  revoke_old:
    description:
      - Whether to delete the replaced API token as soon as the new one is verified. With V(false), it is never deleted.
      - By default, an API token that was replaced because it expires soon stays valid for the tasks that use it, for
        O(min_remaining) and at most a day. The next task after that deletes it. With O(renew=always), it is deleted at
        once.
    type: bool
extends_documentation_fragment:
  - sddc.tokens.vcf_api
  - sddc.tokens.lifecycle.stored
  - sddc.tokens.token_store.stored
  - sddc.tokens.sealing
  - sddc.tokens.sealing.return_token
  - sddc.tokens.connection
  - sddc.tokens.connection.issuer
  - sddc.tokens.attributes
  - sddc.tokens.attributes.diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.vcf_operations]
notes:
  - O(verify) exchanges the API token at O(vidb_hostname). The access token that this creates is not used, and is valid
    until it expires. Set O(verify_max_age) to exchange it less often.
  - The task signs in to O(hostname) only to create or delete an API token, and in check mode. Check mode exchanges no
    API token. It compares the ID and the last characters of the stored API token with VCF Operations.
  - A stored API token is only sent to the identity broker at which it was created.
  - O(realm) and O(api_client) are compared with the stored API token if they are set.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: VCF Operations API
    description: The vendor's documentation of the operations.
    link: https://developer.broadcom.com/xapis/vcf-operations-api/latest/
  - module: sddc.tokens.vcf_api_token_info
  - module: sddc.tokens.vidb_access_token
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Keep the API token from which all access tokens come
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that the API token is valid for two weeks or longer
      sddc.tokens.vcf_api_token:
        hostname: vcf-operations.example.com
        username: admin
        password: "{{ vcf_operations_password }}"
        api_client: Automation
        lifetime: 90d
        vidb_hostname: vidb.example.com
        token_file: ~/.sddc/vcf-api-token.json
        verify_max_age: 12h
        return_token: false
      register: root

    - name: Show when it expires
      ansible.builtin.debug:
        msg: The API token {{ root.token_name }} expires at {{ root.expires_at }}.

- name: Delete the API token
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Delete the API token and its file
      sddc.tokens.vcf_api_token:
        hostname: vcf-operations.example.com
        username: admin
        password: "{{ vcf_operations_password }}"
        token_file: ~/.sddc/vcf-api-token.json
        state: absent

- name: Delete an API token of anybody
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Delete the API token with this ID, if it exists
      sddc.tokens.vcf_api_token:
        hostname: vcf-operations.example.com
        username: admin
        password: "{{ vcf_operations_password }}"
        token_id: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
        state: absent
"""

RETURN = r"""
action:
  description: Action of the task, or predicted action in check mode. V(created), V(reused), V(renewed), V(revoked),
    V(forgotten) or V(none).
  type: str
  returned: always
  sample: created
token:
  description: The API token. This value is a secret.
  type: str
  returned: when a token exists and O(return_token) is true
  sample: vidb_NmYxYzdhNTI=
token_type:
  description: Type of the token. Always V(api_token).
  type: str
  returned: when a token exists
  sample: api_token
token_id:
  description: ID of the API token in VCF Operations. It is not secret.
  type: str
  returned: when a token exists, or an API token was deleted by O(token_id)
  sample: 6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e
token_name:
  description: Name of the API token.
  type: str
  returned: when a token exists, or an API token was deleted by O(token_id)
  sample: sddc.tokens-8d1f0c5b7a3e9246
issued_at:
  description: Time when the token was issued (UTC). Null if unknown.
  type: str
  returned: when a token exists
  sample: "2026-11-21T09:00:00Z"
expires_at:
  description: Time when the token expires (UTC). Null if unknown.
  type: str
  returned: when a token exists
  sample: "2027-02-19T09:00:00Z"
expires_in:
  description: Remaining lifetime (seconds). Null if unknown.
  type: int
  returned: when a token exists
  sample: 7775999
fingerprint:
  description: First 12 hexadecimal digits of the SHA-256 of the token. It identifies a token without revealing it.
  type: str
  returned: when a token exists
  sample: 5f2b0a91c3de
verified:
  description:
    - Whether it was verified that the identity broker accepts the token.
    - With O(state=absent), whether it was verified that the token no longer exists.
  type: bool
  returned: success
  sample: true
verified_at:
  description: Time of the last verification (UTC). Another task may have performed it; see O(verify_max_age).
  type: str
  returned: when a token exists
  sample: '2026-11-21T09:00:01Z'
request_count:
  description: Number of HTTP requests that the task sent, including sign-in and sign-out.
  type: int
  returned: always
  sample: 6
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vcf_api_token import VcfApiToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(VcfApiToken)


if __name__ == "__main__":
    main()
