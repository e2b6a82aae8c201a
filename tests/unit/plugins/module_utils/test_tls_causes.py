# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each cause of a failed TLS connection has its own advice, tested with real handshakes."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import ResponseLost, TlsFailed
from ansible_collections.sddc.tokens.plugins.module_utils._http.session import Session
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.certificates import Authority
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.peers import listening

OpenSession = Callable[..., Session]
GIVEN = "in ca_path"
# A defect of a certificate, its advice, and the advice of another cause.
CERTIFICATES: list[tuple[dict[str, Any], str, str]] = [
    ({"sha1": True}, "SHA-256", "ca_path"),
    ({"bits": 1024}, "2048 bits", "ca_path"),
    ({"client": True}, "another purpose", "ca_path"),
    ({"ends": -1}, "expired", "ca_path"),
    ({"starts": 1}, "not valid yet", "ca_path"),
    ({"host": "192.0.2.1"}, "hostname", "ca_path"),
    ({"self_signed": True}, f"self-signed and not {GIVEN}", "hostname"),
]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def serving(
    folder: Path, pair: bytes, *, wanted: Optional[bytes] = None, **settings: Any
) -> contextlib.AbstractContextManager[str]:
    """The address of a server with a certificate. It requests one that the CA `wanted` has issued."""
    file = folder / "pair.pem"
    file.write_bytes(pair)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # The client must refuse weak ones.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(file)
    for name, value in settings.items():
        setattr(context, name, value)
    if wanted:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=wanted.decode())

    def serve(plain: socket.socket) -> None:
        with plain.dup() as spare:
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(65536)
            except ssl.SSLError:
                # Closing with unread data would drop the alert before the client reads it.
                spare.shutdown(socket.SHUT_WR)
                while spare.recv(65536):
                    pass

    return listening(serve)


def failure(session: Session) -> TlsFailed:
    with pytest.raises(TlsFailed) as caught:
        session.request("GET", "/", doing="read")
    return caught.value


@pytest.fixture
def ca_path(authority: Authority, tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    file.write_bytes(authority.pem)
    return str(file)


@pytest.mark.parametrize(("facts", "advised", "not_advised"), CERTIFICATES, ids=str)
def test_each_cause_of_a_refused_certificate_has_its_own_advice(
    authority: Authority,
    open_session: OpenSession,
    tmp_path: Path,
    ca_path: str,
    facts: dict[str, Any],
    advised: str,
    not_advised: str,
) -> None:
    with serving(tmp_path, authority.pair(**facts)) as address:
        error = failure(open_session(address, ca_path=ca_path))
    assert "certificate is not trusted" in error.cause
    assert advised in error.advice
    assert not_advised not in error.advice


@pytest.mark.parametrize("given", [True, False])
def test_an_unknown_issuer_leads_to_advice_about_ca_path(
    authority: Authority, open_session: OpenSession, tmp_path: Path, given: bool
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(Authority("other").pem)
    with serving(tmp_path, authority.pair()) as address:
        error = failure(open_session(address, ca_path=str(other) if given else None))
    assert (GIVEN in error.advice, "Set ca_path" in error.advice) == (given, not given)


def test_a_ca_of_the_same_name_with_another_key_is_not_the_issuer(
    authority: Authority, open_session: OpenSession, tmp_path: Path
) -> None:
    older = tmp_path / "older.pem"
    older.write_bytes(Authority().pem)
    with serving(tmp_path, authority.pair()) as address:
        error = failure(open_session(address, ca_path=str(older)))
    assert "ca_path holds an older one" in error.advice


def test_a_correct_certificate_is_trusted(
    authority: Authority, open_session: OpenSession, tmp_path: Path, ca_path: str
) -> None:
    with serving(tmp_path, authority.pair()) as address, pytest.raises(ResponseLost):
        open_session(address, ca_path=ca_path).request("GET", "/", doing="read")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
def test_a_client_certificate_of_another_ca_is_refused_by_the_server(
    authority: Authority, open_session: OpenSession, tmp_path: Path, ca_path: str, version: ssl.TLSVersion
) -> None:
    mine = tmp_path / "mine.pem"
    mine.write_bytes(Authority("other").pair(client=True))
    with serving(tmp_path, authority.pair(), wanted=authority.pem, maximum_version=version) as address:
        error = failure(open_session(address, ca_path=ca_path, client_cert=str(mine)))
    assert "refuses client_cert" in error.advice


def test_a_required_client_certificate_is_named(
    authority: Authority, open_session: OpenSession, tmp_path: Path, ca_path: str
) -> None:
    with serving(tmp_path, authority.pair(), wanted=authority.pem) as address:
        error = failure(open_session(address, ca_path=ca_path))
    assert "Set client_cert" in error.advice


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_server_with_only_an_old_tls_version_is_named(
    authority: Authority, open_session: OpenSession, tmp_path: Path, ca_path: str
) -> None:
    old = {"minimum_version": ssl.TLSVersion.TLSv1, "maximum_version": ssl.TLSVersion.TLSv1_1}
    with serving(tmp_path, authority.pair(), **old) as address:
        error = failure(open_session(address, ca_path=ca_path))
    assert "TLS 1.2 or newer" in error.advice
    assert "client" not in error.advice


def test_a_port_without_tls_is_named(open_session: OpenSession) -> None:
    def speak_http(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(speak_http) as address:
        error = failure(open_session(address))
    assert "does not speak TLS" in error.advice
