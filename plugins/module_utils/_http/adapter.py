# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of the library `requests` whose connections use our TLS context and end at our deadline."""

from __future__ import annotations

import logging
from typing import Any, Optional

from .deadline import Stage, connected, watch

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPSConnection
    from urllib3.connectionpool import HTTPSConnectionPool
except Exception:  # pylint: disable=broad-exception-caught  # a broken library is a missing one
    # Session reports the missing library. Until then this file must load.
    HTTPAdapter = HTTPSConnection = HTTPSConnectionPool = object  # type: ignore[assignment,misc] # stand-ins

_DEFAULT_HEADERS = {
    "Accept": "application/json",
    # A compressed body could expand to a thousand times what was received.
    "Accept-Encoding": "identity",
    "User-Agent": "ansible-collection-sddc.tokens",
}


class _NoRecordsOfOurRequests(logging.Filter):
    """Drops the log records of urllib3 about our requests: they quote paths and malformed header lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        return watch.ends_at is None


for _name in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).addFilter(_NoRecordsOfOurRequests())


class _Connection(HTTPSConnection):
    """A connection that ends at the deadline, through a proxy too, and notes how far its request has come."""

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
        """Send the headers of a request. The CONNECT request to a proxy does not use this method."""
        watch.stage = Stage.SENT
        super().endheaders(*args, **kwargs)


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class Adapter(HTTPAdapter):
    """Connections whose TLS context alone decides which certificates are accepted."""

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
        """Keep the library from loading its own CA bundle into the context, for every connection."""
        conn.cert_reqs = self._context.verify_mode


def _use_our_pool(manager: Any) -> None:
    manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": _Pool}


def new_http_session(context: Any, connections: int, *, verify: bool, proxy_url: Optional[str]) -> Any:
    """Return a session of `requests` that takes nothing from .netrc, the environment or the system's settings."""
    http = requests.Session()
    # Otherwise .netrc would replace our Authorization header, and REQUESTS_CA_BUNDLE our options.
    http.trust_env = False
    http.verify = verify
    http.headers.update(_DEFAULT_HEADERS)
    if proxy_url:
        http.proxies = {"https": proxy_url}
    if not verify:
        # The user chose this. urllib3 would print a warning with each request.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    http.mount("https://", Adapter(context, connections))
    return http
