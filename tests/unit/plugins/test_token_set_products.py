# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The products of token_set, and the environment variables of their credentials."""

from __future__ import annotations

import re

from ansible_collections.sddc.tokens.plugins.module_utils._operations.products import PRODUCTS
from ansible_collections.sddc.tokens.plugins.module_utils._runner.token_set import TokenSet
from products import ENTRIES, EXAMPLE, ISSUERS, KITS
from support.checkout import CHECKOUT
from support.collection import doc

PASSWORD, PRODUCT = "do-not-print-this", EXAMPLE.name


def test_the_registry_contains_an_operation_of_each_product() -> None:
    modules = {product: operation.name.rsplit(".", maxsplit=1)[-1] for product, operation in PRODUCTS.items()}
    assert all(module == product or module.startswith(f"{product}_") for product, module in modules.items())
    assert modules == {product: entry.module for product, entry in ENTRIES.items()}


def test_the_documentation_names_products_with_their_modules() -> None:
    modules = {product: operation.name for product, operation in PRODUCTS.items()}
    described = " ".join(doc("token_set")["options"]["tokens"]["description"])
    readme = (CHECKOUT / "roles" / "token_rotation" / "README.md").read_text()
    examples = dict(re.findall(r"V\((\w+)\) \(M\(([\w.]+)\)\)", described))
    rows = re.findall(r"\| `(\w+)` \| `([a-z]\w+)` \|", readme)

    assert examples
    assert rows
    assert {**examples, **{product: f"sddc.tokens.{module}" for product, module in rows}}.items() <= modules.items()


def test_the_environment_completes_each_entry_with_the_variables_of_its_product() -> None:
    (trusting,) = [kit for kit in KITS.values() if "validate_certs" in kit.exported]
    values = {"hostname": "sddc.example.com", "username": "admin", "password": PASSWORD}
    environ = {
        **{EXAMPLE.exported[option][0]: value for option, value in values.items()},
        ISSUERS[0].exported["api_token"][0]: "an-api-token",
        trusting.exported["validate_certs"][0]: "false",
    }
    empty = {"product": PRODUCT, "username": ""}
    own = {"product": PRODUCT, "hostname": "other.example.com", "username": "me"}
    others = [{"product": kit.name} for kit in (ISSUERS[0], trusting)]
    tokens = [empty, own, *others, "text", {"product": [PRODUCT]}]

    completed = TokenSet.argument_spec.complete({"tokens": tokens, "timeout": 5}, environ)
    decided = TokenSet.argument_spec.complete({"tokens": tokens, "validate_certs": True}, environ)

    assert completed["tokens"] == [
        {"product": PRODUCT, **values},
        {**own, "password": PASSWORD},
        {**others[0], "api_token": "an-api-token"},
        {**others[1], "validate_certs": "false"},
        "text",
        {"product": [PRODUCT]},
    ]
    assert decided["tokens"][3] == others[1], "an option of the task overrides the environment"
    assert empty == {"product": PRODUCT, "username": ""}


def test_the_variables_of_all_products_are_not_sent_to_managed_nodes() -> None:
    of_products = {name for operation in PRODUCTS.values() for name in operation.argument_spec.environment_variables}

    assert TokenSet.argument_spec.environment_variables == of_products
