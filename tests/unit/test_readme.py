# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's table of products has a row for each kit, and its links lead to each page of the reference."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from products import KITS
from support.checkout import CHECKOUT

README = (CHECKOUT / "README.md").read_text()
ROW = re.compile(
    r"^\| (?P<name>[^|]+) \| [^|]+ \| `(?P<module>\w+)`(?:, `\w+`)* \| [^|]+ \| (?P<tested>lab[^|]*) \|$", re.MULTILINE
)
ROWS: Mapping[str, re.Match[str]] = {row["module"]: row for row in ROW.finditer(README)}


def clients(product: str) -> list[str]:
    """The vendor's clients, with their versions, that the conformance tests of a product require."""
    paths = sorted((CHECKOUT / "tests" / "conformance").glob(f"test_{product}_*client.py"))
    lines = re.findall(r"^# Requires (.+)$", "\n".join(path.read_text() for path in paths), re.MULTILINE)
    return list(dict.fromkeys(pin for line in lines for pin in line.split() if "==" in pin))


def test_each_row_is_a_product() -> None:
    assert sorted(ROWS) == sorted(kit.module for kit in KITS.values())


@pytest.mark.parametrize("product", KITS)
def test_a_row_names_the_client_that_the_conformance_tests_require(product: str) -> None:
    named = re.findall(r"`([\w-]+)` ([\d.]+)", ROWS[KITS[product].module]["tested"])

    assert [f"{client}=={version}" for client, version in named] == clients(product)


def test_each_page_of_the_reference_is_linked() -> None:
    pages = {path.stem for path in (CHECKOUT / "docs" / "reference").glob("*.md")}

    assert set(re.findall(r"/docs/reference/(\w+)\.md", README)) == pages
