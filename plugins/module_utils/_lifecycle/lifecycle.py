# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a token, for any product: make before break, and finish what a crash cut short."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Optional

from .._core.errors import TokenFileError, TokenRejected, TokensError
from .._core.outcome import Outcome
from .._core.secret import Secret
from .._core.token import Token, iso8601
from .file_store import DamagedFile
from .record import Record
from .source import TokenSource
from .store import TokenStore

# Somebody else renewing again and again while this task looks: then it renews, too.
_ROUNDS = 5


@dataclass(frozen=True)
class LifecycleOptions:
    """What the user wants of a token's life; times are in seconds."""

    state: str
    token: Optional[Secret]
    token_file: Optional[str]
    min_remaining: float
    renew: str
    verify: bool
    revoke_old: bool
    lock_timeout: float
    check_mode: bool


@dataclass(frozen=True)
class _Judgement:
    """Whether a token is good enough, why not, and whether it is known to be useless."""

    good: bool
    reason: str = ""
    dead: bool = False


class Lifecycle:
    """Brings one token to the state that the user wants."""

    def __init__(
        self,
        source: TokenSource,
        options: LifecycleOptions,
        *,
        warn: Callable[[str], None],
        notify: Callable[[str], None],
    ) -> None:
        self._source = source
        self._options = options
        self._warn = warn
        self._file = (
            TokenStore(options.token_file, source, warn=warn, notify=notify, read_only=options.check_mode)
            if options.token_file
            else None
        )

    def run(self) -> Outcome:
        """Do it. Raises TokensError; what it has made by then is in the token file or revoked."""
        if self._options.state == "absent":
            return self._forget_file(self._file) if self._file else self._end_given()
        return self._keep_in_file(self._file) if self._file else self._keep_given()

    def _now(self) -> float:
        offset = self._source.clock_offset
        if offset is None:
            offset = self._file.clock_offset if self._file else 0.0
        return time.time() + offset

    def _outcome(
        self,
        changed: bool,
        action: str,
        token: Optional[Token] = None,
        *,
        verified: bool = False,
        before: Optional[Token] = None,
    ) -> Outcome:
        return Outcome(changed, action, token, verified, self._now(), before, about_token=True)

    # --- present -----------------------------------------------------------------------------------------------

    def _judge(self, token: Optional[Token]) -> _Judgement:
        if token is None:
            return _Judgement(False, "there is none")
        if self._options.renew == "always":
            return _Judgement(False, "renew is always")
        lack = self._source.lack(token)
        if lack:
            return _Judgement(False, f"it has {lack}")
        judged = self._judge_by_expiry(token)
        if not judged.good or not self._options.verify:
            return judged
        if not self._source.is_accepted(token, self._now()):
            return _Judgement(False, "the server does not accept it", dead=True)
        # The reply told the server's time.
        return self._judge_by_expiry(token)

    def _judge_by_expiry(self, token: Token) -> _Judgement:
        now, needed = self._now(), self._options.min_remaining
        if token.has_expired(now):
            return _Judgement(False, f"it expired at {iso8601(token.expires_at)}", dead=True)
        if not token.is_lasting(now, needed):
            return _Judgement(False, f"it expires at {iso8601(token.expires_at)}, in {token.expires_in(now):.0f} s")
        return _Judgement(True)

    def _refuse_where_renewal_is_forbidden(self, judged: _Judgement) -> None:
        if self._options.renew == "never":
            raise TokenRejected(
                f"the token at hand is not good: {judged.reason}",
                doing="use the token",
                host=self._source.host,
                advice="Allow the task to replace it (renew: auto).",
            )

    def _keep_given(self) -> Outcome:
        given = self._source.adopt(self._options.token) if self._options.token else None
        judged = self._judge(given)
        if given and judged.good:
            return self._outcome(False, "reused", given, verified=self._options.verify, before=given)
        self._refuse_where_renewal_is_forbidden(judged)
        action = "renewed" if given else "created"
        if self._options.check_mode:
            return self._outcome(True, action, before=given)
        new = self._create(given)
        try:
            verified = self._prove(new, given)
        except TokensError as error:
            # Nobody would hold it after this task.
            error.left_behind = error.left_behind or self._discard(new, given)
            raise
        if given and self._is_to_revoke(given, new, judged):
            self._revoke_or_warn(given)
        return self._outcome(True, action, new, verified=verified, before=given)

    def _keep_in_file(self, file: TokenStore) -> Outcome:
        for final_round in [False] * (_ROUNDS - 1) + [True]:
            seen = file.read_own()
            judged = self._judge(seen.current)
            if judged.good and not seen.is_unfinished:
                return self._outcome(False, "reused", seen.current, verified=self._options.verify, before=seen.current)
            if not judged.good and not seen.pending:
                self._refuse_where_renewal_is_forbidden(judged)
            if self._options.check_mode:
                return self._predicted(seen, judged)
            # The probe was outside the lock, so that many tasks do not wait for each other's.
            with file.locked(self._options.lock_timeout):
                found = file.read_own(set_damaged_aside=True)
                if found == seen:
                    return self._renew_in_file(file, found, judged)
                if final_round or self._options.renew == "always":
                    return self._renew_in_file(file, found, self._judge(found.current))
        raise AssertionError("the last round returns")

    def _predicted(self, seen: Record, judged: _Judgement) -> Outcome:
        action = "renewed" if seen.current else "created"
        if seen.pending and self._serves(seen.pending, judged):
            return self._outcome(True, action, seen.pending, verified=self._options.verify, before=seen.current)
        if judged.good:
            return self._outcome(True, "reused", seen.current, verified=self._options.verify, before=seen.current)
        self._refuse_where_renewal_is_forbidden(judged)
        return self._outcome(True, action, before=seen.current)

    def _serves(self, pending: Token, judged: _Judgement) -> bool:
        """Whether a token that was stored and never promoted is to take the place of the current one.

        Without a proof that it works it does not replace one that is good.
        """
        if self._options.renew == "always" or (judged.good and not self._options.verify):
            return False
        return self._judge(pending).good

    def _renew_in_file(self, file: TokenStore, record: Record, judged: _Judgement) -> Outcome:
        """With the lock held: finish what a crash left, then renew where that is still needed."""
        found, before = record, record.current
        action = "renewed" if before else "created"
        record, promoted = self._settle_pending(file, record, judged)
        if promoted:
            judged = _Judgement(True)
        if judged.good:
            record = self._revoke_superseded(file, record)
            kept = "reused" if not promoted else action
            return self._outcome(record != found, kept, record.current, verified=self._options.verify, before=before)
        self._refuse_where_renewal_is_forbidden(judged)
        record, verified = self._replace_current(file, record, judged)
        record = self._revoke_superseded(file, record)
        return self._outcome(True, action, record.current, verified=verified, before=before)

    def _settle_pending(self, file: TokenStore, record: Record, judged: _Judgement) -> tuple[Record, bool]:
        """Promote what a crash has left pending, or put it among those to revoke."""
        pending = record.pending
        if not pending:
            return record, False
        if self._serves(pending, judged):
            return self._promote(file, record, pending, judged), True
        if self._source.is_revocable(pending, record.current):
            return file.store(replace(record, pending=None, superseded=(*record.superseded, pending))), False
        self._warn_that_it_lives(pending)
        if not judged.good:
            # What came with it may be all that still renews: it stays until the next one takes its place.
            return record, False
        return file.store(replace(record, pending=None)), False

    def _replace_current(self, file: TokenStore, record: Record, judged: _Judgement) -> tuple[Record, bool]:
        new = self._create(record.pending or record.current)
        try:
            record = file.store(replace(record, pending=new))
        except TokenFileError as error:
            error.left_behind = self._discard(new, record.current)
            raise
        try:
            verified = self._prove(new, record.current)
        except TokenRejected:
            file.store(replace(record, pending=None))
            raise
        except TokensError as error:
            error.left_behind = f"The new token is kept in {file.path}, and the next run goes on with it"
            raise
        return self._promote(file, record, new, judged), verified

    def _promote(self, file: TokenStore, record: Record, new: Token, judged: _Judgement) -> Record:
        superseded = record.superseded
        if record.current and self._is_to_revoke(record.current, new, judged):
            superseded = (*superseded, record.current)
        return file.store(replace(record, current=new, pending=None, superseded=superseded))

    def _is_to_revoke(self, old: Token, new: Token, judged: _Judgement) -> bool:
        return self._options.revoke_old and not judged.dead and self._source.is_revocable(old, new)

    def _is_over(self, token: Token) -> bool:
        """Whether nothing is left of it to revoke."""
        return self._source.revokes_itself and token.has_expired(self._now())

    def _revoke_superseded(self, file: TokenStore, record: Record) -> Record:
        if not record.superseded:
            return record
        kept = tuple(
            token for token in record.superseded if not self._is_over(token) and not self._revoke_or_warn(token)
        )
        return file.store(replace(record, superseded=kept)) if kept != record.superseded else record

    def _create(self, old: Optional[Token]) -> Token:
        new = self._source.replace(old) if old else self._source.create()
        lifetime = new.lifetime
        if lifetime is None:
            self._warn(
                f"{self._source.host} does not say usefully when its new token expires: from now on the probe of "
                "verify decides whether the token is still good."
            )
        elif lifetime <= self._options.min_remaining:
            self._warn(
                f"A token of {self._source.host} lives {lifetime:.0f} s, never the {self._options.min_remaining:.0f} s "
                "of min_remaining: it is renewed after half its life."
            )
        return new

    def _prove(self, new: Token, old: Optional[Token]) -> bool:
        """Whether the new token was verified. Raises TokenRejected, with the token revoked, when it does not work."""
        if not self._options.verify:
            return False
        if self._source.is_accepted(new, self._now()):
            return True
        raise TokenRejected(
            "the server does not accept the token that it has just created",
            doing="create a token",
            host=self._source.host,
            left_behind=self._discard(new, old) or "It was revoked",
            advice="Check the rights of the user; verify: false keeps a token without this proof.",
        )

    def _discard(self, token: Token, kept: Optional[Token]) -> str:
        """Revoke a token that is of no use, and say what is left of it."""
        if self._source.is_revocable(token, kept):
            with suppress(TokensError):
                self._source.revoke(token)
                if self._source.revokes_itself:
                    return ""
        until = iso8601(token.expires_at)
        return f"A token with the fingerprint {token.fingerprint} is left on the server" + (
            f" until {until}" if until else ""
        )

    def _revoke_or_warn(self, token: Token) -> bool:
        try:
            self._revoke(token)
            return True
        except TokensError as error:
            kept = " The next run tries again." if self._file else ""
            self._warn(f"The replaced token {token.fingerprint} is still valid. {error}{kept}")
            return False

    # --- absent ------------------------------------------------------------------------------------------------

    def _end_given(self) -> Outcome:
        if self._options.token is None:
            return self._outcome(False, "none")
        token = self._source.adopt(self._options.token)
        if not self._source.is_revocable(token):
            self._warn_that_it_lives(token)
            return self._outcome(False, "none", before=token)
        if self._options.check_mode:
            alive = self._is_to_be_ended(token)
            return self._outcome(alive, "revoked" if alive else "none", before=token)
        ended = self._end(token)
        return self._outcome(ended, "revoked" if ended else "none", verified=self._options.verify, before=token)

    def _is_to_be_ended(self, token: Token) -> bool:
        """Whether there is something to revoke, as far as a probe can tell."""
        if self._source.revokes_itself:
            return self._source.is_accepted(token, self._now())
        self._warn(
            f"Whether what would be revoked of the token {token.fingerprint} still lives cannot be seen without "
            "creating a token: this predicts that it does."
        )
        return True

    def _forget_file(self, file: TokenStore) -> Outcome:
        if self._options.check_mode or not file.exists():
            return self._forget(file)
        with file.locked(self._options.lock_timeout):
            return self._forget(file)

    def _forget(self, file: TokenStore) -> Outcome:
        try:
            record = file.find_own("It is left alone.")
        except DamagedFile as error:
            return self._set_aside(file, error)
        if record is None:
            return self._outcome(False, "none")
        if self._options.check_mode:
            action = "revoked" if any(map(self._source.is_revocable, record.tokens)) else "forgotten"
            return self._outcome(True, action, before=record.current)
        return self._end_all(file, record)

    def _end_all(self, file: TokenStore, record: Record) -> Outcome:
        ended = False
        for token in record.tokens:
            if self._source.is_revocable(token):
                ended = self._end(token) or ended
            else:
                self._warn_that_it_lives(token)
        file.remove()
        all_ended = self._source.can_revoke and all(map(self._source.is_revocable, record.tokens))
        verified = all_ended and self._options.verify
        return self._outcome(True, "revoked" if ended else "forgotten", verified=verified, before=record.current)

    def _end(self, token: Token) -> bool:
        """Revoke a token and prove that it is dead. False when it was dead already."""
        if not self._source.revokes_itself and not token.has_expired(self._now()):
            self._warn_that_it_lives(token)
        if not self._revoke(token):
            return False
        self._prove_dead(token, "the server still accepts the token after it said that it was revoked")
        return True

    def _revoke(self, token: Token) -> bool:
        """Revoke a token. False when it was dead already."""
        if self._source.revoke(token):
            return True
        # A token that is refused itself needs no further proof; what is sent to be revoked, a gateway may refuse.
        if not self._source.revokes_itself:
            self._prove_dead(token, "the server refuses to revoke the token and still accepts it")
        return False

    def _prove_dead(self, token: Token, otherwise: str) -> None:
        """With verify, raise TokenRejected, for the reason `otherwise`, while the token lives."""
        if self._options.verify and not self._source.is_dead(token, self._now()):
            raise TokenRejected(
                otherwise,
                doing="revoke a token",
                host=self._source.host,
                advice="Run the task again in a moment; the token file, if there is one, still holds the token.",
            )

    def _set_aside(self, file: TokenStore, error: DamagedFile) -> Outcome:
        if self._options.check_mode:
            self._warn(f"{error} It would be kept aside.")
        else:
            self._warn(f"{error} It is kept as {file.set_aside()}.")
        return self._outcome(True, "forgotten")

    def _warn_that_it_lives(self, token: Token) -> None:
        until = iso8601(token.expires_at) or "a time that it does not tell"
        self._warn(f"{self._source.host} cannot revoke the token {token.fingerprint}: it lives until {until}.")
