# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS contexts: version 1.2 and newer, verified, loaded once, and never shared if they have a client certificate."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import InvalidOption
from ansible_collections.sddc.tokens.plugins.module_utils._http import tls
from ansible_collections.sddc.tokens.plugins.module_utils._http.tls import default_tls_context, tls_context
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils import certificates


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Paths of a CA, a certificate with its key, and invalid files."""
    folder = tmp_path_factory.mktemp("tls")
    authority, other = trustme.CA(), trustme.CA()
    leaf, stranger = authority.issue_cert("client"), other.issue_cert("stranger")
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )
    pem = authority.cert_pem.bytes()
    short, sha1 = certificates.Authority().pair(bits=1024), certificates.Authority().pair(sha1=True)
    contents = {
        "cut off": pem + pem[:200] + pem,
        "cut off at the end": pem + pem + pem[:-40],
        "damaged": pem[:60] + b"x" + pem[60:] + pem,
        "short": short,
        "sha1": sha1,
        "ca": authority.cert_pem.bytes(),
        "cert": leaf.cert_chain_pems[0].bytes(),
        "key": leaf.private_key_pem.bytes(),
        "both": leaf.private_key_and_cert_chain_pem.bytes(),
        "other key": stranger.private_key_pem.bytes(),
        "encrypted key": encrypted,
        "junk": b"no PEM at all",
        "empty": b"",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {**{name: str(folder / name) for name in contents}, "none": str(folder / "none"), "folder": str(folder)}


def context(files: dict[str, str], **options: Any) -> ssl.SSLContext:
    """A context for options that name files."""
    named = {key: files[value] if isinstance(value, str) else value for key, value in options.items()}
    return tls_context(**named, environ={})


WAYS: list[dict[str, Any]] = [
    {},
    {"ca_path": "ca"},
    {"validate_certs": False},
    {"client_cert": "cert", "client_key": "key"},
    {"client_cert": "both", "ca_path": "ca", "validate_certs": False},
]


@pytest.mark.parametrize("options", WAYS, ids=str)
def test_no_version_before_1_2_is_spoken(files: dict[str, str], options: dict[str, Any]) -> None:
    assert context(files, **options).minimum_version >= ssl.TLSVersion.TLSv1_2


def test_no_version_before_1_2_is_used_even_if_openssl_allows_it(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lax(protocol: int) -> ssl.SSLContext:
        """The default of older systems."""
        made = ssl.SSLContext(protocol)
        made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        return made

    monkeypatch.setattr(tls, "DeadlineContext", lax)
    assert context(files, ca_path="ca").minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("options", WAYS, ids=str)
def test_certificates_are_verified_for_their_name_by_default(files: dict[str, str], options: dict[str, Any]) -> None:
    verified = options.get("validate_certs", True)
    found = context(files, **options)
    assert found.check_hostname is verified
    assert found.verify_mode == (ssl.CERT_REQUIRED if verified else ssl.CERT_NONE)


def test_named_ca_is_trusted_in_place_of_the_system_store(files: dict[str, str]) -> None:
    assert context(files, ca_path="ca").cert_store_stats()["x509_ca"] == 1


def test_trust_store_of_the_system_is_loaded_once(files: dict[str, str]) -> None:
    assert context(files) is context(files) is default_tls_context()
    assert context(files, validate_certs=False) is not default_tls_context()


def test_context_with_a_client_certificate_is_never_shared(files: dict[str, str]) -> None:
    pair = {"client_cert": "cert", "client_key": "key"}
    found = [context(files, **pair), context(files, **pair), context(files), context(files, validate_certs=False)]
    assert len({id(one) for one in found}) == 4


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"ca_path": "none"}, "ca_path cannot be read.*No such file"),
        ({"ca_path": "junk"}, "ca_path is a file without a PEM"),
        ({"ca_path": "empty"}, "ca_path is a file without a PEM"),
        ({"client_cert": "none"}, "client_cert.*No such file"),
        ({"client_cert": "cert", "client_key": "none"}, "client_key.*No such file"),
        ({"ca_path": "cut off"}, "certificate 2 of 3 is cut off or damaged"),
        ({"ca_path": "cut off at the end"}, "certificate 3 of 3 is cut off or damaged"),
        ({"ca_path": "damaged"}, "certificate 1 of 2 is cut off or damaged"),
        ({"ca_path": "folder"}, "is a folder without files named by certificate hash"),
        ({"client_cert": "cert"}, "client_key is a file without a PEM private key"),
        ({"client_cert": "cert", "client_key": "other key"}, "do not match"),
        ({"client_cert": "short", "client_key": "short"}, "client_cert has a key that is too short"),
        ({"client_cert": "sha1", "client_key": "sha1"}, "client_cert has a signature with a digest that is too weak"),
        ({"client_cert": "cut off", "client_key": "key"}, "client_cert.*certificate 2 of 3 is cut off"),
        ({"client_cert": "cert", "client_key": "junk"}, "client_key is a file without a PEM private key"),
        ({"client_cert": "cert", "client_key": "encrypted key"}, "client_key.*without a passphrase"),
        ({"client_cert": "junk", "client_key": "key"}, "client_cert is a file without a PEM certificate"),
        ({"client_cert": "folder", "client_key": "key"}, "client_cert"),
    ],
    ids=str,
)
def test_unusable_file_is_named_with_its_option_and_no_request_is_sent(
    files: dict[str, str], options: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidOption, match=named):
        context(files, **options)


def test_certificate_and_key_may_be_in_one_file(files: dict[str, str]) -> None:
    assert isinstance(context(files, client_cert="both"), ssl.SSLContext)


def test_openssl_variables_of_the_task_select_its_own_trust_store(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changed = tls_context(environ={"SSL_CERT_FILE": files["ca"]})
    assert changed.cert_store_stats()["x509_ca"] == 1
    assert tls_context(environ={"SSL_CERT_FILE": files["ca"]}, ca_path=files["ca"]) is not default_tls_context()
    monkeypatch.setenv("SSL_CERT_FILE", files["ca"])
    assert tls_context(environ={"SSL_CERT_FILE": files["ca"]}) is default_tls_context()
