#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vcenter_registered_token
short_description: Make an access token usable that vCenter refuses as an overflow token
version_added: 0.1.0
description:
  - An access token of the VMware Identity Broker (vIDB) that would be too large comes as an overflow token, and vCenter
    refuses it. This module fetches the expanded token by the overflow token's own link, registers it with vCenter, and
    proves that the overflow token works from then on.
  - Where the token is no overflow token, or vCenter accepts it already, nothing changes.
  - A registration can neither be read nor removed. It lasts as long as the token.
options:
  hostname:
    description:
      - The vCenter, as a name, name:port, or https base URL.
      - The environment variable E(VMWARE_HOST) is used when this is not set.
    type: str
    required: true
  access_token:
    description:
      - Access token of the VMware Identity Broker, from M(sddc.tokens.vidb_access_token).
      - Mutually exclusive with O(token_file), O(vidb_api_token), O(vidb_refresh_token) and O(vidb_client_id).
      - The environment variable E(VCENTER_ACCESS_TOKEN) is used when none of the five is set.
    type: str
  token_file:
    description:
      - Token file of M(sddc.tokens.vidb_access_token), in place of O(access_token), on the host where the module runs.
      - With O(vidb_api_token), O(vidb_refresh_token) or O(vidb_client_id) this task keeps the token in the file alive
        by itself. Without them it reads the file, and fails when the token has expired or is that of another product.
    type: path
  vidb_hostname:
    description:
      - The broker, as a name, name:port, or https base URL. Needed with O(vidb_api_token), O(vidb_refresh_token) and
        O(vidb_client_id).
      - The environment variable E(VIDB_HOST) is used when this is not set.
    type: str
  vidb_tenant:
    description:
      - Tenant of the broker.
      - The environment variable E(VIDB_TENANT) is used when this is not set.
    type: str
    default: CUSTOMER
  vidb_api_token:
    description:
      - API token of the broker, with which this task gets its access token by itself. It needs release 9.1.
      - Without O(token_file) every run gets a new one.
      - The environment variable E(VIDB_API_TOKEN) is used when neither this nor O(vidb_refresh_token) nor
        O(vidb_client_id) nor O(access_token) is set.
    type: str
  vidb_refresh_token:
    description: Refresh token of the broker, in place of O(vidb_api_token).
    type: str
  vidb_client_id:
    description:
      - Id of an OAuth client of the broker, in place of O(vidb_api_token).
      - The environment variable E(VIDB_CLIENT_ID) is used when neither this nor O(vidb_api_token) nor
        O(vidb_refresh_token) nor O(access_token) is set.
    type: str
  vidb_client_secret:
    description:
      - Secret of the OAuth client.
      - The environment variable E(VIDB_CLIENT_SECRET) is used when neither this nor O(vidb_api_token) nor
        O(vidb_refresh_token) nor O(access_token) is set.
    type: str
  vidb_validate_certs:
    description:
      - Whether the certificate of the broker, and of the server of the overflow link, must be valid for its name and
        signed by a trusted authority. O(validate_certs) is for vCenter alone.
    type: bool
    default: true
  vidb_ca_path:
    description:
      - PEM file, or folder of hashed PEM files, with the authorities to trust of these servers.
      - By default the trust store of the system and O(ca_path).
    type: path
  validate_certs:
    description:
      - Whether the server's certificate must be valid for its name and signed by a trusted authority.
      - V(false) sends your secrets to whoever answers. Give O(ca_path) instead.
      - The environment variable E(VMWARE_VALIDATE_CERTS) is used when this is not set.
  expanded_access_token:
    description: The expanded token, where you hold it already. By default it is fetched.
    type: str
  trusted_issuers:
    description:
      - Further servers from which the expanded token may be fetched, besides the issuer that the token names. Each is a
        name, or name:port where the port is not 443.
      - The access token is sent there.
    type: list
    elements: str
    default: []
  probe_path:
    description:
      - Path, with a query if need be, of the read that shows whether vCenter accepts the token.
      - A list of datacenters, or status 403 in vCenter's own JSON, means that it does, 401 that it does not.
      - Any other JSON means that it does only if the server refuses the same request without the token, which is one
        request more. The page of a proxy proves nothing.
    type: str
    default: /api/vcenter/datacenter
  min_remaining:
    description:
      - Remaining lifetime (seconds) below which this task renews the token of the broker.
      - It has no effect on a token that this task does not get by itself.
    type: str
    default: '300'
extends_documentation_fragment:
  - sddc.tokens.sealing
  - sddc.tokens.sealing.return_token
  - sddc.tokens.connection
  - sddc.tokens.connection.issuer
  - sddc.tokens.attributes
  - sddc.tokens.attributes.no_diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.vcenter]
notes:
  - It needs vCenter 9.1. The user needs the privilege System.Read.
  - A task makes one request where the token is accepted already, four where it registers the token, and none where it
    is no overflow token. One more gets a new access token.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: Vcenter RegisteredTokens create, in the vSphere Automation API
    description: The vendor's page of the operation.
    link: https://developer.broadcom.com/xapis/vsphere-automation-api/latest/api/vcenter/registered-tokens/post/
  - module: sddc.tokens.vidb_access_token
"""

EXAMPLES = r"""
- name: Work with vCenter as a user of many groups
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Get an access token from the broker, and make vCenter accept it
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

- name: Make vCenter accept a token that another task keeps
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make sure that there is an access token
      sddc.tokens.vidb_access_token:
        hostname: vidb.example.com
        api_token: "{{ vidb_api_token }}"
        token_file: ~/.sddc/vidb.json
        return_token: false

    - name: Register it where that is needed
      sddc.tokens.vcenter_registered_token:
        hostname: vcenter.example.com
        token_file: ~/.sddc/vidb.json
        return_token: false
"""

RETURN = r"""
action:
  description:
    - What was done, or would be done in check mode, V(registered) or V(none).
    - V(created) or V(renewed) where only the token in O(token_file) has changed.
  type: str
  returned: always
  sample: registered
token:
  description: The access token, which vCenter accepts now. It is a secret.
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
    - Whether this task has seen that vCenter accepts the token.
    - Always false for a token that is no overflow token, which is not tried.
  type: bool
  returned: success
  sample: true
verified_at:
  description: When the token was last proven, in UTC.
  type: str
  returned: when there is a token
  sample: '2026-10-05T09:30:00Z'
request_count:
  description: All HTTP requests that the task made, those to the broker included.
  type: int
  returned: always
  sample: 4
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.vcenter_registered_token import (
    VcenterRegisteredToken,
)
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(VcenterRegisteredToken)


if __name__ == "__main__":
    main()
