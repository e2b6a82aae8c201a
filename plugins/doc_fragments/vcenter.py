# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options by which the modules for vCenter reach and sign in to it."""

from __future__ import annotations


class ModuleDocFragment:
    """Server, and where the access token comes from."""

    DOCUMENTATION = r"""
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
  validate_certs:
    description:
      - Whether the server's certificate must be valid for its name and signed by a trusted authority.
      - V(false) sends your secrets to whoever answers. Give O(ca_path) instead.
      - The environment variable E(VMWARE_VALIDATE_CERTS) is used when this is not set.
"""
