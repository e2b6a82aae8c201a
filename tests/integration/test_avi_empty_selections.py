# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name or a filter that matches nothing in Avi is a warning, or an error, that lists the existing names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from products.avi import INFO, avi, engine
from support.canary_plays import GENERATED
from support.in_process_plays import InProcess
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab


def test_a_missing_secure_channel_token_is_a_warning_that_lists_the_readable_names(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        avi(name="se-01"),
        avi(name=GENERATED),
        avi("by_name", of=INFO, name="se-1"),
        avi("by_uuid", of=INFO, uuid="nothing-of-this-uuid"),
        avi("every", of=INFO),
        failing(engine("no_cloud", cloud="Defalt-Cloud")),
    ]

    run = succeeded(in_process.play(tasks))

    for name, option in (("by_name", "name"), ("by_uuid", "uuid")):
        (warning,) = run[name]["warnings"]
        assert f"Check {option} and tenant (found: se-01)." in warning
        assert GENERATED not in warning
        assert run[name]["securechanneltokens"] == []
    assert "warnings" not in run["every"]
    assert "(found: Default-Cloud, Lab-Cloud)" in run["no_cloud"]["msg"]
