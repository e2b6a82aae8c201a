# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options with which modules sign in to an Avi controller."""

from __future__ import annotations


class ModuleDocFragment:
    """Options for the controller, the credentials and the tenant."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - Avi controller, as a name, name:port, or https base URL.
      - If not set, the environment variable E(AVI_CONTROLLER) is used.
    type: str
    required: true
  username:
    description:
      - User who signs in. The task signs out at the end, even if it fails.
      - If neither this nor O(session_id) is set, the environment variable E(AVI_USERNAME) is used.
    type: str
  password:
    description:
      - Password of O(username).
      - If neither this nor O(session_id) is set, the environment variable E(AVI_PASSWORD) is used.
    type: str
  session_id:
    description: ID of an existing session, instead of O(username). The task does not end this session.
    type: str
  csrftoken:
    description: CSRF token of the session O(session_id). It is required only for requests that change something.
    type: str
  api_version:
    description:
      - Version of the API, such as V(30.2.1). By default, the version of the controller.
      - If not set, the environment variable E(AVI_VERSION) is used.
    type: str
  tenant:
    description:
      - Name of the tenant. By default, the tenant of the user.
      - If not set, the environment variable E(AVI_TENANT) is used.
    type: str
  tenant_uuid:
    description: UUID of the tenant. It takes precedence over O(tenant).
    type: str
notes:
  - The token of a secure channel token object is its name or UUID, and its URL ends with the UUID. A name or UUID that
    looks generated (a UUID, or at least 20 characters without a space) is treated as a secret. Any other value is
    treated as a label.
  - The task signs in to the controller in check mode, too, because it has to read.
"""
