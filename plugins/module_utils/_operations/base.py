# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every operation has in common: options, sessions, and a run that ends in an Outcome."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .._core.argspec import ArgumentSpec
from .._core.errors import InvalidOption, TokensError, internal_error
from .._core.outcome import Outcome
from .._core.secret import Secret
from .._http.session import ErrorFacts, Session, SessionOptions
from .._http.url import BaseUrl
from .._lifecycle.lifecycle import Lifecycle, LifecycleOptions
from .._lifecycle.source import TokenSource

# A socket of the operating system takes no more than some weeks.
_LONGEST_TIMEOUT = 86400


@dataclass(frozen=True)
class Runtime:
    """Where an operation runs: the environment variables, and whom to tell of warnings and waits."""

    check_mode: bool
    environ: Mapping[str, str]
    warn: Callable[[str], None]
    notify: Callable[[str], None]


class Operation(ABC):
    """The job of one module. It knows neither AnsibleModule nor how it is run."""

    name: ClassVar[str]
    argument_spec: ClassVar[ArgumentSpec]
    mutually_exclusive: ClassVar[tuple[tuple[str, ...], ...]] = ()
    required_together: ClassVar[tuple[tuple[str, ...], ...]] = ()
    required_one_of: ClassVar[tuple[tuple[str, ...], ...]] = ()
    required_if: ClassVar[tuple[tuple[Any, ...], ...]] = ()
    # Groups of options of which one is enough; see with_environment().
    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = ()
    # The keys of the result that hold secrets.
    secret_results: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, params: Mapping[str, Any], runtime: Runtime) -> None:
        self.params = params
        self.runtime = runtime
        self._sessions: list[Session] = []
        self._endings: list[Callable[[], None]] = []

    @abstractmethod
    def run(self) -> Outcome:
        """Do the job. Raises TokensError."""

    @classmethod
    def carries_secret(cls, result: Mapping[str, Any]) -> bool:
        """Whether a result must be sealed on a core that does not mask secrets by itself."""
        return any(result.get(key) for key in cls.secret_results)

    @property
    def request_count(self) -> int:
        """All HTTP requests so far."""
        return sum(session.request_count for session in self._sessions)

    def at_end(self, ending: Callable[[], None]) -> None:
        """Do this when the operation is over, whatever became of it: sign out of what was signed in to."""
        self._endings.append(ending)

    def close(self) -> None:
        """Sign out, and close all connections. What fails is a warning: the job is done or has failed by itself."""
        for ending in reversed(self._endings):
            try:
                ending()
            except Exception as error:  # pylint: disable=broad-exception-caught
                self.runtime.warn(str(error if isinstance(error, TokensError) else internal_error(error)))
        for session in self._sessions:
            session.close()

    def open_session(
        self, base_url: BaseUrl, error_facts: ErrorFacts, *, connections: int = 1, is_target: bool = True
    ) -> Session:
        """A session with a server, with the connection options of the task. Raises InvalidOption.

        Another server than the target of the task, one that issues its tokens, is shown no client certificate, and is
        trusted by the system's trust store, too: it may be a public one where the target is private.
        """
        params = self.params
        if not 0 < params["timeout"] <= _LONGEST_TIMEOUT:
            raise InvalidOption("timeout", f"must be more than 0 and at most {_LONGEST_TIMEOUT} seconds")
        if params["retries"] < 0:
            raise InvalidOption("retries", "must not be negative")
        if params["client_key"] and not params["client_cert"]:
            raise InvalidOption("client_key", "is given without client_cert")
        options = SessionOptions(
            validate_certs=params["validate_certs"],
            ca_path=params["ca_path"],
            client_cert=params["client_cert"] if is_target else None,
            client_key=params["client_key"] if is_target else None,
            trust_system=not is_target,
            proxy_url=params["proxy_url"],
            timeout=params["timeout"],
            retries=params["retries"],
            connections=connections,
        )
        session = Session(
            base_url, options, error_facts=error_facts, environ=self.runtime.environ, notify=self.runtime.notify
        )
        self._sessions.append(session)
        # A server may also quote what this task has not sent to it.
        for value in params.values():
            if isinstance(value, Secret):
                session.hide(value)
        return session


class TokenOperation(Operation):
    """An operation whose job is the life of one token."""

    mutually_exclusive: ClassVar[tuple[tuple[str, ...], ...]] = (("token", "token_file"),)
    secret_results = frozenset(("token", "headers"))

    @abstractmethod
    def source(self) -> TokenSource:
        """The product's side of the life cycle. Raises InvalidOption."""

    def run(self) -> Outcome:
        """See Operation."""
        params = self.params
        source = self.source()
        options = LifecycleOptions(
            state=params["state"],
            token=params["token"],
            token_file=params["token_file"],
            min_remaining=params["min_remaining"],
            renew=params["renew"],
            verify=params["verify"],
            revoke_old=self._revokes_old(source),
            lock_timeout=params["lock_timeout"],
            check_mode=self.runtime.check_mode,
        )
        return Lifecycle(source, options, warn=self.runtime.warn, notify=self.runtime.notify).run()

    def _revokes_old(self, source: TokenSource) -> bool:
        asked = self.params.get("revoke_old")
        # Without a file a crash would leave the user with neither token.
        return source.can_revoke and (bool(self.params["token_file"]) if asked is None else asked)
