#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: csp_access_token
short_description: Manage an access token of VMware Cloud Services
version_added: 0.1.0
description:
  - Ensures that a valid access token of VMware Cloud Services (CSP) exists. The module exchanges an API token, or the
    client credentials of an OAuth app, for an access token.
  - If the API token has the OpenID scope, the response also contains an OpenID token.
    M(sddc.tokens.nsx_service_reauth) requires both tokens.
  - VMware Cloud Services cannot revoke an access token. It is valid until it expires, for at most 30 minutes.
options:
  hostname:
    description:
      - Server of VMware Cloud Services, as a name, name:port, or https base URL. Other clouds, such as government
        clouds, have their own server.
      - If not set, the environment variable E(CSP_HOST) is used.
    type: str
    default: console.cloud.vmware.com
  api_token:
    description:
      - API token of a user, as generated in the console.
      - If neither this nor O(client_id) is set, the environment variable E(CSP_API_TOKEN) is used, then
        E(NSXT_VMC_TOKEN).
    type: str
  client_id:
    description:
      - ID of an OAuth app, instead of O(api_token).
      - If neither this nor O(api_token) is set, the environment variable E(CSP_CLIENT_ID) is used.
    type: str
  client_secret:
    description:
      - Secret of the OAuth app O(client_id).
      - If neither this nor O(api_token) is set, the environment variable E(CSP_CLIENT_SECRET) is used.
    type: str
  require_id_token:
    description: Whether the task fails if the response contains no OpenID token.
    type: bool
    default: false
extends_documentation_fragment:
  - sddc.tokens.lifecycle
  - sddc.tokens.token_store
  - sddc.tokens.sealing
  - sddc.tokens.sealing.return_token
  - sddc.tokens.connection
  - sddc.tokens.attributes
  - sddc.tokens.attributes.diff
  - sddc.tokens.attributes.action_group
attributes:
  action_group:
    membership: [sddc.tokens.all, sddc.tokens.csp]
notes:
  - O(verify) checks the expiry and the claims in the token, and sends no request, because VMware Cloud Services has no
    simple request for this purpose.
  - O(state=absent) removes O(token_file) and returns the RV(action) V(forgotten). A warning says how long the token is
    still valid.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: API tokens authorize, in the Cloud Services authentication API
    description: The vendor's documentation of the operation.
    link: https://developer.broadcom.com/xapis/cloud-services-authentication-api/latest/
  - module: sddc.tokens.nsx_service_reauth
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
    - name: Ensure that a valid access token and OpenID token exist
      sddc.tokens.csp_access_token:
        api_token: "{{ csp_api_token }}"
        require_id_token: true
        token_file: ~/.sddc/csp.json
      register: csp

    - name: Show when the access token expires
      ansible.builtin.debug:
        msg: The access token expires at {{ csp.expires_at }}.

- name: Exchange the client credentials of an OAuth app
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Create an access token for this play
      sddc.tokens.csp_access_token:
        client_id: "{{ csp_client_id }}"
        client_secret: "{{ csp_client_secret }}"
      register: csp

- name: Remove a token file
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Remove the token file (the token itself is valid until it expires)
      sddc.tokens.csp_access_token:
        state: absent
        token_file: ~/.sddc/csp.json
"""

RETURN = r"""
action:
  description: Action of the task, or predicted action in check mode. V(created), V(reused), V(renewed), V(forgotten) or
    V(none).
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
    - Always false with O(state=absent), because the product cannot revoke the token.
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
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.csp_access_token import CspAccessToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Run the operation that the action plugin also runs."""
    run_module(CspAccessToken)


if __name__ == "__main__":
    main()
