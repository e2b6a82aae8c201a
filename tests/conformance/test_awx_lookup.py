# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX reads a token of the shared store with its own plugin, from a real OpenBao.

AWX calls the backend of the plugin with the inputs of the lookup credential and the metadata of the linked input. The
pages of AWX, on which a user enters both, are not part of this.
"""

# Requires awx-plugins-core==0.2.0a0 awx-plugins.interfaces==0.0.1a5

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import requests

from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import Secret
from ansible_collections.sddc.tokens.plugins.module_utils._core.token import Token
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.document import fields_of
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.record import Record
from support import bao as bao_server
from support.bao import Bao

PATH = "sddc/east/token"
READER = 'path "secret/data/sddc/*" { capabilities = ["read"] }'


@pytest.fixture(scope="module")
def bao() -> Iterator[Bao]:
    binary = bao_server.executable()
    if binary is None:
        pytest.skip(bao_server.WHY_NOT)
    with bao_server.running(binary) as server:
        yield server


def store(bao: Bao, value: str) -> None:
    """Store the document of a token, with a secret that was issued with it."""
    token = Token(Secret(value), "Bearer", 1795000000.0, 1895000000.0, companions={"id_token": Secret(f"id-{value}")})
    bao.do("POST", f"secret/data/{PATH}", {"data": fields_of(Record("lab", "h", "p", current=token), {})})


def looked_up(bao: Bao, key: str, **metadata: str) -> str:
    """The value of an input that is linked to the store."""
    (entry_point,) = entry_points(group="awx_plugins.credentials", name="hashivault_kv")
    # The inputs that a user leaves blank, with the defaults of their fields.
    defaults = {"default_auth_path": "approle", "namespace": "", "token": "", "username": "", "password": ""}
    role = bao.app_role(READER)
    inputs = {
        **defaults,
        **{name: role[name] for name in ("role_id", "secret_id")},
        "url": bao.address,
        "cacert": Path(bao.ca_path).read_text(),
        "api_version": "v2",
    }
    linked = {"secret_backend": "secret", "secret_path": PATH, "secret_key": key, **metadata}
    value: Any = entry_point.load().backend(**{**inputs, **linked})
    return str(value)


def test_a_linked_input_gets_the_current_token_and_the_secrets_that_were_issued_with_it(bao: Bao) -> None:
    store(bao, "first-token")
    store(bao, "second-token")

    assert looked_up(bao, "token") == "second-token"
    assert looked_up(bao, "id_token") == "id-second-token"
    assert looked_up(bao, "expires_at") == "2030-01-18T20:53:20Z"


def test_every_field_of_a_document_can_be_looked_up(bao: Bao) -> None:
    store(bao, "the-token")

    document = bao.document(PATH)
    assert {name: looked_up(bao, name) for name in document} == document


def test_a_document_without_that_field_is_an_error_of_awx(bao: Bao) -> None:
    store(bao, "the-token")

    with pytest.raises(RuntimeError):
        looked_up(bao, "missing")
    with pytest.raises(requests.HTTPError):
        looked_up(bao, "token", secret_path="sddc/missing")
