# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the library `requests` makes its connections here: with a TLS context and sockets of ours."""

from __future__ import annotations

from typing import Any

from .deadline import Stage, connected, watch

try:
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPSConnection
    from urllib3.connectionpool import HTTPSConnectionPool
except Exception:  # pylint: disable=broad-exception-caught  # a broken library is a missing one
    # The transport reports the missing library; until then this file must load.
    HTTPAdapter = HTTPSConnection = HTTPSConnectionPool = object  # type: ignore[assignment,misc]


class _Connection(HTTPSConnection):
    """A connection whose sockets end at the deadline, those to a proxy too, and which knows how far a request came."""

    def _new_conn(self) -> Any:
        watch.stage = Stage.CONNECTING
        plain = connected(self._dns_host, self.port, self.socket_options or ())
        plain.server_name = self._tunnel_host or self.host
        watch.stage = Stage.HANDSHAKE
        return plain

    def _tunnel(self) -> None:
        watch.stage = Stage.TUNNELLING
        super()._tunnel()
        watch.stage = Stage.HANDSHAKE

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        """Send the request. A request to the proxy itself does not come this way."""
        watch.stage = Stage.SENT
        super().endheaders(*args, **kwargs)


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class Adapter(HTTPAdapter):
    """Connections with a TLS context that alone decides whom they trust."""

    def __init__(self, context: Any, connections: int) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0, pool_block=True)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        _use_our_pool(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        _use_our_pool(manager)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the context alone: the library would load its own bundle into it, for every connection."""
        conn.cert_reqs = self._context.verify_mode


def _use_our_pool(manager: Any) -> None:
    manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": _Pool}
