#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vidb_access_token
short_description: Keep an access token of the VMware Identity Broker alive
version_added: 0.1.0
description:
  - Makes sure that an access token of the VMware Identity Broker (vIDB) with enough life left exists, in exchange for
    an API token, a refresh token or the credentials of an OAuth client.
  - A token whose claims would be too large comes as an overflow token, which vCenter refuses until it is registered.
    That is the job of M(sddc.tokens.vcenter_registered_token).
  - A token of an OAuth client is revoked at the broker with O(state=absent), and where a renewal has replaced it, given
    O(client_id) and O(client_secret). The broker cannot tell the products about it, so a product that does not ask the
    broker may accept the token until it expires, and O(state=absent) warns until when.
  - A token that was got with an API token, or with a refresh token and no client, cannot be revoked. O(state=absent)
    removes O(token_file), and warns until when the token is valid.
options:
  hostname:
    description:
      - The broker, as a name, name:port, or https base URL.
      - The environment variable E(VIDB_HOST) is used when this is not set.
    type: str
    required: true
  tenant:
    description:
      - Tenant of the broker.
      - The environment variable E(VIDB_TENANT) is used when this is not set.
    type: str
    default: CUSTOMER
  api_token:
    description:
      - API token of a user. It needs release 9.1.
      - The environment variable E(VIDB_API_TOKEN) is used when neither this nor O(refresh_token) nor O(client_id) is
        set.
    type: str
  refresh_token:
    description: Refresh token of a user, in place of O(api_token). It may need the client that it was issued to.
    type: str
  client_id:
    description:
      - Id of an OAuth client, in place of O(api_token).
      - The environment variable E(VIDB_CLIENT_ID) is used when neither this nor O(api_token) nor O(refresh_token) is
        set.
    type: str
  client_secret:
    description:
      - Secret of the OAuth client.
      - The environment variable E(VIDB_CLIENT_SECRET) is used when neither this nor O(api_token) nor O(refresh_token)
        is set.
    type: str
extends_documentation_fragment:
  - sddc.tokens.lifecycle
  - sddc.tokens.lifecycle.revocation
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
  - There is no cheap authenticated read, so that O(verify) checks the expiry and the claims of the token and makes no
    request.
  - With O(state=absent) the file is removed, RV(action) is V(forgotten), and a warning says until when the token lives.
  - A broker may rotate refresh tokens, so that each works once, and brings the next. With O(token_file), a renewal uses
    the one in the file, and O(refresh_token) where that is refused. Without a file, the next task needs
    RV(refresh_token).
  - A file is known by the O(refresh_token) that it began with, or by the one in it. Who gives the latter goes on with
    the file, which is known by that from its next renewal on.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Get Access Token, in the API of the VMware Identity Broker
    description: The vendor's page of the operation.
    link: https://developer.broadcom.com/xapis/vmware-identity-broker/latest/acs/t/tenant/token/post
  - module: sddc.tokens.vcenter_registered_token
"""

EXAMPLES = r"""
- name: Exchange an API token, only when the access token at hand is about to expire
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make sure that there is an access token
      sddc.tokens.vidb_access_token:
        hostname: vidb.example.com
        api_token: "{{ vidb_api_token }}"
        token_file: ~/.sddc/vidb.json
        return_token: false
      register: vidb

    - name: Say how long it lasts
      ansible.builtin.debug:
        msg: The access token ends at {{ vidb.expires_at }}.

- name: Use a token of an OAuth client with vCenter
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Get an access token for this play
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

- name: Forget a token
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Remove the file; the token itself lives until it expires
      sddc.tokens.vidb_access_token:
        hostname: vidb.example.com
        state: absent
        token_file: ~/.sddc/vidb.json
"""

RETURN = r"""
action:
  description: What was done, or would be done in check mode.
  type: str
  returned: always
  sample: created
token:
  description: The token. It is a secret.
  type: str
  returned: when there is a token and O(return_token) is true
  sample: eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl
token_type:
  description: The scheme with which the token is sent.
  type: str
  returned: when there is a token
  sample: Bearer
headers:
  description: Headers that sign a request, ready for O(ansible.builtin.uri#module:headers). They are secret.
  type: dict
  returned: when there is a token and O(return_token) is true
  sample: {Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl}
issued_at:
  description: When the token was issued, in UTC. Null when that is unknown.
  type: str
  returned: when there is a token
  sample: "2026-11-21T09:00:00Z"
expires_at:
  description: When the token expires, in UTC. Null when that is unknown.
  type: str
  returned: when there is a token
  sample: "2026-11-21T09:30:00Z"
expires_in:
  description: Seconds of life that are left. Null when that is unknown.
  type: int
  returned: when there is a token
  sample: 1799
fingerprint:
  description: The first 12 hexadecimal digits of the SHA-256 of the token, by which to tell tokens apart.
  type: str
  returned: when there is a token
  sample: 5f2b0a91c3de
verified:
  description:
    - Whether this task has checked the token's expiry and claims.
    - For O(state=absent) always false, because nothing shows whether the products still accept a revoked token.
  type: bool
  returned: success
  sample: true
verified_at:
  description: When the token was last proven, in UTC. It may have been another task; see O(verify_max_age).
  type: str
  returned: when there is a token
  sample: '2026-10-05T09:30:00Z'
request_count:
  description: All HTTP requests that the task made.
  type: int
  returned: always
  sample: 1
id_token:
  description: The OpenID token that came with the access token. It is a secret.
  type: str
  returned: when there is one and O(return_token) is true
  sample: eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl
refresh_token:
  description: The refresh token that came with the access token. It is a secret.
  type: str
  returned: when there is one and O(return_token) is true
  sample: "mYw6NiV0sKq3Lr7TzX1bHcGe5uJd9oPa"
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vidb_access_token import VidbAccessToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(VidbAccessToken)


if __name__ == "__main__":
    main()
