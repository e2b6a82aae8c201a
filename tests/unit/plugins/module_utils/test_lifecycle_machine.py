# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences of runs, some of them killed, with a server that fails in all ways."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import fingerprint
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import Crash
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_world import (
    FileWorld,
    Run,
    SharedWorld,
    World,
    is_unfinished,
)

FAULTS = ("cannot_revoke_now", "refuses_new_tokens", "loses_responses", "is_down", "is_down_for_probes")


def values(*tokens: Token | None) -> set[str]:
    return {token.secret.reveal() for token in tokens if token}


class TokenLife(RuleBasedStateMachine):
    """One user's store. `excused` are tokens that may be valid although the store does not contain them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder: Path | None = None
        self.world = World()
        self.excused: set[str] = set()
        self.unproved = False

    def teardown(self) -> None:
        self.heal()
        if self.folder:
            shutil.rmtree(self.folder)

    @initialize(
        lifetime=st.sampled_from([3600.0, 100.0, None]), store=st.sampled_from(["memory", "memory", "file", "shared"])
    )
    def choose(self, lifetime: float | None, store: str) -> None:
        """The lifetime of tokens, and the store: mostly the one in memory."""
        if store == "file":
            self.folder = Path(tempfile.mkdtemp())
            self.world = FileWorld(self.folder)
        if store == "shared":
            self.world = SharedWorld()
        self.world.server.lifetime = lifetime

    @rule(seconds=st.sampled_from([0.0, 3400.0, 4000.0]))
    def pass_time(self, seconds: float) -> None:
        """Let tokens get older, or revoke the current one on the server."""
        record = self.world.record()
        for value in values(record.current) if record and not seconds else set():
            self.world.server.alive.pop(value, None)
        self.world.pass_time(seconds)

    @rule(
        fault=st.none() | st.sampled_from(FAULTS),
        crash_at=st.none() | st.integers(1, 24),
        renew=st.sampled_from(["auto", "always", "never"]),
        verify=st.booleans(),
        revoke_old=st.booleans(),
    )
    def keep_a_token(self, fault: str | None, crash_at: int | None, renew: str, verify: bool, revoke_old: bool) -> None:
        self.let_fail(fault)
        before = self.world.record()
        worked = self.world.server.accepts(before.current if before else None)
        run = self.world.run(crash_at=crash_at, renew=renew, verify=verify, revoke_old=revoke_old)
        after = self.world.record()
        if not verify and self.world.server.refuses_new_tokens:
            self.unproved = True
        if worked and not self.unproved:
            assert after is not None
            assert self.world.server.accepts(after.current), "a working token was lost"
        if before and not revoke_old:
            self.excused |= values(before.current, *before.superseded)
        self.excuse_what_was_told(run)
        if run.outcome and verify:
            assert self.world.server.accepts(run.outcome.token)
        self.after(run)

    @rule(fault=st.none() | st.sampled_from(FAULTS), crash_at=st.none() | st.integers(1, 12), verify=st.booleans())
    def end_the_token(self, fault: str | None, crash_at: int | None, verify: bool) -> None:
        self.let_fail(fault)
        run = self.world.run(crash_at=crash_at, state="absent", verify=verify)
        self.excuse_what_was_told(run)
        assert (run.outcome is None) or not self.world.has_record()
        self.after(run)

    @rule(renew=st.sampled_from(["auto", "always", "never"]), state=st.sampled_from(["present", "absent"]))
    def check(self, renew: str, state: str) -> None:
        before = self.world.record(), self.world.has_record()
        minted, working = list(self.world.server.minted), self.world.server.working()
        self.world.run(check_mode=True, renew=renew, state=state)
        assert before == (self.world.record(), self.world.has_record())
        assert (self.world.server.minted, self.world.server.working()) == (minted, working)

    @invariant()
    def every_working_token_is_in_the_file_or_somebody_was_told_of_it(self) -> None:
        record: Record | None = self.world.record()
        known = values(*record.tokens) if record else set()
        assert self.world.server.working() <= known | self.excused

    def after(self, run: Run) -> None:
        if isinstance(run.error, Crash):
            self.world.let_the_lease_end()

    def let_fail(self, fault: str | None) -> None:
        for name in FAULTS:
            setattr(self.world.server, name, name == fault)

    def excuse_what_was_told(self, run: Run) -> None:
        """A token whose response was lost, or that was never written; and those that an error or a warning names."""
        done = run.steps.done
        if "create" in done and "write" not in done[done.index("create") :]:
            self.excused.add(self.world.server.minted[-1])
        said = " ".join([str(run.error), *run.warnings])
        self.excused |= {value for value in self.world.server.minted if fingerprint(value) in said}

    def heal(self) -> None:
        """Without faults one run is enough: one working token, and all others revoked where possible."""
        self.let_fail(None)
        run = self.world.run()
        record = self.world.record()
        assert run.outcome is not None
        assert record is not None
        assert record.current == run.outcome.token
        assert self.world.server.accepts(record.current)
        assert not is_unfinished(record)
        assert self.world.server.working() <= values(record.current) | self.excused
        if self.world.server.lifetime != 100.0:
            assert self.world.run().result == (False, "reused")


TestTokenLife = TokenLife.TestCase
TestTokenLife.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
