# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates with one defect each, for TLS connections in tests."""

from __future__ import annotations

import datetime
import ipaddress
from typing import Any, Optional

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_SHA256_WITH_RSA, _SHA1_WITH_RSA = (bytes.fromhex(f"2a864886f70d0101{last}") for last in ("0b", "05"))
_DAY = datetime.timedelta(days=1)


class Authority:
    """A CA, and the certificates that it issues for 127.0.0.1, each with its key in one PEM file."""

    def __init__(self, name: str = "CA") -> None:
        self._name = name
        self._key = _new_key(2048)
        self.certificate = self._issue(self._key, name, ca=True)

    @property
    def pem(self) -> bytes:
        """Its own certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def pair(self, *, bits: int = 2048, sha1: bool = False, self_signed: bool = False, **facts: Any) -> bytes:
        """A certificate and its key. `starts` and `ends` are days from now. `client` makes it one for clients."""
        key = _new_key(bits)
        certificate = self._issue(key, "127.0.0.1", signer=key if self_signed else None, **facts)
        der = certificate.public_bytes(serialization.Encoding.DER)
        if sha1:
            # The library no longer signs with it.
            body = certificate.tbs_certificate_bytes.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA)
            signature = self._key.sign(body, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - a weak certificate to refuse
            der = der.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA)[: -len(signature)] + signature
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM) + private

    def _issue(
        self,
        key: rsa.RSAPrivateKey,
        name: str,
        *,
        ca: bool = False,
        starts: int = -2,
        ends: int = 2,
        client: bool = False,
        host: str = "127.0.0.1",
        signer: Optional[rsa.RSAPrivateKey] = None,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.timezone.utc)
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        issuer = name if signer else self._name
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + starts * _DAY)
            .not_valid_after(now + ends * _DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            address = x509.IPAddress(ipaddress.ip_address(host))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        return builder.sign(signer or self._key, hashes.SHA256())


def _new_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
