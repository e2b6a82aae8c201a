# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options that name a token in Vault or OpenBao."""

from __future__ import annotations

import textwrap

_PATH = r"""
path:
  description: Path of the document that holds the token, below O({prefix}mount).
  type: str
  required: true
"""
_OPTIONS = r"""
mount:
  description: Path at which the KV secrets engine is mounted. It must be version 2.
  type: str
  default: secret
url:
  description:
    - URL of the server, such as V(https://vault.example.com:8200).
    - The environment variable E(BAO_ADDR), then E(VAULT_ADDR), is used when this is not set.
  type: str
  required: true
namespace:
  description:
    - Namespace of the engine and of the sign-in.
    - The environment variable E(BAO_NAMESPACE), then E(VAULT_NAMESPACE), is used when this is not set.
  type: str
auth_method:
  description:
    - How to sign in. A token that was obtained by signing in is revoked at the end of the task.
    - V(kubernetes) uses the service account of the pod where O({prefix}jwt) is not set.
  type: str
  choices: [token, approle, jwt, kubernetes]
  default: token
auth_mount:
  description:
    - Path at which the auth method is mounted.
    - By default it is the name of the method.
  type: str
token:
  description:
    - Token of the server, for V(token). It is not revoked.
    - The environment variable E(BAO_TOKEN), then E(VAULT_TOKEN), is used when this is not set, and then the file
      C(~/.vault-token).
  type: str
role_id:
  description:
    - Role ID, for V(approle).
    - The environment variable E(VAULT_ROLE_ID) is used when this is not set.
  type: str
secret_id:
  description:
    - Secret ID, for V(approle).
    - The environment variable E(VAULT_SECRET_ID) is used when this is not set.
  type: str
role:
  description:
    - Role, for V(jwt) and V(kubernetes).
    - The environment variable E(VAULT_ROLE) is used when this is not set.
  type: str
jwt:
  description:
    - JWT, for V(jwt) and V(kubernetes).
    - The environment variable E(VAULT_JWT) is used when this is not set.
  type: str
ca_path:
  description:
    - CA certificates that verify the server, as a PEM file or a hashed directory.
    - The environment variable E(VAULT_CACERT), then E(VAULT_CAPATH), is used when this is not set.
  type: path
client_cert:
  description:
    - PEM file with the client certificate, if the server requires one.
    - The environment variable E(VAULT_CLIENT_CERT) is used when this is not set.
  type: path
client_key:
  description:
    - PEM file with the key of O({prefix}client_cert), if the certificate's file does not contain it.
    - The environment variable E(VAULT_CLIENT_KEY) is used when this is not set.
  type: path
validate_certs:
  description:
    - Whether to verify the certificate of the server.
    - The environment variable E(VAULT_SKIP_VERIFY) is used when this is not set. A true value there switches the
      verification off.
  type: bool
  default: true
lease:
  description:
    - Time for which a task may hold the right to renew the token (seconds). When a task is killed, the others wait at
      most this long.
    - It must be at least twice O(timeout) * (O(retries) + 1).
    - By default it is 120 seconds, or the least that is allowed where that is more.
  type: str
"""


def _described(options: str, prefix: str, indent: int) -> str:
    return textwrap.indent(options.format(prefix=prefix), " " * indent)


class ModuleDocFragment:
    """The options in a mapping, in a list of mappings, and on their own."""

    DOCUMENTATION = rf"""
options:
  token_store:
    description:
      - Document in a KV secrets engine (version 2) of Vault or OpenBao in which the token is stored. Machines that use
        the same document share its token, and only one of them renews it.
      - The document holds strings only, so that other programs can read its field C(token). Only the server encrypts
        it.
      - A document of another product, server or user is refused and left as it is; see O(replace_foreign).
      - Mutually exclusive with O(token) and O(token_file).
    type: dict
    version_added: 0.2.0
    suboptions:{_described(_PATH + _OPTIONS, "token_store.", 6)}
"""

    READ = rf"""
options:
  token_store:
    description:
      - Document in a KV secrets engine (version 2) of Vault or OpenBao that holds the token, in place of O(token_file).
      - With credentials of the issuer, this task renews the token in the document. Without them it only reads it.
    type: dict
    version_added: 0.2.0
    suboptions:{_described(_PATH + _OPTIONS, "token_store.", 6)}
"""

    LIST = rf"""
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

    # Its paths are terms.
    LOOKUP = rf"""
options:{_described(_OPTIONS, "", 2)}
"""
