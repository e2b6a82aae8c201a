# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert errors of the HTTP libraries, which may quote URLs, headers and proxy passwords, to our own types."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Optional, TypeVar

from .._core.errors import (
    ConnectionFailed,
    OversizedResponse,
    ResponseLost,
    TimedOut,
    TlsFailed,
    TransportError,
)
from .deadline import Flooded, Stage
from .proxy import Proxy
from .tls_advice import certificate_advice, connection_advice

try:
    import requests.exceptions
    import urllib3.exceptions
except Exception:  # pylint: disable=broad-exception-caught  # a broken library is a missing one
    # Session reports the missing library. Until then this file must load.
    requests = urllib3 = None  # type: ignore[assignment] # stand-ins

_CONNECTION_ADVICE = "Check the name and port in hostname, the network route, and proxy_url."
_TIMEOUT_ADVICE = "Raise timeout if the server is only slow."

# The server closed the connection. The type depends on the version of Python.
_TLS_ENDS = (ssl.SSLEOFError, ssl.SSLZeroReturnError)

# http.client raises the first for too many headers, the second for a long line. Its other errors are subclasses.
_ENDLESS_HEAD = (http.client.HTTPException, http.client.LineTooLong)

_Cause = TypeVar("_Cause", bound=BaseException)


def transport_error_of(
    error: BaseException, stage: Stage, timeout: float, *, proxy: Optional[Proxy], ca_path: Optional[str]
) -> TransportError:
    """Convert an exception of requests or urllib3.

    `stage` is how far the request had come, `timeout` its timeout in seconds. `proxy` and `ca_path` are those of the
    connection, for the advice.
    """
    if stage is Stage.SENT:
        return _after_it_left(error, timeout)
    if stage is Stage.HANDSHAKE:
        return _during_handshake(error, timeout, ca_path)
    return _before_handshake(error, stage, timeout, proxy)


def _before_handshake(error: BaseException, stage: Stage, timeout: float, proxy: Optional[Proxy]) -> TransportError:
    target, advice = (f"the proxy {proxy.address}", proxy.advice) if proxy else ("", _CONNECTION_ADVICE)
    if stage is Stage.TUNNELLING:
        return ConnectionFailed(f"{target} {_failure_of_proxy(error, timeout)}", advice=advice)
    if _is_timeout(error):
        reason = f" within {timeout:g} s"
    elif _find(error, socket.gaierror) is not None:
        reason = f": its name cannot be resolved ({_reason(error)})"
    else:
        reason = f": {_reason(error)}"
    return ConnectionFailed(f"no connection{f' to {target}' if target else ''}{reason}", advice=advice)


def _failure_of_proxy(error: BaseException, timeout: float) -> str:
    """Include the status that the proxy returned, but not its text."""
    if _is_timeout(error):
        return f"did not respond within {timeout:g} s"
    found = re.search(r"Tunnel connection failed: (\d{3})", str(error))
    return f"refused the connection: status {found[1]}" if found else f"failed: {_reason(error)}"


def _during_handshake(error: BaseException, timeout: float, ca_path: Optional[str]) -> TransportError:
    certificate = _find(error, ssl.SSLCertVerificationError)
    if certificate is not None:
        # When urllib3 compares the names itself, the error has no message and no code of OpenSSL.
        reason = getattr(certificate, "verify_message", "") or "hostname mismatch"
        advice = certificate_advice(certificate, ca_path)
        return TlsFailed(f"the server's certificate is not trusted: {reason}", advice=advice)
    if _is_timeout(error):
        return ConnectionFailed(f"no TLS connection within {timeout:g} s", advice=_CONNECTION_ADVICE)
    if _find(error, Flooded) is not None:
        return TlsFailed("the TLS connection failed: its handshake does not end", advice=connection_advice(None))
    if _is_refusal_of_tls(error):
        return _refusal_of_tls(error)
    return ConnectionFailed("the connection was closed before the request was sent", advice=_CONNECTION_ADVICE)


def _after_it_left(error: BaseException, timeout: float) -> TransportError:
    """With a proxy, urllib3 reports these as errors of the proxy, too: the order of the causes means nothing."""
    if _find(error, Flooded) is not None:
        return OversizedResponse("the response is longer than any response of the API")
    if _is_timeout(error):
        return TimedOut(f"no complete response within {timeout:g} s", advice=_TIMEOUT_ADVICE)
    if _is_refusal_of_tls(error):
        # With TLS 1.3, a server refuses a client certificate with an alert in place of the response.
        return _refusal_of_tls(error)
    if any(type(cause) in _ENDLESS_HEAD for cause in _causes(error)):
        return OversizedResponse("the response has more or longer headers than any response of the API")
    if isinstance(error, ValueError):
        return ResponseLost("the response is not valid HTTP")
    if _find(error, urllib3.exceptions.IncompleteRead) is not None:
        return ResponseLost("the response was cut off")
    return ResponseLost("the connection was closed before the response was complete")


def _refusal_of_tls(error: BaseException) -> TransportError:
    advice = connection_advice(_find(error, ssl.SSLError))
    return TlsFailed(f"the TLS connection failed: {_reason(error)}", advice=advice)


def _is_timeout(error: BaseException) -> bool:
    return _is_any(error, (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, socket.timeout))


def _is_refusal_of_tls(error: BaseException) -> bool:
    return _is_any(error, (ssl.SSLError,)) and not _is_any(error, _TLS_ENDS)


def _is_any(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    return any(isinstance(cause, kinds) for cause in _causes(error))


def _reason(error: BaseException) -> str:
    """The message of the operating system or of OpenSSL, which contains no secret."""
    system = _find(error, OSError, skip=requests.exceptions.RequestException)
    if isinstance(system, ssl.SSLError) and system.reason:
        return system.reason.replace("_", " ").lower()
    return (system.strerror if system is not None else None) or "connection closed"


def _find(
    error: BaseException, kind: type[_Cause], skip: tuple[type[BaseException], ...] | type[BaseException] = ()
) -> Optional[_Cause]:
    return next((cause for cause in _causes(error) if isinstance(cause, kind) and not isinstance(cause, skip)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes. urllib3 keeps some causes in `reason` and in the arguments."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [getattr(cause, "reason", None), cause.__cause__, cause.__context__, *cause.args]
