#!/usr/bin/python
# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: csp_access_token
short_description: Keep an access token of VMware Cloud Services alive
version_added: 0.1.0
description:
  - Makes sure that an access token of VMware Cloud Services (CSP) with enough life left exists, in exchange for an API
    token or for the client credentials of an OAuth app.
  - An OpenID token comes with it when the API token has the OpenID scope. M(sddc.tokens.nsx_service_reauth) needs both.
  - The product cannot revoke an access token. It lives until it expires, 30 minutes at most.
options:
  hostname:
    description:
      - The server, as a name, name:port, or https base URL. Government and other clouds have their own.
      - The environment variable E(CSP_HOST) is used when this is not set.
    type: str
    default: console.cloud.vmware.com
  api_token:
    description:
      - API token of a user, as generated in the console.
      - The environment variable E(CSP_API_TOKEN), then E(NSXT_VMC_TOKEN), is used when neither this nor O(client_id)
        is set.
    type: str
  client_id:
    description:
      - Id of an OAuth app, in place of O(api_token).
      - The environment variable E(CSP_CLIENT_ID) is used when neither this nor O(api_token) is set.
    type: str
  client_secret:
    description:
      - Secret of the OAuth app.
      - The environment variable E(CSP_CLIENT_SECRET) is used when neither this nor O(api_token) is set.
    type: str
  require_id_token:
    description: Whether the task fails when no OpenID token comes with the access token.
    type: bool
    default: false
extends_documentation_fragment:
  - sddc.tokens.lifecycle
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
  - There is no cheap authenticated read, so that O(verify) checks the expiry and the claims of the token and makes no
    request.
  - With O(state=absent) the file is removed, RV(action) is V(forgotten), and a warning says until when the token lives.
author:
  - sddc.tokens contributors (@sddc-tokens)
seealso:
  - name: API tokens authorize, in the Cloud Services authentication API
    description: The vendor's page of the operation.
    link: https://developer.broadcom.com/xapis/cloud-services-authentication-api/latest/
  - module: sddc.tokens.nsx_service_reauth
"""

EXAMPLES = r"""
- name: Exchange an API token, at most every 25 minutes
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make sure that there is an access token, with its OpenID token
      sddc.tokens.csp_access_token:
        api_token: "{{ csp_api_token }}"
        require_id_token: true
        token_file: ~/.sddc/csp.json
      register: csp

    - name: Say how long it lasts
      ansible.builtin.debug:
        msg: The access token ends at {{ csp.expires_at }}.

- name: Exchange the client credentials of an OAuth app
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Get an access token for this play
      sddc.tokens.csp_access_token:
        client_id: "{{ csp_client_id }}"
        client_secret: "{{ csp_client_secret }}"
      register: csp

- name: Forget a token
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Remove the file; the token itself lives until it expires
      sddc.tokens.csp_access_token:
        state: absent
        token_file: ~/.sddc/csp.json
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
    - For O(state=absent) always false, for the product cannot revoke.
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
"""

from ansible_collections.sddc.tokens.plugins.module_utils._operations.csp_access_token import CspAccessToken
from ansible_collections.sddc.tokens.plugins.module_utils._runner.module import run_module


def main() -> None:
    """Keep the options, the life cycle and the errors where both routes find them."""
    run_module(CspAccessToken)


if __name__ == "__main__":
    main()
