#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vidb_access_token
short_description: Manage an access token of the VMware Identity Broker
version_added: 0.1.0
description:
  - Ensures that a valid access token of the VMware Identity Broker (vIDB) exists. The module exchanges an API token, a
    refresh token, a token of an identity provider, or the credentials of an OAuth client for an access token.
  - If the claims of a token would make it too large, the broker issues an overflow token. vCenter rejects it until
    M(sddc.tokens.vcenter_registered_token) registers it.
  - The broker can revoke the token of an OAuth client. With O(client_id) and O(client_secret), O(state=absent) revokes
    the token, and a renewal revokes the token that it replaced, as O(revoke_old) says. The broker does not notify the
    products. A product that does not ask the broker can accept the token until it expires, and O(state=absent) warns
    how long that is.
  - A token from an API token, or from a refresh token without a client, cannot be revoked. O(state=absent) removes
    O(token_file), and warns how long the token is still valid.
options:
  hostname:
    description:
      - Identity broker, as a name, name:port, or https base URL.
      - If not set, the environment variable E(VIDB_HOST) is used.
    type: str
    required: true
  tenant:
    description:
      - Tenant of the identity broker.
      - If not set, the environment variable E(VIDB_TENANT) is used.
    type: str
    default: CUSTOMER
  api_token:
    description:
      - API token of a user. Requires release 9.1.
      - If no credential is set, the environment variable E(VIDB_API_TOKEN) is used.
    type: str
  api_token_file:
    version_added: 0.2.0
    description:
      - Token file of M(sddc.tokens.vcf_api_token) on the managed node that contains the API token, instead of
        O(api_token). It is only read, so that a replaced API token is used from then on.
      - The API token is only sent to the identity broker at which it was created.
    type: path
  subject_token:
    version_added: 0.2.0
    description:
      - Access token of an identity provider, such as Okta or Entra ID, instead of O(api_token). The identity broker
        must know the identity provider, and the user must exist there.
      - It is not stored. A renewal requires a valid one. O(token_file) and O(token_store) are matched by its claim
        C(sub).
    type: str
  refresh_token:
    description: Refresh token of a user, instead of O(api_token). The broker can require O(client_id) and
      O(client_secret) of the client to which it was issued.
    type: str
  client_id:
    description:
      - ID of an OAuth client, instead of O(api_token).
      - If no other credential is set, the environment variable E(VIDB_CLIENT_ID) is used.
    type: str
  client_secret:
    description:
      - Secret of the OAuth client O(client_id).
      - If no other credential is set, the environment variable E(VIDB_CLIENT_SECRET) is used.
    type: str
extends_documentation_fragment:
  - sddc.tokens.lifecycle
  - sddc.tokens.token_store
  - sddc.tokens.token_store.api_token
  - sddc.tokens.lifecycle.revocation
  - sddc.tokens.token_store.record
  - sddc.tokens.sealing
  - sddc.tokens.sealing.return_token
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.vidb]
notes:
  - O(verify) checks the expiry and the claims in the token, and sends no request, because the broker has no simple
    request for this purpose.
  - A broker can rotate refresh tokens. Each refresh token then works once, and the response contains the next one. With
    O(token_file), a renewal uses the refresh token in the file, and O(refresh_token) if the broker rejects it. Without
    O(token_file), the next task requires RV(refresh_token).
  - A token file is matched by the O(refresh_token) with which it was created, or by the refresh token that it contains.
    If a task uses the latter, the file is matched by that refresh token after its next renewal.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Get Access Token, in the API of the VMware Identity Broker
    description: The vendor's documentation of the operation.
    link: https://developer.broadcom.com/xapis/vmware-identity-broker/latest/acs/t/tenant/token/post
  - module: sddc.tokens.vcenter_registered_token
  - module: sddc.tokens.vcf_api_token
  - plugin: sddc.tokens.token_file
    plugin_type: lookup
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Exchange an API token when the existing access token expires soon
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that a valid access token exists
      sddc.tokens.vidb_access_token:
        hostname: vidb.example.com
        api_token: "{{ vidb_api_token }}"
        token_file: ~/.sddc/vidb.json
        return_token: false
      register: vidb

    - name: Show when the access token expires
      ansible.builtin.debug:
        msg: The access token expires at {{ vidb.expires_at }}.

- name: Keep an access token, and the API token that it comes from
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that the API token is valid for two weeks or longer
      sddc.tokens.vcf_api_token:
        hostname: vcf-operations.example.com
        username: admin
        password: "{{ vcf_operations_password }}"
        api_client: Automation
        vidb_hostname: vidb.example.com
        token_file: ~/.sddc/vcf-api.json
        verify_max_age: 86400
        return_token: false

    - name: Ensure that a valid access token exists
      sddc.tokens.vidb_access_token:
        hostname: vidb.example.com
        api_token_file: ~/.sddc/vcf-api.json
        token_file: ~/.sddc/vidb-of-client.json
        return_token: false

- name: Use a token of an OAuth client with vCenter
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Create an access token for this play
      sddc.tokens.vidb_access_token:
        hostname: vidb.example.com
        client_id: "{{ vidb_client_id }}"
        client_secret: "{{ vidb_client_secret }}"
      register: vidb

    - name: List the datacenters
      ansible.builtin.uri:
        url: https://vcenter.example.com/api/vcenter/datacenter
        headers: "{{ vidb.headers }}"
      no_log: true

- name: Remove a token file
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Remove the token file (the token itself is valid until it expires)
      sddc.tokens.vidb_access_token:
        hostname: vidb.example.com
        state: absent
        token_file: ~/.sddc/vidb.json
"""

RETURN = r"""
action:
  description: Action of the task, or predicted action in check mode. V(created), V(reused), V(renewed), V(revoked),
    V(forgotten) or V(none).
  type: str
  returned: always
  sample: created
token:
  description: The access token. This value is a secret.
  type: str
  returned: when a token exists and O(return_token) is true
  sample: eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl
token_type:
  description: Type of the token, which is the scheme in the C(Authorization) header.
  type: str
  returned: when a token exists
  sample: Bearer
headers:
  description: HTTP headers that authenticate a request, for O(ansible.builtin.uri#module:headers). They are secret.
  type: dict
  returned: when a token exists and O(return_token) is true
  sample: {Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl}
issued_at:
  description: Time when the token was issued (UTC). Null if unknown.
  type: str
  returned: when a token exists
  sample: "2026-11-21T09:00:00Z"
expires_at:
  description: Time when the token expires (UTC). Null if unknown.
  type: str
  returned: when a token exists
  sample: "2026-11-21T09:30:00Z"
expires_in:
  description: Remaining lifetime (seconds). Null if unknown.
  type: int
  returned: when a token exists
  sample: 1799
fingerprint:
  description: First 12 hexadecimal digits of the SHA-256 of the token. It identifies a token without revealing it.
  type: str
  returned: when a token exists
  sample: 5f2b0a91c3de
verified:
  description:
    - Whether the expiry and the claims in the token were verified.
    - Always false with O(state=absent), because nothing shows whether the products still accept a revoked token.
  type: bool
  returned: success
  sample: true
verified_at:
  version_added: 0.2.0
  description: Time of the last verification (UTC). Another task may have performed it; see O(verify_max_age).
  type: str
  returned: when a token exists
  sample: '2026-10-05T09:30:00Z'
request_count:
  description: Number of HTTP requests that the task sent.
  type: int
  returned: always
  sample: 1
id_token:
  description: OpenID token that was issued with the access token. This value is a secret.
  type: str
  returned: when an OpenID token exists and O(return_token) is true
  sample: eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl
refresh_token:
  description: Refresh token that was issued with the access token. This value is a secret.
  type: str
  returned: when a refresh token exists and O(return_token) is true
  sample: "mYw6NiV0sKq3Lr7TzX1bHcGe5uJd9oPa"
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vidb_access_token import VidbAccessToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(VidbAccessToken)


if __name__ == "__main__":
    main()
