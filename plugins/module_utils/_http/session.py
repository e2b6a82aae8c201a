# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP with one server: TLS, proxies, time-outs, retries and redaction, the same for every product."""

from __future__ import annotations

import contextlib
import http.cookiejar
import logging
import re
import threading
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union
from urllib.parse import unquote

from .._core.errors import (
    ApiError,
    MissingLibrary,
    OversizedResponse,
    ResponseLost,
    TokensError,
    TransportError,
)
from .._core.runtime import Runtime
from .._core.secret import Secret
from .adapter import Adapter
from .auth import UNSIGNED, Auth, send_signed
from .deadline import deadline, watch
from .errors import transport_error_of
from .proxy import Proxy, proxy_for
from .response import HEADER_VALUE, Response
from .retry import Retries, asked_wait
from .tls import tls_context
from .url import BaseUrl

try:
    import requests
    import urllib3
    from urllib3.exceptions import HTTPError

    HAS_REQUESTS = True
except Exception:  # pylint: disable=broad-exception-caught  # a broken library is a missing one
    HAS_REQUESTS = False

# A page of a thousand alarms is some two megabytes.
LONGEST_BODY = 16 * 1024 * 1024
# With its head, and the heads of chunks.
_LONGEST_RESPONSE = 4 * LONGEST_BODY
_CHUNK = 64 * 1024
# Seconds. A sign-out has at least these: enough for a server that works.
_SHORTEST_SIGN_OUT = 2.0
_SHORTEST_TIMEOUT = 0.01
_OVERLOADED = (429, 503)
_LEAST_REFUSAL = 400
_IDEMPOTENT_METHODS = ("GET", "HEAD", "PUT", "DELETE")
_DEFAULT_HEADERS = {
    "Accept": "application/json",
    # A compressed body could be a thousand times longer than what was read.
    "Accept-Encoding": "identity",
    "User-Agent": "ansible-collection-sddc.tokens",
}
_OVERLOADED_ADVICE = "The server is overloaded or limits its clients: try later, or raise the option retries."
_REDIRECT_ADVICE = "A redirect is not followed with a secret: give the address that it leads to as hostname."
_HTML_ADVICE = "A proxy, a load balancer or a login portal may have written the page: check hostname and the way to it."
# Not all that str.isdigit() takes for a digit is one to int().
_LENGTH = re.compile(r"[0-9]{1,19}")
# Some proxies fold several into one header; the comma of a date is another one.
_NEXT_COOKIE = re.compile(r",\s*(?=[^;,=\s]+=)")


class _NothingOfOurs(logging.Filter):
    """The library's log quotes paths, and header lines that it cannot read: what it says of our requests is dropped."""

    def filter(self, record: logging.LogRecord) -> bool:
        return watch.ends_at is None


for _name in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_name).addFilter(_NothingOfOurs())

ErrorFacts = Callable[[Any], "tuple[str, str]"]


@dataclass(frozen=True)
class SessionOptions:
    """How to reach a server; `timeout` is in seconds and for each request.

    With `trust_system` the system's trust store counts besides ca_path."""

    validate_certs: bool = True
    ca_path: Optional[str] = None
    client_cert: Optional[str] = None
    client_key: Optional[str] = None
    trust_system: bool = False
    proxy_url: Optional[Secret] = None
    timeout: float = 30
    retries: int = 3
    connections: int = 1


@dataclass
class _Call:
    """One request of an API, however often it is tried.

    `ends_at`: when all its tries must be over, by the monotonic clock, if they must.
    `was_lost`: whether the response to a try was lost; the server may have processed that try."""

    method: str
    url: str
    arguments: Mapping[str, Any]
    headers: Mapping[str, Any]
    doing: str
    idempotent: bool
    advice: Mapping[int, str]
    left_behind: str
    ends_at: Optional[float] = None
    asked_wait: Optional[float] = None
    was_lost: bool = False


class Session:
    """One server, one pool of connections, one count of requests; may be used from several threads.

    `error_facts` reads code and message from the product's error document.
    Raises MissingLibrary without requests, InvalidOption for files that cannot be used.
    """

    def __init__(
        self,
        base_url: BaseUrl,
        options: SessionOptions,
        *,
        error_facts: ErrorFacts,
        runtime: Runtime,
    ) -> None:
        if not HAS_REQUESTS:
            raise MissingLibrary("requests")
        self.base_url = base_url
        self.request_count = 0
        self.clock_offset: Optional[float] = None
        # When the timeout of the last request ends, if that brought no response.
        self._unanswered_until: Optional[float] = None
        self._options = options
        self._error_facts = error_facts
        self._runtime = runtime
        self._lock = threading.Lock()
        self._proxy = proxy_for(base_url, options.proxy_url.reveal() if options.proxy_url else None, runtime.environ)
        if self._proxy:
            user = self._proxy.url.rpartition("@")[0].partition("://")[2]
            for password in (user.partition(":")[2], unquote(user.partition(":")[2])):
                runtime.redactor.hide_value(password)
        self._http = _new_http_session(options, self._proxy, runtime.environ)

    @property
    def host(self) -> str:
        """The server as errors and token files name it."""
        return str(self.base_url)

    def now(self) -> float:
        """The time by the server's clock as far as it has been seen, in epoch seconds."""
        return self._runtime.clock.time() + (self.clock_offset or 0.0)

    def hide(self, secret: Secret) -> None:
        """Keep a secret out of all that leaves the task, though no request of ours carries it as such."""
        self._runtime.redactor.hide(secret)

    def cookie(self, name: str) -> Optional[Secret]:
        """A cookie that the server has set."""
        found = [cookie for cookie in self._http.cookies if cookie.name == name and cookie.value]
        # On several paths: the shortest is sent last (RFC 6265, section 5.4), and servers take the last.
        return Secret(min(found, key=lambda cookie: len(cookie.path)).value) if found else None

    def set_cookie(self, name: str, value: Secret) -> None:
        """Send a cookie to this server and to no other."""
        self.hide(value)
        self._http.cookies.set(name, value.reveal(), domain=_cookie_domain(self.base_url), path="/", secure=True)

    def clear_cookies(self) -> None:
        """Forget all cookies."""
        self._http.cookies.clear()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Optional[Union[Mapping[str, str], Sequence[tuple[str, str]]]] = None,
        headers: Optional[Mapping[str, Any]] = None,
        auth: Auth[Any] = UNSIGNED,
        form: Optional[Mapping[str, Any]] = None,
        json_body: Optional[Union[Mapping[str, Any], Secret]] = None,
        idempotent: Optional[bool] = None,
        advice: Optional[Mapping[int, str]] = None,
        left_behind: str = "",
        signs_out: bool = False,
    ) -> Response:
        """Send one request, again where that is safe, and return the response of a status 2xx.

        `auth` signs it, and may renew its credential once when the server refuses that.
        `doing` says what for, in the words of an error ("create an auth token"); `advice` what to do next, by
        status; `left_behind` what a lost response may leave on the server. `idempotent`: whether a request that
        may have been carried out may be sent again; by default its method decides. `signs_out`: all tries together have
        the timeout of one request, and after a request without a response what that has left of its own.

        Raises TransportError when there is no usable response, ApiError when the server refuses.
        """
        # It may name what the server has named.
        doing = self._runtime.redactor.quote(doing)
        arguments = {
            "params": query,
            "data": self._revealed(form),
            "json": self._revealed(json_body),
        }
        call = _Call(
            method,
            self.base_url.url(path),
            arguments,
            headers or {},
            doing,
            method in _IDEMPOTENT_METHODS if idempotent is None else idempotent,
            advice or {},
            left_behind,
            ends_at=self._sign_out_ends_at() if signs_out else None,
        )
        return send_signed(auth, lambda signature: self._send(call, signature))

    def _send(self, call: _Call, signature: Mapping[str, Any]) -> Response:
        headers = self._revealed({**signature, **call.headers})
        self._check_headers(headers, call)
        return self._try_until_done(call, headers)

    def _revealed(self, value: Any) -> Any:
        """A copy with the secrets in the clear, and each of them remembered for redaction."""
        if isinstance(value, Secret):
            self.hide(value)
            return value.reveal()
        if isinstance(value, Mapping):
            return {key: self._revealed(item) for key, item in value.items()}
        return value

    def _check_headers(self, headers: Mapping[str, str], call: _Call) -> None:
        for name, value in headers.items():
            if not HEADER_VALUE.fullmatch(value):
                raise TokensError(
                    f"the value for the header {name} holds characters that no header can carry, such as a line break",
                    doing=call.doing,
                    host=self.host,
                    advice="Check the credential that it is made of.",
                )

    def _try_until_done(self, call: _Call, headers: Mapping[str, str]) -> Response:
        retries = Retries(self._options.retries)
        while True:
            call.asked_wait = None
            try:
                return self._accepted(self._exchange(call, headers), call)
            except (TransportError, ApiError) as error:
                if isinstance(error, ApiError):
                    error.follows_lost_response = call.was_lost
                call.was_lost = call.was_lost or isinstance(error, ResponseLost)
                wait = retries.next_wait(call.method, error, call.asked_wait) if _may_retry(call, error) else None
                if wait is None or self._is_over(call, wait):
                    raise
                self._runtime.notify(f"{self.host}: trying again in {wait:.1f} s: {error.cause}")
            self._runtime.clock.sleep(wait)

    def _sign_out_ends_at(self) -> float:
        """What the server did not answer in time, it hardly answers when asked for the next thing."""
        now, timeout = self._runtime.clock.monotonic(), self._options.timeout
        if self._unanswered_until is None:
            return now + timeout
        return max(now + min(timeout, _SHORTEST_SIGN_OUT), self._unanswered_until)

    def _is_over(self, call: _Call, wait: float) -> bool:
        return call.ends_at is not None and self._runtime.clock.monotonic() + wait >= call.ends_at

    def _exchange(self, call: _Call, headers: Mapping[str, str]) -> Response:
        """One request on the wire and its whole response, of whatever status."""
        clock = self._runtime.clock
        timeout = self._options.timeout
        if call.ends_at is not None:
            timeout = min(timeout, max(_SHORTEST_TIMEOUT, round(call.ends_at - clock.monotonic(), 2)))
        started_at = clock.monotonic()
        try:
            with deadline(timeout, _LONGEST_RESPONSE):
                received = self._http.request(
                    call.method,
                    call.url,
                    headers=headers,
                    timeout=timeout,
                    allow_redirects=False,
                    stream=True,
                    **call.arguments,
                )
                received_at = clock.time()
                self._hide_cookies(received)
                with contextlib.closing(received):
                    body = _body_of(received, call.method)
        except TransportError as error:
            failure = error
        except (requests.exceptions.RequestException, HTTPError, OSError, ValueError) as error:
            failure = transport_error_of(error, watch.stage, timeout, proxy=self._proxy, ca_path=self._options.ca_path)
        else:
            self._unanswered_until = None
            self._count()
            return self._response_of(received, body, received_at, call)
        self._unanswered_until = started_at + timeout
        if failure.sent:
            self._count()
            failure.left_behind = call.left_behind
        failure.doing, failure.host = call.doing, self.host
        raise failure from None

    def _response_of(self, received: Any, body: bytes, received_at: float, call: _Call) -> Response:
        response = Response(
            received.status_code,
            received.headers,
            body,
            doing=call.doing,
            host=self.host,
            received_at=received_at,
            left_behind=call.left_behind,
            hide=self.hide,
        )
        if response.clock_offset is not None:
            self.clock_offset = response.clock_offset
        return response

    def _accepted(self, response: Response, call: _Call) -> Response:
        """The response, unless it is a refusal, or somebody else's page."""
        offset = self.clock_offset if response.clock_offset is None else response.clock_offset
        call.asked_wait = asked_wait(response.headers.get("Retry-After"), response.received_at + (offset or 0))
        overloaded = response.status in _OVERLOADED
        if 300 <= response.status < 400:
            raise response.bad("the server answered with a redirect", advice=_REDIRECT_ADVICE)
        if response.ok and response.is_html:
            raise response.bad("an HTML page came back in place of the API's own answer", advice=_HTML_ADVICE)
        if response.ok:
            return response
        # The status decides, also with a page: gateways of the products themselves refuse with one.
        code, message = self._facts_of(response)
        advice = call.advice.get(response.status, _OVERLOADED_ADVICE if overloaded else "")
        raise ApiError(
            response.status,
            code=self._runtime.redactor.quote(code),
            message=self._runtime.redactor.quote(message),
            doing=call.doing,
            host=self.host,
            left_behind=response.left_behind,
            advice=f"{advice} {_HTML_ADVICE}".strip() if response.is_html else advice,
            is_html=response.is_html,
        )

    def _facts_of(self, response: Response) -> tuple[str, str]:
        """Code and message of an error."""
        if response.is_html:
            return "", "an HTML page"
        code, message = self._error_facts(response.json_or_none())
        return code, message or response.plain_text

    def _hide_cookies(self, received: Any) -> None:
        """Each cookie may be what the session is known by, also one that is not sent back (RFC 6265, section 4.1)."""
        for header in received.raw.headers.getlist("Set-Cookie"):
            for cookie in _NEXT_COOKIE.split(header):
                value = cookie.split(";", 1)[0].partition("=")[2]
                self._runtime.redactor.hide_value(value.strip().strip('"'))

    def _count(self) -> None:
        with self._lock:
            self.request_count += 1


def _cookie_domain(base_url: BaseUrl) -> str:
    """The domain of the server's own cookies, as http.cookiejar sees it: with a name added to one without dots.

    Its own function tells, so that both sides of the comparison are its; the type stubs do not know that."""
    server = urllib.request.Request(base_url.url("/"))  # noqa: S310  (nothing is opened)
    return http.cookiejar.eff_request_host(server)[1]  # type: ignore[attr-defined,no-any-return]


def _may_retry(call: _Call, error: TokensError) -> bool:
    if isinstance(error, ApiError):
        return error.status in _OVERLOADED
    is_safe = call.idempotent and isinstance(error, ResponseLost)
    return isinstance(error, TransportError) and error.is_transient and (is_safe or not error.sent)


def _body_of(received: Any, method: str) -> bytes:
    """The body; nothing where a refusal has one that cannot be read, for its status decides. Raises ResponseLost."""
    try:
        return _read_body(received, method)
    except OversizedResponse:
        if received.status_code < _LEAST_REFUSAL:
            raise
        return b""


def _read_body(received: Any, method: str) -> bytes:
    """The body as it came, bounded. Raises ResponseLost."""
    if received.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise OversizedResponse("the response is compressed, though that was not asked for")
    # Its default since release 2; before, a connection that was cut off is used for the next request.
    received.raw.enforce_content_length = True
    body = bytearray()
    for chunk in received.raw.stream(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > LONGEST_BODY:
            raise OversizedResponse(f"the response is longer than {LONGEST_BODY // 1024**2} MiB")
    announced = received.headers.get("Content-Length", "")
    if _LENGTH.fullmatch(announced) and method != "HEAD" and len(body) != int(announced):
        raise ResponseLost(f"the response was cut off after {len(body)} of {announced} bytes")
    return bytes(body)


def _new_http_session(options: SessionOptions, proxy: Optional[Proxy], environ: Mapping[str, str]) -> Any:
    context = tls_context(
        validate_certs=options.validate_certs,
        ca_path=options.ca_path,
        client_cert=options.client_cert,
        client_key=options.client_key,
        trust_system=options.trust_system,
        environ=environ,
    )
    http = requests.Session()
    # No .netrc in place of our Authorization header, no REQUESTS_CA_BUNDLE in place of our options.
    http.trust_env = False
    http.verify = options.validate_certs
    http.headers.update(_DEFAULT_HEADERS)
    if proxy:
        http.proxies = {"https": proxy.url}
    if not options.validate_certs:
        # The user has chosen it; the library would say so on stderr with each request.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    http.mount("https://", Adapter(context, options.connections))
    return http
