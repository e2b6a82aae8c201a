# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a connection trusts: TLS contexts, each loaded once in a process."""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Mapping
from typing import Optional

from .._core.errors import InvalidOption
from .deadline import DeadlineContext

# Where OpenSSL looks for trusted certificates instead of its own defaults.
_TRUST_STORE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


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
        if os.path.isdir(ca_path):
            context.load_verify_locations(capath=ca_path)
        else:
            context.load_verify_locations(cafile=ca_path)
    except ssl.SSLError:
        raise InvalidOption("ca_path", f"names a file without a PEM certificate: {ca_path}") from None
    except OSError as error:
        raise InvalidOption("ca_path", f"cannot be read: {ca_path}: {error.strerror}") from None


def _present(context: ssl.SSLContext, client_cert: str, client_key: Optional[str]) -> None:
    try:
        # Without a password callback OpenSSL would ask on the terminal and hang the task.
        context.load_cert_chain(client_cert, client_key, password=lambda: "")
    except ssl.SSLError:
        raise InvalidOption(
            "client_cert",
            f"and client_key are no matching pair in PEM, or the key is encrypted: {client_cert}",
            advice="Give a PEM certificate and its key without a passphrase.",
        ) from None
    except OSError as error:
        raise InvalidOption(
            "client_cert", f"or client_key cannot be read: {error.filename or client_cert}: {error.strerror}"
        ) from None
