# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role vcenter_overflow_token: a token of the broker that vCenter accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from products.vidb import vidb
from support.playbooks import Ansible, Task
from support.roles import note, play, role, tally
from support.tasks import said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

NAME = "vcenter_overflow_token"
FILE = {"token_file": "{{ playbook_dir }}/vidb.json"}
# The token of a client is small enough.
CLIENT = {
    "vidb_api_token": None,
    "vidb_client_id": "{{ lab.vidb.client_id }}",
    "vidb_client_secret": "{{ lab.vidb.client_secret }}",
}
GIVEN = {"vidb_hostname": None, "vidb_api_token": None, "access_token": "{{ vidb.token }}"}


def use(headers: str, register: str) -> Task:
    options = {"url": "{{ lab.vcenter.url }}/api/vcenter/datacenter", "headers": headers, "ca_path": "{{ ca_path }}"}
    return {"name": "Use the token", "ansible.builtin.uri": options, "register": register}


def test_an_overflow_token_is_registered_and_works_and_that_of_a_file_is_registered_once(
    ansible: Ansible, lab: Lab
) -> None:
    result = f"{{{{ {NAME}_result.headers }}}}"
    from_file = {"Authorization": "Bearer {{ lookup('sddc.tokens.token_file', playbook_dir ~ '/vidb.json') }}"}
    tasks = [
        role(NAME),
        use(result, "signed"),
        role(NAME, **FILE),
        note("kept", NAME),
        {**use("", "looked_up"), "ansible.builtin.uri": {**use("", "")["ansible.builtin.uri"], "headers": from_file}},
        role(NAME, **FILE),
        note("again", NAME),
        role(NAME, **FILE, return_token=True),
    ]

    run = succeeded(play(ansible, tasks, keep=["signed", "looked_up", "kept", "again"]))

    assert run["signed"]["status"] == run["looked_up"]["status"] == 200
    assert [run[name]["action"] for name in ("kept", "again")] == ["registered", "none"]
    assert not {"token", "headers"} & set(run["kept"]), "a stored token need not be in the result"
    assert run[f"{NAME}_result"]["headers"] == {"Authorization": f"Bearer {run[f'{NAME}_result']['token']}"}
    assert lab.counts("vidb")["grants"] == lab.counts("vcenter")["registrations"] == 2
    assert tally(run)["changed"] == 2
    assert "the overflow token was registered" in said(run)
    assert "vCenter already accepts the token" in said(run)


def test_a_token_that_does_not_overflow_or_is_already_accepted_changes_nothing(ansible: Ansible, lab: Lab) -> None:
    tasks = [
        role(NAME, **CLIENT),
        note("plain", NAME),
        vidb("vidb"),
        role(NAME, **GIVEN),
        note("given", NAME),
        role(NAME, **GIVEN),
    ]

    run = succeeded(play(ansible, tasks, keep=["plain", "given"]))

    assert [run[name]["action"] for name in ("plain", "given", f"{NAME}_result")] == ["none", "registered", "none"]
    assert "the token is not an overflow token and requires no registration" in said(run)
    assert lab.counts("vcenter")["registrations"] == 1
    assert tally(run)["changed"] == 2, "the token of the module, and one registration"


def test_check_mode_creates_and_registers_nothing(ansible: Ansible, lab: Lab) -> None:
    run = succeeded(play(ansible, [role(NAME), role(NAME, **FILE)], arguments=["--check"]))

    assert lab.requests() == []
    assert (run[f"{NAME}_result"]["changed"], run[f"{NAME}_result"]["action"]) == (True, "registered")
    assert "would be registered" in said(run)
    assert "is registered" not in said(run), "the report does not present a prediction as done"
    assert not (ansible.folder / "vidb.json").exists()
