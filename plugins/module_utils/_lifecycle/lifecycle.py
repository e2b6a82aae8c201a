# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle of a token: make before break, and finish the work of a crashed task. For any product and store."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Optional

from .._core.errors import (
    ApiError,
    DamagedRecord,
    RecordChanged,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    TokenRejected,
    TokensError,
    WriteConflict,
)
from .._core.outcome import Outcome
from .._core.runtime import Runtime
from .._core.secret import Secret
from .._core.token import Token, iso8601
from .announcements import Announcements
from .assessment import FRESH, Assessment, Assessor, TokenState
from .options import LifecycleOptions
from .ownership import OwnRecord
from .record import Record
from .refusal import Refusal, is_refusal
from .revocation import Revoker
from .sessions import Sessions
from .shared_store import Documents
from .source import TokenSource
from .store import ANY_VERSION, Store, Writer

# Reads of a store that others keep changing. After so many, this task renews with the lock held.
_ROUNDS = 5
_NEXT_RUN = " The next run tries to revoke it again."


class Lifecycle:
    """Brings one token to the requested state. `records` is the document of record_store."""

    def __init__(
        self,
        source: TokenSource,
        options: LifecycleOptions,
        store: Optional[Store],
        runtime: Runtime,
        records: Optional[Documents] = None,
    ) -> None:
        self._source = source
        self._options = options
        self._runtime = runtime
        self._own = OwnRecord(store, source, runtime, replace_foreign=options.replace_foreign) if store else None
        self._assessor = Assessor(source, options, self._now)
        self._revoker = Revoker(source, verify=options.verify, now=self._now, warn=runtime.warn)
        self._sessions = Sessions(source, options, self._revoker, runtime, records)

    def run(self) -> Outcome:
        """Run the lifecycle once. Raises TokensError; a token that was created by then is stored or revoked."""
        ended_strays = self._sessions.end_strays()
        if self._options.state == "absent":
            outcome = self._end_stored(self._own) if self._own else self._end_given()
        else:
            outcome = self._keep_stored(self._own) if self._own else self._keep_given()
        return replace(outcome, changed=True) if ended_strays else outcome

    def _now(self) -> float:
        offset = self._source.clock_offset
        if offset is None:
            offset = self._own.clock_offset if self._own else 0.0
        return self._runtime.clock.time() + offset

    def _outcome(
        self,
        changed: bool,
        action: str,
        token: Optional[Token] = None,
        *,
        verified: bool = False,
        before: Optional[Token] = None,
    ) -> Outcome:
        token = self._assessor.proven(token) if token else None
        return Outcome(changed, action, token, verified, self._now(), before, about_token=True)

    def _reused(self, token: Optional[Token], changed: bool = False) -> Outcome:
        return self._outcome(changed, "reused", token, verified=self._options.verify, before=token)

    # --- present -----------------------------------------------------------------------------------------------

    def _refuse_where_renewal_is_forbidden(self, found: Assessment) -> None:
        if self._options.renew == "never":
            raise TokenRejected(
                f"no valid token is available: {found.reason}",
                doing="use the token",
                host=self._source.host,
                advice="Set renew: auto to let the task replace it.",
            )

    def _keep_given(self) -> Outcome:
        given = self._source.from_user(self._options.token) if self._options.token else None
        found = self._assessor.assess(given)
        if found.is_fresh or (found.is_usable and self._options.renew == "never"):
            return self._reused(given)
        self._refuse_where_renewal_is_forbidden(found)
        action = "renewed" if given else "created"
        if self._runtime.check_mode:
            return self._outcome(True, action, before=given)
        try:
            new = self._create_and_prove(given)
        except TokensError as error:
            if not found.is_usable:
                raise
            return self._reused_for_now(given, error)
        if given and self._is_to_revoke(given, new, found):
            self._revoker.revoke_or_warn(given, "")
        return self._outcome(True, action, new, verified=self._options.verify, before=given)

    def _create_and_prove(self, given: Optional[Token]) -> Token:
        with self._sessions.recording(self._now) as record:
            new = self._create(given)
            try:
                record(new)
                return self._prove(new, given)
            except TokensError as error:
                # After this task, nobody would have the token.
                error.left_behind = error.left_behind or self._revoker.discard(new, given)
                raise

    def _keep_stored(self, own: OwnRecord) -> Outcome:
        options = self._options
        for is_last_round in [False] * (_ROUNDS - 1) + [True]:
            record, seen = own.read()
            found = self._assessor.assess(record.current)
            is_kept = found.is_fresh or (found.is_usable and options.renew == "never")
            if is_kept and not record.pending and not self._leaves_work(record):
                self._note_proof(own, record, seen)
                return self._reused(record.current)
            if not found.is_usable and not record.pending:
                self._refuse_where_renewal_is_forbidden(found)
            if self._runtime.check_mode:
                return self._predicted(record, found)
            try:
                # The token was verified without the lock, so that tasks do not wait for each other's requests. A task
                # with a usable token does not wait for the task that renews it.
                since = self._runtime.clock.time()
                renews_anyway = is_last_round or options.renew == "always"
                timeout = 0 if found.is_usable else self._longest_wait(own)
                with own.exclusive(timeout, ANY_VERSION if renews_anyway else seen) as writer:
                    self._refuse_what_was_refused(writer, since)
                    record, version = own.read(writer)
                    if version == seen:
                        return self._renew_stored(own, writer, record, found)
                    if renews_anyway:
                        return self._renew_stored(own, writer, record, self._assessor.assess(record.current))
            except RecordChanged:
                continue
            except WriteConflict as error:
                # Another task took over. Its token is used; what it has revoked for good does not come back.
                is_ended = record.current is not None and own.read()[0].current is None
                if is_last_round or is_ended:
                    raise
                if error.left_behind:
                    self._runtime.warn(f"Another task renewed the token at the same time. {error.left_behind}.")
            except TokensError as error:
                if not found.is_usable:
                    raise
                return self._reused_for_now(record.current, error)
        raise AssertionError("the last round returns")

    def _longest_wait(self, own: OwnRecord) -> float:
        return own.longest_wait if self._options.lock_timeout is None else self._options.lock_timeout

    def _note_proof(self, own: OwnRecord, record: Record, version: Hashable) -> None:
        """Store when a token was verified, for verify_max_age. This is not a change, and a failure is ignored."""
        if self._runtime.check_mode or not record.current or not self._assessor.has_new_proof(record.current):
            return
        with suppress(StoreError), own.exclusive(0) as writer:
            if own.read(writer)[1] == version:
                own.write(writer, replace(record, current=self._assessor.proven(record.current)))

    def _refuse_what_was_refused(self, writer: Writer, since: float) -> None:
        """Raise the error of another task that was refused with the same credential while this one waited."""
        refusal, credential = writer.refusal(), self._source.credential
        if refusal and credential and refusal.concerns(credential, since):
            raise refusal.error()

    def _note_refusal(self, writer: Writer, error: TokensError) -> None:
        credential = self._source.credential
        if credential and isinstance(error, ApiError) and is_refusal(error):
            writer.note_refusal(Refusal.of(error, credential, self._runtime.clock.time()))

    def _reused_for_now(self, token: Optional[Token], error: TokensError) -> Outcome:
        """Reuse a token that is valid for min_remaining although its renewal failed. The next task tries again."""
        if not isinstance(error, StoreBusy):
            until = iso8601(token.expires_at) if token else None
            self._runtime.warn(f"The token could not be renewed; the current one is used, valid until {until}. {error}")
        return self._reused(token)

    def _predicted(self, record: Record, found: Assessment) -> Outcome:
        action = "renewed" if record.current else "created"
        if record.pending and self._is_to_promote(record.pending, found):
            return self._outcome(True, action, record.pending, verified=self._options.verify, before=record.current)
        if found.is_fresh or (found.is_usable and self._options.renew == "never"):
            return self._reused(record.current, changed=True)
        self._refuse_where_renewal_is_forbidden(found)
        return self._outcome(True, action, before=record.current)

    def _is_to_promote(self, pending: Token, found: Assessment) -> bool:
        """Whether a pending token replaces the current one. An unverified one never replaces a usable token."""
        if found.is_usable and not self._options.verify:
            return False
        return self._assessor.assess(pending).is_fresh

    def _renew_stored(self, own: OwnRecord, writer: Writer, record: Record, found: Assessment) -> Outcome:
        """With the lock held: finish the work of a crashed task, then renew if that is still needed."""
        start, before = record, record.current
        action = "renewed" if before else "created"
        record = self._announcements(own).finish(writer, record)
        record, was_promoted = self._settle_pending(own, writer, record, found)
        if was_promoted:
            found = FRESH
        if found.is_fresh or (found.is_usable and self._options.renew == "never"):
            record = self._revoke_superseded(own, writer, record)
            done = action if was_promoted else "reused"
            return self._outcome(record != start, done, record.current, verified=self._options.verify, before=before)
        self._refuse_where_renewal_is_forbidden(found)
        record = self._replace_current(own, writer, record, found)
        record = self._revoke_superseded(own, writer, record)
        return self._outcome(True, action, record.current, verified=self._options.verify, before=before)

    def _settle_pending(self, own: OwnRecord, writer: Writer, record: Record, found: Assessment) -> tuple[Record, bool]:
        """Promote the pending token of a crashed task, or mark it for revocation. Returns whether it was promoted."""
        pending = record.pending
        if not pending:
            return record, False
        if self._is_to_promote(pending, found):
            return self._promote(own, writer, record, self._assessor.proven(pending), found), True
        if self._revoker.is_revocable(pending, record.current):
            if own.keeps_one_superseded and record.superseded:
                self._end(pending, record.current, "")
                return own.write(writer, replace(record, pending=None)), False
            superseded = (*record.superseded, pending)
            return own.write(writer, replace(record, pending=None, superseded=superseded)), False
        self._revoker.warn_that_it_stays_valid(pending)
        if not found.is_usable:
            # Its refresh token may be the only valid one. Keep it until a new token replaces it.
            return record, False
        return own.write(writer, self._without_pending(record)), False

    def _without_pending(self, record: Record) -> Record:
        """The record without its unusable pending token. Its refresh token is kept: with rotation, it may be the only
        valid one (RFC 6749, section 6)."""
        pending, current = record.pending, record.current
        renewal = self._renewal(pending.companions) if pending else {}
        if pending is None or not renewal or self._source.is_revocable(pending, current):
            return replace(record, pending=None)
        return self._with_renewal(record, renewal)

    def _renewal(self, companions: Mapping[str, Secret]) -> Mapping[str, Secret]:
        """The companion that renews a token, such as its refresh token; empty without one."""
        return {name: secret for name, secret in companions.items() if name == self._source.renewed_by}

    def _with_renewal(self, record: Record, renewal: Mapping[str, Secret]) -> Record:
        """The record with this refresh token for its current token. Without one, it stays with the pending token."""
        if record.current is None:
            return record
        current = replace(record.current, companions={**record.current.companions, **renewal})
        return replace(record, current=current, pending=None)

    def _replace_current(self, own: OwnRecord, writer: Writer, record: Record, found: Assessment) -> Record:
        record = self._announcements(own).announce(writer, record)
        writer.reserve()
        try:
            new = self._create(record.pending or record.current)
        except TokensError as error:
            record = self._announcements(own).settle(writer, record, error)
            # The request may have used up the refresh token, and an unusable response may contain its successor.
            renewal = self._renewal(error.companions)
            if renewal and record.current:
                own.write(writer, self._with_renewal(record, renewal))
            self._note_refusal(writer, error)
            raise
        try:
            record = own.write(writer, replace(record, pending=new, announced=None))
        except StoreError as error:
            if isinstance(error, StoreUnavailable) and self._options.return_token:
                return self._used_unstored(record, self._prove(new, record.current), error)
            error.left_behind = self._left_unstored(new, self._stored_now(own, record, error))
            raise
        try:
            new = self._prove(new, record.current)
        except TokenRejected:
            own.write(writer, self._without_pending(record))
            raise
        except TokensError as error:
            error.left_behind = _continued(own)
            raise
        try:
            return self._promote(own, writer, record, new, found)
        except StoreUnavailable as error:
            if not self._options.return_token:
                error.left_behind = self._left_pending(own, new, record, error)
                raise
            return self._used_unstored(record, new, error)
        except WriteConflict as error:
            error.left_behind = self._left_unstored(new, self._stored_now(own, replace(record, pending=None), error))
            raise

    def _announcements(self, own: OwnRecord) -> Announcements:
        return Announcements(self._source, own, self._runtime)

    def _used_unstored(self, record: Record, new: Token, error: StoreUnavailable) -> Record:
        """The record as the user sees it: the token works, and nobody else can use it yet."""
        self._runtime.warn(f"The new token is valid, and could not be stored for other tasks. {error}")
        return replace(record, current=new, pending=None)

    def _left_pending(self, own: OwnRecord, new: Token, record: Record, error: StoreUnavailable) -> str:
        """Revoke a pending token that is neither returned nor used by others. Returns what is left, for an error.

        It stays if it may be in use by now, if the next run could not notice the revocation, or if it renews others.
        """
        is_noticed = self._options.verify and not error.follows_lost_write
        if is_noticed and not self._renewal(new.companions) and self._revoker.is_revocable(new, record.current):
            return self._revoker.discard(new, record.current)
        return _continued(own)

    def _stored_now(self, own: OwnRecord, record: Record, error: StoreError) -> Record:
        """What another task has stored where that is why this one cannot; it may be the same token."""
        with suppress(StoreError):
            return own.read()[0] if isinstance(error, WriteConflict) else record
        return record

    def _left_unstored(self, new: Token, record: Record) -> str:
        """Revoke a token that could not be stored, unless another task has it. Returns what is left, for an error."""
        if any(new.secret == token.secret for token in record.tokens):
            return ""
        left = self._revoker.discard(new, record.current)
        if not self._renewal(new.companions):
            return left
        lost = f"Its {self._source.renewed_by} is lost, and the previous one may be used up"
        return f"{left}. {lost}" if left else lost

    def _promote(self, own: OwnRecord, writer: Writer, record: Record, new: Token, found: Assessment) -> Record:
        superseded = record.superseded
        if record.current and self._is_to_revoke(record.current, new, found):
            superseded = (*self._elders(own, superseded, new), self._promised(record.current))
        return own.write(writer, replace(record, current=new, pending=None, superseded=superseded))

    def _elders(self, own: OwnRecord, superseded: tuple[Token, ...], new: Token) -> tuple[Token, ...]:
        """The replaced tokens that stay when one more is replaced; some stores have a place for that one only."""
        if not own.keeps_one_superseded:
            return superseded
        for elder in superseded:
            self._end(elder, new, "")
        return ()

    def _is_to_revoke(self, old: Token, new: Token, found: Assessment) -> bool:
        asked = self._options.revoke_old
        # Without a store, a crash would leave the user without any token.
        is_wanted = self._own is not None if asked is None else asked
        may_work = found.state is not TokenState.INVALID
        return self._source.can_revoke and is_wanted and may_work and self._revoker.is_revocable(old, new)

    def _due(self, record: Record) -> tuple[Token, ...]:
        """The superseded tokens to revoke now."""
        return record.superseded if self._revokes_at_once else record.due(self._now())

    def _leaves_work(self, record: Record) -> bool:
        """Whether a token must be revoked now. An expired superseded one is dropped with the next change."""
        is_announced = record.announced is not None
        return is_announced or not all(self._revoker.has_expired(token) for token in self._due(record))

    @property
    def _revokes_at_once(self) -> bool:
        return bool(self._options.revoke_old) or self._options.renew == "always"

    def _promised(self, old: Token) -> Token:
        """The replaced token, with the time until which it must stay valid: other tasks reused it with the promise of
        min_remaining."""
        if self._revokes_at_once:
            return old
        promise = self._now() + min(self._options.min_remaining, self._source.longest_grace)
        return replace(old, promised_until=promise if old.expires_at is None else min(promise, old.expires_at))

    def _revoke_superseded(self, own: OwnRecord, writer: Writer, record: Record) -> Record:
        due, current = self._due(record), record.current
        kept = tuple(token for token in record.superseded if token not in due or not self._end(token, current))
        if kept == record.superseded:
            return record
        settled = replace(record, superseded=kept)
        # The renewal is done. The next task finds the token in the store again, and finds it revoked.
        with suppress(StoreError):
            return own.write(writer, settled)
        return settled

    def _end(self, superseded: Token, current: Optional[Token], fate: str = _NEXT_RUN) -> bool:
        """Revoke a superseded token, or warn with `fate` as last sentence. Returns whether it can be dropped."""
        return self._is_over(superseded, current) or self._revoker.revoke_or_warn(superseded, fate)

    def _is_over(self, superseded: Token, current: Optional[Token]) -> bool:
        """Whether there is nothing to revoke: the token has expired, or the server issued the same one again."""
        is_current = current is not None and superseded.secret == current.secret
        return is_current or self._revoker.has_expired(superseded)

    def _create(self, old: Optional[Token]) -> Token:
        new = self._source.replace(old) if old else self._source.create()
        lifetime = new.lifetime
        if not self._source.has_known_expiry:
            return new
        if lifetime is None:
            self._runtime.warn(
                f"{self._source.host} returned no usable expiry. The token is checked with a request instead (verify), "
                "and is renewed when the server refuses it."
            )
        elif lifetime <= self._options.min_remaining:
            self._runtime.warn(
                f"A token of {self._source.host} is valid for {lifetime:.0f} s, not longer than min_remaining "
                f"({self._options.min_remaining:.0f} s). Instead, half its lifetime must remain. Set min_remaining to "
                f"less than {lifetime:.0f} s to end this warning."
            )
        return new

    def _prove(self, new: Token, old: Optional[Token]) -> Token:
        """Verify the new token if verify is set. Raises TokenRejected after revoking a token that is refused."""
        if not self._options.verify or self._assessor.prove(new):
            return self._assessor.proven(new)
        raise TokenRejected(
            "the server does not accept the token that it has just created",
            doing="create a token",
            host=self._source.host,
            left_behind=self._revoker.discard(new, old) or "It was revoked",
            advice=f"{self._source.rejection_advice}, or set verify: false to keep a token without this check.",
        )

    # --- absent ------------------------------------------------------------------------------------------------

    def _end_given(self) -> Outcome:
        if self._options.token is None:
            return self._outcome(False, "none")
        token = self._source.from_user(self._options.token)
        if not self._source.is_revocable(token):
            self._revoker.warn_that_it_stays_valid(token)
            return self._outcome(False, "none", before=token)
        if self._runtime.check_mode:
            is_valid = self._revoker.would_revoke(token)
            return self._outcome(is_valid, "revoked" if is_valid else "none", before=token)
        revoked = self._revoker.revoke_and_prove(token)
        self._sessions.forget(token)
        return self._outcome(revoked, "revoked" if revoked else "none", verified=self._revoker.proves, before=token)

    def _end_stored(self, own: OwnRecord) -> Outcome:
        # Without a token file, not even a lock file is created.
        is_read_only = self._runtime.check_mode or own.is_empty()
        with nullcontext() if is_read_only else own.exclusive(self._longest_wait(own)) as writer:
            try:
                record, _version = own.find()
            except DamagedRecord as error:
                return self._move_aside(writer, error)
            if record is None:
                return self._outcome(False, "none")
            if writer is None:
                is_revoked = record.announced or any(map(self._source.is_revocable, record.tokens))
                action = "revoked" if is_revoked else "forgotten"
                return self._outcome(True, action, before=record.current)
            return self._end_all(writer, record)

    def _end_all(self, writer: Writer, record: Record) -> Outcome:
        revoked = record.announced is not None and self._source.revoke_announced(record.announced)
        for token in record.tokens:
            if self._source.is_revocable(token):
                revoked = self._revoker.revoke_and_prove(token) or revoked
            else:
                self._revoker.warn_that_it_stays_valid(token)
        writer.remove()
        all_revoked = self._source.can_revoke and all(map(self._source.is_revocable, record.tokens))
        action = "revoked" if revoked else "forgotten"
        return self._outcome(True, action, verified=all_revoked and self._revoker.proves, before=record.current)

    def _move_aside(self, writer: Optional[Writer], error: DamagedRecord) -> Outcome:
        if writer is None:
            self._runtime.warn(f"{error} It would be moved aside.")
        else:
            self._runtime.warn(f"{error} {writer.move_aside()}")
        return self._outcome(True, "forgotten")


def _continued(own: OwnRecord) -> str:
    """What is left of a task that has stored a pending token, for an error."""
    return f"The new token is stored in {own.location}, and the next run continues with it"
