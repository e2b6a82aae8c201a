# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kits, one file for each product. Such a file adds the product to every suite."""

from __future__ import annotations

import graphlib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from support.kit import Details, Entry, Job, Kit, Options
from support.templates import rendered


def _kits() -> Iterator[tuple[str, Kit]]:
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    found: dict[str, Kit] = {name: importlib.import_module(f"{__name__}.{name}").KIT for name in names}
    order = graphlib.TopologicalSorter({name: (*kit.needs, *kit.uses) for name, kit in found.items()}).static_order()
    return ((name, found[name]) for name in order)


# A product comes after those whose tokens or servers it uses.
KITS: Mapping[str, Kit] = dict(_kits())

# Each token of each product that can be an entry of token_set, by the value of `product`.
ENTRIES: Mapping[str, Entry] = {name: entry for kit in KITS.values() for name, entry in kit.entries.items()}

# The product of suites about other subjects, which supports everything that a product can.
(EXAMPLE,) = [kit for kit in KITS.values() if kit.is_example]
# A product that uses the tokens of another, and the products whose tokens others use, the one of that product first.
TAKER = next(kit for kit in KITS.values() if kit.needs)
ISSUERS = [KITS[name] for name in dict.fromkeys(name for kit in KITS.values() for name in kit.needs)]
ISSUER = ISSUERS[0]


def jobs_of(kit: Kit) -> Mapping[str, Job]:
    """The jobs of a product, as single tasks and as an entry of token_set, with unique names."""
    jobs = [*kit.jobs.items(), *((f"{name} in a set", job) for name, job in _entries_of(kit))]
    return {f"{kit.name.replace('_', ' ')} {name}": job for name, job in jobs}


def _entries_of(kit: Kit) -> Iterator[tuple[str, Job]]:
    for product, entry in kit.entries.items():
        of_module = product.removeprefix(kit.name).replace("_", " ").lstrip()
        for does, job in _entry_jobs(kit, product, entry):
            yield f"{of_module} {does}".lstrip(), job


def _entry_jobs(kit: Kit, product: str, entry: Entry) -> Iterator[tuple[str, Job]]:
    def options(lab: Details, file: str) -> Options:
        given: Options = rendered(entry.options, {"lab": lab, "playbook_dir": str(Path(file).parent)})
        return {**given, "token_file": file} if "token_file" in given else given

    def renewing(lab: Details, file: str) -> Options:
        return {**options(lab, file), **entry.renewal}

    # The lab counts the same as without the list. A module that stores its tokens leaves one, however it was killed.
    alone, *_others = (job for job in kit.jobs.values() if job.module == entry.module)
    creates = replace(
        alone,
        module="token_set",
        options=options,
        entry_of=product,
        keeps=entry.keeps_token,
        settled={} if entry.keeps_token else alone.settled,
    )
    yield "creates", creates
    if entry.checks_by_request:
        yield "checks", replace(creates, before=(creates,))
    if entry.renewal:
        yield "renews", replace(creates, options=renewing, before=(creates,))


JOBS: Mapping[str, Job] = {name: job for kit in KITS.values() for name, job in jobs_of(kit).items()}
