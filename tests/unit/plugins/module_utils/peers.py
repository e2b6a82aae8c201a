# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain sockets that misbehave before any HTTP, which the lab never does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Peer = Callable[[socket.socket], None]


@contextlib.contextmanager
def listening(peer: Peer) -> Iterator[str]:
    """The address of a plain socket whose connections are passed to `peer`, one after the other."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _address = server.accept()
                except OSError:
                    return
                # The client may disconnect before the peer has finished.
                with connection, contextlib.suppress(OSError):
                    peer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)
