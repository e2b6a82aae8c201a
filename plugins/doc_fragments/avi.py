# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options by which the modules for Avi Load Balancer reach and sign in to it."""

from __future__ import annotations


class ModuleDocFragment:
    """Controller, credentials and tenant."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - The controller, as a name, name:port, or https base URL.
      - The environment variable E(AVI_CONTROLLER) is used when this is not set.
    type: str
    required: true
  username:
    description:
      - User with whom to sign in. The task signs out again, also when it fails.
      - The environment variable E(AVI_USERNAME) is used when neither this nor O(session_id) is set.
    type: str
  password:
    description:
      - Password of O(username).
      - The environment variable E(AVI_PASSWORD) is used when neither this nor O(session_id) is set.
    type: str
  session_id:
    description: Id of a session that you already hold, in place of O(username). The task leaves it open.
    type: str
  csrftoken:
    description: CSRF token of that session. Only what changes something needs it.
    type: str
  api_version:
    description:
      - Version of the API, such as V(30.2.1). By default that of the controller.
      - The environment variable E(AVI_VERSION) is used when this is not set.
    type: str
  tenant:
    description:
      - Name of the tenant. By default that of the user.
      - The environment variable E(AVI_TENANT) is used when this is not set.
    type: str
  tenant_uuid:
    description: UUID of the tenant. It goes before O(tenant).
    type: str
notes:
  - Name, UUID and URL of a secure channel token are the token itself. A name or UUID that looks generated (a UUID, or
    20 characters and more without a space) is a secret here. Any other is a label.
"""
