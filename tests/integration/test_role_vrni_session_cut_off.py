# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An interrupted session leaves its token recorded, and the next session of the same user revokes it."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.bao import Bao
from support.canaries import leaks
from support.playbooks import AS_MODULE, Ansible, Run, Task
from support.roles import play, role, task_file
from support.tasks import says, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

LDAP = {
    "username": "{{ lab.vrni.ldap_username }}",
    "password": "{{ lab.vrni.ldap_password }}",
    "domain_type": "LDAP",
    "domain": "{{ lab.vrni.ldap_domain }}",
}
FOLDER = "{{ playbook_dir }}/sessions"


def session(tasks: str = "use.yml", **options: Any) -> Task:
    return role("vrni_session", **{"tasks": tasks, "record_folder": FOLDER, **options})


def use(mark: str = "use") -> Task:
    """A request of the caller."""
    return {
        "name": "Use the token",
        "ansible.builtin.uri": {
            "url": "{{ lab.vrni.url }}/api/ni/info/version?at=" + mark,
            "headers": "{{ vrni_session_headers }}",
            "ca_path": "{{ ca_path }}",
        },
    }


@pytest.fixture
def sessions(ansible: Ansible, lab: Lab) -> Ansible:
    """The folder in which sessions run, with tasks of the caller."""
    task_file(ansible, "use.yml", [use()])
    return ansible


@contextmanager
def at_work(sessions: Ansible, lab: Lab, folder: Path, **options: Any) -> Iterator[Any]:
    """A run in its own folder, during its session. It continues when the file `go` exists."""
    folder.mkdir()
    other = Ansible(folder, sessions.variables)
    wait: Task = {"name": "Wait", "ansible.builtin.wait_for": {"path": f"{sessions.folder}/go", "timeout": 400}}
    task_file(other, "wait.yml", [use("work"), wait, use("end")])
    tasks = [session("wait.yml", record_folder=f"{sessions.folder}/sessions", **options)]
    lab.clear_requests()
    with ThreadPoolExecutor() as pool:
        run = pool.submit(play, other, tasks)
        try:
            # The token is created, verified, and used for the first time.
            lab.wait_for_requests(3, "vrni")
            yield run
        finally:
            (sessions.folder / "go").touch()


def killed(sessions: Ansible, lab: Lab, name: str = "killed", **options: Any) -> None:
    """A run that is killed during its session, with all its processes."""
    folder = sessions.folder / name
    with at_work(sessions, lab, folder, **options) as run:
        kill_all_in(folder)
        assert run.result().returncode != 0
    (sessions.folder / "go").unlink()


def kill_all_in(folder: Path) -> None:
    for cwd in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if cwd.readlink() == folder:
                os.kill(int(cwd.parent.name), signal.SIGKILL)


def valid(lab: Lab) -> int:
    return lab.counts("vrni")["tokens_valid"]


def test_the_next_session_revokes_the_token_of_a_killed_session(sessions: Ansible, lab: Lab) -> None:
    killed(sessions, lab)
    assert valid(lab) == 1
    (record,) = (sessions.folder / "sessions").glob("session-*.json")
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert stat.S_IMODE(record.parent.stat().st_mode) == 0o700

    run = succeeded(play(sessions, [session()]))

    assert (lab.counts("vrni")["tokens_revoked"], valid(lab)) == (2, 0)
    assert says(run, "A session was interrupted.")
    assert list((sessions.folder / "sessions").glob("*.json*")) == []


def test_a_session_leaves_tokens_of_running_sessions_and_of_other_users_alone(sessions: Ansible, lab: Lab) -> None:
    killed(sessions, lab, "of another user", **LDAP)

    with at_work(sessions, lab, sessions.folder / "long") as run:
        succeeded(play(sessions, [session()]))
        assert valid(lab) == 2, "the token of the running session, and that of the other user"
    succeeded(run.result())

    assert valid(lab) == 1, "that of the other user"
    succeeded(play(sessions, [session(**LDAP)]))
    assert valid(lab) == 0


@pytest.mark.parametrize(
    "ending",
    [
        "end_play",
        pytest.param("end_host", marks=pytest.mark.slow),
        pytest.param("end_batch", marks=pytest.mark.slow),
    ],
)
def test_the_session_of_a_later_play_revokes_the_token_of_one_that_a_meta_task_ended(
    sessions: Ansible, lab: Lab, ending: str
) -> None:
    task_file(sessions, "ending.yml", [use(), {"name": "End", "ansible.builtin.meta": ending}])

    run = two_plays(sessions, session("ending.yml"), session())

    assert run.returncode == 0, run.output
    assert (lab.counts("vrni")["tokens_minted"], valid(lab)) == (2, 0)


def test_the_next_session_revokes_the_token_of_an_unreachable_host(sessions: Ansible, lab: Lab) -> None:
    lost: Task = {"name": "Lose it", "ansible.builtin.ping": {}}
    unreachable = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    task_file(sessions, "lost.yml", [use(), {**lost, "vars": unreachable}])

    run = play(sessions, [session("lost.yml")])
    assert run.returncode != 0
    assert valid(lab) == 1
    succeeded(play(sessions, [session()]))

    assert valid(lab) == 0


def two_plays(sessions: Ansible, *tasks: Task) -> Run:
    plays = [{"name": task["name"], "hosts": "localhost", "gather_facts": False, "tasks": [task]} for task in tasks]
    (sessions.folder / "site.yml").write_text(yaml.safe_dump(plays))
    (sessions.folder / "values.yml").write_text(yaml.safe_dump(sessions.variables))
    return sessions.playbook("site.yml", arguments=["-e", "@values.yml"], environ={})


@pytest.mark.slow
def test_where_the_role_runs_as_a_module_the_recorded_time_decides_what_is_revoked(sessions: Ansible, lab: Lab) -> None:
    task_file(sessions, "ending.yml", [use(), {"name": "End", "ansible.builtin.meta": "end_host"}])

    for duration in (0, 3600):
        succeeded(play(sessions, [session("ending.yml", max_duration=duration)], route=AS_MODULE))
    assert valid(lab) == 1, "the second session revoked the token of the first one, which had timed out"
    succeeded(play(sessions, [session()], route=AS_MODULE))

    assert valid(lab) == 1, "the second one may still be running"


def test_a_session_with_a_token_file_revokes_leftovers_too_and_needs_a_folder_for_records(
    sessions: Ansible, lab: Lab
) -> None:
    killed(sessions, lab)

    succeeded(play(sessions, [session(record_folder="")]))
    assert valid(lab) == 1
    succeeded(play(sessions, [session(token_file="{{ playbook_dir }}/token.json")]))

    assert valid(lab) == 1, "the stored one"
    assert not list((sessions.folder / "sessions").glob("*.json"))


def test_a_read_only_folder_fails_the_role_before_a_token_is_created(sessions: Ansible, lab: Lab) -> None:
    (sessions.folder / "sessions").write_text("not a folder")

    run = play(sessions, [session()])

    assert run.returncode != 0
    assert "record_folder" in run.output
    assert lab.requests("vrni") == []


def test_the_next_session_revokes_the_token_that_a_killed_session_recorded_in_a_store(
    sessions: Ansible, lab: Lab, bao: Bao
) -> None:
    store = {"path": "sddc/session", "url": bao.address, "ca_path": bao.ca_path, "token": bao.root_token}
    bao.do("DELETE", "secret/metadata/sddc/session")
    # Another machine sees no lock.
    killed(sessions, lab, record_store=store, max_duration=0)
    assert valid(lab) == 1
    secrets = [bao.root_token, *(secret["value"] for secret in lab.secrets())]

    run = succeeded(play(sessions, [session(record_folder="", record_store=store)]))

    assert valid(lab) == 0
    assert bao.document("sddc/session") == {"sessions": "1"}
    assert leaks({"output": run.output}, secrets) == []


@pytest.mark.slow
def test_a_session_with_the_same_store_leaves_the_token_of_a_running_one_alone(
    sessions: Ansible, lab: Lab, bao: Bao
) -> None:
    store = {"path": "sddc/sessions", "url": bao.address, "ca_path": bao.ca_path, "token": bao.root_token}
    bao.do("DELETE", "secret/metadata/sddc/sessions")

    with at_work(sessions, lab, sessions.folder / "long", record_store=store) as run:
        succeeded(play(sessions, [session(record_store=store)]))
        assert valid(lab) == 1, "the token of the running session"
    succeeded(run.result())

    assert valid(lab) == 0
    assert bao.document("sddc/sessions") == {"sessions": "1"}
