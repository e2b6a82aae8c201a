# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages name the environment variable, the entry of a list and the option with which a warning ends."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.lifecycle import Lifecycle
from ansible_collections.sddc.tokens.plugins.module_utils._lifecycle.options import LifecycleOptions
from ansible_collections.sddc.tokens.plugins.module_utils._operations.avi_securechanneltoken import (
    AviSecurechanneltoken,
)
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_reauth import NsxServiceReauth
from ansible_collections.sddc.tokens.plugins.module_utils._operations.vcenter_registered_token import (
    VcenterRegisteredToken,
)
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.token_set import TokenSet
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated
from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.memory_source import (
    MemorySource,
    Server,
    Steps,
)
from support.checkout import CHECKOUT

NOWHERE = "127.0.0.1:1"
VCENTER = {"hostname": NOWHERE}
AVI = {"hostname": NOWHERE, "username": "u", "password": "a-password", "name": "se-01"}
NSX = {"hostname": NOWHERE, "access_token": "an-access-token", "open_id_token": "an-id-token"}
PATH = "/infra/tier-0s/t0/locale-services/default/service-instances/one"


CATALOGUE = (CHECKOUT / "docs" / "reference" / "errors.md").read_text()


def message(operation: type[Operation], args: dict[str, Any]) -> str:
    """The error of a task, from its validation or from its run."""
    validated = Validated(operation, args)
    return validated.error or str(execute(operation, validated.params, Runtime())["msg"])


def test_missing_broker_is_named_with_its_environment_variable() -> None:
    text = message(VcenterRegisteredToken, {**VCENTER, "vidb_api_token": "an-api-token"})

    assert "The option vidb_hostname is required" in text
    assert "VIDB_HOST" in text


@pytest.mark.parametrize(
    ("operation", "args"),
    [
        (AviSecurechanneltoken, {**AVI, "metadata": [{"key": "a", "val": "b"}, {"key": "c"}]}),
        (NsxServiceReauth, {**NSX, "service_instances": [PATH, "/infra"]}),
        (TokenSet, {"tokens": [{"product": "vrni"}, "a string"]}),
        (
            VcenterRegisteredToken,
            {**VCENTER, "access_token": "a-token", "trusted_issuers": ["issuer.example.com", "http://issuer"]},
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_invalid_entry_of_a_list_is_named_by_its_number(operation: type[Operation], args: dict[str, Any]) -> None:
    assert "has an invalid entry: number 2 " in message(operation, args)


def test_warning_of_a_short_lifetime_says_how_to_end_it() -> None:
    warnings: list[str] = []
    source = MemorySource(Server(lifetime=1800), Steps())

    Lifecycle(source, LifecycleOptions(min_remaining=3600), None, Runtime(warn=warnings.append)).run()

    (warning,) = warnings
    assert "Set min_remaining to less than 1800 s to end this warning" in warning


@pytest.mark.parametrize(
    ("operation", "args", "option"),
    [
        (NsxServiceReauth, {"csp_hostname": NOWHERE, "csp_api_token": "an-api-token"}, "csp_hostname"),
        (VcenterRegisteredToken, {"vidb_hostname": NOWHERE, "vidb_api_token": "an-api-token"}, "vidb_hostname"),
        (AviSecurechanneltoken, AVI, "hostname"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_server_that_cannot_be_reached_is_named_by_its_own_option(
    operation: type[Operation], args: dict[str, Any], option: str
) -> None:
    instances = {"service_instances": [PATH]} if operation is NsxServiceReauth else {}

    text = message(operation, {"hostname": NOWHERE, "retries": 0, **instances, **args})

    assert f"Check the name and port in {option}, " in text


def _texts() -> str:
    """All strings of the plugins, with … in place of what varies."""
    found = []
    for path in (CHECKOUT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.append(
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def test_every_message_of_the_error_catalogue_is_in_the_code() -> None:
    listed = re.findall(r"^\| `([^`]+)` \|", CATALOGUE, re.MULTILINE)
    texts = _texts()

    assert [message for message in listed if message.strip("… ") not in texts] == []
    assert len(listed) > 30
