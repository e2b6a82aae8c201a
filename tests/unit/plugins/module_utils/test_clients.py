# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The common rules of the products' clients: errors of any form, tokens that cannot be sent in a header."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.sddc.tokens.tests.unit.plugins.module_utils.documents import JSON, answer
from products import KITS
from support.in_process import done

if TYPE_CHECKING:
    from lab.client import Lab

CLIENTS = "ansible_collections.sddc.tokens.plugins.module_utils._clients"


@pytest.mark.parametrize(("product", "response"), [(name, kit.response) for name, kit in KITS.items() if kit.response])
def test_token_that_cannot_be_sent_in_a_header_is_an_error_and_is_not_stored(
    lab: Lab, tmp_path: Path, product: str, response: tuple[str, dict[str, Any]]
) -> None:
    file = tmp_path / "token.json"
    name, document = response
    (keeping,) = (job for job in KITS[product].jobs.values() if job.keeps and not job.before)
    answer(lab, product, {**document, name: "torn\nin two"})

    failed = done(keeping, lab.details, str(file))

    assert f"'{name}' in the response contains characters that are invalid in a header" in failed.message
    assert "may" in failed.message
    assert not file.exists()
    assert not done(keeping, lab.details, str(file)).result.get("failed")


@pytest.mark.parametrize("product", KITS)
@given(
    document=JSON
    | st.dictionaries(
        st.sampled_from(
            [
                *("code", "message", "details", "error", "error_code", "error_message", "related_errors", "messages"),
                *("apiErrorCode", "validationFailures"),
            ]
        ),
        JSON,
        max_size=4,
    )
)
@example(document={"details": 5, "related_errors": True, "messages": 1.5})
@example(document={"apiErrorCode": [1], "validationFailures": [1, {"failureMessage": {}, "violationPath": None}]})
@example(document={"details": {"a": 1}, "related_errors": {"error_message": 1}, "messages": "text"})
def test_error_responses_of_any_form_are_read(product: str, document: object) -> None:
    code, message = importlib.import_module(f"{CLIENTS}.{product}").error_facts(document)
    assert isinstance(code, str)
    assert isinstance(message, str)
