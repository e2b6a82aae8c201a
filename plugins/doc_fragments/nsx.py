# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options with which modules sign in to an NSX manager."""

from __future__ import annotations


class ModuleDocFragment:
    """Options for the manager and for each kind of credentials."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - NSX manager, as a name, name:port, or https base URL. A base URL can have a path, such as that of the reverse
        proxy of VMware Cloud on AWS.
      - If not set, the environment variable E(NSXT_MANAGER_HOST) is used.
    type: str
    required: true
  access_token:
    description:
      - Access token of VMware Cloud Services, from M(sddc.tokens.csp_access_token).
      - Mutually exclusive with O(token_file), O(token_store), O(csp_api_token) and O(csp_client_id).
      - If none of the four is set, the environment variable E(NSX_ACCESS_TOKEN) is used.
    type: str
  open_id_token:
    description:
      - OpenID token that was created together with O(access_token). It is required for re-authentication only.
      - If not set, the environment variable E(NSX_OPEN_ID_TOKEN) is used, except with O(token_file), O(token_store),
        O(csp_api_token) or O(csp_client_id), which provide their own OpenID token.
    type: str
    aliases: [id_token]
  token_file:
    description:
      - Token file of M(sddc.tokens.csp_access_token) on the managed node, instead of O(access_token).
      - With O(csp_api_token) or O(csp_client_id), this task creates and renews the token in the file. Without them, it
        only reads the file, and fails if the token has expired or belongs to another product.
    type: path
  csp_hostname:
    description:
      - Server of VMware Cloud Services, as a name, name:port, or https base URL.
      - If not set, the environment variable E(CSP_HOST) is used.
    type: str
    default: console.cloud.vmware.com
  csp_api_token:
    description:
      - API token of VMware Cloud Services. This task exchanges it for an access token and an OpenID token.
      - Without O(token_file) and O(token_store), every run requests new tokens.
      - If this, O(csp_client_id) and O(access_token) are not set, the environment variable E(CSP_API_TOKEN) is used,
        then E(NSXT_VMC_TOKEN).
    type: str
  csp_client_id:
    description:
      - ID of an OAuth app of VMware Cloud Services, instead of O(csp_api_token).
      - If this, O(csp_api_token) and O(access_token) are not set, the environment variable E(CSP_CLIENT_ID) is used.
    type: str
  csp_client_secret:
    description:
      - Secret of the OAuth app O(csp_client_id).
      - If this, O(csp_api_token) and O(access_token) are not set, the environment variable E(CSP_CLIENT_SECRET) is
        used.
    type: str
  csp_validate_certs:
    version_added: 0.2.0
    description:
      - Whether to verify the TLS certificate of VMware Cloud Services. It must match the host name and be signed by a
        trusted CA. O(validate_certs) applies to the NSX manager only.
    type: bool
    default: true
  csp_ca_path:
    version_added: 0.2.0
    description:
      - PEM file with the CA certificates to trust for VMware Cloud Services, or folder of hashed PEM files.
      - By default, the trust store of the system and O(ca_path).
    type: path
  username:
    description:
      - User of the NSX manager for read requests. By default, read requests use the access token, or O(client_cert) if
        there is no access token.
      - If not set, the environment variable E(NSXT_USERNAME) is used.
    type: str
  password:
    description:
      - Password of O(username).
      - If not set, the environment variable E(NSXT_PASSWORD) is used.
    type: str
  use_session:
    description:
      - Whether to create a session for O(username), instead of sending the password with each request. The task always
        ends its session.
    type: bool
    default: false
  csp_auth_token_header:
    description:
      - Whether to send the access token in the header C(csp-auth-token) as well.
      - The proxy of VMware Cloud on AWS may require it.
    type: bool
    default: false
"""
