# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP with one server: TLS, proxies, timeouts, retries and redaction, the same for every product."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Optional, Union
from urllib.parse import unquote

from .._core.errors import (
    ApiError,
    MissingLibrary,
    ResponseLost,
    TokensError,
    TransportError,
)
from .._core.runtime import Runtime
from .._core.secret import Secret
from .adapter import new_http_session
from .auth import UNSIGNED, Auth, send_signed
from .body import LONGEST_BODY, body_of
from .cookies import cookie_domain, cookie_values
from .deadline import deadline, watch
from .errors import transport_error_of
from .proxy import Proxy, proxy_for
from .response import HEADER_VALUE, Response
from .retry import Retries, asked_wait
from .tls import tls_context
from .url import BaseUrl

try:
    import requests
    from urllib3.exceptions import HTTPError

    HAS_REQUESTS = True
except Exception:  # pylint: disable=broad-exception-caught  # a broken library is a missing one
    HAS_REQUESTS = False

# Bytes, including headers and the framing of chunks.
_LONGEST_RESPONSE = 4 * LONGEST_BODY
# Seconds that a sign-out has at least: enough for a server that responds.
_SHORTEST_SIGN_OUT = 2.0
_SHORTEST_TIMEOUT = 0.01
# Seconds after which the retries of a request are reported, once. Short retries of many hosts would flood the output.
_REPORT_AFTER = 10.0
_OVERLOADED = (429, 503)
_IDEMPOTENT_METHODS = ("GET", "HEAD", "PUT", "DELETE")
_OVERLOADED_ADVICE = "The server is overloaded or limits requests. Run the task again later, or raise retries."
_REDIRECT_ADVICE = "Redirects are not followed because the request holds a secret. Set hostname to the redirect target."
_HTML_ADVICE = "The page may come from a proxy, a load balancer or a login portal. Check hostname and proxy_url."

# Not a part of another name, as in token_store.ca_path.
_WHOLE_NAME = re.compile(r"(?<![\w.])\w+")

ErrorFacts = Callable[[Any], "tuple[str, str]"]


@dataclass(frozen=True)
class SessionOptions:
    """How to reach a server. `timeout` is the seconds for each request, `retries` the tries after the first.

    With `trust_system`, certificates of the system's trust store are accepted in addition to those of `ca_path`.
    `names` are the names that the task has for options of this server, by the name that advice has for them.
    """

    validate_certs: bool = True
    ca_path: Optional[str] = None
    client_cert: Optional[str] = None
    client_key: Optional[str] = None
    trust_system: bool = False
    proxy_url: Optional[Secret] = None
    timeout: float = 30
    retries: int = 3
    connections: int = 1
    names: Mapping[str, str] = field(default_factory=dict)


def _nothing_else(_response: Response) -> bool:
    return False


@dataclass
class _Call:
    """One request of an API with all its retries. Times are seconds of the monotonic clock.

    `ends_at` is the deadline for all tries together, if there is one. `was_lost` is true when the response to an
    earlier try was lost: the server may have processed that try.
    """

    method: str
    url: str
    arguments: Mapping[str, Any]
    headers: Mapping[str, Any]
    doing: str
    idempotent: bool
    advice: Mapping[int, str]
    left_behind: str
    started_at: float
    accept: Callable[[Response], bool] = _nothing_else
    transient: Collection[int] = _OVERLOADED
    ends_at: Optional[float] = None
    asked_wait: Optional[float] = None
    was_lost: bool = False
    was_reported: bool = False


class Session:
    """One server with one pool of connections and one count of requests. Safe to use from several threads.

    `error_facts` reads code and message from the product's error document. Raises MissingLibrary when `requests` is
    missing, and InvalidOption for a certificate file or a proxy that cannot be used.
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
        # When the timeout of the last request ends, if there was no response to it.
        self._unanswered_until: Optional[float] = None
        self._options = options
        self._names = {**options.names, "hostname": base_url.option}
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
        """The server, as error messages and token files name it."""
        return str(self.base_url)

    def now(self) -> float:
        """The server's time in epoch seconds; the local time until there was a response with a Date header."""
        return self._runtime.clock.time() + (self.clock_offset or 0.0)

    def hide(self, secret: Secret) -> None:
        """Redact a secret in all output of the task. Secrets of requests are redacted without this."""
        self._runtime.redactor.hide(secret)

    def cookie(self, name: str) -> Optional[Secret]:
        """The value of a cookie that the server has set; None without one."""
        found = [cookie for cookie in self._http.cookies if cookie.name == name and cookie.value]
        # With several paths, the cookie of the shortest is sent last (RFC 6265, section 5.4), and servers use the last.
        return Secret(min(found, key=lambda cookie: len(cookie.path)).value) if found else None

    def set_cookie(self, name: str, value: Secret) -> None:
        """Send a cookie to this server and to no other."""
        self.hide(value)
        self._http.cookies.set(name, value.reveal(), domain=cookie_domain(self.base_url), path="/", secure=True)

    def clear_cookies(self) -> None:
        """Delete all cookies."""
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
        accept: Callable[[Response], bool] = _nothing_else,
        transient: Collection[int] = (),
    ) -> Response:
        """Send a request, retry it where that is safe, and return its successful response.

        `auth` signs the request, and may renew its credential once when the server refuses it.
        `doing` completes "Could not ..." in error messages ("create an auth token"). `advice` maps a status to what
        the user can do. `left_behind` says what a lost response may leave on the server.
        `idempotent` says whether a request that the server may have processed can be sent again; by default the method
        decides. With `signs_out`, all tries share the timeout of one request, or what the previous request left of its
        timeout when there was no response to it.
        `accept` returns whether a response with an error status is returned, not raised. `transient` lists statuses
        after which the request is retried, besides 429 and 503.

        Raises TransportError without a usable response, ApiError for an error status.
        """
        # It may contain names that the server chose.
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
            started_at=self._runtime.clock.monotonic(),
            accept=accept,
            transient=(*_OVERLOADED, *transient),
            ends_at=self._sign_out_ends_at() if signs_out else None,
        )
        try:
            return send_signed(auth, lambda signature: self._send(call, signature))
        except TokensError as error:
            error.advice = self._named(error.advice or error.default_advice)
            raise

    def _named(self, advice: str) -> str:
        """The advice, with the names that the task has for the options. Names that are already so stay."""
        return _WHOLE_NAME.sub(lambda found: self._names.get(found[0], found[0]), advice)

    def _send(self, call: _Call, signature: Mapping[str, Any]) -> Response:
        headers = self._revealed({**signature, **call.headers})
        self._check_headers(headers, call)
        return self._try_until_done(call, headers)

    def _revealed(self, value: Any) -> Any:
        """A copy with the secrets in plain text. Each of them is redacted in output from now on."""
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
                    f"the value of the header {name} contains invalid characters, such as a line break",
                    doing=call.doing,
                    host=self.host,
                    advice="Check the user name, password or token in the options of the task.",
                )

    def _try_until_done(self, call: _Call, headers: Mapping[str, str]) -> Response:
        retries = Retries(self._options.retries)
        for retry in count(1):
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
                self._report(call, wait, f"retry {retry} of {self._options.retries} in {wait:.1f} s: {error.cause}")
            self._runtime.clock.sleep(wait)
        raise AssertionError("count() has no end")

    def _report(self, call: _Call, wait: float, message: str) -> None:
        is_long = self._runtime.clock.monotonic() + wait - call.started_at >= _REPORT_AFTER
        if is_long and not call.was_reported:
            call.was_reported = True
            self._runtime.notify(f"{self.host}: {message}")

    def _sign_out_ends_at(self) -> float:
        """A server that did not respond in time is not given a whole timeout again for the sign-out."""
        now, timeout = self._runtime.clock.monotonic(), self._options.timeout
        if self._unanswered_until is None:
            return now + timeout
        return max(now + min(timeout, _SHORTEST_SIGN_OUT), self._unanswered_until)

    def _is_over(self, call: _Call, wait: float) -> bool:
        return call.ends_at is not None and self._runtime.clock.monotonic() + wait >= call.ends_at

    def _exchange(self, call: _Call, headers: Mapping[str, str]) -> Response:
        """Send one request, and return its whole response of any status. Raises TransportError."""
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
                    body = body_of(received, call.method)
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
            named=self._named,
        )
        if response.clock_offset is not None:
            self.clock_offset = response.clock_offset
        return response

    def _accepted(self, response: Response, call: _Call) -> Response:
        """Return a successful response. Raises ApiError, and BadResponse for a redirect or an HTML page."""
        offset = self.clock_offset if response.clock_offset is None else response.clock_offset
        call.asked_wait = asked_wait(response.headers.get("Retry-After"), response.received_at + (offset or 0))
        overloaded = response.status in _OVERLOADED
        if 300 <= response.status < 400:
            raise response.bad("the server returned a redirect", advice=_REDIRECT_ADVICE)
        if response.ok and response.is_html:
            raise response.bad("the response is an HTML page, not JSON", advice=_HTML_ADVICE)
        if response.ok or call.accept(response):
            return response
        # The status decides even with an HTML page: gateways that are part of a product refuse with one.
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
        """Return code and message of an error response."""
        if response.is_html:
            return "", "an HTML page"
        code, message = self._error_facts(response.json_or_none())
        return code, message or response.plain_text

    def _hide_cookies(self, received: Any) -> None:
        """Any cookie may identify the session, even one that is not sent back."""
        for value in cookie_values(received.raw.headers.getlist("Set-Cookie")):
            self._runtime.redactor.hide_value(value)

    def _count(self) -> None:
        with self._lock:
            self.request_count += 1


def _may_retry(call: _Call, error: TokensError) -> bool:
    if isinstance(error, ApiError):
        return error.status in call.transient
    is_safe = call.idempotent and isinstance(error, ResponseLost)
    return isinstance(error, TransportError) and error.is_transient and (is_safe or not error.sent)


def _new_http_session(options: SessionOptions, proxy: Optional[Proxy], environ: Mapping[str, str]) -> Any:
    context = tls_context(
        validate_certs=options.validate_certs,
        ca_path=options.ca_path,
        client_cert=options.client_cert,
        client_key=options.client_key,
        trust_system=options.trust_system,
        environ=environ,
    )
    return new_http_session(
        context, options.connections, verify=options.validate_certs, proxy_url=proxy.url if proxy else None
    )
