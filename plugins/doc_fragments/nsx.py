# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options by which the modules for NSX reach and sign in to it."""

from __future__ import annotations


class ModuleDocFragment:
    """Server, and the ways to sign in."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - The NSX manager, as a name, name:port, or https base URL. A base URL may have a path, as that of the reverse
        proxy of VMware Cloud on AWS has.
      - The environment variable E(NSXT_MANAGER_HOST) is used when this is not set.
    type: str
    required: true
  access_token:
    description:
      - Access token of VMware Cloud Services, from M(sddc.tokens.csp_access_token).
      - Mutually exclusive with O(token_file), O(csp_api_token) and O(csp_client_id).
      - The environment variable E(NSX_ACCESS_TOKEN) is used when none of the four is set.
    type: str
  open_id_token:
    description:
      - OpenID token that was created with O(access_token). Only a re-authentication needs it.
      - The environment variable E(NSX_OPEN_ID_TOKEN) is used when this is not set, but not with O(token_file),
        O(csp_api_token) or O(csp_client_id), which bring their own.
    type: str
    aliases: [id_token]
  token_file:
    description:
      - Token file of M(sddc.tokens.csp_access_token), in place of O(access_token), on the host where the module runs.
      - With O(csp_api_token) or O(csp_client_id) this task keeps the token in the file alive by itself. Without them
        it reads the file, and fails when the token has expired or is that of another product.
    type: path
  csp_hostname:
    description:
      - The server of VMware Cloud Services, as a name, name:port, or https base URL.
      - The environment variable E(CSP_HOST) is used when this is not set.
    type: str
    default: console.cloud.vmware.com
  csp_api_token:
    description:
      - API token of VMware Cloud Services, with which this task gets its access token and OpenID token by itself.
      - Without O(token_file) every run gets new ones.
      - The environment variable E(CSP_API_TOKEN), then E(NSXT_VMC_TOKEN), is used when neither this nor
        O(csp_client_id) nor O(access_token) is set.
    type: str
  csp_client_id:
    description:
      - Id of an OAuth app of VMware Cloud Services, in place of O(csp_api_token).
      - The environment variable E(CSP_CLIENT_ID) is used when neither this nor O(csp_api_token) nor O(access_token)
        is set.
    type: str
  csp_client_secret:
    description:
      - Secret of the OAuth app.
      - The environment variable E(CSP_CLIENT_SECRET) is used when neither this nor O(csp_api_token) nor
        O(access_token) is set.
    type: str
  csp_validate_certs:
    description:
      - Whether the certificate of VMware Cloud Services must be valid for its name and signed by a trusted CA.
        O(validate_certs) is for the manager alone.
    type: bool
    default: true
  csp_ca_path:
    description:
      - PEM file, or folder of hashed PEM files, with the authorities to trust of VMware Cloud Services.
      - By default the trust store of the system and O(ca_path).
    type: path
  username:
    description:
      - User of the manager with whom to read. By default the access token signs the readings, or O(client_cert) where
        there is none.
      - The environment variable E(NSXT_USERNAME) is used when this is not set.
    type: str
  password:
    description:
      - Password of O(username).
      - The environment variable E(NSXT_PASSWORD) is used when this is not set.
    type: str
  use_session:
    description:
      - Whether O(username) signs in to a session, rather than with each request. The task ends its session, whatever
        happens.
    type: bool
    default: false
  csp_auth_token_header:
    description:
      - Whether to send the access token in the header C(csp-auth-token), too.
      - The proxy of VMware Cloud on AWS may want it.
    type: bool
    default: false
"""
