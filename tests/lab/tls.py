# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificate authority, and a TLS context for each address."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path
from typing import Literal

import trustme

Certificate = Literal["good", "expired", "wrong_name", "untrusted"]

# One name for each product, whoever resolves it: `PRODUCT.example.com` (RFC 2606 reserves the domain).
_NAMES = ("localhost", "*.example.com")


class Authority:
    """A CA that is created at the start. Its files are in a private folder that the caller removes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA(organization_name="sddc.tokens lab")
        self.ca_path = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca_path)
        self._contexts: dict[tuple[str, Certificate, bool], ssl.SSLContext] = {}
        self._leaves: dict[tuple[str, Certificate], trustme.LeafCert] = {}

    def server_context(self, address: str, certificate: Certificate, ask_client: bool) -> ssl.SSLContext:
        """Return the TLS context for `address`. `ask_client` also requests a client certificate."""
        wanted = (address, certificate, ask_client)
        if wanted not in self._contexts:
            self._contexts[wanted] = self._new_context(*wanted)
        return self._contexts[wanted]

    def _new_context(self, address: str, certificate: Certificate, ask_client: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._leaf(address, certificate).configure_cert(context)
        if ask_client:
            context.verify_mode = ssl.CERT_OPTIONAL
            self._ca.configure_trust(context)
        return context

    def _leaf(self, address: str, certificate: Certificate) -> trustme.LeafCert:
        """Return the certificate of that kind for an address, which all its ports share."""
        wanted = (address, certificate)
        if wanted not in self._leaves:
            self._leaves[wanted] = self._new_leaf(*wanted)
        return self._leaves[wanted]

    def _new_leaf(self, address: str, certificate: Certificate) -> trustme.LeafCert:
        if certificate == "untrusted":
            return trustme.CA().issue_cert(address, *_NAMES)
        if certificate == "wrong_name":
            return self._ca.issue_cert("elsewhere.example.net")
        if certificate == "expired":
            day = datetime.timedelta(days=1)
            now = datetime.datetime.now(datetime.UTC)
            return self._ca.issue_cert(address, *_NAMES, not_before=now - 90 * day, not_after=now - day)
        return self._ca.issue_cert(address, *_NAMES)

    def client_certificate(self, common_name: str) -> tuple[str, str]:
        """Write a client certificate and its key; return both paths."""
        leaf = self._ca.issue_cert(common_name=common_name)
        certificate, key = self._folder / f"{common_name}.crt", self._folder / f"{common_name}.key"
        leaf.cert_chain_pems[0].write_to_path(certificate)
        leaf.private_key_pem.write_to_path(key)
        key.chmod(0o600)
        return str(certificate), str(key)
