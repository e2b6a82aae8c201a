# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NSX texts in alarms, ids and attributes are returned without secrets, on one line, and shortened."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.plugins.module_utils._core.redaction import LONGEST_TEXT
from ansible_collections.sddc.tokens.plugins.module_utils._core.runtime import Runtime
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK
from ansible_collections.sddc.tokens.plugins.module_utils._operations.base import Operation
from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_instance_info import (
    NsxServiceInstanceInfo,
)
from ansible_collections.sddc.tokens.plugins.module_utils._operations.nsx_service_reauth import NsxServiceReauth
from ansible_collections.sddc.tokens.plugins.module_utils._runner.execution import execute
from ansible_collections.sddc.tokens.plugins.module_utils._runner.validation import Validated
from support.canaries import leaks

if TYPE_CHECKING:
    from lab.client import Lab

PATH = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"
GATEWAYS = r"/infra/tier-0s\b(?!/)"
ALARMS = r"/realized-state/alarms"
HOSTILE = "\x1b[2J\x9b31m\u202e"


def run(operation: type[Operation], lab: Lab, **options: Any) -> dict[str, Any]:
    user = {name: lab["nsx"][name] for name in ("username", "password")}
    validated = Validated(operation, {"hostname": lab["nsx"]["url"], "ca_path": lab.ca_path, **user, **options})
    assert validated.error is None
    return execute(operation, validated.params, Runtime())


def say(lab: Lab, path: str, *items: dict[str, Any]) -> None:
    """The objects that the manager lists from now on."""
    body = {"results": list(items), "result_count": len(items)}
    lab.fault("nsx", "status", method="GET", path=path, status=200, times=0, body=body)


def reauth(lab: Lab, **options: Any) -> dict[str, Any]:
    tokens = {"access_token": "Zq7wX2Bk9-access", "open_id_token": "Zq7wX2Bk9-open-id"}
    return run(NsxServiceReauth, lab, service_instances=[PATH], **tokens, **options)


def alarm(text: str) -> dict[str, Any]:
    return {"message": text, "source_reference": PATH}


def assert_clean(result: dict[str, Any], *secrets: str) -> None:
    shown = str([*result.get("instances", ()), *result.get("service_instances", ())]), *result["warnings"]
    for text in (*shown, result.get("msg", "")):
        assert leaks({"text": text}, secrets) == []
        assert not [character for character in "\x1b\x9b\u202e" if character in text or ascii(character)[1:-1] in text]
    assert MASK in "".join((*shown, result.get("msg", "")))


def test_a_secret_in_an_alarm_is_redacted_in_results_and_warnings(lab: Lab) -> None:
    password = lab["nsx"]["password"]
    say(lab, ALARMS, alarm(f"JWT{HOSTILE} of {password}, Zq7wX2Bk9-open-id\nhas expired" + "x" * 10**6))

    listed = run(NsxServiceInstanceInfo, lab)
    matched = reauth(lab, wait=False)
    warned = reauth(lab, alarm_pattern="something else")

    for result in (listed, matched, warned):
        assert_clean(result, password)
    for result in (matched, warned):
        assert_clean(result, "Zq7wX2Bk9-open-id")
    texts = [text for entry in (*listed["service_instances"], *matched["instances"]) for text in entry["alarms"]]
    assert texts
    assert max(map(len, texts)) <= LONGEST_TEXT + len(" ...")
    assert "is about the token, change alarm_pattern" in warned["warnings"][0]


def test_a_warning_quotes_a_limited_number_of_alarms(lab: Lab) -> None:
    say(lab, ALARMS, *[alarm(f"alarm number {number}, {'x' * 1000}") for number in range(50)])

    (warning,) = reauth(lab, alarm_pattern="something else")["warnings"]

    assert "alarm number 4" in warning
    assert "and 45 more" in warning
    assert len(warning) < 3000


def test_a_secret_in_an_id_is_redacted_in_errors(lab: Lab) -> None:
    password = lab["nsx"]["password"]
    say(lab, GATEWAYS, {"id": f"{HOSTILE}{password}{'x' * 3000}"})

    result = run(NsxServiceInstanceInfo, lab, alarms=False)

    assert result["msg"].startswith("Could not list the locale services of ")
    assert len(result["msg"]) < 1000
    assert_clean(result, password)


def test_attributes_are_redacted_in_name_and_value(lab: Lab) -> None:
    password = lab["nsx"]["password"]
    # An undocumented field is not returned at all.
    attribute = {f"{HOSTILE}{password}": password, "key": f"{HOSTILE}{password}", "value": [password, {"a": HOSTILE}]}
    instance = {"id": "a", "path": PATH, "attributes": [attribute]}
    say(lab, GATEWAYS, {"id": "T0-main"})
    say(lab, r"/locale-services\b(?!/)", {"id": "default"})
    say(lab, r"/service-instances\b(?!/)", instance)

    result = run(NsxServiceInstanceInfo, lab, alarms=False)

    assert len(result["service_instances"]) == 1
    assert_clean(result, password)


@pytest.mark.parametrize("text", ["a", "4d", "&amp;"])
def test_the_work_on_an_alarm_is_bounded_whatever_its_length(lab: Lab, text: str) -> None:
    def seconds(length: int) -> float:
        lab.clear_faults()
        say(lab, ALARMS, alarm(text * (length // len(text))))
        taken = []
        for _try in range(3):
            start = time.thread_time()
            result = reauth(lab, alarm_pattern="something else")
            taken.append(time.thread_time() - start)
            assert result["action"] == "none"
        return min(taken)

    # The longer one is read and parsed, which takes some time by itself.
    assert seconds(400_000) < 4 * seconds(40_000)
