# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of all operations: options, sessions, and the sign-out at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from .._core.argspec import ArgumentSpec
from .._core.errors import InvalidOption
from .._core.outcome import Outcome
from .._core.runtime import Resources, Runtime
from .._core.secret import Secret
from .._http.session import ErrorFacts, Session, SessionOptions
from .._http.url import BaseUrl
from .sources import TokenOwner

# Seconds. The operating system limits timeouts of sockets to some weeks.
_LONGEST_TIMEOUT = 86400


class Operation(ABC):
    """What a task of one module does, independent of how it is run."""

    name: ClassVar[str]
    argument_spec: ClassVar[ArgumentSpec]
    # The keys of the result that hold secrets.
    secret_results: ClassVar[frozenset[str]] = frozenset()
    # Options that are also required in token_set, which returns no token: a new token must be stored.
    unattended: ClassVar[ArgumentSpec] = ArgumentSpec()
    token_owner: ClassVar[TokenOwner] = TokenOwner()

    def __init__(self, params: Mapping[str, Any], runtime: Runtime) -> None:
        self.params = params
        self.runtime = runtime
        self._resources = Resources(runtime)
        # A server may quote secrets that are not sent to it. Of proxy_url, only the password is secret.
        runtime.redactor.hide(*_secrets_in({name: value for name, value in params.items() if name != "proxy_url"}))

    @abstractmethod
    def run(self) -> Outcome:
        """Run the operation. Raises TokensError."""

    @classmethod
    def carries_secret(cls, result: Mapping[str, Any]) -> bool:
        """Whether a result must be censored on a core without the Secrets API."""
        return any(result.get(key) for key in cls.secret_results)

    @property
    def request_count(self) -> int:
        """The number of HTTP requests so far."""
        return self._resources.request_count

    @property
    def store_resources(self) -> Resources:
        """Those that have the sessions with stores, which the operations of a task share."""
        return self.runtime.resources or self._resources

    def at_end(self, ending: Callable[[], None]) -> None:
        """Call a function when the operation ends, even after a failure, such as a sign-out."""
        self._resources.at_end(ending)

    def close(self) -> None:
        """Sign out and close all connections. A failure is a warning, because the work is already done."""
        self._resources.close()

    def open_session(
        self, base_url: BaseUrl, error_facts: ErrorFacts, *, connections: int = 1, prefix: str = ""
    ) -> Session:
        """Open a session with the connection options of the task. Raises InvalidOption and MissingLibrary.

        `prefix` is set for a second server, which issues the tokens: the names of its own options start with it. The
        client certificate is not presented to it. Without its own ca_path, the system's trust store is used in addition
        to the ca_path of the target, because it may be a public server.
        """
        params = self.params
        own_ca_path = params[f"{prefix}ca_path"]
        names = {name.removeprefix(prefix): name for name in params if prefix and name.startswith(prefix)}
        if params["ca_path"] and not own_ca_path:
            # This one is used.
            names.pop("ca_path", None)
        return self._new_session(
            self._resources,
            base_url,
            error_facts,
            validate_certs=params[f"{prefix}validate_certs"],
            ca_path=own_ca_path or params["ca_path"],
            client_cert=None if prefix else params["client_cert"],
            client_key=None if prefix else params["client_key"],
            trust_system=bool(prefix) and not own_ca_path,
            connections=connections,
            names=names,
        )

    def open_store_session(
        self, base_url: BaseUrl, error_facts: ErrorFacts, options: Mapping[str, Any], *, prefix: str
    ) -> Session:
        """A session with the server of a store, whose own options say how it is verified. Raises InvalidOption.

        Messages put `prefix` before the names of these options.
        """
        tls = {name: options[name] for name in ("validate_certs", "ca_path", "client_cert", "client_key")}
        return self._new_session(
            self.store_resources,
            base_url,
            error_facts,
            **tls,
            connections=self.store_resources.connections,
            names={name: prefix + name for name in tls},
        )

    def _new_session(
        self,
        resources: Resources,
        base_url: BaseUrl,
        error_facts: ErrorFacts,
        *,
        connections: int,
        names: Mapping[str, str],
        **tls: Any,
    ) -> Session:
        params = self.params
        if not 0 < params["timeout"] <= _LONGEST_TIMEOUT:
            raise InvalidOption("timeout", f"must be longer than 0 s and at most {_LONGEST_TIMEOUT} s")
        if params["retries"] < 0:
            raise InvalidOption("retries", "must be 0 or more")
        if tls["client_key"] and not tls["client_cert"]:
            key, certificate = (names.get(name, name) for name in ("client_key", "client_cert"))
            raise InvalidOption(key, f"is set without {certificate}", advice=f"Set {certificate}, too.")
        options = SessionOptions(
            proxy_url=params["proxy_url"],
            timeout=params["timeout"],
            retries=params["retries"],
            connections=connections,
            names=names,
            **tls,
        )
        try:
            session = Session(base_url, options, error_facts=error_facts, runtime=resources.runtime)
        except InvalidOption as error:
            name = names.get(error.option, error.option)
            raise InvalidOption(name, error.reason, source=error.source, advice=error.advice) from None
        resources.add_session(session)
        return session


def _secrets_in(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _secrets_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _secrets_in(each)
