# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play in the process of the test registers what ansible-playbook registers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.in_process_plays import InProcess
from support.playbooks import Ansible, Run
from support.tasks import act, change_settings, checked, csp, failing, nsx, said, vrni

if TYPE_CHECKING:
    from lab.client import Lab

FILE = "{{ playbook_dir }}/token.json"
# What differs from token to token, and what the core adds.
VOLATILE = {"token", "id_token", "headers", "fingerprint", "issued_at", "expires_at", "expires_in", "diff", "exception"}
TASKS = [
    vrni("created", token_file=FILE),
    vrni("given", token="{{ created.token }}"),
    checked(vrni("predicted", token_file=FILE, renew="always")),
    failing(vrni("refused", password="wrong-{{ lab.vrni.password }}", username="{{ omit }}", vidm_token="x")),
    failing(vrni("unauthorized", password="wrong-{{ lab.vrni.password }}")),
    {**act("nsx", "add_service_instances", host="127.0.0.1", ids=["one"]), "register": "added"},
    csp("csp") | {"environment": {"CSP_HOST": "https://not-used.example.com"}},
    change_settings("nsx", alarm_clear_delay=0),
    nsx("acted", service_instances="{{ added.json.result }}", force=True),
    csp("stopped", hostname="127.0.0.1:1", retries=0),
    csp("never"),
]


def results(run: Run) -> dict[str, Any]:
    names = set(run.by_host["sddc"]) - {"added"}
    return {name: {key: run[name][key] for key in run[name].keys() - VOLATILE} for name in names}


def test_both_ways_register_the_same_and_stop_at_the_same_task(
    in_process: InProcess, ansible: Ansible, lab: Lab
) -> None:
    there = ansible.play(TASKS, arguments=["--diff"])
    lab.reset()
    (in_process.folder / "token.json").unlink()
    here = in_process.play(TASKS, diff=True)

    assert "acted" in results(here)
    assert "never" not in results(here)
    assert results(here) == results(there)
    assert set(here["created"]) == set(there["created"])
    assert (here.returncode, there.returncode) == (2, 2)
    for name in ("refused", "unauthorized", "stopped"):
        assert here[name]["msg"] in said(here)
