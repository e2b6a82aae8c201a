# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS contexts: which certificates are trusted, and which client certificate is presented."""

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

# Variables that replace OpenSSL's default trust store.
_TRUST_STORE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
# Names by which OpenSSL finds files in a folder of trusted certificates.
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
# A certificate that is cut off ends where the next one starts.
_CERTIFICATE = re.compile(
    r"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(?:(?!-----BEGIN).)*?(?:-----END[A-Z0-9 ]*-----|(?=-----BEGIN)|\Z)",
    re.DOTALL,
)

_FILE_ADVICE = "Check the path, and that the user who runs the task can read the file."
_PEM_ADVICE = "Set it to a file with complete certificates in PEM format."


def tls_context(
    *,
    validate_certs: bool = True,
    ca_path: Optional[str] = None,
    client_cert: Optional[str] = None,
    client_key: Optional[str] = None,
    trust_system: bool = False,
    environ: Mapping[str, str],
) -> ssl.SSLContext:
    """The context for these options, with TLS 1.2 or newer.

    With `trust_system`, the system's trust store is used in addition to `ca_path`. Raises InvalidOption for a file that
    cannot be used.
    """
    ca_path = ca_path or _trust_store_of_the_task(environ)
    if client_cert:
        # Not a shared context: a client certificate is an identity.
        context = _new_context(validate_certs, ca_path, trust_system)
        _present(context, client_cert, client_key)
        return context
    if not validate_certs:
        return _unverified()
    return _new_context(True, ca_path, trust_system) if ca_path else default_tls_context()


@functools.cache
def default_tls_context() -> ssl.SSLContext:
    """The context with the system's trust store. Loading it is slow, so forks inherit it from their parent process."""
    return _new_context(True, None)


@functools.cache
def _unverified() -> ssl.SSLContext:
    return _new_context(False, None)


def _trust_store_of_the_task(environ: Mapping[str, str]) -> Optional[str]:
    """The trust store that the task's environment sets. OpenSSL reads only the environment of the process."""
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
                f"is a folder without files named by certificate hash: {ca_path}",
                advice="Run 'openssl rehash' on the folder, or set ca_path to a PEM file.",
            )
    except ssl.SSLError:
        raise InvalidOption("ca_path", f"{_unreadable(ca_path)}: {ca_path}", advice=_PEM_ADVICE) from None
    except OSError as error:
        raise InvalidOption("ca_path", f"cannot be read: {ca_path}: {error.strerror}", advice=_FILE_ADVICE) from None


def _present(context: ssl.SSLContext, client_cert: str, client_key: Optional[str]) -> None:
    try:
        # Without a callback, OpenSSL would prompt on the terminal and block the task.
        context.load_cert_chain(client_cert, client_key, password=lambda: "")
    except ssl.SSLError as error:
        raise _unusable_pair(error, client_cert, client_key or client_cert) from None
    except OSError as error:
        raise InvalidOption(
            "client_cert",
            f"or client_key cannot be read: {error.filename or client_cert}: {error.strerror}",
            advice=_FILE_ADVICE,
        ) from None


def _unusable_pair(error: ssl.SSLError, client_cert: str, client_key: str) -> InvalidOption:
    if error.reason in PAIR:
        reason, advice = PAIR[error.reason]
        return InvalidOption("client_cert", f"{reason}: {client_cert}", advice=advice)
    wrong = _unreadable(client_cert)
    if wrong:
        return InvalidOption("client_cert", f"{wrong}: {client_cert}", advice=_PEM_ADVICE)
    key = _text_of(client_key)
    if "ENCRYPTED" in key:
        return InvalidOption(
            "client_key", f"is a file with an encrypted key: {client_key}", advice="Use a key without a passphrase."
        )
    if "PRIVATE KEY-----" not in key:
        return InvalidOption(
            "client_key", f"is a file without a PEM private key: {client_key}", advice="Convert the key to PEM."
        )
    return InvalidOption(
        "client_cert",
        f"and client_key cannot be used together: {client_cert}",
        advice="Check that the key belongs to the certificate.",
    )


def _unreadable(path: str) -> str:
    """What is wrong with the certificates in a file; empty when all can be parsed."""
    found = _CERTIFICATE.findall(_text_of(path))
    if not found:
        return "is a file without a PEM certificate"
    for number, text in enumerate(found, start=1):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError):
            return f"is a file in which certificate {number} of {len(found)} is cut off or damaged"
    return ""


def _text_of(path: str) -> str:
    with open(path, encoding="ascii", errors="backslashreplace") as file:
        return file.read()
