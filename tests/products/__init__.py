# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kits, one file for each product. A file here is all that a suite needs to take a product in."""

from __future__ import annotations

import graphlib
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from support.kit import Job, Kit


def _kits() -> Iterator[tuple[str, Kit]]:
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    found: dict[str, Kit] = {name: importlib.import_module(f"{__name__}.{name}").KIT for name in names}
    order = graphlib.TopologicalSorter({name: kit.needs for name, kit in found.items()}).static_order()
    return ((name, found[name]) for name in order)


# A product comes after those whose tokens it takes.
KITS: Mapping[str, Kit] = dict(_kits())

# The product of suites about something else, and what it stands for: it does all that a product can do.
(EXAMPLE,) = [kit for kit in KITS.values() if kit.is_example]
# A product that takes the tokens of another, and the products whose tokens others take, the one of that product first.
TAKER = next(kit for kit in KITS.values() if kit.needs)
ISSUERS = [KITS[name] for name in dict.fromkeys(name for kit in KITS.values() for name in kit.needs)]
ISSUER = ISSUERS[0]


def jobs_of(kit: Kit) -> Mapping[str, Job]:
    """The jobs of a product, by names that no other product has."""
    return {f"{kit.name.replace('_', ' ')} {name}": job for name, job in kit.jobs.items()}


JOBS: Mapping[str, Job] = {name: job for kit in KITS.values() for name, job in jobs_of(kit).items()}
