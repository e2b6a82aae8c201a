# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a connection trusts, which proxy it uses, and that nothing else influences this."""

from __future__ import annotations

import base64
import contextlib
import shutil
import socket
import subprocess
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import (
    ApiError,
    ConnectionFailed,
    ResponseLost,
    TlsFailed,
    TokensError,
    TransportError,
)
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._http import session as transport
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session, SessionOptions
from ansible_collections.sddc.tokens.plugins.module_utils._http.tls import tls_context
from ansible_collections.sddc.tokens.plugins.module_utils._http.url import BaseUrl
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.peers import listening
from products import EXAMPLE, KITS

if TYPE_CHECKING:
    from lab.client import Lab

OpenSession = Callable[..., Session]
PRODUCT, VERSION = EXAMPLE.name, EXAMPLE.targets["prove"].path


def reached(session: Session, path: str = VERSION) -> bool:
    """Whether the product responded, which it does with a refusal if there is no token."""
    with pytest.raises(ApiError) as caught:
        session.request("GET", path, doing="read the version")
    return caught.value.status in (401, 403)


def failure(session: Session) -> TokensError:
    with pytest.raises(TokensError) as caught:
        session.request("POST", VERSION, doing="read the version", left_behind="something")
    return caught.value


# Certificates.


@pytest.mark.parametrize(
    ("certificate", "reason", "advised"),
    [
        ("untrusted", "unable to get local issuer", "ca_path"),
        ("expired", "expired", "Install a new certificate"),
        ("wrong_name", "mismatch", "hostname"),
    ],
)
def test_invalid_certificate_is_named_with_its_reason_and_nothing_is_sent(
    lab: Lab, session: OpenSession, waits: list[float], certificate: str, reason: str, advised: str
) -> None:
    address = lab.add_addresses(1, certificate=certificate)[0]
    one = session(host=address, retries=3)
    error = failure(one)
    assert isinstance(error, TlsFailed)
    assert "certificate is not trusted" in error.cause
    assert reason in error.cause
    assert advised in error.advice
    assert (one.request_count, lab.requests(host=address), waits) == (0, [], [])
    assert reached(session(host=address, validate_certs=False))


def test_advice_has_the_names_of_the_options_in_the_task(session: OpenSession) -> None:
    error = failure(session(ca_path=None, names={"ca_path": "token_store.ca_path"}))

    assert error.advice == "Set token_store.ca_path to the CA certificate that signed it."


def with_server(address: str, **options: Any) -> Session:
    """A session with a server that the option issuer_hostname names."""
    base_url = BaseUrl.parse(address, "issuer_hostname")
    chosen = SessionOptions(retries=0, **options)
    return Session(base_url, chosen, error_facts=lambda _document: ("", ""), runtime=Runtime())


def test_advice_has_the_option_that_names_the_server() -> None:
    with contextlib.closing(with_server("127.0.0.1:1")) as one:
        assert "in issuer_hostname, " in failure(one).advice
    with contextlib.closing(with_server("127.0.0.1:1/api/ni")) as one:
        assert str(failure(one)).startswith("The option issuer_hostname ends with /api/ni")


def test_advice_about_a_response_has_the_option_that_names_the_server(lab: Lab) -> None:
    with contextlib.closing(with_server(lab.url(PRODUCT), ca_path=lab.ca_path)) as one:
        response = one.request("GET", VERSION, doing="read the version", accept=lambda _response: True)

    assert "Check that issuer_hostname is a server" in str(response.bad("the response has no version"))


def test_disabled_verification_causes_no_warning_of_the_library(session: OpenSession) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert reached(session(validate_certs=False))


def test_unnamed_ca_is_not_trusted(lab: Lab, session: OpenSession) -> None:
    assert isinstance(failure(session(ca_path=None)), TlsFailed)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_variables_of_requests_do_not_decide_whom_to_trust(
    lab: Lab, session: OpenSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(name, lab.ca_path)
    assert isinstance(failure(session(ca_path=None, environ={name: lab.ca_path})), TlsFailed)
    empty = tmp_path / "empty.pem"
    empty.touch()
    monkeypatch.setenv(name, str(empty))
    assert reached(session(environ={name: str(empty)}))


def test_library_adds_no_ca_to_those_that_are_named(session: OpenSession, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def noted(*, environ: Any, **options: Any) -> Any:
        made.append(tls_context(environ=environ, **options))
        return made[0]

    monkeypatch.setattr(transport, "tls_context", noted)
    assert reached(session())
    assert [context.cert_store_stats()["x509_ca"] for context in made] == [1]


def test_trust_store_of_the_environment_of_the_task_is_trusted(lab: Lab, session: OpenSession) -> None:
    assert reached(session(ca_path=None, environ={"SSL_CERT_FILE": lab.ca_path}))
    assert isinstance(failure(session(ca_path=None, environ={"SSL_CERT_FILE": ""})), TlsFailed)


def test_folder_of_ca_certificates_is_trusted(lab: Lab, session: OpenSession, tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is required to name the files of such a folder")
    command = ["openssl", "x509", "-hash", "-noout", "-in", lab.ca_path]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    shutil.copy(lab.ca_path, tmp_path / f"{name}.0")
    assert reached(session(ca_path=str(tmp_path)))


def test_client_certificate_is_used_in_its_own_session_only(lab: Lab, session: OpenSession) -> None:
    (kit,) = [kit for kit in KITS.values() if "client_cert" in lab[kit.name]]
    pair = {name: lab[kit.name][name] for name in ("client_cert", "client_key")}
    assert session(kit.name, **pair).request("GET", kit.guarded, doing="list").status == 200
    assert reached(session(kit.name), kit.guarded)
    assert session(kit.name, **pair, validate_certs=False).request("GET", kit.guarded, doing="list").status == 200


# Proxies.


@pytest.fixture
def proxy(lab: Lab) -> str:
    return lab.details["proxy"]["url"]


@pytest.mark.parametrize("way", ["option", "https_proxy", "HTTPS_PROXY", "all_proxy", "option without a scheme"])
def test_proxy_reaches_the_server_through_one_tunnel(lab: Lab, session: OpenSession, proxy: str, way: str) -> None:
    options: dict[str, Any] = {"environ": {way: proxy}}
    if way.startswith("option"):
        options = {"proxy_url": Secret(proxy if way == "option" else proxy.removeprefix("http://"))}
    one = session(url=f"https://{EXAMPLE.host}", **options)
    assert reached(one)
    assert reached(one)
    assert lab.tunnels() == [f"{EXAMPLE.host}:443"]
    assert one.request_count == len(lab.requests(PRODUCT, host=EXAMPLE.host)) == 2


@pytest.mark.parametrize(
    ("kind", "parameters"), [("drop_after", {}), ("drop_after", {"abrupt": True}), ("delay", {"seconds": 60})]
)
def test_request_that_may_have_been_carried_out_behind_a_proxy_is_not_retried(
    lab: Lab, session: OpenSession, waits: list[float], proxy: str, kind: str, parameters: dict[str, Any]
) -> None:
    lab.fault(PRODUCT, kind, **parameters)
    one = session(url=f"https://{EXAMPLE.host}", proxy_url=Secret(proxy), retries=2, timeout=1)

    error = failure(one)

    assert isinstance(error, ResponseLost)
    assert (one.request_count, error.left_behind, waits) == (1, "something", [])
    assert len(lab.requests(PRODUCT)) == 1


def test_no_proxy_bypasses_the_proxy(lab: Lab, session: OpenSession, proxy: str) -> None:
    assert reached(session(environ={"https_proxy": proxy, "no_proxy": "127.0.0.1"}))
    assert lab.tunnels() == []
    assert reached(session(environ={"https_proxy": proxy, "no_proxy": "10.0.0.1"}))
    assert len(lab.tunnels()) == 1


def test_proxy_of_the_process_is_ignored_if_the_task_has_its_own_environment(
    session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert reached(session(environ={}))


def test_certificate_of_a_server_behind_a_proxy_is_verified(lab: Lab, session: OpenSession, proxy: str) -> None:
    address = lab.add_addresses(1, certificate="wrong_name")[0]
    assert isinstance(failure(session(host=address, proxy_url=Secret(proxy))), TlsFailed)


def test_proxy_that_refuses_is_named_with_its_status(lab: Lab, session: OpenSession, proxy: str) -> None:
    one = session(url="https://elsewhere.example.net", proxy_url=Secret(proxy))
    error = failure(one)
    assert isinstance(error, ConnectionFailed)
    assert f"{proxy.removeprefix('http://')} refused" in error.cause
    assert "403" in error.cause
    assert "proxy_url" in error.advice
    assert (one.request_count, error.left_behind) == (0, "")


def test_proxy_with_a_closed_port_is_named_without_its_password(open_session: OpenSession) -> None:
    error = failure(open_session("sddc.example.com", proxy_url=Secret("http://me:s3cr3t-word@127.0.0.1:1")))
    assert isinstance(error, ConnectionFailed)
    assert "no connection to the proxy 127.0.0.1:1: " in error.cause
    assert "s3cr3t-word" not in str(error)


def test_proxy_with_an_unresolvable_name_is_named_with_its_variable(open_session: OpenSession) -> None:
    environ = {"HTTPS_PROXY": "http://me:s3cr3t@no-such-host.invalid:1"}
    error = failure(open_session("sddc.example.com", environ=environ))
    assert isinstance(error, ConnectionFailed)
    assert "the proxy no-such-host.invalid:1: its name cannot be resolved" in error.cause
    assert "HTTPS_PROXY" in error.advice
    assert "s3cr3t" not in str(error)


def test_proxy_that_hangs_or_closes_the_connection_has_not_refused(open_session: OpenSession) -> None:
    def fall_silent(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    for peer, named in (
        (lambda connection: connection.recv(65536), "failed: connection closed"),
        (fall_silent, "did not respond"),
    ):
        with listening(peer) as address:
            error = failure(open_session("sddc.example.com", proxy_url=Secret(f"http://{address}"), timeout=0.5))
        assert isinstance(error, ConnectionFailed)
        assert f"the proxy {address} {named}" in error.cause


def test_password_of_a_proxy_is_sent_to_the_proxy_and_is_in_no_error(open_session: OpenSession) -> None:
    heads: list[bytes] = []

    def refuse(connection: socket.socket) -> None:
        heads.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with listening(refuse) as address:
        error = failure(open_session("sddc.example.com", proxy_url=Secret(f"http://me:s3cr3t%20word@{address}")))
    assert heads[0].startswith(b"CONNECT sddc.example.com:443 HTTP/1.")
    assert base64.b64encode(b"me:s3cr3t word") in heads[0]
    assert "407" in str(error)
    assert "s3cr3t" not in str(error)
    assert base64.b64encode(b"me:s3cr3t word").decode() not in str(error)


@pytest.mark.parametrize(
    "url", ["socks5://127.0.0.1:1080", "ftp://127.0.0.1", "https://127.0.0.1:1", "http://", "http://host:port", "::"]
)
def test_invalid_proxy_is_an_option_error_and_not_a_lost_response(
    lab: Lab, session: OpenSession, waits: list[float], url: str
) -> None:
    with pytest.raises(TokensError, match="proxy_url") as caught:
        session(proxy_url=Secret(url)).request("POST", VERSION, doing="read the version", left_behind="something")
    assert not isinstance(caught.value, ResponseLost)
    assert lab.requests(PRODUCT) == []


def test_slow_proxy_times_out(open_session: OpenSession) -> None:
    stopped = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.recv(65536)
        for _byte in range(3000):
            connection.sendall(b"H")
            if stopped.wait(0.1):
                return

    with listening(trickle) as address:
        start = time.monotonic()
        with pytest.raises(TransportError):
            open_session("sddc.example.com", proxy_url=Secret(f"http://{address}"), timeout=0.5).request(
                "GET", VERSION, doing="read the version"
            )
        taken = time.monotonic() - start
        stopped.set()
    assert taken < 120
