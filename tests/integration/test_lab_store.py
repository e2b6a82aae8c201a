# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's store, compared with OpenBao."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from support.bao import Bao
from support.lab_store import store_of

if TYPE_CHECKING:
    from lab.client import Lab

PATH, OTHER = "sddc/wire/token", "sddc/wire/more/token"
DATA, METADATA, FOLDER = f"secret/data/{PATH}", f"secret/metadata/{PATH}", "secret/metadata/sddc/wire"
LOGIN, SIGN_OUT, MOUNTS = "auth/approle/login", "auth/token/revoke-self", "sys/internal/ui/mounts"
WRITER = """
path "secret/data/sddc/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/sddc/*" { capabilities = ["read"] }
"""
READER = 'path "secret/data/sddc/*" { capabilities = ["read"] }'
DENIED = f'path "secret/data/sddc/*" {{ capabilities = ["read"] }}\npath "{DATA}" {{ capabilities = ["deny"] }}'
DOCUMENT = {"schema": "1", "token": "a-token"}
ROOT, NOBODY = "root", "nobody"
Call = tuple[str, str, str, Any]


def write(cas: Any, data: Any = None) -> dict[str, Any]:
    return {"options": {"cas": cas}, "data": DOCUMENT if data is None else data}


# Who asks, and what.
CALLS: list[Call] = [
    ("writer", "GET", DATA, None),
    ("writer", "GET", METADATA, None),
    ("writer", "GET", f"{MOUNTS}/secret", None),
    ("writer", "GET", f"{MOUNTS}/secret/{PATH}", None),
    (ROOT, "GET", f"{MOUNTS}/none", None),
    ("elsewhere", "GET", f"{MOUNTS}/secret", None),
    # Writes.
    ("writer", "POST", DATA, write(1)),
    ("writer", "POST", DATA, write(0)),
    ("writer", "GET", DATA, None),
    (ROOT, "GET", METADATA, None),
    (ROOT, "POST", DATA, {"data": DOCUMENT}),
    (ROOT, "POST", DATA, {"options": None, "data": DOCUMENT}),
    ("writer", "POST", METADATA, {"max_versions": 1, "cas_required": True}),
    (ROOT, "POST", METADATA, {"max_versions": 1, "cas_required": True}),
    (ROOT, "GET", METADATA, None),
    (ROOT, "POST", DATA, {"data": DOCUMENT}),
    (ROOT, "POST", DATA, {"options": {"cas": 3}}),
    *(("writer", "POST", DATA, write(cas)) for cas in (0, 2, 4, -1, None, "abc", 3.5)),
    ("writer", "PUT", DATA, write(3, {"schema": "1", "empty": None})),
    ("writer", "POST", DATA, write("4", {})),
    ("writer", "GET", DATA, None),
    *((ROOT, "GET", f"{DATA}?version={number}", None) for number in (0, 4, 5, 6)),
    (ROOT, "GET", METADATA, None),
    # Metadata.
    (ROOT, "POST", METADATA, {"custom_metadata": {"owner": "a team", "number": 1}}),
    (ROOT, "GET", METADATA, None),
    (ROOT, "GET", DATA, None),
    (ROOT, "POST", METADATA, {"custom_metadata": {"owner": "x" * 513}}),
    (ROOT, "POST", METADATA, {"custom_metadata": {}}),
    (ROOT, "POST", METADATA, {}),
    (ROOT, "GET", METADATA, None),
    # Lists.
    (ROOT, "POST", f"secret/data/{OTHER}", write(0)),
    *((ROOT, "GET", f"{folder}?list=true", None) for folder in (FOLDER, f"{FOLDER}/", f"{FOLDER}/none")),
    ("writer", "GET", f"{FOLDER}?list=true", None),
    # Deletion.
    ("writer", "DELETE", DATA, None),
    *((ROOT, "DELETE", DATA, None) for _time in range(2)),
    ("writer", "GET", DATA, None),
    (ROOT, "GET", METADATA, None),
    *(("writer", "POST", DATA, write(cas)) for cas in (0, 5)),
    *((ROOT, "DELETE", METADATA, None) for _time in range(2)),
    ("writer", "GET", DATA, None),
    (ROOT, "POST", METADATA, {"max_versions": 2}),
    (ROOT, "GET", METADATA, None),
    (ROOT, "GET", DATA, None),
    *((ROOT, "POST", DATA, write(number)) for number in range(4)),
    (ROOT, "GET", METADATA, None),
    # Refusals.
    *((who, "GET", DATA, None) for who in (NOBODY, "a-wrong-token", "elsewhere")),
    ("denied", "GET", DATA, None),
    ("denied", "GET", f"secret/data/{OTHER}", None),
    ("reader", "POST", DATA, write(4)),
    ("reader", "GET", METADATA, None),
    *((who, "GET", path, None) for who in (ROOT, "reader") for path in ("none/data/x", "none")),
    # Sign-in.
    *((NOBODY, "POST", LOGIN, {"role_id": "{role_id}", "secret_id": "{secret_id}"}) for _time in range(3)),
    ("signed in", "GET", DATA, None),
    (NOBODY, "POST", LOGIN, {"role_id": "{role_id}", "secret_id": "wrong"}),
    (NOBODY, "POST", LOGIN, {"role_id": "wrong", "secret_id": "{secret_id}"}),
    (NOBODY, "POST", LOGIN, {"role_id": "{role_id}"}),
    (NOBODY, "POST", LOGIN, {}),
    (NOBODY, "POST", "auth/none/login", {"role_id": "{role_id}"}),
    *(("signed in", "POST", SIGN_OUT, {}) for _time in range(2)),
    ("signed in", "GET", DATA, None),
]
# Values that differ each time.
OWN = ("request_id", "accessor", "uuid", "client_token", "entity_id")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


def without_own_values(value: Any) -> Any:
    """What must be the same on both servers."""
    if isinstance(value, dict):
        own = {name: type(value[name]) for name in OWN if name in value}
        return {**{name: without_own_values(each) for name, each in value.items()}, **own}
    if isinstance(value, str) and TIME.fullmatch(value):
        return TIME
    return value


def recorded(store: Bao) -> list[tuple[Call, int, Any]]:
    """Send all requests to a store, with the status and the body of each response."""
    store.do("DELETE", METADATA)
    store.do("DELETE", f"secret/metadata/{OTHER}")
    role = store.app_role(WRITER, "wire-role", secret_id_num_uses=2)
    tokens = {
        ROOT: store.root_token,
        "reader": store.token_for(READER, "wire-reader"),
        "writer": store.token_for(WRITER, "wire-writer"),
        "denied": store.token_for(DENIED, "wire-denied"),
        "elsewhere": store.token_for('path "other/*" { capabilities = ["read"] }', "wire-elsewhere"),
        NOBODY: "none",
    }
    found = []
    for call in CALLS:
        who, method, path, body = call
        if path == LOGIN:
            body = {name: value.format(**role) for name, value in body.items()}
        response = store.call(method, path, body, token=tokens.get(who, who))
        assert response.headers["Date"]
        content = response.json() if response.content else None
        if path == LOGIN and response.ok:
            tokens["signed in"] = content["auth"]["client_token"]
        found.append((call, response.status_code, without_own_values(content)))
    return found


def test_the_store_of_the_lab_returns_what_openbao_returns(real_bao: Bao, lab: Lab) -> None:
    for ours, theirs in zip(recorded(store_of(lab)), recorded(real_bao), strict=True):
        assert ours == theirs


def test_the_store_of_the_lab_has_what_each_product_of_the_lab_has(lab: Lab) -> None:
    store = store_of(lab)
    role = {name: value for name, value in store.app_role(WRITER).items() if name != "auth_method"}
    lab.change_settings("vault", lifetime=600, clock_offset=3600)
    lab.fault("vault", "status", path="login", status=503, body={"errors": ["Vault is sealed"]})

    refused = store.call("POST", LOGIN, role)
    signed_in = store.do("POST", LOGIN, role)["auth"]

    assert (refused.status_code, refused.json()) == (503, {"errors": ["Vault is sealed"]})
    assert signed_in["lease_duration"] == 600
    assert lab.counts("vault")["tokens_valid"] == 1
    assert [entry.status for entry in lab.requests("vault")] == [503, 200]
    secrets = {secret["value"] for secret in lab.secrets()}
    token = signed_in["client_token"]
    assert {store.root_token, role["secret_id"], token.removeprefix("s.")} <= secrets
    lab.expire_tokens("vault")
    assert store.call("GET", DATA, token=token).status_code == 403
