# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options with which modules manage the API tokens of the VCF SSO."""

from __future__ import annotations


class ModuleDocFragment:
    """Options for VCF Operations, the credentials and the realm."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - VCF Operations, as a name, name:port, or https base URL. Requires release 9.1.
      - If not set, the environment variable E(VCF_OPERATIONS_HOST) is used.
    type: str
    required: true
  username:
    description:
      - User who signs in and may manage API tokens. The task signs out at the end, even if it fails.
      - If neither this nor O(access_token) is set, the environment variable E(VCF_OPERATIONS_USERNAME) is used.
    type: str
  password:
    description:
      - Password of O(username).
      - If neither this nor O(access_token) is set, the environment variable E(VCF_OPERATIONS_PASSWORD) is used.
    type: str
  auth_source:
    description:
      - Name of the authentication source of O(username). By default, the user is a local one.
      - If not set, the environment variable E(VCF_OPERATIONS_AUTH_SOURCE) is used.
    type: str
  access_token:
    description: Access token of the VCF SSO, instead of O(username).
    type: str
  realm:
    description: ID or name of the SSO realm. It is required if there are several.
    type: str
"""
