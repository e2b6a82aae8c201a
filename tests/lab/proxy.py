# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A forward proxy (CONNECT, RFC 9110, section 9.3.6) that connects to the lab only.

Playbooks use it to reach the products by name, as `https://PRODUCT.example.com`. Host names cannot contain underscores:
they have a hyphen in place of each underscore of the product's name.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable

_CHUNK = 65536
_NAMES = "example.com"

Target = tuple[str, int]


class Proxy:
    """Accepts CONNECT for loopback addresses and for `<product>.example.com`."""

    def __init__(self, port_of: Callable[[str], int | None]) -> None:
        self._port_of = port_of
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.tunnels: list[str] = []
        """The `name:port` of every CONNECT, including refused ones."""

    async def start(self, address: str) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._accept, address, 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the listener and every tunnel."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the client or the lab closed the connection
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, _space, rest = head.partition(" ")
        authority = rest.split(" ", 1)[0]
        if method != "CONNECT":
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\nContent-Length: 0\r\n\r\n")
            return
        self.tunnels.append(authority)
        target = self._target(authority)
        if target is None:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        onward_reader, onward_writer = await asyncio.open_connection(*target)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, onward_writer), _pump(onward_reader, writer))

    def _target(self, authority: str) -> Target | None:
        """Return the destination of a tunnel. Only this machine is allowed."""
        name, _colon, port = authority.rpartition(":")
        product, _dot, domain = name.partition(".")
        if domain == _NAMES and (known := self._port_of(product.replace("-", "_"))) is not None:
            return "127.0.0.1", known
        with contextlib.suppress(ValueError):
            if ipaddress.IPv4Address(name).is_loopback:
                return name, int(port)
        return None


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
