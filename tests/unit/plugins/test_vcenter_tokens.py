# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of the identity broker that require no registration with vCenter, in a list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from products.vcenter import SERVER
from support.in_process import done
from support.kit import Job

if TYPE_CHECKING:
    from lab.client import Lab


def test_a_renewal_without_a_registration_is_a_change(lab: Lab, tmp_path: Path) -> None:
    client = {f"vidb_{name}": lab["vidb"][name] for name in ("client_id", "client_secret")}
    entry = {
        "product": "vcenter",
        **SERVER.options(lab.details),
        "vidb_hostname": lab["vidb"]["url"],
        **client,
        "token_file": str(tmp_path / "vcenter.json"),
    }
    keep = Job("token_set", lambda _details, _file: {"tokens": [entry]})

    first, second = (done(keep, lab.details).result for _run in range(2))
    third = done(keep, lab.details, min_remaining=10**6).result

    assert [run["tokens"][0]["action"] for run in (first, second, third)] == ["created", "none", "none"]
    assert [run["changed"] for run in (first, second, third)] == [True, False, False]
