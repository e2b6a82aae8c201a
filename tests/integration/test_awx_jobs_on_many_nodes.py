# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of AWX on many nodes, sliced and cancelled: with a mounted path, with a store, and with neither."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from products import EXAMPLE, KITS
from support.awx.definitions import CREDENTIAL_TYPES, DOCUMENTS, ENGINE, EXAMPLE_PLAYBOOK, JOB_TEMPLATES, TOKEN_FILES
from support.awx.jobs import Worker, check_that_it_keeps_its_secrets
from support.awx.setup import Controller
from support.bao import Bao
from support.guides import files_of

if TYPE_CHECKING:
    from lab.client import Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

HOSTS = [f"vm-{number:02d}" for number in range(1, 8)]
SLICES = 5
((NAME, ROLE),) = EXAMPLE.roles.items()
SESSION, ROTATION, REPORT = (
    str(JOB_TEMPLATES[playbook]["name"]) for playbook in (EXAMPLE_PLAYBOOK, "rotate_tokens", "report_tokens")
)
(HOST,) = (variable for variable, detail in EXAMPLE.environment.items() if detail == "host")
OF_A_SLICE = {f"{NAME}_tasks": "tasks/each_host.yml"}
EACH_HOST = f"""\
# What a job does for each host of its slice.
- name: Ask something about each host
  ansible.builtin.uri:
    url: "{{{{ lookup('ansible.builtin.env', '{HOST}') }}}}{EXAMPLE.guarded}?host={{{{ item }}}}"
    headers: "{{{{ {ROLE.secret} }}}}"
  loop: "{{{{ groups['all'] | sort }}}}"
"""


@pytest.fixture
def sliced(controller: Controller, project: Path) -> Iterator[str]:
    """The name of the job template that uses the example, split into five jobs for seven hosts."""
    (project / "tasks" / "each_host.yml").write_text(EACH_HOST)
    (organization,) = controller.objects("organizations")
    inventory = controller.call("POST", "inventories", {"name": "VMs", "organization": organization["id"]})
    for name in HOSTS:
        controller.call("POST", "hosts", {"name": name, "inventory": inventory["id"]})
    controller.change(EXAMPLE_PLAYBOOK, inventory=inventory["id"], job_slice_count=SLICES, verbosity=3)
    controller.change(EXAMPLE_PLAYBOOK, extra_vars=json.dumps(OF_A_SLICE))
    controller.lab.clear_requests()
    yield SESSION
    controller.call("DELETE", f"inventories/{inventory['id']}")


def minted_since(lab: Lab, before: dict[str, int], *keys: str) -> list[int]:
    now = lab.counts(EXAMPLE.name)
    return [now[key] - before.get(key, 0) for key in keys]


def hosts_asked_about(lab: Lab) -> list[str]:
    asked = [entry for entry in lab.requests(EXAMPLE.name) if entry.path == EXAMPLE.guarded and entry.status == 200]
    return sorted(entry.parameters["host"] for entry in asked if "host" in entry.parameters)


def test_slices_without_a_shared_disk_each_create_and_revoke_a_token(
    own_lab: Lab, controller: Controller, worker: Worker, sliced: str
) -> None:
    before = own_lab.counts(EXAMPLE.name)
    prepared = controller.launch(sliced)
    assert [len(job["inventory"]["all"]["hosts"]) for job in prepared] == [2, 2, 1, 1, 1]

    jobs = worker.run_all(prepared)

    check_that_it_keeps_its_secrets(own_lab, *jobs)
    assert hosts_asked_about(own_lab) == HOSTS
    assert minted_since(own_lab, before, "tokens_minted", "tokens_revoked", "tokens_valid") == [SLICES, SLICES, 0]


def test_slices_that_share_a_mounted_path_share_one_token(
    own_lab: Lab, controller: Controller, worker: Worker, sliced: str, tmp_path: Path
) -> None:
    before = own_lab.counts(EXAMPLE.name)
    token_file = tmp_path / "mounted" / "session.json"
    token_file.parent.mkdir()
    extra_vars = {**OF_A_SLICE, f"{NAME}_token_file": str(token_file)}
    controller.change(EXAMPLE_PLAYBOOK, extra_vars=json.dumps(extra_vars))

    jobs = worker.run_all(controller.launch(sliced))

    check_that_it_keeps_its_secrets(own_lab, *jobs)
    assert hosts_asked_about(own_lab) == HOSTS
    assert minted_since(own_lab, before, "tokens_minted", "tokens_valid") == [1, 1]
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600


def test_every_host_of_a_slice_can_have_a_session_of_its_own(
    own_lab: Lab, controller: Controller, worker: Worker, sliced: str
) -> None:
    before = own_lab.counts(EXAMPLE.name)
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    controller.change(EXAMPLE_PLAYBOOK, extra_vars=json.dumps({"sddc_tokens_hosts": "all", **local}))

    jobs = worker.run_all(controller.launch(sliced))

    check_that_it_keeps_its_secrets(own_lab, *jobs)
    assert minted_since(own_lab, before, "tokens_minted", "tokens_revoked", "tokens_valid") == [7, 7, 0]


# --- with a store ----------------------------------------------------------------------------------------------------

NO_SESSION = {"sessions": "1"}
WAIT = """\
# What a job does until somebody cancels it.
- name: Wait
  ansible.builtin.wait_for:
    path: /nonexistent
    timeout: 600
"""


@pytest.fixture
def store(controller: Controller, real_bao: Bao, worker: Worker, own_lab: Lab, tmp_path: Path) -> Iterator[Bao]:
    """The secrets engine and the writer of the guide, and the credential of the writer at the job templates."""
    if f"{ENGINE}/" in real_bao.do("GET", "sys/mounts"):
        real_bao.do("DELETE", f"sys/mounts/{ENGINE}")
    real_bao.do("POST", f"sys/mounts/{ENGINE}", {"type": "kv", "options": {"version": "2"}})
    ids = real_bao.app_role(files_of("many_machines.md")["writer.hcl"], "awx-writer")
    inputs = {"url": real_bao.address, "role_id": ids["role_id"], "secret_id": ids["secret_id"]}
    kind = controller.one("credential_types", name=CREDENTIAL_TYPES["token_store"]["name"])
    (organization,) = controller.objects("organizations")
    facts = {"name": "The store", "credential_type": kind["id"], "organization": organization["id"], "inputs": inputs}
    credential = controller.call("POST", "credentials", facts)["id"]
    users = [playbook for playbook in JOB_TEMPLATES if "token_store" in JOB_TEMPLATES[playbook]["credential_types"]]
    for playbook in users:
        controller.attach(playbook, credential)
        controller.change(playbook, extra_vars="")
    # An image that trusts both servers.
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(Path(own_lab.ca_path).read_text() + Path(real_bao.ca_path).read_text())
    worker.trust(str(trusted))
    yield real_bao
    for playbook in users:
        controller.attach(playbook, credential, disassociate=True)
        controller.change(playbook, extra_vars="")
    controller.call("DELETE", f"credentials/{credential}")


def documents(bao: Bao) -> set[str]:
    """The documents with a token."""
    return {name for name in DOCUMENTS if bao.document(name, mount=ENGINE).get("token")}


def secrets_of(bao: Bao) -> list[str]:
    return [bao.document(name, mount=ENGINE)["token"] for name in documents(bao)]


def test_without_a_mounted_path_the_rotation_the_report_and_the_session_use_the_store(
    own_lab: Lab, controller: Controller, worker: Worker, store: Bao
) -> None:
    (rotation,), (session,) = controller.launch(ROTATION), controller.launch(SESSION)

    done = worker.run(rotation, "rotation")
    rotated = {name: own_lab.counts(name).get("tokens_minted", 0) for name in KITS}
    again = worker.run(controller.launch(ROTATION)[0], "again")
    kept = {name: own_lab.counts(name).get("tokens_minted", 0) for name in KITS}
    before = own_lab.counts(EXAMPLE.name)
    used = worker.run(session, "session")
    report = worker.run(controller.launch(REPORT)[0], "report")

    check_that_it_keeps_its_secrets(own_lab, done, again, used, report, further=secrets_of(store))
    assert (documents(store), kept) == (DOCUMENTS, rotated)
    assert minted_since(own_lab, before, "tokens_minted", "tokens_revoked") == [1, 1]
    assert store.document("sessions", mount=ENGINE) == NO_SESSION
    assert f"{len(DOCUMENTS)} tokens: " in report.output


def test_a_mounted_path_is_used_although_there_is_a_store(
    own_lab: Lab, controller: Controller, worker: Worker, store: Bao, tmp_path: Path
) -> None:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    controller.change("rotate_tokens", extra_vars=json.dumps({"sddc_tokens_folder": str(mounted)}))

    job = worker.run(controller.launch(ROTATION)[0])

    check_that_it_keeps_its_secrets(own_lab, job)
    assert {path.name for path in mounted.glob("*.json")} == TOKEN_FILES
    assert documents(store) == set()


def test_slices_that_share_a_store_share_one_token(
    own_lab: Lab, controller: Controller, worker: Worker, sliced: str, store: Bao
) -> None:
    before = own_lab.counts(EXAMPLE.name)
    shared = {f"{NAME}_token_store": f"{{{{ sddc_tokens_store | combine({{'path': '{EXAMPLE.name}'}}) }}}}"}
    controller.change(EXAMPLE_PLAYBOOK, extra_vars=json.dumps({**OF_A_SLICE, **shared}))
    # The others come while the first one signs in.
    own_lab.fault(EXAMPLE.name, "delay", method="POST", seconds=8)

    jobs = worker.run_all(controller.launch(sliced))

    own_lab.clear_faults()
    check_that_it_keeps_its_secrets(own_lab, *jobs, further=secrets_of(store))
    assert hosts_asked_about(own_lab) == HOSTS
    assert sign_ins(own_lab) == 1
    assert minted_since(own_lab, before, "tokens_minted", "tokens_valid") == [1, 1]
    assert documents(store) == {EXAMPLE.name}


def test_slices_that_record_their_sessions_in_a_store_leave_each_other_alone(
    own_lab: Lab, controller: Controller, worker: Worker, sliced: str, store: Bao
) -> None:
    before = own_lab.counts(EXAMPLE.name)
    controller.change(EXAMPLE_PLAYBOOK, extra_vars=json.dumps(OF_A_SLICE))

    jobs = worker.run_all(controller.launch(sliced))

    check_that_it_keeps_its_secrets(own_lab, *jobs)
    assert hosts_asked_about(own_lab) == HOSTS
    assert minted_since(own_lab, before, "tokens_minted", "tokens_revoked", "tokens_valid") == [SLICES, SLICES, 0]
    assert store.document("sessions", mount=ENGINE) == NO_SESSION


def test_the_token_of_a_cancelled_job_is_revoked_by_the_next_job_on_another_node(
    own_lab: Lab, controller: Controller, worker: Worker, project: Path, store: Bao
) -> None:
    (project / "tasks" / "wait.yml").write_text(WAIT)
    before = own_lab.counts(EXAMPLE.name)
    # No job may run longer, so that its session is over when it was cancelled.
    extra_vars = {f"{NAME}_tasks": "tasks/wait.yml", f"{NAME}_max_duration": 1}
    controller.change(EXAMPLE_PLAYBOOK, extra_vars=json.dumps(extra_vars))
    (prepared,) = controller.launch(SESSION)
    own_lab.clear_requests()
    process = worker.start(prepared, "cancelled")
    # The token is created and verified. It was recorded in between.
    own_lab.wait_for_requests(2, EXAMPLE.name)
    # AWX ends the container, and with it ansible-runner.
    process.kill()
    kill_all_in(worker.folder / "cancelled")
    worker.finished(process, prepared, "cancelled")
    assert minted_since(own_lab, before, "tokens_minted", "tokens_valid") == [1, 1]
    assert len(store.document("sessions", mount=ENGINE)) == 2
    controller.change(EXAMPLE_PLAYBOOK, extra_vars="")

    job = worker.run(controller.launch(SESSION)[0], "next")

    check_that_it_keeps_its_secrets(own_lab, job)
    assert minted_since(own_lab, before, "tokens_minted", "tokens_revoked", "tokens_valid") == [2, 2, 0]
    assert store.document("sessions", mount=ENGINE) == NO_SESSION


def sign_ins(lab: Lab) -> int:
    """The number of sign-ins at the product, by the lab's record."""
    return len([entry for entry in lab.requests(EXAMPLE.name) if re.search("|".join(EXAMPLE.mints), entry.line)])


def kill_all_in(folder: Path) -> None:
    """Kill the processes that run in a folder."""
    for cwd in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if cwd.readlink().is_relative_to(folder):
                os.kill(int(cwd.parent.name), signal.SIGKILL)
