# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the server that the modules for SDDC Manager talk to."""

from __future__ import annotations


class ModuleDocFragment:
    """The server."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - The SDDC Manager, as a name, name:port, or https base URL.
      - The environment variable E(SDDC_MANAGER_HOST) is used when this is not set.
    type: str
    required: true
"""
