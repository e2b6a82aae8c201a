# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every product of the lab has: an application with settings, actions and a state for each host.

A product's file defines one subclass of `Product` and names it `PRODUCT`. No other file contains its name.
"""

from __future__ import annotations

import base64
import json
import time
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from aiohttp import web

from . import typed
from .jwts import Keyring
from .secretbox import SecretBox
from .tls import Authority
from .tokens import TokenLedger

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
FORM = "application/x-www-form-urlencoded"


@dataclass(kw_only=True)
class Settings:
    """The settings that a test may change in every product. Each product adds its own."""

    clock_offset: float = 0.0
    """Seconds by which the product's clock is ahead: its `Date` header and every time it computes."""


@dataclass
class Shared:
    """What the products share: a token of one may be a credential of another."""

    secrets: SecretBox
    ledger: TokenLedger
    jwts: Keyring
    authority: Authority


@dataclass
class Refusal(Exception):
    """A request that the product refuses. The product formats the response."""

    status: int
    message: str = ""
    code: int | str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """The invalid fields of the request with their errors."""


StateT = TypeVar("StateT")
SettingsT = TypeVar("SettingsT", bound=Settings)
ActionT = TypeVar("ActionT", bound=Callable[..., Any])


def action(function: ActionT) -> ActionT:
    """Mark a method as an action of the control API. Its parameters are the fields of the request."""
    function.is_action = True  # type: ignore[attr-defined]
    return function


class Product(ABC, Generic[StateT, SettingsT]):
    """One product: a set of routes, and a state for each host name or address with which it is requested."""

    name: ClassVar[str]
    asks_client_certificates: ClassVar[bool] = False
    environment: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Environment variables of the collection, with the field of the state file that is the value of each.

    For a server it is `host`, not `url`: playbooks prefix it with `https://`.
    """

    guest_of: ClassVar[str] = ""
    """The product whose server also has the routes of `guest_routes()`."""
    revocable: ClassVar[str] = ""
    """The count that is 0 when everything that can be revoked is revoked."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._settings = self.default_settings()
        self._host_settings: dict[str, SettingsT] = {}
        self._states: dict[str, StateT] = {}

    # To be defined by each product.

    @abstractmethod
    def default_settings(self) -> SettingsT:
        """Return the settings of a new lab."""

    @abstractmethod
    def new_state(self, host: str) -> StateT:
        """Return the state of a new host."""

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]:
        """Return the product's routes."""

    @abstractmethod
    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Return a refusal in the product's own error format."""

    @abstractmethod
    def details(self, url: str) -> dict[str, str]:
        """Return the product's part of the state file."""

    def guest_routes(self) -> Iterable[web.RouteDef]:
        """Return the routes that the server of another product has, too."""
        return ()

    def middlewares(self) -> Iterable[Middleware]:
        """Return the middlewares before the product's handlers, outermost first."""
        return ()

    def counts(self, host: str) -> dict[str, int]:
        """Count the objects of a host, in addition to the tokens of the ledger."""
        return {}

    # For use in each product.

    def settings(self, host: str) -> SettingsT:
        """Return the settings of a host: its own if a test has set some, otherwise those of all hosts."""
        return self._host_settings.get(host, self._settings)

    def shown_settings(self, host: str | None) -> SettingsT:
        """Return the settings of a host, or those of all hosts without their own."""
        return self._settings if host is None else self.settings(host)

    def change_settings(self, host: str | None, values: Mapping[str, Any]) -> SettingsT:
        """Change the settings of a host, or of all hosts."""
        settings = typed.changed(self.shown_settings(host), values)
        if host is not None:
            self._host_settings[host] = settings
            return settings
        self._host_settings = {name: typed.changed(own, values) for name, own in self._host_settings.items()}
        self._settings = settings
        return settings

    def state(self, host: str) -> StateT:
        """Return the state of a host. It is created at the first use."""
        if host not in self._states:
            self._states[host] = self.new_state(host)
        return self._states[host]

    def hosts(self) -> list[str]:
        """Return the hosts that have a state or a token."""
        return sorted({*self._states, *self.shared.ledger.hosts(self.name)})

    def now(self, host: str) -> float:
        """Return the time by the product's own clock."""
        return time.time() + self.settings(host).clock_offset

    def actions(self) -> dict[str, Callable[..., Any]]:
        """Return the product's actions by name."""
        members = {name: getattr(self, name) for name in dir(type(self))}
        return {name: member for name, member in members.items() if getattr(member, "is_action", False)}

    def reset(self) -> None:
        """Restore the initial state, except credentials."""
        self._settings = self.default_settings()
        self._host_settings.clear()
        self._states.clear()
        self.restore()

    def restore(self) -> None:
        """Add the tokens that exist from the start to the (empty) ledger."""


def host_of(request: web.Request) -> str:
    """Return the host name or address in the request, without the port."""
    try:
        return urllib.parse.urlsplit(f"//{request.headers.get('Host', '')}").hostname or "127.0.0.1"
    except ValueError:
        return "127.0.0.1"


def origin(request: web.Request) -> str:
    """Return scheme, name and port with which the client reached the product."""
    return f"https://{request.headers.get('Host', '127.0.0.1')}"


async def json_object(request: web.Request) -> dict[str, Any]:
    """Return the request's JSON object; anything else is a 400."""
    if request.content_type != "application/json":
        raise Refusal(400, f"Content-Type must be application/json, not {request.content_type}")
    try:
        value = json.loads(await request.read())
    except ValueError as problem:
        raise Refusal(400, "Request body is not valid JSON") from problem
    if not isinstance(value, dict):
        raise Refusal(400, "Request body must be a JSON object")
    return value


async def form_fields(request: web.Request) -> dict[str, str]:
    """Return the request's form; another content type is a 415, another encoding a 400."""
    if request.content_type != FORM:
        raise Refusal(415, f"Content type '{request.content_type}' not supported")
    try:
        return dict(urllib.parse.parse_qsl((await request.read()).decode("ascii"), keep_blank_values=True))
    except ValueError as problem:
        raise Refusal(400, "Request body is not a valid form") from problem


def credentials(request: web.Request, scheme: str) -> str | None:
    """Return what follows the scheme in `Authorization` (RFC 9110, section 11.6.2), or None for another scheme."""
    given, _space, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if given.lower() == scheme.lower() else None


def basic_credentials(request: web.Request) -> tuple[str, str] | None:
    """Return user and password of Basic authentication (RFC 7617), or None if it is missing or malformed."""
    value = credentials(request, "Basic")
    if value is None:
        return None
    try:
        user, _colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:  # not base64, or not UTF-8
        return None
    return user, password
