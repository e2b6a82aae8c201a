# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of how a result with a secret is kept out of all output."""

from __future__ import annotations


class ModuleDocFragment:
    """Notes; `return_token` for the modules whose result need not hold the secret."""

    DOCUMENTATION = r"""
options: {}
notes:
  - On ansible-core before 2.22 a result with a token is hidden as a whole. What a later task prints of the
    registered token is not; use C(no_log) there. From 2.22 on the token is masked everywhere, and the rest stays
    readable.
"""

    RETURN_TOKEN = r"""
options:
  return_token:
    description:
      - Whether the result holds the token.
      - With V(false) nothing in the result is secret, so that nothing of it is hidden.
    type: bool
    default: true
"""
