# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of a real store, over TLS, that does harm to one of the requests."""

from __future__ import annotations

import contextlib
import itertools
import ssl
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import requests

from support.bao import Bao

Harm = Literal["cut", "lost", "late", "held", "gateway"]
HARMS: tuple[Harm, ...] = ("cut", "lost", "late", "held", "gateway")
_OF_ONE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding")
# Seconds.
_LONGEST = 60


class StoreProxy:
    """Forwards requests, and harms the one with a number.

    `cut`: it never arrives. `lost`: its response never arrives. `late`: its response is late by `seconds`. `held`: the
    request itself is late, so that it arrives when the client has given up. `gateway`: it arrives, and the proxy
    answers with an error page of its own.
    """

    def __init__(self, bao: Bao, harm: Harm | None = None, at: int = 0, seconds: float = 0) -> None:
        self._bao = bao
        self._harm, self._at, self._seconds = harm, at, seconds
        self._numbers = itertools.count(1)
        self.lines: list[str] = []
        self.struck = threading.Event()
        self._closing = threading.Event()
        self._in_progress = 0
        self._changed = threading.Condition()
        self.address = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Carry out one request."""
        with self._changed:
            self._in_progress += 1
        try:
            self._answer(handler)
        finally:
            with self._changed:
                self._in_progress -= 1
                self._changed.notify_all()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        is_struck = next(self._numbers) == self._at
        self.lines.append(f"{handler.command} {handler.path}")
        harm = self._harm if is_struck else None
        if harm:
            self.struck.set()
        if harm == "held":
            self._closing.wait(self._seconds)
        response = None if harm == "cut" else self._forwarded(handler, body)
        if harm == "late":
            self._closing.wait(self._seconds)
        if response is None or harm in ("cut", "lost"):
            handler.close_connection = True
            return
        headers = {name: value for name, value in response.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
        with contextlib.suppress(OSError):
            if harm == "gateway":
                _respond(handler, 504, {"Content-Type": "text/html"}, b"<html>The gateway gave up</html>")
            else:
                _respond(handler, response.status_code, headers, response.content)

    def _forwarded(self, handler: BaseHTTPRequestHandler, body: bytes) -> requests.Response:
        headers = {name: value for name, value in handler.headers.items() if name.lower().startswith("x-vault")}
        return requests.request(
            handler.command,
            self._bao.address + handler.path,
            headers={**headers, "Content-Type": "application/json"},
            data=body,
            verify=self._bao.ca_path,
            timeout=_LONGEST,
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[StoreProxy]:
        """Listen on a port of its own, with the certificate of the store."""
        folder = Path(self._bao.ca_path).parent
        (certificate,), (key,) = folder.glob("*-cert.pem"), folder.glob("*-key.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self)) as server:
            server.daemon_threads = True
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            self.address = f"https://127.0.0.1:{server.server_address[1]}"
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            try:
                yield self
            finally:
                server.shutdown()
                self._closing.set()
                with self._changed:
                    # A request that was held arrives before the end of this context.
                    self._changed.wait_for(lambda: not self._in_progress, _LONGEST)


def _respond(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
    handler.send_response_only(status)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def _handler_of(proxy: StoreProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            proxy.answer(self)

        do_POST = do_PUT = do_GET

        def log_message(self, *_arguments: object) -> None:
            """The lines are kept by the proxy."""

    return Handler
