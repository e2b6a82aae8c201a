# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the life-cycle options of every module that manages a token."""

from __future__ import annotations

from typing import ClassVar

_STATE = r"""
options:
  state:
    description:
      - V(present) ensures that a valid token exists. If there is one, nothing changes.
      - V(absent) revokes the token if the product can, and removes O(token_file) or empties O(token_store).
    type: str
    choices: [present, absent]
    default: present
"""
_TOKEN = r"""
  token:
    description:
      - Existing token. It is returned if it is valid, and replaced if not.
      - Mutually exclusive with O(token_file) and O(token_store).
    type: str
"""
_FILE = r"""
  token_file:
    description:
      - File in which the token is stored between tasks, plays and runs, on the managed node.
      - The file is created with mode V(0600) and replaced atomically. It contains the token in plain text.
      - Tasks with the same file share its token, even if they run at the same time. They lock a file of the same name
        with V(.lock) appended. The lock file is not removed.
      - A file with any other content, such as the token of another product, server or user, is refused and not changed;
        see O(replace_foreign).
      - During a renewal, the file keeps the old token until the new one is verified. If a task is interrupted, the next
        one completes its work.
    type: path
"""
_MIN_REMAINING = r"""
  min_remaining:
    description:
      - Minimum remaining lifetime of the token (seconds). A token with less is replaced. If that is not possible, the
        task fails.
      - A token whose total lifetime is not longer than this is replaced after half its lifetime, with a
        warning when it is created.
    type: str
    default: '300'
"""
_RENEWAL = r"""
  renew_before:
    version_added: 0.2.0
    description:
      - Remaining lifetime below which the token is renewed (seconds). If the renewal fails while the token is still
        valid for O(min_remaining), the task warns and uses the existing token.
      - By default, the token is renewed when its remaining lifetime is less than O(min_remaining).
    type: str
  renew:
    description:
      - V(auto) renews a token that is invalid or expires too soon.
      - V(always) renews the token in every run.
      - V(never) does not create a token. The task fails if the existing one is missing, invalid or expires too soon.
    type: str
    choices: [auto, always, never]
    default: auto
  verify:
    description:
      - Whether to verify that the token works. With V(false), only the expiry is checked.
      - A new token that does not work is not stored, and the task fails. The old token is kept.
    type: bool
    default: true
  verify_max_age:
    version_added: 0.2.0
    description:
      - Maximum age of a previous verification (seconds). If another task verified the token within this time, O(verify)
        sends no request. The time of the verification is stored in O(token_file) or O(token_store).
      - With V(0), every task verifies the token. A task with a larger value that verifies the token stores the time.
      - A token that was revoked elsewhere counts as valid until the verification is older than this.
      - This option has no effect if O(verify) needs no request because it checks the claims in the token.
    type: str
    default: '0'
  replace_foreign:
    version_added: 0.2.0
    description:
      - Whether to replace the token of another product, server or user in O(token_file) or O(token_store). The replaced
        token is not revoked.
      - A file that is not a token file is always refused.
    type: bool
    default: false
  lock_timeout:
    description:
      - Maximum time to wait for another task that renews the token in the same O(token_file) or O(token_store)
        (seconds).
      - By default, 120 seconds with O(token_file). With O(token_store), 30 seconds longer than its lease, and at least
        120 seconds, so that the task takes over from one that was killed.
    type: str
notes:
  - With O(return_token=false), other tasks read the token from O(token_file) or O(token_store), for example with
    P(sddc.tokens.token_file#lookup) or P(sddc.tokens.token_store#lookup).
"""
_UNSTORED = r"""
  - Without O(token), O(token_file) and O(token_store), every run creates a new token, and it is not stored.
"""


def _joined(*parts: str) -> str:
    return "".join(part.strip("\n") + "\n" for part in parts)


class ModuleDocFragment:
    """Life-cycle options; `stored` if the token must be stored, `revocation` if the product can revoke a token."""

    # Annotated, because the sanity test yamllint expects literals in plain assignments.
    DOCUMENTATION: ClassVar[str] = _joined(_STATE, _TOKEN, _FILE, _MIN_REMAINING, _RENEWAL, _UNSTORED)

    STORED: ClassVar[str] = _joined(_STATE, _FILE, _RENEWAL)

    REVOCATION = r"""
options:
  revoke_old:
    description:
      - Whether to revoke the replaced token as soon as the new one is verified. With V(false), it is never revoked.
      - By default, with O(token_file) or O(token_store), a token that was replaced because it expires soon stays valid
        for the tasks that use it, for O(min_remaining) at most. The next task after that revokes it. With
        O(renew=always), it is revoked at once.
      - By default, without O(token_file) and O(token_store), the replaced token is not revoked.
    type: bool
  record_folder:
    version_added: 0.2.0
    description:
      - Folder in which a token that is stored neither in O(token_file) nor in O(token_store) is recorded before it is
        used, on the managed node. The folder is created with mode V(0700). A record contains the token in plain text
        and has mode V(0600). The task that revokes the token (O(state=absent) with O(token)) removes the record.
      - Every task with this folder first revokes the recorded tokens of the same server and user whose plays or runs
        ended without revoking them, for example because they were killed or ended by C(meta).
      - In the controller process, a run that is still active on the same machine is recognized by a lock. In all other
        cases, O(max_duration) decides.
      - Mutually exclusive with O(record_store).
    type: path
  max_duration:
    version_added: 0.2.0
    description:
      - Time for which the caller uses a token that is recorded in O(record_folder) or O(record_store) (seconds).
      - If no lock shows whether the run is still active, the next task with the same folder or document revokes the
        token after this time.
    type: str
    default: '86400'
"""
