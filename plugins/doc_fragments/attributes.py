# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the attributes and notes of all modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of all modules; `diff` or `no_diff` is added, and `action_group` for modules that send requests."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and predict the changes without making them.
    support: full
    details:
      - The task only reads. It does not create or change anything, or write a file.
      - It does not create a token, so it does not test the credentials for that. Where no token is stored, it predicts
        that the token is created.
      - The task signs in if the server requires this for reading. Otherwise a wrong password is not noticed.
  async:
    description: Can run with the C(async) keyword.
    support: none
    details: The job file and the polled result would contain secrets in plain text. A task with C(async) fails.
  platform:
    description: Operating systems of the managed node that are supported.
    support: full
    platforms: posix
notes:
  - On a local connection without C(become), the task runs in the controller process and does not start another Python
    interpreter. Set the variable C(sddc_tokens_in_process) to V(false) to run it as an ordinary module.
  - Durations are numbers of seconds, or numbers with a unit, such as V(90s), V(30m), V(12h) or V(14d).
  - Paths must be absolute or begin with V(~). Environment variables in paths are expanded.
requirements:
  - python >= 3.9
"""

    DIFF = r"""
options: {}
attributes:
  diff_mode:
    description: Returns details of the changes, or of the predicted changes, in C(diff) mode.
    support: full
    details: The diff contains the fingerprint, expiry and scope, but never the token.
"""

    NO_DIFF = r"""
options: {}
attributes:
  diff_mode:
    description: Returns details of the changes, or of the predicted changes, in C(diff) mode.
    support: none
"""

    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Belongs to action groups, so that C(module_defaults) can set its options.
    support: full
"""
