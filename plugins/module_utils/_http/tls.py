# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a connection trusts: TLS contexts, each loaded once in a process."""

from __future__ import annotations

import functools
import os
import re
import ssl
from collections.abc import Mapping
from typing import Optional

from .._core.errors import InvalidOption
from .deadline import DeadlineContext
from .tls_advice import PAIR

# Where OpenSSL looks for trusted certificates instead of its own defaults.
_TRUST_STORE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
# The name of a file in a folder of trusted certificates, as OpenSSL looks it up.
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
# One that is cut off ends where the next one begins.
_CERTIFICATE = re.compile(
    r"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(?:(?!-----BEGIN).)*?(?:-----END[A-Z0-9 ]*-----|(?=-----BEGIN)|\Z)",
    re.DOTALL,
)


def tls_context(
    *,
    validate_certs: bool = True,
    ca_path: Optional[str] = None,
    client_cert: Optional[str] = None,
    client_key: Optional[str] = None,
    trust_system: bool = False,
    environ: Mapping[str, str],
) -> ssl.SSLContext:
    """The context for these options: TLS 1.2 and up, verified unless told otherwise.

    With trust_system the system's trust store counts besides ca_path, not only without it.
    Raises InvalidOption for a file that cannot be used.
    """
    ca_path = ca_path or _trust_store_of_the_task(environ)
    if client_cert:
        # Never the shared one: a client certificate is somebody's identity.
        context = _new_context(validate_certs, ca_path, trust_system)
        _present(context, client_cert, client_key)
        return context
    if not validate_certs:
        return _unverified()
    return _new_context(True, ca_path, trust_system) if ca_path else default_tls_context()


@functools.cache
def default_tls_context() -> ssl.SSLContext:
    """The system's trust store. Reading it costs more than the rest of a task: forks inherit it from their parent."""
    return _new_context(True, None)


@functools.cache
def _unverified() -> ssl.SSLContext:
    return _new_context(False, None)


def _trust_store_of_the_task(environ: Mapping[str, str]) -> Optional[str]:
    """What a task's own environment sets; OpenSSL itself sees only the environment of the process."""
    for name in _TRUST_STORE_VARIABLES:
        if environ.get(name) and environ.get(name) != os.environ.get(name):
            return environ[name]
    return None


def _new_context(validate_certs: bool, ca_path: Optional[str], trust_system: bool = False) -> ssl.SSLContext:
    context = DeadlineContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if trust_system or not ca_path:
        context.load_default_certs()
    if ca_path:
        _trust(context, ca_path)
    return context


def _trust(context: ssl.SSLContext, ca_path: str) -> None:
    try:
        if not os.path.isdir(ca_path):
            context.load_verify_locations(cafile=ca_path)
        elif any(_HASHED.fullmatch(name) for name in os.listdir(ca_path)):
            context.load_verify_locations(capath=ca_path)
        else:
            raise InvalidOption(
                "ca_path",
                f"names a folder in which no file is named by the hash of its certificate: {ca_path}",
                advice="Run openssl rehash with the folder, or set ca_path to a PEM file.",
            )
    except ssl.SSLError:
        raise InvalidOption("ca_path", f"{_unreadable(ca_path)}: {ca_path}") from None
    except OSError as error:
        raise InvalidOption("ca_path", f"cannot be read: {ca_path}: {error.strerror}") from None


def _present(context: ssl.SSLContext, client_cert: str, client_key: Optional[str]) -> None:
    try:
        # Without a password callback OpenSSL would ask on the terminal and hang the task.
        context.load_cert_chain(client_cert, client_key, password=lambda: "")
    except ssl.SSLError as error:
        raise _unusable_pair(error, client_cert, client_key or client_cert) from None
    except OSError as error:
        raise InvalidOption(
            "client_cert", f"or client_key cannot be read: {error.filename or client_cert}: {error.strerror}"
        ) from None


def _unusable_pair(error: ssl.SSLError, client_cert: str, client_key: str) -> InvalidOption:
    if error.reason in PAIR:
        reason, advice = PAIR[error.reason]
        return InvalidOption("client_cert", f"{reason}: {client_cert}", advice=advice)
    wrong = _unreadable(client_cert)
    if wrong:
        return InvalidOption("client_cert", f"{wrong}: {client_cert}")
    key = _text_of(client_key)
    if "ENCRYPTED" in key:
        return InvalidOption(
            "client_key", f"names a file with an encrypted key: {client_key}", advice="Give one without a passphrase."
        )
    if "PRIVATE KEY-----" not in key:
        return InvalidOption("client_key", f"names a file without a PEM key: {client_key}")
    return InvalidOption("client_cert", f"and client_key cannot be used: {client_cert}")


def _unreadable(path: str) -> str:
    """What is wrong with the certificates in a file; nothing when all can be read."""
    found = _CERTIFICATE.findall(_text_of(path))
    if not found:
        return "names a file without a PEM certificate"
    for number, text in enumerate(found, start=1):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError):
            return f"names a file whose certificate {number} of {len(found)} is cut off or damaged"
    return ""


def _text_of(path: str) -> str:
    with open(path, encoding="ascii", errors="backslashreplace") as file:
        return file.read()
