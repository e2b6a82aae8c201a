# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many re-authentications in one task, compared with the same requests made with only `requests` and threads.

The duration is taken from the lab's log, from the first request to the last response, so that no start counts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from measuring import Cost, Costs, measured
from results import Result
from scenarios import BARE, IN_PROCESS, Target

if TYPE_CHECKING:
    from lab.client import Lab
    from playing import Controller

NUMBER = 500
CONCURRENCY = 4
REAUTHENTICATIONS = f"{NUMBER} re-authentications in one task"
_TASK = {
    "name": "Re-authenticate",
    "sddc.tokens.nsx_service_reauth": {
        "hostname": "{{ url }}",
        "access_token": "{{ access_token }}",
        "open_id_token": "{{ open_id_token }}",
        "service_instances": "{{ paths }}",
        "force": True,
        "concurrency": CONCURRENCY,
    },
}


def measure_reauthentications(controller: Controller, rounds: int) -> Result:
    """Run both alternately."""
    print(f"\n{REAUTHENTICATIONS}", flush=True)
    lab = controller.lab
    lab.change_settings("nsx", rate_limit=0, concurrency_limit=0)
    paths = lab.act("nsx", "add_service_instances", host="127.0.0.1", ids=[f"instance-{n}" for n in range(NUMBER)])
    access_token, open_id_token = _tokens(controller)
    work = {"url": lab["nsx"]["url"], "paths": paths, "access_token": access_token, "open_id_token": open_id_token}
    controller.write("bare.json", {**work, "concurrency": CONCURRENCY})
    controller.write("inventory.json", {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}, "vars": work}})
    controller.write("play.json", [{"hosts": "all", "gather_facts": False, "tasks": [_TASK]}])
    bare = [sys.executable, str(Path(__file__).with_name("nsx_bare_requests.py")), "bare.json"]
    contestants: dict[str, Callable[[], Cost]] = {
        BARE: lambda: measured(bare, controller.folder, controller.environ),
        IN_PROCESS: controller.measured_play,
    }
    costs = {name: Costs() for name in contestants}
    for _round in range(rounds):
        for name, play in contestants.items():
            cost = _as_the_lab_saw_it(lab, play)
            costs[name].runs.append(cost)
            print(f"  {name:<14} {cost.wall:7.2f} s wall  {cost.cpu:7.2f} s CPU", flush=True)
    return Result(REAUTHENTICATIONS, costs, [Target(IN_PROCESS, BARE, 1.3)])


def _as_the_lab_saw_it(lab: Lab, play: Callable[[], Cost]) -> Cost:
    """The cost of a run, with the wall clock of the requests alone. Exit if not all were carried out."""
    lab.clear_requests()
    cost = play()
    posts = [request for request in lab.requests("nsx") if request.method == "POST" and request.status == 200]
    if len(posts) != NUMBER:
        raise SystemExit(f"{len(posts)} of {NUMBER} instances were re-authenticated")
    wall = max(post.time + post.seconds for post in posts) - min(post.time for post in posts)
    return Cost(wall, cost.cpu, cost.memory)


def _tokens(controller: Controller) -> tuple[str, str]:
    """An access token and its OpenID token."""
    csp = controller.lab["csp"]
    response = requests.post(
        f"{csp['url']}/csp/gateway/am/api/auth/api-tokens/authorize",
        data={"api_token": csp["api_token"]},
        verify=controller.lab.ca_path,
        timeout=30,
    )
    response.raise_for_status()
    return response.json()["access_token"], response.json()["id_token"]
