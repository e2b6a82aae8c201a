# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on adding a product names the files that belong to the one by which it is proven, and no others."""

from __future__ import annotations

import re
import subprocess

import pytest

from support.checkout import CHECKOUT

GUIDE = CHECKOUT / "docs" / "adding_a_product.md"
TEXT = GUIDE.read_text()
PRODUCT = "sddc_manager"
# How people, variables and host names spell it.
SPELLINGS = re.compile(r"sddc[_ -]manager", re.IGNORECASE)
NAMED = sorted(set(re.findall(r"`([\w.-]+(?:/[\w.-]+)+|[A-Z]+\.md)`", TEXT)))
# What was touched besides needs not be about the product.
STEPS = TEXT.split("## What it touched besides", maxsplit=1)[0]
TABLES = sorted(set(re.findall(r"^\| `([^`]+)` \|", STEPS, re.MULTILINE)))


def tree() -> set[str]:
    """All files of the checkout, but those that it ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    return {name for name in listed.splitlines() if (CHECKOUT / name).is_file()}


@pytest.mark.parametrize("name", NAMED)
def test_each_file_that_the_guide_names_exists(name: str) -> None:
    assert (CHECKOUT / name).is_file()


def test_each_file_that_is_named_for_the_product_is_in_a_step_of_the_guide() -> None:
    of_product = {name for name in tree() if PRODUCT in name}

    assert of_product
    assert of_product - set(TABLES) == set()


@pytest.mark.parametrize("name", TABLES)
def test_each_file_in_a_step_of_the_guide_has_something_of_the_product_in_it(name: str) -> None:
    assert SPELLINGS.search(name + (CHECKOUT / name).read_text())


def test_each_file_that_leads_is_a_test() -> None:
    leading = re.findall(r"\*\*Led by\*\*(.*?)(?:\n\n|\Z)", TEXT, re.DOTALL)
    names = [re.findall(r"`(tests/[^`]+)`", part) for part in leading]

    assert len(names) == 5
    assert all(part and all(re.search(r"/test_\w+\.py$", name) for name in part) for part in names)
