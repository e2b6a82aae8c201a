# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the server options of the modules for vCenter."""

from __future__ import annotations

from typing import ClassVar

from ansible_collections.sddc.tokens.plugins.doc_fragments.token_store import api_token_store


class ModuleDocFragment:
    """Options for vCenter."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - vCenter, as a name, name:port, or https base URL.
      - If not set, the environment variable E(VMWARE_HOST) is used.
    type: str
    required: true
  validate_certs:
    description:
      - Whether to verify the TLS certificate of vCenter. It must match the host name and be signed by a trusted CA.
      - V(false) is not secure, because secrets are sent to any server that responds. Set O(ca_path) instead.
      - If not set, the environment variable E(VMWARE_VALIDATE_CERTS) is used.
    type: bool
    default: true
"""

    # Annotated, because the sanity test yamllint expects literals in plain assignments.
    VIDB_API_TOKEN: ClassVar[str] = api_token_store("vidb_")
