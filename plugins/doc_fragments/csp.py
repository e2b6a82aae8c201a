# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the credentials for VMware Cloud Services."""

from __future__ import annotations


class ModuleDocFragment:
    """Server and credentials."""

    DOCUMENTATION = r"""
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
"""
