# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about each cause, by OpenSSL's code or reason, for which a certificate or a connection is refused."""

from __future__ import annotations

import ssl
from typing import Optional

_LONGER_KEY = "with an RSA key of at least 2048 bits, or one of an elliptic curve"
_NAME = "Set hostname to a name for which it was issued."
_ISSUER = "Set ca_path to the CA certificate that signed it."
_NOT_A_CA = "A certificate above it may not sign others: the server needs another chain."
_WRONG_NAME = 62
# The codes of OpenSSL's verification, x509_vfy.h. Of those for which another issuer may help, the next table.
_CERTIFICATE = {
    7: "Its signature does not match the CA certificate of that name: ca_path may hold an older one.",
    9: "It, or a CA certificate above it, is not valid yet: check the clocks of both sides.",
    10: "It, or a CA certificate above it, has expired: the server needs a new one.",
    23: "It was revoked: the server needs a new one.",
    24: _NOT_A_CA,
    25: _NOT_A_CA,
    26: "It was issued for another purpose: the server needs one for server authentication.",
    _WRONG_NAME: _NAME,
    64: _NAME,
    66: f"Its key is too short: the server needs a certificate {_LONGER_KEY}.",
    67: f"The key of a CA certificate above it is too short: the server needs one from a CA {_LONGER_KEY}.",
    68: "It, or a CA certificate above it, has a signature with a weak digest such as SHA-1: the server needs SHA-256.",
    79: _NOT_A_CA,
}
# Without ca_path, and with one.
_UNKNOWN_ISSUER = {
    **dict.fromkeys(
        (2, 20, 21),
        (_ISSUER, "Add the CA certificate that signed it, and those between the two, to what ca_path names."),
    ),
    18: (
        "It is signed by itself: set ca_path to a copy of it.",
        "It is signed by itself, and is not what ca_path names: add a copy of it there.",
    ),
    19: (
        "Set ca_path to the CA certificate at the end of its chain.",
        "The CA certificate at the end of its chain is not in what ca_path names: add it there.",
    ),
}
_DEFAULT_CERTIFICATE = "Look at the certificate of the server, and at those above it."

_NO_TLS = "The port does not speak TLS: check hostname and port."
_OLD_TLS = "The server must speak TLS 1.2 or newer."
_REFUSED = "The server refuses client_cert: check who issued it, for what, and until when it is valid."
_CONNECTION = {
    **dict.fromkeys(
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"), _NO_TLS
    ),
    **dict.fromkeys(("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "VERSION_TOO_LOW"), _OLD_TLS),
    **dict.fromkeys(
        (
            "SSLV3_ALERT_BAD_CERTIFICATE",
            "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
            "SSLV3_ALERT_CERTIFICATE_REVOKED",
            "SSLV3_ALERT_CERTIFICATE_EXPIRED",
            "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
            "TLSV1_ALERT_UNKNOWN_CA",
            "TLSV1_ALERT_ACCESS_DENIED",
        ),
        _REFUSED,
    ),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "The server asks for a client certificate: set client_cert.",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "The server has no cipher in common with this system, or asks for a client_cert.",
    "DH_KEY_TOO_SMALL": "The Diffie-Hellman parameters of the server are too weak: it needs others.",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "The server lacks secure renegotiation (RFC 5746): it needs an update.",
    "TLSV1_UNRECOGNIZED_NAME": "The server does not know this name: check hostname.",
}
_DEFAULT_CONNECTION = "Look at the TLS settings of the server."

# What OpenSSL says of client_cert and client_key, with what to do.
PAIR = {
    "KEY_VALUES_MISMATCH": ("and client_key do not belong together", "Give the key that belongs to the certificate."),
    "EE_KEY_TOO_SMALL": ("has a key that is too short for this system", f"Get a certificate {_LONGER_KEY}."),
    "CA_KEY_TOO_SMALL": ("comes from a CA whose key is too short for this system", f"Get one from a CA {_LONGER_KEY}."),
    "CA_MD_TOO_WEAK": (
        "is signed with a digest that is too weak for this system, such as SHA-1",
        "Get a certificate that is signed with SHA-256.",
    ),
}


def certificate_advice(error: ssl.SSLCertVerificationError, ca_path: Optional[str]) -> str:
    """What to do about a certificate that is not trusted."""
    # Where the library has compared the names by itself, the error has no code of OpenSSL.
    code = getattr(error, "verify_code", _WRONG_NAME)
    if code in _UNKNOWN_ISSUER:
        return _UNKNOWN_ISSUER[code][bool(ca_path)]
    return _CERTIFICATE.get(code, _DEFAULT_CERTIFICATE)


def connection_advice(error: Optional[ssl.SSLError]) -> str:
    """What to do about a TLS connection that failed for another reason than the certificate of the server."""
    return _CONNECTION.get(getattr(error, "reason", None) or "", _DEFAULT_CONNECTION)
