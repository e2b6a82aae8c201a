# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options for a token in Vault or OpenBao."""

from __future__ import annotations

import textwrap
from typing import ClassVar

_PATH = r"""
path:
  description: Path of the document that contains the token, relative to O({prefix}mount).
  type: str
  required: true
"""
_OPTIONS = r"""
mount:
  description: Mount path of the KV secrets engine. It must be version 2.
  type: str
  default: secret
url:
  description:
    - URL of the server, such as V(https://vault.example.com:8200).
    - If not set, the environment variable E(BAO_ADDR) is used, then E(VAULT_ADDR).
  type: str
  required: true
namespace:
  description:
    - Namespace of the engine and of the sign-in.
    - If not set, the environment variable E(BAO_NAMESPACE) is used, then E(VAULT_NAMESPACE).
  type: str
auth_method:
  description:
    - Auth method. A Vault token that is created by the sign-in is revoked at the end of the task.
    - V(kubernetes) uses the service account of the pod if O({prefix}jwt) is not set.
  type: str
  choices: [token, approle, jwt, kubernetes]
  default: token
auth_mount:
  description:
    - Mount path of the auth method.
    - By default, the name of the method.
  type: str
token:
  description:
    - Vault token, for V(token). It is not revoked.
    - If not set, the environment variable E(BAO_TOKEN) is used, then E(VAULT_TOKEN), and then the file
      C(~/.vault-token).
  type: str
role_id:
  description:
    - Role ID, for V(approle).
    - If not set, the environment variable E(VAULT_ROLE_ID) is used.
  type: str
secret_id:
  description:
    - Secret ID, for V(approle).
    - If not set, the environment variable E(VAULT_SECRET_ID) is used.
  type: str
role:
  description:
    - Role, for V(jwt) and V(kubernetes).
    - If not set, the environment variable E(VAULT_ROLE) is used.
  type: str
jwt:
  description:
    - JWT, for V(jwt) and V(kubernetes).
    - If not set, the environment variable E(VAULT_JWT) is used.
  type: str
ca_path:
  description:
    - PEM file with the CA certificates to trust, or folder of hashed PEM files.
    - If not set, the environment variable E(VAULT_CACERT) is used, then E(VAULT_CAPATH).
  type: path
client_cert:
  description:
    - PEM file with the client certificate, if the server requires one.
    - If not set, the environment variable E(VAULT_CLIENT_CERT) is used.
  type: path
client_key:
  description:
    - PEM file with the private key of O({prefix}client_cert). By default, the key is read from O({prefix}client_cert).
    - If not set, the environment variable E(VAULT_CLIENT_KEY) is used.
  type: path
validate_certs:
  description:
    - Whether to verify the TLS certificate of the server. It must match the host name and be signed by a trusted CA.
    - If not set, the environment variable E(VAULT_SKIP_VERIFY) is used. If it is true, the certificate is
      not verified.
  type: bool
  default: true
lease:
  description:
    - Maximum time for which a task has the exclusive right to renew the token (seconds). If a task is killed, other
      tasks wait at most this long.
    - The minimum is 2 * O(timeout) * (O(retries) + 1).
    - By default, 120 seconds, or the minimum if that is longer.
  type: str
"""


def _described(options: str, prefix: str, indent: int) -> str:
    return textwrap.indent(options.format(prefix=prefix), " " * indent)


def _store(others: str) -> str:
    """The option token_store, which is mutually exclusive with others."""
    return rf"""
options:
  token_store:
    description:
      - Document in a KV secrets engine (version 2) of Vault or OpenBao in which the token is stored. Machines that use
        the same document share its token, and only one of them renews it.
      - The document contains only strings, so that other programs can read its field C(token). Only Vault or OpenBao
        encrypts it.
      - A document of another product, server or user is refused and not changed; see O(replace_foreign).
      - Mutually exclusive with {others}.
    type: dict
    version_added: 0.2.0
    suboptions:{_described(_PATH + _OPTIONS, "token_store.", 6)}
"""


def api_token_store(prefix: str) -> str:
    """The option api_token_store, whose name has a prefix in some modules."""
    return rf"""
options:
  {prefix}api_token_store:
    description:
      - Document in a KV secrets engine (version 2) of Vault or OpenBao that contains the API token, instead of
        O({prefix}api_token_file). It is only read.
    type: dict
    version_added: 0.2.0
    suboptions:{_described(_PATH + _OPTIONS, f"{prefix}api_token_store.", 6)}
"""


class ModuleDocFragment:
    """Options in a dictionary, in a list of dictionaries, and for a lookup."""

    # Annotated, because the sanity test yamllint expects literals in plain assignments.
    DOCUMENTATION: ClassVar[str] = _store("O(token) and O(token_file)")

    STORED: ClassVar[str] = _store("O(token_file)")

    API_TOKEN: ClassVar[str] = api_token_store("")

    READ: ClassVar[str] = rf"""
options:
  token_store:
    description:
      - Document in a KV secrets engine (version 2) of Vault or OpenBao that contains the token, instead of
        O(token_file).
      - With credentials of the issuer, this task creates and renews the token in the document. Without them, it only
        reads the document.
    type: dict
    version_added: 0.2.0
    suboptions:{_described(_PATH + _OPTIONS, "token_store.", 6)}
"""

    LIST: ClassVar[str] = rf"""
options:
  proxy_url:
    description: Proxy for the requests to O(stores), such as V(http://proxy.example.com:3128).
    type: str
  timeout:
    description: Total timeout for one attempt of a request to O(stores) (seconds).
    type: str
    default: '30'
  retries:
    description: Number of retries of a request to O(stores).
    type: int
    default: 3
  stores:
    description:
      - Documents in a KV secrets engine (version 2) of Vault or OpenBao, as in O(ignore:token_store) of the modules.
      - If a document is missing or cannot be read, its entry contains an error. The task does not fail.
    type: list
    elements: dict
    suboptions:{_described(_PATH + _OPTIONS, "stores[].", 6)}
"""

    RECORD: ClassVar[str] = rf"""
options:
  record_store:
    description:
      - Document in a KV secrets engine (version 2) of Vault or OpenBao in which a token is recorded as in
        O(record_folder), for sessions on machines without a common folder. It contains a record of each session, so
        that sessions can run at the same time.
      - Whether a session is over is decided by O(max_duration), measured by the clock of the store. A later play of the
        same run also ends it.
      - It is another document than O(token_store), and its content is not meant for other programs.
      - Mutually exclusive with O(record_folder).
    type: dict
    version_added: 0.2.0
    suboptions:{_described(_PATH + _OPTIONS, "record_store.", 6)}
"""

    # The paths are the terms of the lookup.
    LOOKUP: ClassVar[str] = rf"""
options:{_described(_OPTIONS, "", 2)}
"""
