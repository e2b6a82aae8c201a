# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With verify_max_age no product gets the request that verifies a token, as recorded by the lab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from products import JOBS
from support.in_process import done, operation_of, prepared

if TYPE_CHECKING:
    from lab.client import Lab

REUSING = [
    name
    for name, job in JOBS.items()
    if name.endswith(" reuses") and "verify_max_age" in operation_of(job.module).argument_spec.options
]


@pytest.mark.parametrize("name", REUSING)
def test_a_recent_stored_proof_replaces_the_verification_request(lab: Lab, tmp_path: Path, name: str) -> None:
    file = str(tmp_path / "token.json")
    prepared(JOBS[name], lab, file)

    found = done(JOBS[name], lab.details, file, verify_max_age=300)

    assert (found.result["action"], found.result["verified"]) == ("reused", True)
    assert lab.requests() == []


def test_several_products_are_tested() -> None:
    assert len(REUSING) > 1
