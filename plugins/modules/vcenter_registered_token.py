#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vcenter_registered_token
short_description: Register an overflow access token with vCenter
version_added: 0.1.0
description:
  - If the claims of an access token would make it too large, the VMware Identity Broker (vIDB) issues an overflow
    token, which vCenter rejects. This module fetches the expanded token from the link in the overflow token, registers
    it with vCenter, and verifies that vCenter then accepts the overflow token.
  - If the token is not an overflow token, or vCenter already accepts it, nothing changes.
  - A registration cannot be read or removed. It is valid as long as the token.
options:
  access_token:
    description:
      - Access token of the VMware Identity Broker, from M(sddc.tokens.vidb_access_token).
      - Mutually exclusive with O(token_file), O(token_store), O(vidb_api_token), O(vidb_api_token_file),
        O(vidb_api_token_store), O(vidb_subject_token), O(vidb_refresh_token) and O(vidb_client_id).
      - If none of these is set, the environment variable E(VCENTER_ACCESS_TOKEN) is used.
    type: str
  token_file:
    description:
      - Token file of M(sddc.tokens.vidb_access_token) on the managed node, instead of O(access_token).
      - With a credential of the identity broker, such as O(vidb_api_token), this task creates and renews the token in
        the file. Without one, it only reads the file, and fails if the token has expired or belongs to another
        product.
    type: path
  vidb_hostname:
    description:
      - Identity broker, as a name, name:port, or https base URL. Required with a credential of the
        identity broker, such as O(vidb_api_token).
      - If not set, the environment variable E(VIDB_HOST) is used.
    type: str
  vidb_tenant:
    description:
      - Tenant of the identity broker.
      - If not set, the environment variable E(VIDB_TENANT) is used.
    type: str
    default: CUSTOMER
  vidb_api_token:
    description:
      - API token of the identity broker. This task exchanges it for an access token. Requires release 9.1.
      - Without O(token_file) and O(token_store), every run requests a new access token.
      - If neither O(access_token) nor any credential of the identity broker is set, the environment variable
        E(VIDB_API_TOKEN) is used.
    type: str
  vidb_api_token_file:
    version_added: 0.2.0
    description:
      - Token file of M(sddc.tokens.vcf_api_token) on the managed node that contains the API token, instead of
        O(vidb_api_token). It is only read.
      - The API token is only sent to the identity broker at which it was created.
    type: path
  vidb_subject_token:
    version_added: 0.2.0
    description: Access token of an identity provider that the identity broker knows, instead of O(vidb_api_token).
    type: str
  vidb_refresh_token:
    description: Refresh token of the identity broker, instead of O(vidb_api_token).
    type: str
  vidb_client_id:
    description:
      - ID of an OAuth client of the identity broker, instead of O(vidb_api_token).
      - If neither O(access_token) nor any other credential of the identity broker is set, the environment variable
        E(VIDB_CLIENT_ID) is used.
    type: str
  vidb_client_secret:
    description:
      - Secret of the OAuth client O(vidb_client_id).
      - If neither O(access_token) nor any other credential of the identity broker is set, the environment variable
        E(VIDB_CLIENT_SECRET) is used.
    type: str
  vidb_validate_certs:
    version_added: 0.2.0
    description:
      - Whether to verify the TLS certificates of the identity broker and of the server in the overflow link. They must
        match the host name and be signed by a trusted CA. O(validate_certs) applies to vCenter only.
    type: bool
    default: true
  vidb_ca_path:
    version_added: 0.2.0
    description:
      - PEM file with the CA certificates to trust for these servers, or folder of hashed PEM files.
      - By default, the trust store of the system and O(ca_path).
    type: path
  expanded_access_token:
    description: Expanded token, if you already have it. By default, the task fetches it.
    type: str
  trusted_issuers:
    description:
      - Additional servers from which the expanded token may be fetched. By default, it is fetched only from the issuer
        that is named in the token. Each entry is a name, or name:port if the port is not 443.
      - The access token is sent to these servers.
    type: list
    elements: str
    default: []
  probe_path:
    description:
      - Path of the read request that shows whether vCenter accepts the token. It can include a query.
      - vCenter accepts the token if the response is a list of datacenters, or has the status 403 and vCenter's own JSON
        format. It does not accept the token if the status is 401.
      - With any other JSON response, the task repeats the request without the token. vCenter accepts the token only if
        this second request is refused. A response of a proxy never counts as accepted.
    type: str
    default: /api/vcenter/datacenter
  min_remaining:
    version_added: 0.2.0
    description:
      - Remaining lifetime below which this task renews the token of the identity broker (seconds).
      - This option has no effect if the task does not request the token itself.
    type: str
    default: '300'
extends_documentation_fragment:
  - sddc.tokens.vcenter
  - sddc.tokens.sealing
  - sddc.tokens.sealing.return_token
  - sddc.tokens.token_store.read
  - sddc.tokens.vcenter.vidb_api_token
  - sddc.tokens.connection
  - sddc.tokens.connection.issuer
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.vcenter]
notes:
  - Requires vCenter 9.1. The user requires the privilege System.Read.
  - A task sends one request if vCenter already accepts the token, four if it registers the token, and none if the token
    is not an overflow token. A new access token requires one more request.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Vcenter RegisteredTokens create, in the vSphere Automation API
    description: The vendor's documentation of the operation.
    link: https://developer.broadcom.com/xapis/vsphere-automation-api/latest/api/vcenter/registered-tokens/post/
  - module: sddc.tokens.vcenter_session
  - module: sddc.tokens.vidb_access_token
  - plugin: sddc.tokens.token_store
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Use vCenter as a member of many groups
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Get an access token from the identity broker and register it with vCenter if necessary
      sddc.tokens.vcenter_registered_token:
        hostname: vcenter.example.com
        vidb_hostname: vidb.example.com
        vidb_api_token: "{{ vidb_api_token }}"
        token_file: ~/.sddc/vcenter.json
      register: vcenter

    - name: List the datacenters
      ansible.builtin.uri:
        url: https://vcenter.example.com/api/vcenter/datacenter
        headers: "{{ vcenter.headers }}"
      no_log: true

- name: Register the token of another task
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ensure that a valid access token exists
      sddc.tokens.vidb_access_token:
        hostname: vidb.example.com
        api_token: "{{ vidb_api_token }}"
        token_file: ~/.sddc/vidb.json
        return_token: false

    - name: Register the token with vCenter if necessary
      sddc.tokens.vcenter_registered_token:
        hostname: vcenter.example.com
        token_file: ~/.sddc/vidb.json
        return_token: false
"""

RETURN = r"""
action:
  description:
    - Action of the task, or predicted action in check mode. V(registered) or V(none).
    - V(created) or V(renewed) if only the token in O(token_file) or O(token_store) changed.
  type: str
  returned: always
  sample: registered
token:
  description: The access token, which vCenter accepts. This value is a secret.
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
    - Whether the task verified that vCenter accepts the token.
    - Always false if the token is not an overflow token. Such a token is not sent to vCenter.
  type: bool
  returned: success
  sample: true
verified_at:
  version_added: 0.2.0
  description: Time of the last verification (UTC).
  type: str
  returned: when a token exists
  sample: '2026-10-05T09:30:00Z'
request_count:
  description: Number of HTTP requests that the task sent, including those to the identity broker.
  type: int
  returned: always
  sample: 4
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vcenter_registered_token import (
    VcenterRegisteredToken,
)
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(VcenterRegisteredToken)


if __name__ == "__main__":
    main()
