# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name or a filter that fits nothing is a warning, or an error, that says what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from products.avi import INFO, avi, engine
from products.nsx import INSTANCE, instances
from support.canary_plays import GENERATED
from support.in_process_plays import InProcess
from support.playbooks import module
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab


def test_a_filter_of_service_instances_that_fits_none_warns_and_names_those_that_exist(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        instances("by_service", alarms=False, locale_service_id="defalt"),
        instances("by_instance", alarms=False, **{**INSTANCE, "service_instance_id": "partner-fw-99"}),
        failing(instances("by_gateway", alarms=False, tier0_id="no-such-gateway")),
        instances("every", alarms=False),
        instances("one", alarms=False, **INSTANCE),
    ]

    run = succeeded(in_process.play(tasks))

    (by_service,), (by_instance,) = run["by_service"]["warnings"], run["by_instance"]["warnings"]
    assert "locale_service_id 'defalt'" in by_service
    assert "(found: default, edge-east)" in by_service
    assert "service_instance_id 'partner-fw-99'" in by_instance
    assert "(found: partner-fw-01, " in by_instance
    assert len(by_instance) < 500
    assert run["by_gateway"]["failed"]
    assert "warnings" not in run["every"]
    assert "warnings" not in run["one"]


def test_a_secure_channel_token_that_does_not_exist_warns_and_names_those_that_a_person_named(
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


def test_a_folder_without_a_token_file_warns_and_names_what_is_in_it(in_process: InProcess) -> None:
    for number in range(30):
        (in_process.folder / f"token-{number:02d}.jsn").touch()

    run = succeeded(in_process.play([module("token_file_info", "info", paths=["{{ playbook_dir }}"])]))

    (warning,) = run["info"]["warnings"]
    assert "token-00.jsn, " in warning
    assert "and 20 more" in warning
    assert run["info"]["token_files"] == []
