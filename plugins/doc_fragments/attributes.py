# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of what all modules have in common beyond their options."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes; `diff` or `no_diff` besides, and `action_group` for the modules that talk HTTP."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and predict what it would do, without doing it.
    support: full
    details: It signs in where it must, and only reads. It neither creates nor changes anything, nor writes a file.
  async:
    description: Can run with the C(async) keyword.
    support: none
    details: The job file and the polled result would hold secrets in the clear, so that such a task fails.
  platform:
    description: Target operating systems of the host where the module runs.
    support: full
    platforms: posix
notes:
  - On a local connection without C(become) the task runs inside the controller's process, without the start of another
    interpreter. Set the variable C(sddc_tokens_in_process) to V(false) to run it as a module.
  - Durations are numbers of seconds, or numbers with a unit, such as V(90s), V(30m), V(12h) or V(14d).
  - Paths are absolute or begin with V(~). Environment variables in them are filled in.
requirements:
  - python >= 3.9
"""

    DIFF = r"""
options: {}
attributes:
  diff_mode:
    description: Returns what has changed, or would change, in C(diff) mode.
    support: full
    details: It shows fingerprint, expiry and scope, never the token.
"""

    NO_DIFF = r"""
options: {}
attributes:
  diff_mode:
    description: Returns what has changed, or would change, in C(diff) mode.
    support: none
"""

    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Belongs to action groups, so that C(module_defaults) can set its options.
    support: full
"""
