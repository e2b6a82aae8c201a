# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook that re-authenticates NSX service instances, with the real ansible-rulebook, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.checkout import built, installed
from support.rulebooks import SECONDS, Start

if TYPE_CHECKING:
    from lab.client import Lab

HOST = "127.0.0.1"
INSTANCES = [
    f"/infra/tier-0s/T0-main/locale-services/{service}/service-instances/partner-fw-{number:02d}"
    for service, number in (("default", 1), ("edge-east", 2), ("default", 4), ("edge-east", 5))
]
FIRST, SECOND = INSTANCES[:2]
NSX = "sddc.tokens.nsx_reauthenticate"
# The poll interval is short, so that unwanted runs would have happened.
QUICK = {"nsx_jwt_alarms_interval": 0.2, "nsx_jwt_alarms_max_interval": 0.4}
MINTED = "POST /csp/gateway/am/api/auth/api-tokens/authorize"


@pytest.fixture
def start(start_rulebook: Start) -> Start:
    def start(rulebook: str, *, variables: Any = None, **facts: Any) -> Any:
        return start_rulebook(rulebook, variables={**QUICK, **(variables or {})}, **facts)

    return start


@pytest.fixture
def quiet(lab: Lab) -> Lab:
    """A manager without an alarm."""
    lab.act("nsx", "clear_alarms", host=HOST)
    return lab


def raise_alarms(lab: Lab, *paths: str, **facts: Any) -> None:
    lab.act("nsx", "raise_alarms", host=HOST, paths=list(paths), **facts)


def healed(lab: Lab) -> bool:
    counts = lab.counts("nsx")
    return bool(counts["reauths"]) and counts["alarms"] == 0


def look_on(lab: Lab, looks: int = 5) -> None:
    """Wait until the source has polled a few more times."""
    lab.wait_for_requests(looks, "nsx", after=max((entry.number for entry in lab.requests("nsx")), default=0))


def posts(lab: Lab) -> list[str]:
    """The requests that changed something, in order."""
    return [entry.line for entry in lab.requests() if entry.method == "POST"]


def reauth(path: str) -> str:
    return f"POST /policy/api/v1{path}?action=reauth"


@pytest.mark.slow
def test_an_alarm_starts_one_run_that_clears_it_and_no_other(quiet: Lab, start: Start) -> None:
    with start(NSX) as rulebook:
        look_on(quiet)
        assert quiet.counts("nsx")["reauths"] == rulebook.plays == 0

        raise_alarms(quiet, FIRST)
        rulebook.until(lambda: healed(quiet), "the alarm is cleared")
        look_on(quiet)
        # Runs are sequential: another one for the first alarm would be before that for the second.
        raise_alarms(quiet, SECOND)
        rulebook.until(lambda: quiet.counts("nsx")["reauths"] == 2, "the second alarm is seen")
        rulebook.until(lambda: rulebook.recaps >= 2, "the second run is over")

        # The source has one access token, each run another.
        assert posts(quiet) == [MINTED, MINTED, reauth(FIRST), MINTED, reauth(SECOND)]
        assert rulebook.plays == 2
        assert rulebook.stop() == 0
        assert list(rulebook.temporary.iterdir()) == []
    assert rulebook.output.count("failed=0") == 2


@pytest.mark.slow
def test_alarms_raised_together_are_handled_one_after_the_other(quiet: Lab, start: Start) -> None:
    with start(NSX) as rulebook:
        look_on(quiet, 1)
        raise_alarms(quiet, *INSTANCES)
        rulebook.until(lambda: rulebook.recaps >= len(INSTANCES), "a run for each instance")
        look_on(quiet)

        healing = posts(quiet)[1:]
        assert healing[::2] == [MINTED] * len(INSTANCES)
        assert sorted(healing[1::2]) == sorted(reauth(path) for path in INSTANCES)
        assert healed(quiet)


@pytest.mark.slow
def test_two_alarms_on_one_instance_take_one_reauthentication(quiet: Lab, start: Start) -> None:
    with start(NSX) as rulebook:
        look_on(quiet, 1)
        raise_alarms(quiet, FIRST)
        raise_alarms(quiet, FIRST, text="The JWT of the service manager is too old.")
        rulebook.until(lambda: rulebook.recaps >= 2, "a run for each alarm")

        assert [line for line in posts(quiet) if line != MINTED] == [reauth(FIRST)]
        assert healed(quiet)


@pytest.mark.slow
def test_an_alarm_that_is_raised_again_is_handled_again(quiet: Lab, start: Start) -> None:
    with start(NSX) as rulebook:
        for reauths in (1, 2):
            raise_alarms(quiet, FIRST)
            rulebook.until(lambda reauths=reauths: quiet.counts("nsx").get("reauths") == reauths, f"healing {reauths}")
            rulebook.until(lambda: healed(quiet), "the alarm is cleared")
            # A run that still waits would take the next alarm for the one that it has just cleared.
            rulebook.until(lambda reauths=reauths: rulebook.recaps >= reauths, f"run {reauths}")
            look_on(quiet)

        assert quiet.counts("nsx")["reauths"] == 2


@pytest.mark.slow
def test_a_failed_reauthentication_is_tried_again_later(quiet: Lab, start: Start) -> None:
    quiet.fault("nsx", "status", method="POST", path="action=reauth", status=500)

    with start(NSX, variables={"nsx_jwt_alarms_repeat_after": 3}) as rulebook:
        raise_alarms(quiet, FIRST)
        rulebook.until(lambda: healed(quiet), "the alarm is cleared")
        rulebook.until(lambda: rulebook.recaps >= 2, "a second run")

    assert "failed=1" in rulebook.output
    assert quiet.counts("nsx")["reauths"] == 1


@pytest.mark.slow
def test_a_manager_that_becomes_reachable_is_handled_at_the_start_or_later(quiet: Lab, start: Start) -> None:
    quiet.fault("nsx", "drop_before", times=0)

    with start(NSX) as rulebook:
        rulebook.until_said("Retrying, with pauses")
        look_on(quiet)
        quiet.clear_faults()
        rulebook.until_said("It works again")

        quiet.fault("nsx", "drop_before", times=0)
        rulebook.until(lambda: rulebook.output.count("Retrying, with pauses") == 2, "it says that it fails once more")
        raise_alarms(quiet, FIRST)
        look_on(quiet)
        assert rulebook.plays == 0
        quiet.clear_faults()
        rulebook.until(lambda: healed(quiet), "the alarm is cleared")

    assert rulebook.output.count("sddc.tokens.nsx_jwt_alarms - WARNING") == 4
    assert rulebook.output.count("WARNING - Could not read the alarms") == 2
    assert "Traceback" not in rulebook.output


@pytest.mark.slow
def test_no_secret_is_shown_at_the_highest_verbosity(quiet: Lab, start: Start) -> None:
    """The check is the same in every run. This one has the most output."""
    raise_alarms(quiet, FIRST)

    with start(NSX, arguments=["-vv"]) as rulebook:
        rulebook.until(lambda: healed(quiet), "the alarm is cleared")
        rulebook.until_said("PLAY RECAP")

    assert "DEBUG" in rulebook.output


@pytest.mark.slow
def test_a_session_is_closed_when_the_rulebook_stops(quiet: Lab, start: Start, tmp_path: Path) -> None:
    source = {"username": quiet["nsx"]["username"], "use_session": True, "interval": 0.2}
    ruleset = {
        "name": "Alarms",
        "hosts": "all",
        "sources": [{"sddc.tokens.nsx_jwt_alarms": source}],
        "rules": [{"name": "Say it", "condition": "event.nsx_jwt_alarm is defined", "action": {"debug": None}}],
    }
    path = tmp_path / "sessions.yml"
    path.write_text(yaml.safe_dump([ruleset]))
    environ = {
        "SSL_CERT_FILE": quiet.ca_path,
        "NSXT_MANAGER_HOST": quiet["nsx"]["url"],
        "NSXT_PASSWORD": quiet["nsx"]["password"],
    }

    with start(str(path), environ=environ) as rulebook:
        look_on(quiet)
        assert quiet.counts("nsx")["sessions_open"] == 1
        assert rulebook.stop() == 0

    assert quiet.counts("nsx")["sessions_open"] == 0


@pytest.mark.slow
def test_a_running_playbook_is_ended_with_the_rulebook(quiet: Lab, start: Start) -> None:
    """Everything but the task: ansible-core starts it in a session of its own, so that it runs to its end."""
    quiet.change_settings("nsx", alarm_clear_delay=-1)
    raise_alarms(quiet, FIRST)

    with start(NSX) as rulebook:
        rulebook.until(lambda: quiet.counts("nsx")["reauths"], "a re-authentication")
        rulebook.until_said("waiting for the alarms")
        assert rulebook.stop() == 0

        assert list(rulebook.temporary.iterdir()) == []
        quiet.act("nsx", "clear_alarms", host=HOST)
        rulebook.wait_for_processes()


@pytest.mark.slow
def test_invalid_arguments_stop_the_source_with_a_reason(start: Start, lab: Lab) -> None:
    with start(NSX, environ={"CSP_API_TOKEN": lab["csp"]["api_token"]}) as rulebook:
        assert rulebook.process.wait(SECONDS) != 0

    assert "missing required arguments: hostname" in rulebook.output


@pytest.mark.slow
def test_the_rulebook_of_an_installed_collection_clears_an_alarm(quiet: Lab, start: Start, tmp_path: Path) -> None:
    """Built, installed below a path of its own, and found without any path of Python."""
    collections = tmp_path / "collections"
    folder = installed(built(tmp_path), collections)
    raise_alarms(quiet, FIRST)

    with start(NSX, collections=collections) as rulebook:
        rulebook.until(lambda: healed(quiet), "the alarm is cleared")

    assert f"{folder}/extensions/eda/rulebooks" in rulebook.output
