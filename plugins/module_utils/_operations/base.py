# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every operation has: its options, the sessions that it opens, and an end at which it signs out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from .._core.argspec import ArgumentSpec
from .._core.errors import InvalidOption, TokensError, internal_error
from .._core.outcome import Outcome
from .._core.runtime import Runtime
from .._core.secret import Secret
from .._http.session import ErrorFacts, Session, SessionOptions
from .._http.url import BaseUrl
from .._lifecycle.file_store import FileStore
from .._lifecycle.lifecycle import Lifecycle
from .._lifecycle.options import LifecycleOptions
from .._lifecycle.source import TokenSource
from .sources import TokenOwner

# A socket of the operating system takes no more than some weeks.
_LONGEST_TIMEOUT = 86400


class Operation(ABC):
    """What a task of one module does. It knows neither AnsibleModule nor how it is run."""

    name: ClassVar[str]
    argument_spec: ClassVar[ArgumentSpec]
    # The keys of the result that hold secrets.
    secret_results: ClassVar[frozenset[str]] = frozenset()
    # What must also be given where nobody sees the result: a token that it creates must be stored.
    unattended: ClassVar[ArgumentSpec] = ArgumentSpec()
    token_owner: ClassVar[TokenOwner] = TokenOwner()

    def __init__(self, params: Mapping[str, Any], runtime: Runtime) -> None:
        self.params = params
        self.runtime = runtime
        self._sessions: list[Session] = []
        self._endings: list[Callable[[], None]] = []
        # A server may also quote what this task does not send to it. Of a proxy only the password is secret.
        secrets = (value for name, value in params.items() if isinstance(value, Secret) and name != "proxy_url")
        runtime.redactor.hide(*secrets)

    @abstractmethod
    def run(self) -> Outcome:
        """Do what the task asks for. Raises TokensError."""

    @classmethod
    def carries_secret(cls, result: Mapping[str, Any]) -> bool:
        """Whether a result must be sealed on a core that does not mask secrets by itself."""
        return any(result.get(key) for key in cls.secret_results)

    @property
    def request_count(self) -> int:
        """All HTTP requests so far."""
        return sum(session.request_count for session in self._sessions)

    def at_end(self, ending: Callable[[], None]) -> None:
        """Call this when the operation is over, whatever became of it: to sign out of what was signed in to."""
        self._endings.append(ending)

    def close(self) -> None:
        """Sign out, and close all connections. A failure is a warning: the work is done or has failed by itself."""
        for ending in reversed(self._endings):
            try:
                ending()
            except Exception as error:  # pylint: disable=broad-exception-caught
                self.runtime.warn(str(error if isinstance(error, TokensError) else internal_error(error)))
        for session in self._sessions:
            session.close()

    def open_session(
        self, base_url: BaseUrl, error_facts: ErrorFacts, *, connections: int = 1, prefix: str = ""
    ) -> Session:
        """A session with a server, with the connection options of the task. Raises InvalidOption.

        `prefix` is that of the options for another server than the target of the task, one that issues its tokens. It
        is shown no client certificate, its own option decides whether it is verified, and without a ca_path of its own
        the system's trust store counts besides that of the target: it may be a public one where the target is private.
        """
        params = self.params
        if not 0 < params["timeout"] <= _LONGEST_TIMEOUT:
            raise InvalidOption("timeout", f"must be more than 0 and at most {_LONGEST_TIMEOUT} seconds")
        if params["retries"] < 0:
            raise InvalidOption("retries", "must not be negative")
        if params["client_key"] and not params["client_cert"]:
            raise InvalidOption("client_key", "is given without client_cert")
        options = SessionOptions(
            validate_certs=params[f"{prefix}validate_certs"],
            ca_path=params[f"{prefix}ca_path"] or params["ca_path"],
            client_cert=None if prefix else params["client_cert"],
            client_key=None if prefix else params["client_key"],
            trust_system=bool(prefix) and not params[f"{prefix}ca_path"],
            proxy_url=params["proxy_url"],
            timeout=params["timeout"],
            retries=params["retries"],
            connections=connections,
        )
        session = Session(base_url, options, error_facts=error_facts, runtime=self.runtime)
        self._sessions.append(session)
        return session


class TokenOperation(Operation):
    """An operation that keeps one token, or ends it."""

    secret_results = frozenset(("token", "headers"))
    unattended = ArgumentSpec(required_if=(("state", "present", ("token_file",)),))

    @abstractmethod
    def source(self) -> TokenSource:
        """The product's side of the life cycle. Raises InvalidOption."""

    def run(self) -> Outcome:
        options = LifecycleOptions.from_params(self.params)
        if options.would_lose_a_token:
            raise InvalidOption(
                "return_token", "is false without token_file: nobody would hold a new token", advice="Set token_file."
            )
        store = FileStore(options.token_file, self.runtime) if options.token_file else None
        return Lifecycle(self.source(), options, store, self.runtime).run()
