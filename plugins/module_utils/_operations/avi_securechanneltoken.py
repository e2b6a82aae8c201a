# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""avi_securechanneltoken: create, update and delete secure channel tokens of an Avi controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from .._clients import avi
from .._core.argspec import DURATION, ArgumentSpec
from .._core.errors import ApiError, InvalidOption, MissingOption, TokensError
from .._core.outcome import Outcome
from .._core.token import iso8601, needed_lifetime
from .._lifecycle.options import LIFECYCLE
from . import avi_connection
from .base import Operation

_CHANGED_MEANWHILE = 412


class AviSecurechanneltoken(Operation):
    """Bring one secure channel token to the requested state."""

    name = "sddc.tokens.avi_securechanneltoken"
    argument_spec = avi_connection.SIGN_IN.merge(
        ArgumentSpec(
            {
                **{name: LIFECYCLE.options[name] for name in ("state", "min_remaining", "return_token")},
                # Only generated values are masked: masking a label would censor the word in all output.
                "name": {"type": "str", "no_log": False, "secret_if": avi.looks_generated},
                "uuid": {"type": "str", "no_log": False, "secret_if": avi.looks_generated},
                "url": {"type": "str", "no_log": True},
                "lifetime": {"type": DURATION},
                "expiry_time": {"type": "float"},
                "in_use": {"type": "bool"},
                "metadata": {"type": "raw"},
            },
            mutually_exclusive=(("lifetime", "expiry_time"),),
            required_one_of=(("name", "uuid"),),
        )
    )
    secret_results = frozenset(("token", "uuid"))

    def run(self) -> Outcome:
        if self.params["lifetime"] == 0:
            raise InvalidOption("lifetime", "must be longer than 0 s")
        self._metadata = _metadata(self.params["metadata"])
        self._session, self._client = avi_connection.open_client(self, "Set uuid in place of name.")
        self._client.hide_generated(self.params)
        found = self._find()
        return self._end(found) if self.params["state"] == "absent" else self._keep(found)

    def _find(self) -> Optional[Mapping[str, Any]]:
        if self.params["uuid"]:
            return self._client.get_token(self.params["uuid"])
        found = self._client.list_tokens(self.params["name"])
        if len(found) > 1:
            raise TokensError(
                f"{len(found)} secure channel tokens have this name",
                doing="find the secure channel token",
                host=self._session.host,
                advice="Set uuid to the UUID of the right one.",
            )
        return found[0] if found else None

    def _keep(self, found: Optional[Mapping[str, Any]]) -> Outcome:
        if found is None:
            return self._create()
        seen, done_before = found, False
        for last in (False, True):
            changes = self._changes(found)
            if not changes:
                return self._outcome(done_before, "updated" if done_before else "none", found, before=seen)
            if self.runtime.check_mode:
                return self._outcome(True, "updated", {**found, **changes}, before=found)
            try:
                updated = self._client.update_token(found["uuid"], {**found, **changes})
                return self._outcome(True, "updated", updated, before=found)
            except ApiError as error:
                if last or error.status != _CHANGED_MEANWHILE:
                    raise
                # The concurrent change may be an earlier try of this update, whose response was lost.
                done_before = error.follows_lost_response
                again = self._client.get_token(found["uuid"])
                if again is None:
                    return self._create()
                found = again
        raise AssertionError("the last round returns or raises")

    def _create(self) -> Outcome:
        name = self.params["name"]
        if not name:
            raise MissingOption(
                "name",
                "is required to create a token: no token has this uuid",
                advice="Set name, or check uuid.",
            )
        body = {"name": name, **self._changes({"name": name})}
        body.update({field: self.params[field] for field in ("uuid", "url") if self.params[field]})
        if self.params["lifetime"] is not None:
            body["expiry_time"] = self._session.now() + self.params["lifetime"]
        if self.runtime.check_mode:
            return self._outcome(True, "created", None, before=None)
        return self._outcome(True, "created", self._client.create_token(body), before=None)

    def _changes(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of an object that must change, with their new values. `expiry_time` is in epoch seconds."""
        changes: dict[str, Any] = {}
        for field in ("name", "in_use"):
            if self.params[field] is not None and found.get(field) != self.params[field]:
                changes[field] = self.params[field]
        expiry = self._wanted_expiry(found)
        if expiry is not None and expiry != found.get("expiry_time"):
            changes["expiry_time"] = expiry
        existing = avi_connection.metadata_of(found)
        wanted = {**existing, **self._metadata}
        if wanted != existing:
            changes["metadata"] = [{"key": key, "val": value} for key, value in wanted.items()]
        return changes

    def _wanted_expiry(self, found: Mapping[str, Any]) -> Optional[float]:
        """The expiry that an object must have, in epoch seconds; None for any. Only `lifetime` renews it."""
        lifetime, expires_at = self.params["lifetime"], avi_connection.expiry_of(found)
        if lifetime is None:
            return self.params["expiry_time"]  # type: ignore[no-any-return] # params are untyped
        if expires_at is None:
            return None
        now = self._session.now()
        # As if it had been issued with the requested lifetime.
        is_lasting = expires_at - now >= needed_lifetime(lifetime, self.params["min_remaining"])
        return None if is_lasting else now + lifetime

    def _end(self, found: Optional[Mapping[str, Any]]) -> Outcome:
        if found is None:
            return self._outcome(False, "none", None, before=None)
        if self.runtime.check_mode:
            return self._outcome(True, "deleted", None, before=found, verified=False)
        deleted = self._client.delete_token(found["uuid"])
        if self._client.get_token(found["uuid"]) is not None:
            raise TokensError(
                "it still exists after the controller confirmed the deletion",
                doing="delete the secure channel token",
                host=self._session.host,
                advice="Run the task again in some seconds.",
            )
        return self._outcome(deleted, "deleted" if deleted else "none", None, before=found)

    def _outcome(
        self,
        changed: bool,
        action: str,
        item: Optional[Mapping[str, Any]],
        *,
        before: Optional[Mapping[str, Any]],
        verified: bool = True,
    ) -> Outcome:
        values: dict[str, Any] = {}
        if item is not None:
            values = {"in_use": item.get("in_use"), "metadata": avi_connection.metadata_of(item)}
            values["expires_at"] = iso8601(avi_connection.expiry_of(item))
            if self.params["return_token"]:
                values.update(avi_connection.identity_of(item))
        return Outcome(
            changed,
            action,
            avi_connection.token_of(item),
            verified and not (changed and self.runtime.check_mode),
            self._session.now(),
            avi_connection.token_of(before),
            values=values,
            about_token=True,
        )


def _metadata(value: Any) -> dict[str, str]:
    """The option metadata as a mapping. It is a mapping, or a list of mappings with key and val."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {str(key): str(item) for key, item in value.items()}
    if not isinstance(value, list):
        raise InvalidOption("metadata", "must be a mapping, or a list of mappings with the keys key and val")
    for number, entry in enumerate(value, start=1):
        if not isinstance(entry, Mapping) or set(entry) != {"key", "val"}:
            raise InvalidOption(
                "metadata", f"has an invalid entry: number {number} must be a mapping with the keys key and val"
            )
    return {str(entry["key"]): str(entry["val"]) for entry in value}
