# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the credentials for the VMware Identity Broker."""

from __future__ import annotations


class ModuleDocFragment:
    """Server, tenant and credentials."""

    DOCUMENTATION = r"""
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
"""
