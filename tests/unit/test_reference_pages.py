# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of docs/reference agree with the code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ansible_collections.sddc.tokens.plugins.module_utils._http import proxy, tls
from ansible_collections.sddc.tokens.plugins.module_utils._operations.products import ENVIRONMENT_VARIABLES
from tools import reference


@pytest.mark.parametrize("page", reference.pages())
def test_a_generated_page_is_what_the_code_says(page: str) -> None:
    assert (reference.FOLDER / page).read_text() == reference.pages()[page], "run: make reference"


def test_every_variable_that_sets_an_option_or_a_connection_is_in_the_table() -> None:
    text = reference.pages()["environment_variables.md"]
    connection = {*proxy._PROXY_VARIABLES, proxy._NO_PROXY, *tls._TRUST_STORE_VARIABLES}

    assert [name for name in sorted(ENVIRONMENT_VARIABLES) if f"\n| `{name}` |" not in text] == []
    assert [name for name in sorted(connection) if f"`{name}`" not in text] == []
