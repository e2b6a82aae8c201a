# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the shared store, with the environment variables of its own tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._core.argspec import DURATION, ArgumentSpec

_SKIP_VERIFY = "VAULT_SKIP_VERIFY"
_TRUE = ("1", "t", "true", "yes", "on")


@dataclass(frozen=True)
class TokenStoreSpec(ArgumentSpec):
    """Options of which VAULT_SKIP_VERIFY has the opposite meaning of validate_certs."""

    def complete(self, args: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
        return super().complete(args, _verifying(environ))

    def insecure_variables(self, args: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        return super().insecure_variables(args, _verifying(environ))


def _verifying(environ: Mapping[str, str]) -> dict[str, str]:
    if not environ.get(_SKIP_VERIFY):
        return dict(environ)
    return {**environ, _SKIP_VERIFY: str(environ[_SKIP_VERIFY].strip().lower() not in _TRUE)}


# https://openbao.org/docs/commands/#environment-variables
# https://developer.hashicorp.com/vault/docs/commands#environment-variables
TOKEN_STORE = TokenStoreSpec(
    {
        "path": {"type": "str", "required": True},
        "mount": {"type": "str", "default": "secret"},
        "url": {"type": "str", "required": True, "environment": ("BAO_ADDR", "VAULT_ADDR")},
        "namespace": {"type": "str", "environment": ("BAO_NAMESPACE", "VAULT_NAMESPACE")},
        "auth_method": {
            "type": "str",
            "choices": ["token", "approle", "jwt", "kubernetes"],
            "default": "token",
        },
        "auth_mount": {"type": "str"},
        "token": {"type": "str", "no_log": True, "environment": ("BAO_TOKEN", "VAULT_TOKEN")},
        "role_id": {"type": "str", "environment": ("VAULT_ROLE_ID",)},
        "secret_id": {"type": "str", "no_log": True, "environment": ("VAULT_SECRET_ID",)},
        "role": {"type": "str", "environment": ("VAULT_ROLE",)},
        "jwt": {"type": "str", "no_log": True, "environment": ("VAULT_JWT",)},
        "ca_path": {"type": "path", "environment": ("VAULT_CACERT", "VAULT_CAPATH")},
        "client_cert": {"type": "path", "environment": ("VAULT_CLIENT_CERT",)},
        "client_key": {"type": "path", "no_log": False, "environment": ("VAULT_CLIENT_KEY",)},
        "validate_certs": {"type": "bool", "default": True, "environment": (_SKIP_VERIFY,)},
        "lease": {"type": DURATION},
    },
    required_if=(
        ("auth_method", "approle", ("role_id",)),
        ("auth_method", "jwt", ("role", "jwt")),
        ("auth_method", "kubernetes", ("role",)),
    ),
)
