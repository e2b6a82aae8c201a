# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as a whole: its products, each on one port, on any number of loopback addresses."""

from __future__ import annotations

import contextlib
import errno
import itertools
import resource
import socket
from pathlib import Path
from typing import Any

from aiohttp import web

from . import products
from .application import application
from .control import control_application
from .faults import FaultTable
from .jwts import Keyring
from .log import RequestLog
from .product import Product, Shared
from .proxy import Proxy
from .secretbox import SecretBox
from .tls import Authority, Certificate
from .tokens import TokenLedger

FIRST_ADDRESS = "127.0.0.1"
_BACKLOG = 1024
_LONGEST_LINE = 65536  # the JWTs of users with many groups are long
_HOSTS_PER_NETWORK = 250
# Addresses on which another program, such as another lab, uses one of our ports. So many cannot be a coincidence.
_MOST_SKIPPED = 100


class AddressTaken(OSError):
    """Another program uses a port of the lab on an address."""


class Lab:
    """Starts and stops everything, and implements what the control API offers."""

    def __init__(self, folder: Path) -> None:
        self.log = RequestLog()
        self.faults = FaultTable()
        self.secrets = SecretBox()
        self.ledger = TokenLedger()
        self.authority = Authority(folder)
        shared = Shared(self.secrets, self.ledger, Keyring(self.secrets, self.ledger), self.authority)
        self.products: dict[str, Product[Any, Any]] = {cls.name: cls(shared) for cls in products.discover()}
        for product in self.products.values():
            product.restore()
        self.addresses: list[str] = []
        self._further = map(_address, itertools.count())
        self.proxy = Proxy(self._product_port)
        self._proxy_port = 0
        self._runners: dict[str, web.AppRunner] = {}
        self._ports: dict[str, int] = {}

    async def start(self, addresses: int = 0, first_port: int = 0) -> None:
        """Listen on the first address, then on `addresses` further ones.

        The ports are `first_port` and the following ones. A port that is in use, or every port without `first_port`, is
        replaced by any free one.
        """
        _raise_file_limit()
        self._runners["control"] = await _runner(control_application(self))
        for product in self.products.values():
            guests = [guest for guest in self.products.values() if guest.guest_of == product.name]
            self._runners[product.name] = await _runner(application(product, self.log, self.faults, guests))
        for number, name in enumerate(self._runners):
            listener = _listener_near(FIRST_ADDRESS, first_port + number if first_port else 0)
            self._ports[name] = listener.getsockname()[1]
            await self._listen(name, FIRST_ADDRESS, listener, "good")
        self._proxy_port = await self.proxy.start(FIRST_ADDRESS)
        await self.add_addresses(addresses)

    async def add_addresses(self, count: int, certificate: Certificate = "good") -> list[str]:
        """Listen on `count` more addresses with the same ports, and return them.

        An address on which another program uses a port is skipped. Raises AddressTaken if there are too many of them.
        """
        added: list[str] = []
        skipped = 0
        while len(added) < count:
            address = next(self._further)
            try:
                listeners = self._listeners(address)
            except AddressTaken:
                skipped += 1
                if skipped > _MOST_SKIPPED:
                    raise
                continue
            for name, listener in listeners.items():
                await self._listen(name, address, listener, certificate)
            added.append(address)
            self.addresses.append(address)
        return added

    def _listeners(self, address: str) -> dict[str, socket.socket]:
        """Return a socket for each product; all or none."""
        with contextlib.ExitStack() as opened:
            listeners = {name: opened.enter_context(_listener(address, self._ports[name])) for name in self.products}
            opened.pop_all()
        return listeners

    async def _listen(self, name: str, address: str, listener: socket.socket, certificate: Certificate) -> None:
        product = self.products.get(name)
        asks = product.asks_client_certificates if product else False
        context = self.authority.server_context(address, certificate, asks)
        await web.SockSite(self._runners[name], listener, ssl_context=context, backlog=_BACKLOG).start()

    def _product_port(self, name: str) -> int | None:
        return self._ports.get(name) if name in self.products else None

    def url(self, name: str) -> str:
        """Return the URL of a product, or of `control`, on the first address."""
        return f"https://{FIRST_ADDRESS}:{self._ports[name]}"

    def details(self) -> dict[str, Any]:
        """Return the content of the state file."""
        return {
            "ca_path": str(self.authority.ca_path),
            "control": {"url": self.url("control")},
            "proxy": {"url": f"http://{FIRST_ADDRESS}:{self._proxy_port}"},
            **{name: self._details(name) for name in self.products},
        }

    def _details(self, name: str) -> dict[str, str]:
        url = self.url(name)
        return {"host": url.removeprefix("https://"), **self.products[name].details(url)}

    def environment(self) -> dict[str, str]:
        """Return the environment variables with the address and credentials of each product, and the CA."""
        variables = {"SSL_CERT_FILE": str(self.authority.ca_path)}
        for name, product in self.products.items():
            details = self._details(name)
            variables.update({variable: details[key] for variable, key in product.environment})
        return variables

    def reset(self) -> None:
        """Restore the initial state: states, faults, log and settings. Credentials, CA and addresses stay."""
        self.faults.clear()
        self.log.clear()
        self.proxy.tunnels.clear()
        self.ledger.clear()
        for product in self.products.values():
            product.reset()

    async def stop(self) -> None:
        """Close every listener and connection."""
        self.faults.clear()
        await self.proxy.stop()
        for runner in self._runners.values():
            await runner.cleanup()


def _address(number: int) -> str:
    network, host = divmod(number, _HOSTS_PER_NETWORK)
    return f"127.0.{1 + network}.{1 + host}"


async def _runner(app: web.Application) -> web.AppRunner:
    # The short grace period lets current responses finish and still stops the lab within a second.
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=75,
        shutdown_timeout=0.1,
        max_line_size=_LONGEST_LINE,
        max_field_size=_LONGEST_LINE,
    )
    await runner.setup()
    return runner


def _listener(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError as problem:
        listener.close()
        if problem.errno == errno.EADDRINUSE:
            raise AddressTaken(f"port {port} of {address} is in use") from problem
        raise
    listener.setblocking(False)
    return listener


def _listener_near(address: str, port: int) -> socket.socket:
    try:
        return _listener(address, port)
    except AddressTaken:
        return _listener(address, 0)


def _raise_file_limit() -> None:
    """Raise the limit of open files as far as possible: a thousand addresses are several thousand sockets."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
