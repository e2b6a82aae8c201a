# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alarms that nsx_service_reauth reads: which of them match, how they are read, and how they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from products.csp import csp
from products.nsx import BY_CSP, POLICY, nsx, path_of
from support.in_process_plays import InProcess
from support.playbooks import Ansible, Run
from support.tasks import by_task, change_settings, checked, end_tokens, failing, lines, said, says, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

ALARMS = f"GET {POLICY}/infra/realized-state/alarms?page_size=1000"
HOST = "127.0.0.1"
JWT_ALARM = path_of("T0-main", "default", "partner-fw-01")
DETAILED_ALARM = path_of("T0-main", "edge-east", "partner-fw-02")
OTHER_ALARM = path_of("T0-lab", "default", "partner-fw-03")
NO_ALARM = path_of("T0-main", "default", "partner-fw-04")
IDS = {"tier0_id": "T0-main", "locale_service_id": "default", "service_instance_id": "partner-fw-01"}


def reauth(path: str, base: str = "") -> str:
    return f"POST {base}{POLICY}{quote(path)}?action=reauth"


def listing(tier0: str, locale_service: str) -> str:
    """The request that checks whether instances exist."""
    return f"GET {POLICY}/infra/tier-0s/{tier0}/locale-services/{locale_service}/service-instances?page_size=1000"


def instance(run: Run, name: str, path: str) -> dict[str, Any]:
    (found,) = [item for item in run[name]["instances"] if item["path"] == path]
    return dict(found)


def test_alarms_are_matched_by_intent_path_and_details_and_unmatched_ones_are_quoted(
    in_process: InProcess, lab: Lab
) -> None:
    tasks = [
        csp("csp"),
        nsx("acted", service_instances=[OTHER_ALARM, DETAILED_ALARM, NO_ALARM], wait=False),
        nsx("own_pattern", service_instances=[OTHER_ALARM], alarm_pattern="VM .* is down", wait=False),
        failing(nsx("in_vain", service_instances=[OTHER_ALARM], alarm_pattern="is down", wait_timeout=0.6)),
        failing(nsx("bad_pattern", **IDS, alarm_pattern="(")),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, "nsx", "acted", "own_pattern", "in_vain")
    assert lines(cut["acted"]) == [
        ALARMS,
        listing("T0-lab", "default"),
        listing("T0-main", "default"),
        reauth(DETAILED_ALARM),
    ]
    assert lines(cut["own_pattern"]) == [ALARMS, reauth(OTHER_ALARM)]
    assert instance(run, "acted", DETAILED_ALARM)["reauthenticated"]
    assert "JWT expired" in instance(run, "acted", DETAILED_ALARM)["alarms"][0]
    assert instance(run, "acted", NO_ALARM) == {
        "path": NO_ALARM,
        "reauthenticated": False,
        "reason": "no_matching_alarm",
        "alarms": [],
        "error": None,
    }
    unmatched = f"{OTHER_ALARM} has alarms that do not match alarm_pattern: 'Service VM of the partner service is"
    assert says(run, unmatched)
    assert "change alarm_pattern or set force: true" in said(run)
    assert (run["in_vain"]["failed"], run["in_vain"]["changed"]) == (True, True)
    assert "the alarm is still raised 0.6 s after the re-authentication" in run["in_vain"]["msg"]
    assert "Raise wait_timeout" in run["in_vain"]["msg"]
    assert "alarm_pattern is not a valid regular expression" in run["bad_pattern"]["msg"]


def test_the_vmc_proxy_is_named_where_it_has_no_alarm_api_and_force_works_there(
    in_process: InProcess, lab: Lab
) -> None:
    proxy = {"hostname": "{{ lab.nsx.proxy_url }}", **IDS}
    tasks = [
        csp("csp"),
        failing(nsx("without", **proxy)),
        nsx("forced", **proxy, force=True, csp_auth_token_header=True),
        change_settings("nsx", unknown_path_status=400, alarm_api=False),
        failing(nsx("invalid_path", **IDS)),
    ]

    run = succeeded(in_process.play(tasks))

    base = lab["nsx"]["proxy_url"].removeprefix(lab["nsx"]["url"])
    cut = by_task(run, lab, "nsx", "without", "forced", "invalid_path")
    assert lines(cut["without"]) == [f"GET {base}{ALARMS.removeprefix('GET ')}"]
    assert lines(cut["forced"]) == [reauth(JWT_ALARM, base)], "with force no alarm is read"
    assert cut["forced"][0].header("csp-auth-token") == run["csp"]["token"]
    for name in ("without", "invalid_path"):
        message = run[name]["msg"]
        assert message.startswith("Could not read the alarms on 127.0.0.1:"), message
        assert "no alarm API" in message
        assert "force: true" in message
    assert (run["forced"]["changed"], run["forced"]["instances"][0]["reason"]) == (True, "force")
    assert lab.counts("nsx")["reauths"] == 1


def test_alarms_are_read_with_user_and_password_if_given_and_refused_tokens_are_named(
    in_process: InProcess, lab: Lab
) -> None:
    user = {"username": "{{ lab.nsx.username }}", "password": "{{ lab.nsx.password }}"}
    tasks = [
        csp("csp"),
        nsx("by_user", **IDS, **user, wait=False),
        failing(nsx("wrong_user", **IDS, **{**user, "password": "wrong"})),
        end_tokens("expired", "csp"),
        failing(nsx("expired", **IDS)),
        failing(nsx("expired_later", service_instances=[DETAILED_ALARM], **user)),
        change_settings("nsx", jwt_refused_status=403),
        failing(nsx("expired_older", **IDS, force=True)),
        failing(nsx("half", **{key: IDS[key] for key in ("tier0_id", "service_instance_id")})),
        failing(nsx("no_ids")),
        failing(nsx("no_path", service_instances=["/infra/tier-0s/T0-main"])),
        failing(nsx("dots", **{**IDS, "service_instance_id": ".."}, force=True)),
    ]

    run = succeeded(in_process.play(tasks))

    names = ["by_user", "wrong_user", "expired", "expired_later", "expired_older"]
    cut = by_task(run, lab, "nsx", *names)
    assert [[entry.method for entry in cut[name]] for name in names] == [
        ["GET", "POST"],
        ["GET"],
        ["GET"],
        ["GET", "POST"],
        ["POST"],
    ]
    read, acted = cut["by_user"]
    assert str(read.header("Authorization")).startswith("Basic ")
    assert acted.header("Authorization") == f"Bearer {run['csp']['token']}"
    assert "returned status 403" in run["wrong_user"]["msg"]
    assert "username and password" in run["wrong_user"]["msg"]
    assert "returned status 401" in run["expired"]["msg"]
    assert "Check the access token" in run["expired"]["msg"]
    for name, status in (("expired_later", 401), ("expired_older", 403)):
        message = run[name]["msg"]
        assert message.startswith("Could not re-authenticate /infra/tier-0s/"), message
        assert f"returned status {status}" in message
        assert "JWT token has expired" in message
        assert "may have expired" in message
        assert "Get a new access token" in message
    assert "locale_service_id" in run["half"]["msg"]
    assert "service_instance_id, or service_instances" in run["no_ids"]["msg"]
    assert "number 1 does not name a service instance" in run["no_path"]["msg"]
    assert "the option service_instance_id cannot be '..'" in run["dots"]["msg"].lower()


def test_an_alarm_beyond_the_first_page_is_found_with_each_form_of_the_last_page(
    in_process: InProcess, lab: Lab
) -> None:
    lab.act("nsx", "clear_alarms", host=HOST)
    lab.act("nsx", "raise_alarms", host=HOST, paths=[OTHER_ALARM] * 1000, text="Something else.")
    lab.act("nsx", "raise_alarms", host=HOST, paths=[JWT_ALARM])
    tasks = [
        csp("csp"),
        checked(nsx("predicted", **IDS)),
        change_settings("nsx", last_cursor="zeros"),
        nsx("acted", **IDS, wait=False),
    ]

    run = succeeded(in_process.play(tasks))

    *pages, post = lab.requests("nsx")
    assert [entry.parameters.keys() for entry in pages] == [{"page_size"}, {"page_size", "cursor"}] * 2
    assert post.line == reauth(JWT_ALARM)
    assert run["predicted"]["action"] == run["acted"]["action"] == "reauthenticated"


def test_the_text_of_an_alarm_neither_controls_the_terminal_nor_is_a_template(ansible: Ansible, lab: Lab) -> None:
    text = "out of order \x1b[2J\x1b]0;owned\x07 \x9b31m \u202edesrever {{ 7000 * 7 }}"
    lab.act("nsx", "raise_alarms", host="127.0.0.1", paths=[JWT_ALARM], text=text)

    run = succeeded(ansible.play([nsx("warned", **BY_CSP, **IDS, alarm_pattern="no such alarm")], arguments=["-v"]))

    assert "owned" in run.output.split("Task warned")[1], "the alarm is quoted in a warning"
    assert not [character for character in run.output if not character.isprintable() and not character.isspace()]
    assert "49000" not in run.output
