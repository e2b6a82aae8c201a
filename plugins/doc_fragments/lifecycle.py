# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options and promises of every module that keeps a token."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of a token's life; `revocation` only where the product can revoke."""

    DOCUMENTATION = r"""
options:
  state:
    description:
      - V(present) makes sure that a working token with enough life left exists. Where there is one, nothing changes.
      - V(absent) ends it, and removes O(token_file).
    type: str
    choices: [present, absent]
    default: present
  token:
    description:
      - A token that you already hold. It is returned if it is good, and replaced if not.
      - Mutually exclusive with O(token_file).
    type: str
  token_file:
    description:
      - File in which the token lives between tasks, plays and runs, on the host where the module runs.
      - It is created with mode V(0600), replaced as a whole, and holds the token in plain text.
      - Tasks that share a file share its token, also when they run at the same time. They lock a file of the same
        name with V(.lock) appended, which stays.
      - A file that holds anything else, such as the token of another product, server or user, is refused and left as
        it is; see O(replace_foreign).
      - A renewal keeps the old token in the file until the new one works. The next task finishes what a crash has
        cut short.
    type: path
  min_remaining:
    description:
      - Time that a token must still be valid (seconds). A token with less left is replaced, and the task fails when
        that is not possible.
      - A token whose whole lifetime is shorter is replaced after half its lifetime, with a warning.
    type: str
    default: '300'
  renew_before:
    description:
      - Time before the expiry at which the token is renewed (seconds). When the renewal fails while the token is valid
        for O(min_remaining), the task warns and uses the token it has.
      - By default the token is renewed when less than O(min_remaining) is left.
    type: str
  renew:
    description:
      - V(auto) renews a token that is not good enough.
      - V(always) renews it in any case.
      - V(never) fails when the token at hand is not good enough.
    type: str
    choices: [auto, always, never]
    default: auto
  verify:
    description:
      - Whether to prove that the token works, rather than to trust its expiry.
      - A new token that does not work is not kept, and the task fails; the old one stays.
    type: bool
    default: true
  verify_max_age:
    description:
      - Age up to which the proof of another task is enough (seconds), so that O(verify) sends no request. The time of
        the proof is stored in O(token_file).
      - With V(0), every task proves the token. A task with a larger value that proves it stores the time.
      - A token that somebody revokes counts as valid until its proof is older.
      - It has no effect where the proof needs no request, because the token's own claims are the proof.
    type: str
    default: '0'
  replace_foreign:
    description:
      - Whether to replace the token of another product, server or user in O(token_file). It is not revoked.
      - A file that is not a token file is refused in any case.
    type: bool
    default: false
  lock_timeout:
    description: Seconds to wait for another task that is renewing the token in the same O(token_file).
    type: str
    default: '120'
notes:
  - Without O(token) and O(token_file) every run creates a token, and nothing remembers it.
  - With O(return_token=false), hand the token over by O(token_file) and P(sddc.tokens.token_file#lookup).
"""

    REVOCATION = r"""
options:
  revoke_old:
    description:
      - Whether to revoke the replaced token as soon as the new one works. V(false) never revokes it.
      - By default, with O(token_file), a token that was replaced because it expires soon stays valid for the tasks that
        use it, for O(min_remaining) at most, and the next task revokes it then. O(renew=always) revokes it at once.
      - By default, without O(token_file), the replaced token is not revoked.
    type: bool
  record_folder:
    description:
      - Folder in which a token that is not stored in O(token_file) is recorded before it is used, on the host where the
        module runs. It is created with mode V(0700). A record holds the token in plain text, has mode V(0600), and is
        removed by the task that revokes the token (O(state=absent) with O(token)).
      - Every task with this folder first revokes the tokens of the same server and user whose plays or runs have ended
        without doing so, because they were killed, or left with C(meta).
      - In the controller process, a run that is still at work on the same machine is recognized by a lock. Otherwise
        O(max_duration) decides.
    type: path
  max_duration:
    description:
      - Time for which the caller uses a token that is recorded in O(record_folder) (seconds).
      - When it is over, and there is no lock that shows whether the run is still at work, the token is revoked by the
        next task with the same folder.
    type: str
    default: '86400'
"""
