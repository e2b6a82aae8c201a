# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms and arrows of docs/architecture.md, of its picture and of the code are the same, and point downwards."""

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

from support.checkout import CHECKOUT
from support.collection import COLLECTION, PLUGINS, PRODUCTS, product_of
from support.pages import Page

PAGE = (CHECKOUT / "docs" / "architecture.md").read_text()
PICTURE = Page((CHECKOUT / "docs" / "architecture" / "rooms.svg").read_text())
GROUND = PLUGINS / "module_utils"
PACKAGE = f"ansible_collections.{COLLECTION}"
CODE = sorted((*PLUGINS.rglob("*.py"), *(CHECKOUT / "extensions" / "eda" / "plugins").rglob("*.py")))
LAB = sorted((CHECKOUT / "tests" / "lab").rglob("*.py"))
# The product whose tokens another one takes.
ISSUERS = {"nsx": "csp", "vcenter": "vidb"}

each_file = pytest.mark.parametrize("path", CODE, ids=lambda path: f"{path.parent.name}/{path.stem}")


@dataclass(frozen=True)
class Room:
    """A row of the page's table. `libraries` has the files that alone may import one, none where all may."""

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
        path = CHECKOUT / name if (CHECKOUT / name).exists() else GROUND / name
        assert path.exists(), f"docs/architecture.md names {name}, which is not there"
        yield from path.rglob("*.py") if path.is_dir() else [path]


def libraries_of(cell: str) -> dict[str, frozenset[str]]:
    libraries, _in, files = cell.partition(" in ")
    return {name: frozenset(re.findall(r"`(\w+\.py)`", files)) for name in re.findall(r"`(\w+)`", libraries)}


ROOMS = {
    name: Room(name, tuple(files_of(files)), frozenset(uses.split(", ")) - {"nothing"}, libraries_of(libraries))
    for name, files, _purpose, uses, libraries in rows()
}


def room_of(path: Path) -> str:
    (found,) = [room.name for room in ROOMS.values() if path in room.files]
    return found


@functools.cache
def imports_of(path: Path) -> frozenset[str]:
    """The full names of what a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or path in LAB, f"{path.name} imports by a relative name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def imported_by(path: Path) -> set[Path]:
    """The files of the collection that a file imports."""
    found = set()
    for name in imports_of(path):
        if name.startswith(f"{PACKAGE}."):
            place = CHECKOUT.joinpath(*name.removeprefix(f"{PACKAGE}.").split("."))
            # What is imported is a file, or something in it.
            found |= {file for file in (place.with_suffix(".py"), place.parent.with_suffix(".py")) if file.exists()}
    return found


def libraries_in(path: Path) -> set[str]:
    """The packages from elsewhere, beyond Python's own, that a file imports."""
    return {name.split(".")[0] for name in imports_of(path)} - {*sys.stdlib_module_names, "ansible_collections"}


def test_each_file_is_in_one_room() -> None:
    named = [path for room in ROOMS.values() for path in room.files]

    assert sorted(named) == CODE


def test_the_rooms_stand_in_an_order_in_which_each_uses_only_those_below_it() -> None:
    names = list(ROOMS)
    upwards = [
        (room.name, used)
        for room in ROOMS.values()
        for used in room.uses
        if used not in names[names.index(room.name) + 1 :]
    ]

    assert upwards == []


@each_file
def test_a_file_imports_only_from_its_own_room_and_from_those_that_it_uses(path: Path) -> None:
    room = ROOMS[room_of(path)]
    foreign = {other.name for other in imported_by(path) if room_of(other) not in {room.name, *room.uses}}

    assert foreign == set()


@pytest.mark.parametrize("room", ROOMS.values(), ids=lambda room: room.name)
def test_a_room_uses_what_the_page_says_and_nothing_that_it_says_too_much(room: Room) -> None:
    rooms = {room_of(other) for path in room.files for other in imported_by(path)}
    libraries = {library for path in room.files for library in libraries_in(path)}

    assert rooms - {room.name} == room.uses
    assert libraries == set(room.libraries)


@each_file
def test_a_file_imports_a_library_only_where_the_page_says_so(path: Path) -> None:
    allowed = {library for library, files in ROOMS[room_of(path)].libraries.items() if path.name in files or not files}

    assert libraries_in(path) <= allowed


@pytest.mark.parametrize("path", sorted(GROUND.rglob("*.py")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_goes_to_a_managed_host_imports_nothing_that_stays_behind(path: Path) -> None:
    assert {other.name for other in imported_by(path) if GROUND not in other.parents} == set()


def test_no_file_imports_itself_by_whatever_way_round() -> None:
    order = list(graphlib.TopologicalSorter({path: imported_by(path) for path in CODE}).static_order())

    assert sorted(order) == CODE


# --- the picture ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Box:
    """Where a room is drawn: its left, upper, right and lower edge."""

    left: float
    top: float
    right: float
    bottom: float


def boxes() -> dict[str, Box]:
    found = {}
    for rectangle in PICTURE.of("rect"):
        x, y, width, height = (float(rectangle.get(name, 0)) for name in ("x", "y", "width", "height"))
        if "data-room" in rectangle:
            found[rectangle["data-room"]] = Box(x, y, x + width, y + height)
    return found


def drawn() -> dict[tuple[str, str], str]:
    """The line of each arrow, by the rooms that it joins."""
    return {(path["data-from"], path["data-to"]): path["d"] for path in PICTURE.of("path") if "data-from" in path}


def reach(arrows: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """All rooms to which the arrows lead from each, in however many steps."""
    found: dict[str, frozenset[str]] = {}
    for name in graphlib.TopologicalSorter(arrows).static_order():
        found[name] = arrows[name].union(*(found[below] for below in arrows[name]))
    return found


def test_the_picture_shows_the_rooms_of_the_page_and_no_arrow_that_others_imply() -> None:
    uses = {room.name: room.uses for room in ROOMS.values()}
    below = reach(uses)
    needed = {
        (name, used)
        for name, used_rooms in uses.items()
        for used in used_rooms
        if not any(used in below[other] for other in used_rooms)
    }

    assert set(boxes()) == set(ROOMS)
    assert set(drawn()) == needed


def test_each_arrow_of_the_picture_goes_straight_down_from_the_one_room_to_the_other() -> None:
    rooms = boxes()
    for (upper, lower), line in drawn().items():
        x, start, end = map(float, re.fullmatch(r"M(\d+) (\d+)V(\d+)", line).groups())  # type: ignore[union-attr]
        above, below = rooms[upper], rooms[lower]
        assert (start, end) == (above.bottom, below.top), (upper, lower)
        assert start < end, (upper, lower)
        assert max(above.left, below.left) < x < min(above.right, below.right), (upper, lower)
        crossed = [room for room, box in rooms.items() if box.left < x < box.right and start < box.top < end]
        assert crossed == [], (upper, lower)


# --- products ------------------------------------------------------------------------------------------------------


# What is written of a product for users stands in its modules, and in examples of lookups and filters.
SPOKEN_OF = [path for path in CODE if path.parent.name not in ("modules", "lookup", "filter")]


@pytest.mark.parametrize("path", SPOKEN_OF, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_product_is_named_in_its_own_files_only(path: Path) -> None:
    own = product_of(path.stem) if path.parent != GROUND else None
    allowed = {own, ISSUERS.get(own or "")}
    words = "|".join(product for product in PRODUCTS if product not in allowed)
    named = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(rf"(?<![a-z])({words})(?![a-z])", line, re.IGNORECASE)
    ]

    assert named == []


def words_of(path: Path) -> Iterator[str]:
    """The names and strings of a file, without what its comments and descriptions say."""
    for node in ast.walk(ast.parse(path.read_text())):
        yield from (str(getattr(node, name, "")) for name in ("id", "attr", "name", "arg", "module", "value"))


@pytest.mark.parametrize("path", [path for path in LAB if path.parent.name == "lab"], ids=lambda path: path.stem)
def test_what_the_products_of_the_lab_share_knows_none_of_them(path: Path) -> None:
    assert set(words_of(path)) & set(PRODUCTS) == set()


# --- the lab -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LAB, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_lab_shares_no_code_with_the_collection(path: Path) -> None:
    assert "ansible_collections" not in {name.split(".")[0] for name in imports_of(path)}


@each_file
def test_the_collection_imports_nothing_of_the_tests(path: Path) -> None:
    tests = {path.name for path in (CHECKOUT / "tests").iterdir() if path.is_dir()}

    assert {name.split(".")[0] for name in imports_of(path)} & {*tests, "tests"} == set()
    assert [name for name in imports_of(path) if name.startswith(f"{PACKAGE}.tests")] == []
