# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages and imports in docs/architecture.md, in its picture and in the code agree, and point downwards."""

from __future__ import annotations

import ast
import functools
import graphlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from products import KITS
from support.checkout import CHECKOUT
from support.collection import COLLECTION, PLUGINS, PRODUCTS, product_of
from support.pages import Page

PAGE = (CHECKOUT / "docs" / "architecture.md").read_text()
PICTURE = Page((CHECKOUT / "docs" / "architecture" / "packages.svg").read_text())
GROUND = PLUGINS / "module_utils"
PACKAGE = f"ansible_collections.{COLLECTION}"
CODE = sorted((*PLUGINS.rglob("*.py"), *(CHECKOUT / "extensions" / "eda" / "plugins").rglob("*.py")))
LAB = sorted((CHECKOUT / "tests" / "lab").rglob("*.py"))
# The products whose tokens or servers another one uses.
ISSUERS = {name: (*kit.needs, *kit.uses) for name, kit in KITS.items()}

each_file = pytest.mark.parametrize("path", CODE, ids=lambda path: f"{path.parent.name}/{path.stem}")


@dataclass(frozen=True)
class Package:
    """A row of the page's table. `libraries` maps each library to the files that may import it; empty for all."""

    name: str
    files: tuple[Path, ...]
    uses: frozenset[str]
    libraries: Mapping[str, frozenset[str]]


def rows() -> Iterator[list[str]]:
    table = PAGE.split("|---|---|---|---|---|\n", maxsplit=1)[1].split("\n\n", maxsplit=1)[0]
    for line in table.splitlines():
        yield [cell.strip() for cell in line.strip("|").split("|")]


def files_of(cell: str) -> Iterator[Path]:
    for name in re.findall(r"`([^`]+)`", cell):
        path = CHECKOUT / name
        assert path.is_dir(), f"docs/architecture.md names the folder {name}, which does not exist"
        yield from path.rglob("*.py")


def libraries_of(cell: str) -> dict[str, frozenset[str]]:
    libraries, _in, files = cell.partition(" in ")
    return {name: frozenset(re.findall(r"`(\w+\.py)`", files)) for name in re.findall(r"`(\w+)`", libraries)}


PACKAGES = {
    name: Package(name, tuple(files_of(files)), frozenset(uses.split(", ")) - {"nothing"}, libraries_of(libraries))
    for name, files, _purpose, uses, libraries in rows()
}


def package_of(path: Path) -> str:
    (found,) = [package.name for package in PACKAGES.values() if path in package.files]
    return found


@functools.cache
def imports_of(path: Path) -> frozenset[str]:
    """The full names of a file's imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{absolute(node, path)}.{alias.name}" for alias in node.names}
    return frozenset(found)


def absolute(node: ast.ImportFrom, path: Path) -> str:
    """The full name of the package or module from which a statement imports."""
    if node.level == 0:
        return str(node.module)
    assert path in LAB or GROUND in path.parents, f"{path.name} is not below module_utils: its imports are absolute"
    folder = path.parents[node.level - 1].relative_to(CHECKOUT)
    root = [] if path in LAB else [PACKAGE]
    return ".".join([*root, *folder.parts, *([node.module] if node.module else [])])


def test_module_utils_has_folders_only_and_imports_its_own_files_by_relative_names() -> None:
    absolute_imports = {
        path.name
        for path in GROUND.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level == 0 and str(node.module).startswith(PACKAGE)
    }

    assert [entry.name for entry in GROUND.iterdir() if entry.is_file()] == []
    assert absolute_imports == set()


def imported_by(path: Path) -> set[Path]:
    """The files of the collection that a file imports."""
    found = set()
    for name in imports_of(path):
        if name.startswith(f"{PACKAGE}."):
            place = CHECKOUT.joinpath(*name.removeprefix(f"{PACKAGE}.").split("."))
            # An import is a file, or a name in it.
            found |= {file for file in (place.with_suffix(".py"), place.parent.with_suffix(".py")) if file.exists()}
    return found


def libraries_in(path: Path) -> set[str]:
    """The packages from elsewhere that a file imports, except Python's own."""
    return {name.split(".")[0] for name in imports_of(path)} - {*sys.stdlib_module_names, "ansible_collections"}


def test_each_file_is_in_one_package() -> None:
    named = [path for package in PACKAGES.values() for path in package.files]

    assert sorted(named) == CODE


def test_packages_are_listed_so_that_each_uses_only_those_below_it() -> None:
    names = list(PACKAGES)
    upwards = [
        (package.name, used)
        for package in PACKAGES.values()
        for used in package.uses
        if used not in names[names.index(package.name) + 1 :]
    ]

    assert upwards == []


@each_file
def test_a_file_imports_only_its_own_package_and_those_that_the_page_allows(path: Path) -> None:
    package = PACKAGES[package_of(path)]
    foreign = {other.name for other in imported_by(path) if package_of(other) not in {package.name, *package.uses}}

    assert foreign == set()


@pytest.mark.parametrize("package", PACKAGES.values(), ids=lambda package: package.name)
def test_a_package_uses_exactly_what_the_page_says(package: Package) -> None:
    packages = {package_of(other) for path in package.files for other in imported_by(path)}
    libraries = {library for path in package.files for library in libraries_in(path)}

    assert packages - {package.name} == package.uses
    assert libraries == set(package.libraries)


@each_file
def test_a_file_imports_a_library_only_where_the_page_says_so(path: Path) -> None:
    allowed = {
        library for library, files in PACKAGES[package_of(path)].libraries.items() if path.name in files or not files
    }

    assert libraries_in(path) <= allowed


@pytest.mark.parametrize("path", sorted(GROUND.rglob("*.py")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_module_utils_imports_nothing_from_elsewhere_in_plugins(path: Path) -> None:
    assert {other.name for other in imported_by(path) if GROUND not in other.parents} == set()


def test_no_import_is_circular() -> None:
    order = list(graphlib.TopologicalSorter({path: imported_by(path) for path in CODE}).static_order())

    assert sorted(order) == CODE


# --- the picture ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Box:
    """The position of a package: its left, upper, right and lower edge."""

    left: float
    top: float
    right: float
    bottom: float


def boxes() -> dict[str, Box]:
    found = {}
    for rectangle in PICTURE.of("rect"):
        x, y, width, height = (float(rectangle.get(name, 0)) for name in ("x", "y", "width", "height"))
        if "data-package" in rectangle:
            found[rectangle["data-package"]] = Box(x, y, x + width, y + height)
    return found


def drawn() -> dict[tuple[str, str], str]:
    """The line of each arrow, by the packages that it connects."""
    return {(path["data-from"], path["data-to"]): path["d"] for path in PICTURE.of("path") if "data-from" in path}


def reach(arrows: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """All packages that the arrows reach from each, in any number of steps."""
    found: dict[str, frozenset[str]] = {}
    for name in graphlib.TopologicalSorter(arrows).static_order():
        found[name] = arrows[name].union(*(found[below] for below in arrows[name]))
    return found


def test_the_picture_shows_the_packages_of_the_page_and_no_redundant_dependency() -> None:
    uses = {package.name: package.uses for package in PACKAGES.values()}
    below = reach(uses)
    needed = {
        (name, used)
        for name, used_rooms in uses.items()
        for used in used_rooms
        if not any(used in below[other] for other in used_rooms)
    }

    assert set(boxes()) == set(PACKAGES)
    assert set(drawn()) == needed


def test_each_dependency_in_the_picture_points_straight_down() -> None:
    packages = boxes()
    for (upper, lower), line in drawn().items():
        x, start, end = map(float, re.fullmatch(r"M(\d+) (\d+)V(\d+)", line).groups())  # type: ignore[union-attr]
        above, below = packages[upper], packages[lower]
        assert (start, end) == (above.bottom, below.top), (upper, lower)
        assert start < end, (upper, lower)
        assert max(above.left, below.left) < x < min(above.right, below.right), (upper, lower)
        crossed = [package for package, box in packages.items() if box.left < x < box.right and start < box.top < end]
        assert crossed == [], (upper, lower)


# --- products ------------------------------------------------------------------------------------------------------


# The documentation of a product is in its modules, and in examples of lookups and filters.
# The registry of products names all of them.
REGISTRY = GROUND / "_operations" / "products.py"
SPOKEN_OF = [path for path in CODE if path.parent.name not in ("modules", "lookup", "filter") and path != REGISTRY]


@pytest.mark.parametrize("path", SPOKEN_OF, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_product_is_named_in_its_own_files_only(path: Path) -> None:
    own = product_of(path.stem)
    allowed = {own, *ISSUERS.get(own or "", ())}
    words = "|".join(product for product in PRODUCTS if product not in allowed)
    named = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(rf"(?<![a-z])({words})(?![a-z])", line, re.IGNORECASE)
    ]

    assert named == []


def words_of(path: Path) -> Iterator[str]:
    """The names and strings of a file, without its comments and docstrings."""
    for node in ast.walk(ast.parse(path.read_text())):
        yield from (str(getattr(node, name, "")) for name in ("id", "attr", "name", "arg", "module", "value"))


@pytest.mark.parametrize("path", [path for path in LAB if path.parent.name == "lab"], ids=lambda path: path.stem)
def test_shared_code_of_the_lab_names_no_product(path: Path) -> None:
    assert set(words_of(path)) & set(PRODUCTS) == set()


# --- the lab -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LAB, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_lab_shares_no_code_with_the_collection(path: Path) -> None:
    assert "ansible_collections" not in {name.split(".")[0] for name in imports_of(path)}


@each_file
def test_the_collection_imports_no_test_code(path: Path) -> None:
    tests = {path.name for path in (CHECKOUT / "tests").iterdir() if path.is_dir()}

    assert {name.split(".")[0] for name in imports_of(path)} & {*tests, "tests"} == set()
    assert [name for name in imports_of(path) if name.startswith(f"{PACKAGE}.tests")] == []
