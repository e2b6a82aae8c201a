# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice for TLS errors, by the verification code or the reason that OpenSSL reports."""

from __future__ import annotations

import ssl
from typing import Optional

_LONGER_KEY = "with an RSA key of at least 2048 bits or an elliptic curve key"
_NAME = "Set hostname to a name that the certificate contains."
_ISSUER = "Set ca_path to the CA certificate that signed it."
_NOT_A_CA = "A certificate in its chain is not allowed to sign others. Install a correct chain on the server."
_WRONG_NAME = 62
# Verification codes of OpenSSL (x509_vfy.h). _UNKNOWN_ISSUER has those that another CA certificate may resolve.
_CERTIFICATE = {
    7: "Its signature does not match the CA certificate of that name. Check whether ca_path holds an older one.",
    9: "It or a CA certificate in its chain is not valid yet. Check the clock of the server and the local clock.",
    10: "It or a CA certificate in its chain has expired. Install a new certificate on the server.",
    23: "It was revoked. Install a new certificate on the server.",
    24: _NOT_A_CA,
    25: _NOT_A_CA,
    26: "It was issued for another purpose. Install a certificate for server authentication on the server.",
    _WRONG_NAME: _NAME,
    64: _NAME,
    66: f"Its key is too short. Install a certificate {_LONGER_KEY} on the server.",
    67: f"The key of a CA certificate in its chain is too short. Install a certificate from a CA {_LONGER_KEY}.",
    68: (
        "It or a CA certificate in its chain has a signature with a weak digest, such as SHA-1. Install a certificate "
        "with a SHA-256 signature on the server."
    ),
    79: _NOT_A_CA,
}
# Without ca_path, and with one.
_UNKNOWN_ISSUER = {
    **dict.fromkeys(
        (2, 20, 21),
        (
            _ISSUER,
            "Add the CA certificate that signed it, and the intermediate ones, to the file or folder in ca_path.",
        ),
    ),
    18: (
        "It is self-signed. Set ca_path to a copy of it.",
        "It is self-signed and not in ca_path. Add a copy of it there.",
    ),
    19: (
        "Set ca_path to the root CA certificate of its chain.",
        "The root CA certificate of its chain is not in ca_path. Add it there.",
    ),
}
_DEFAULT_CERTIFICATE = "Check the certificate of the server and its chain."

_NO_TLS = "The port does not speak TLS. Check the name and port in hostname."
_OLD_TLS = "Enable TLS 1.2 or newer on the server."
_REFUSED = "The server refuses client_cert. Check its issuer, its purpose and its expiry."
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
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "The server requires a client certificate. Set client_cert.",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": (
        "The server and this system have no cipher in common, or the server requires a client certificate. Check the "
        "TLS settings of the server, and set client_cert if it requires one."
    ),
    "DH_KEY_TOO_SMALL": "The Diffie-Hellman parameters of the server are too weak. Configure longer ones.",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "The server does not support secure renegotiation (RFC 5746). Update it.",
    "TLSV1_UNRECOGNIZED_NAME": "The server does not know this name. Check hostname.",
}
_DEFAULT_CONNECTION = "Check the TLS settings of the server."

# Reasons of OpenSSL for refusing client_cert and client_key, with advice.
PAIR = {
    "KEY_VALUES_MISMATCH": ("and client_key do not match", "Set client_key to the key of the certificate."),
    "EE_KEY_TOO_SMALL": ("has a key that is too short for this system", f"Get a certificate {_LONGER_KEY}."),
    "CA_KEY_TOO_SMALL": (
        "was issued by a CA whose key is too short for this system",
        f"Use a CA {_LONGER_KEY}.",
    ),
    "CA_MD_TOO_WEAK": (
        "has a signature with a digest that is too weak for this system, such as SHA-1",
        "Get a certificate with a SHA-256 signature.",
    ),
}


def certificate_advice(error: ssl.SSLCertVerificationError, ca_path: Optional[str]) -> str:
    """Advice for a server certificate that is not trusted."""
    # When urllib3 compares the names itself, the error has no code of OpenSSL.
    code = getattr(error, "verify_code", _WRONG_NAME)
    if code in _UNKNOWN_ISSUER:
        return _UNKNOWN_ISSUER[code][bool(ca_path)]
    return _CERTIFICATE.get(code, _DEFAULT_CERTIFICATE)


def connection_advice(error: Optional[ssl.SSLError]) -> str:
    """Advice for a TLS connection that failed for another reason than the server certificate."""
    return _CONNECTION.get(getattr(error, "reason", None) or "", _DEFAULT_CONNECTION)
