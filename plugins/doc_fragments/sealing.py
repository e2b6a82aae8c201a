# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of how results that contain a secret are hidden."""

from __future__ import annotations


class ModuleDocFragment:
    """Notes; `return_token` for modules that can omit the secret from the result."""

    DOCUMENTATION = r"""
options: {}
notes:
  - Before ansible-core 2.22, a result that contains a token is hidden as a whole. The output of later tasks that use
    the registered token is not hidden; set C(no_log) on them. Since ansible-core 2.22, the token is masked in all
    output, and the rest of the result stays readable.
"""

    RETURN_TOKEN = r"""
options:
  return_token:
    description:
      - Whether to return the token.
      - With V(false), the result contains no secret, and no part of it is hidden.
    type: bool
    default: true
"""
