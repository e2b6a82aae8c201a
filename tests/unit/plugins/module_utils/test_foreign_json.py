# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server other than the product that returns 200 with some JSON to everything: a portal, a mock, another API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import JOBS, KITS, jobs_of
from support.in_process import SkippingClock, done, prepared
from support.kit import Kit

if TYPE_CHECKING:
    from lab.client import Lab

FOREIGN: dict[str, Any] = {
    "a status": {"status": "ok"},
    "an empty object": {},
    "an empty list": [],
    "a list of objects": [{"id": "1", "status": "ok"}],
    "a text": '"ok"',
    "a count": {"count": 1},
    "an object in place of a list": {"results": {}, "elements": {}},
    "a list of empty objects": {"results": [{}], "elements": [{}]},
    "a list of texts": {"results": ["ok"], "elements": ["ok"]},
}
KIT_OF = {name: kit for kit in KITS.values() for name in jobs_of(kit)}
POSSIBLE = {(f"{kit.name} {job}", body) for kit in KITS.values() for job, body in kit.plausible}


def everything_but(kit: Kit) -> str | None:
    """A regular expression for all paths that do not sign in; None if the product has no such request."""
    paths = [line.partition(" ")[2] for line in kit.signs_in]
    return f"^(?!.*(?:{'|'.join(paths)}))" if paths else None


def said(lab: Lab, name: str, body: Any, file: str, path: str | None) -> dict[str, Any]:
    """The result of the job at a server that always returns this, on paths that match `path`."""
    job = JOBS[name]
    prepared(job, lab, file)
    headers = {"Content-Type": "application/json"}
    lab.fault(KIT_OF[name].name, "status", path=path, status=200, times=0, body=body, headers=headers)
    return done(job, lab.details, file, clock=SkippingClock()).result


@pytest.mark.parametrize("body", FOREIGN)
@pytest.mark.parametrize("name", JOBS)
def test_json_of_another_server_is_not_taken_for_that_of_the_product(
    lab: Lab, tmp_path: Path, name: str, body: str
) -> None:
    file = str(tmp_path / "token.json")
    for path in dict.fromkeys((None, everything_but(KIT_OF[name]))):
        if path and (name, body) in POSSIBLE:
            continue

        result = said(lab, name, FOREIGN[body], file, path)

        assert result["failed"], (path, result)
        assert not result.get("verified")
        assert not result["changed"]
