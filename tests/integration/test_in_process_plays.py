# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An in-process play registers the same results as ansible-playbook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from products import EXAMPLE, ISSUER
from support.in_process_plays import InProcess
from support.playbooks import Ansible, Run
from support.tasks import change_settings, checked, failing, said

if TYPE_CHECKING:
    from lab.client import Lab

FILE = "{{ playbook_dir }}/token.json"
# Values that differ from token to token, and those that the core adds.
VOLATILE = {
    *("token", "id_token", "headers", "fingerprint", "issued_at", "expires_at", "expires_in", "verified_at"),
    *("diff", "exception"),
}
SET = change_settings(EXAMPLE.name, clock_offset=30)
TASKS = [
    EXAMPLE.task("created", token_file=FILE),
    EXAMPLE.task("given", token="{{ created.token }}"),
    checked(EXAMPLE.task("predicted", token_file=FILE, renew="always")),
    failing(EXAMPLE.task("refused", no_such_option="{{ created.token }}", username="{{ omit }}")),
    failing(EXAMPLE.task("unauthorized", password="wrong-{{ example.password }}")),
    {**SET, "register": "set"},
    EXAMPLE.task("acted", min_remaining="{{ set.json.clock_offset }}"),
    ISSUER.task("by_option") | {"environment": {"https_proxy": ""}},
    ISSUER.task("stopped", hostname="127.0.0.1:1", retries=0),
    ISSUER.task("never"),
]


def results(run: Run) -> dict[str, Any]:
    names = set(run.by_host["sddc"]) - {"set"}
    return {name: {key: run[name][key] for key in run[name].keys() - VOLATILE} for name in names}


def test_both_ways_register_the_same_results_and_stop_at_the_same_task(
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
