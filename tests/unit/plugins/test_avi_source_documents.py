# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request, response and error example of the vendor's page with which the project began, as data.

The page: Avi "POST /securechanneltoken".
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from products.avi import MODULE, SERVER
from support.in_process import done
from support.kit import Job

if TYPE_CHECKING:
    from lab.client import Lab

OBJECT = {
    "_last_modified": "string",
    "expiry_time": "number",
    "in_use": False,
    "metadata": [{"key": "string", "val": "string"}],
    "name": "string",
    "url": "string",
    "uuid": "string",
}


def keep(lab: Lab, **options: Any) -> dict[str, Any]:
    job = Job(MODULE, lambda details, _file: {**SERVER.options(details), "name": OBJECT["name"], "retries": 0})
    return done(job, lab.details, **options).result


def test_the_example_object_is_created_found_and_compared(lab: Lab) -> None:
    options = {"metadata": OBJECT["metadata"], "expiry_time": time.time() + 3600}

    first, second = (keep(lab, **options) for _time in range(2))

    (created,) = [request for request in lab.requests("avi") if request.line == "POST /api/securechanneltoken"]
    assert json.loads(created.body) == {
        "name": "string",
        "metadata": [{"key": "string", "val": "string"}],
        "expiry_time": options["expiry_time"],
    }
    assert created.header("X-Avi-Version") == lab["avi"]["api_version"]
    assert created.header("X-CSRFToken")
    assert (first["action"], second["action"]) == ("created", "none")
    assert set(OBJECT) - {"expiry_time", "_last_modified"} <= set(first)


def test_an_object_of_the_example_is_read_although_its_numbers_are_strings(lab: Lab) -> None:
    body = {"count": 1, "results": [OBJECT]}
    lab.fault("avi", "status", method="GET", path="/securechanneltoken", status=200, body=body)

    result = keep(lab)

    assert (result["changed"], result["expires_at"]) == (False, None)
    assert result["metadata"] == {"string": "string"}


def test_a_failed_log_in_is_reported(lab: Lab) -> None:
    result = keep(lab, password="wrong")

    assert "the server returned status 401" in result["msg"]
    assert "Check username and password" in result["msg"]
