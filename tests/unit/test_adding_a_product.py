# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A product consists of few files: the guide lists them all, and no shared test file names a product."""

from __future__ import annotations

import fnmatch
import re
import subprocess
from collections.abc import Iterator, Mapping

import pytest

from products import KITS
from support.checkout import CHECKOUT

TEXT = (CHECKOUT / "docs" / "adding_a_product.md").read_text()
(PRODUCT,) = re.findall(r"replace `(\w+)` with", TEXT)
NAMED = sorted(set(re.findall(r"`([\w.-]+(?:/[\w.-]+)+|[A-Z]+\.md)`", TEXT)))
STEPS = dict(re.findall(r"^\| `([^`]+)` \| (new|edit) \|", TEXT, re.MULTILINE))
MOST_FILES, MOST_EDITS = 12, 4

# Files that may name the example of the guide, and why another product need not be in them.
NO_STEP = {
    "docs/*": "the pages show some products as examples",
    "CHANGELOG.rst": "it lists what was released",
    "changelogs/*": "the same",
    "tests/lab/demo*.yml": "it shows some products to people",
    "tests/integration/test_laptop_guide.py": "it follows a page",
    "tests/conformance/*_installer_client.py": "another appliance has the same API",
    "*token_rotation*": "the role and its scenario rotate tokens of some products",
}
# Shared files of the tests that name products, and why.
NAMES_ALLOWED = {
    "tests/benchmark/bench": "it starts the measurement of what one product does only",
    "tests/lab/demo*.yml": "it shows some products to people",
    "tests/integration/test_event_driven_guide.py": "it follows a page, which shows some products",
    "tests/integration/test_laptop_guide.py": "the same",
    "tests/integration/test_many_machines_guide.py": "the same",
    "tests/unit/plugins/test_messages.py": "some messages are those of one product only",
    "tests/tools/mutants.yml": "a fault is in one file, and so may be that of one product",
}


def tree() -> set[str]:
    """All files of the checkout except ignored ones."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is not a git checkout")
    return {name for name in listed.splitlines() if (CHECKOUT / name).is_file()}


def excused(name: str, reasons: Mapping[str, str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in reasons)


def spellings(product: str) -> re.Pattern[str]:
    """How people, variables, host names and classes spell it."""
    spelled, named = product.replace("_", "[ _-]?"), product.title().replace("_", "")
    return re.compile(rf"(?<![A-Za-z])(?:(?i:{spelled})(?![A-Za-z])|{named}(?=[A-Z]))")


def own(name: str) -> str | None:
    """The product that a file is named for."""
    return next((product for product in KITS if re.search(rf"(?<![a-z]){product}(?![a-z])", name)), None)


@pytest.mark.parametrize("name", NAMED)
def test_each_file_that_the_guide_names_exists(name: str) -> None:
    assert (CHECKOUT / name).exists()


def test_a_product_takes_at_most_twelve_files_of_which_at_most_four_are_edits() -> None:
    kinds = list(STEPS.values())

    assert 0 < len(kinds) <= MOST_FILES
    assert kinds.count("edit") <= MOST_EDITS


def test_each_file_with_the_products_name_or_content_is_in_a_step_of_the_guide() -> None:
    found = {name for name in tree() if spellings(PRODUCT).search(name + text_of(name))}

    assert {name for name in found - set(STEPS) if not excused(name, NO_STEP)} == set()


@pytest.mark.parametrize("name", STEPS)
def test_each_file_in_a_step_of_the_guide_is_about_the_product(name: str) -> None:
    assert spellings(PRODUCT).search(name + text_of(name))
    assert (PRODUCT in name) == (STEPS[name] == "new")


@pytest.mark.parametrize("product", KITS)
def test_each_product_is_in_the_files_of_each_step(product: str) -> None:
    for name, kind in STEPS.items():
        if kind == "edit":
            assert spellings(product).search(text_of(name)), name
        else:
            renamed = name.replace(KITS[PRODUCT].module, KITS[product].module).replace(PRODUCT, product)
            homes = [renamed]
            if name.startswith("tests/conformance/"):
                # Without a vendor's client, the lab has a test instead.
                homes.append(f"tests/unit/lab/test_lab_{product}.py")
            assert any((CHECKOUT / home).exists() for home in homes), homes


def test_each_file_to_start_with_is_a_test() -> None:
    first = re.findall(r"\*\*Start with\*\* `([^`]+)`", TEXT)

    assert len(first) == 4
    assert all(re.search(r"/test_\w+\.py$", name) for name in first)


def text_of(name: str) -> str:
    return (CHECKOUT / name).read_text(errors="replace")


def shared() -> Iterator[str]:
    """The test files that belong to no product."""
    for name in sorted(tree()):
        if name.startswith("tests/") and not own(name) and not excused(name, NAMES_ALLOWED):
            yield name


def named_in(text: str) -> list[str]:
    """The lines of a text that contain a product's name."""
    patterns = [spellings(product) for product in KITS]
    return [line for line in text.splitlines() if any(pattern.search(line) for pattern in patterns)]


def test_no_shared_test_file_names_a_product() -> None:
    found = {name: named_in(text_of(name)) for name in shared()}

    assert len(found) > 60
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("product", KITS)
def test_a_product_name_is_found_in_each_spelling(product: str) -> None:
    words = product.split("_")
    class_name = "".join(word.title() for word in words)
    for name in (product, "-".join(words), " ".join(words).upper(), class_name, f"{class_name}Client"):
        assert named_in(f'a line\nlab.fault("{name}", "status")\n') == [f'lab.fault("{name}", "status")']
        assert named_in(f"{name}_struck")
    assert not named_in(f"{product}s")


def test_each_exception_is_needed() -> None:
    no_step = {name for name in tree() - set(STEPS) if spellings(PRODUCT).search(name + text_of(name))}
    naming = {name for name in tree() if name.startswith("tests/") and not own(name) and named_in(text_of(name))}

    assert [pattern for pattern in NO_STEP if not fnmatch.filter(no_step, pattern)] == []
    assert [pattern for pattern in NAMES_ALLOWED if not fnmatch.filter(naming, pattern)] == []
