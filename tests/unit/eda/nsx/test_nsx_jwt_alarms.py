# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source nsx_jwt_alarms: which events it sends, which it does not, and what it refuses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.sddc.tokens.extensions.eda.plugins.event_source.nsx_jwt_alarms import main
from ansible_collections.sddc.tokens.extensions.eda.plugins.plugin_utils.polling import InvalidArguments
from ansible_collections.sddc.tokens.plugins.module_utils._core.errors import InvalidOption
from ansible_collections.sddc.tokens.plugins.module_utils._core.redaction import LONGEST_TEXT
from ansible_collections.sddc.tokens.plugins.module_utils._core.secret import MASK
from support.canaries import leaks

if TYPE_CHECKING:
    from conftest import StartSource
    from lab.client import Lab

Looks = Callable[[int], None]
Log = Callable[[], list[str]]

HOST = "127.0.0.1"
INSTANCES = "/infra/tier-0s/T0-main/locale-services/{}/service-instances/partner-fw-{}"
FIRST, SECOND = INSTANCES.format("default", "01"), INSTANCES.format("edge-east", "02")
ALARMS = r"/realized-state/alarms"


def raise_alarm(lab: Lab, path: str, **facts: Any) -> None:
    lab.act("nsx", "raise_alarms", host=HOST, paths=[path], **facts)


def instances(events: list[dict[str, Any]]) -> list[str]:
    return [event["nsx_jwt_alarm"]["service_instance"] for event in events]


# --- events --------------------------------------------------------------------------------------------------------


def test_each_alarm_about_a_jwt_is_one_event_and_other_alarms_are_none(
    lab: Lab, start: StartSource, with_password: dict[str, Any], looks: Looks
) -> None:
    source = start(main, **with_password)

    looks(3)

    assert sorted(instances(source.seen)) == [FIRST, SECOND]


def test_an_event_names_the_instance_and_the_alarm(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], pauses: Any
) -> None:
    raise_alarm(quiet, SECOND, text="The JWT is too old.")

    event = start(main, **with_password).event()

    assert event == {
        "nsx_jwt_alarm": {
            "hostname": quiet["nsx"]["url"],
            "service_instance": SECOND,
            "tier0_id": "T0-main",
            "locale_service_id": "edge-east",
            "service_instance_id": "partner-fw-02",
            "alarm": "The JWT is too old. See message.",
        }
    }


def test_a_persisting_alarm_is_no_new_event_and_one_that_is_raised_again_is(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], looks: Looks
) -> None:
    source = start(main, **with_password)
    looks(2)

    raise_alarm(quiet, FIRST)
    source.event()
    looks(4)
    assert source.is_silent()

    quiet.act("nsx", "clear_alarms", host=HOST)
    looks(2)
    assert source.is_silent()

    raise_alarm(quiet, FIRST)
    source.event()
    looks(3)
    assert instances(source.seen) == [FIRST, FIRST]


def test_two_alarms_on_one_instance_are_two_events(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], looks: Looks
) -> None:
    raise_alarm(quiet, FIRST)
    raise_alarm(quiet, FIRST, text="The JWT is too old.")

    source = start(main, **with_password)
    looks(3)

    assert len({event["nsx_jwt_alarm"]["alarm"] for event in source.seen}) == len(source.seen) == 2


def test_a_persisting_alarm_is_repeated_if_requested(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], pauses: Any
) -> None:
    raise_alarm(quiet, FIRST)
    started = time.monotonic()

    source = start(main, **with_password, repeat_after=0.3)

    assert instances([source.event() for _number in range(3)]) == [FIRST] * 3
    assert time.monotonic() - started >= 0.6


def test_the_pattern_decides_which_alarms_become_events(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], looks: Looks
) -> None:
    raise_alarm(quiet, FIRST)
    raise_alarm(quiet, SECOND, text="The provider refused the ticket.")

    source = start(main, **with_password, alarm_pattern="ticket$|refused")
    looks(2)

    assert instances(source.seen) == [SECOND]


def test_an_alarm_that_quotes_a_token_is_reported_without_it(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], pauses: Any
) -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwYXJ0bmVyIn0.c2lnbmF0dXJl"
    raise_alarm(quiet, FIRST, text=f"The JWT {token} has expired.")

    event = start(main, **with_password).event()

    assert event["nsx_jwt_alarm"]["alarm"].startswith("The JWT ******** has expired.")


def test_manager_and_credentials_default_to_the_environment_variables_of_the_modules(
    quiet: Lab, start: StartSource, monkeypatch: pytest.MonkeyPatch, pauses: Any
) -> None:
    raise_alarm(quiet, FIRST)
    monkeypatch.setenv("NSXT_MANAGER_HOST", quiet["nsx"]["url"])
    monkeypatch.setenv("CSP_HOST", quiet["csp"]["url"])
    monkeypatch.setenv("CSP_API_TOKEN", quiet["csp"]["api_token"])
    monkeypatch.setenv("NSXT_USERNAME", "")

    assert start(main, ca_path=quiet.ca_path).event()
    assert quiet.requests("nsx")[0].header("Authorization").startswith("Bearer ")  # type: ignore[union-attr]


# --- invalid arguments ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"hostname": ""}, "hostname"),
        ({"no_such_option": 1}, "no_such_option"),
        ({"interval": 0}, "interval"),
        ({"interval": "often"}, "interval"),
        ({"repeat_after": -1}, "repeat_after"),
        ({"alarm_pattern": "("}, "alarm_pattern"),
        ({"hostname": "http://nsx.example.com"}, "https"),
        ({"username": "", "password": ""}, "username"),
        ({"password": ""}, "password"),
        ({"ca_path": "/no/such/file"}, "ca_path"),
    ],
)
def test_invalid_arguments_are_refused_at_the_start_with_a_reason(
    start: StartSource, with_password: dict[str, Any], args: dict[str, Any], reason: str
) -> None:
    source = start(main, **{**with_password, **args})

    source.join()

    assert isinstance(source.error, (InvalidArguments, InvalidOption))
    assert reason in str(source.error)
    assert with_password["password"] not in str(source.error)


def test_arguments_added_by_ansible_rulebook_are_not_options(start: StartSource, with_password: dict[str, Any]) -> None:
    assert start(main, **with_password, feedback=True, eda_feedback_queue=object()).event()


def test_an_event_and_a_logged_error_hold_neither_secrets_nor_control_characters(
    quiet: Lab, start: StartSource, with_password: dict[str, Any], looks: Looks, log: Log
) -> None:
    password = quiet["nsx"]["password"]
    raise_alarm(quiet, SECOND, text=f"\x1b[2JThe JWT of {password} is too old." + "x" * 10**5)
    source = start(main, **with_password)

    alarm = source.event()["nsx_jwt_alarm"]["alarm"]
    quiet.fault("nsx", "status", path=ALARMS, times=0, status=400, body={"error_message": f"\x1b[2J{password}"})
    looks(2)

    assert alarm.startswith(f"[2JThe JWT of {MASK} is too old.")
    assert len(alarm) <= LONGEST_TEXT + len(" ...")
    assert leaks({"log": "\n".join(log())}, [password]) == []
    assert "\x1b" not in "".join(log())
    assert MASK in "".join(log())
