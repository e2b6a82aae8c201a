# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the server option of the modules for Aria Operations for Networks."""

from __future__ import annotations


class ModuleDocFragment:
    """Option for the platform."""

    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - Platform of Aria Operations for Networks, as a name, name:port, or https base URL.
      - If not set, the environment variable E(VRNI_HOST) is used.
    type: str
    required: true
"""
