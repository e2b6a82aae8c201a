# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role vrni_session: a token for the duration of the caller's tasks, or a stored one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.playbooks import Ansible, Task
from support.roles import mended, note, play, role, tally, task_file, values
from support.tasks import change_settings, end_tokens, lines, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

BASE = "/api/ni/auth/token"
CREATE, PROBE, REVOKE = f"POST {BASE}", "GET /api/ni/info/version", f"DELETE {BASE}"
# Created and verified, used once, revoked and verified to be invalid.
WHOLE = [CREATE, PROBE, PROBE, REVOKE, PROBE]
FILE = "{{ playbook_dir }}/token.json"


def use(method: str = "GET", path: str = "/api/ni/info/version", **keywords: object) -> Task:
    """A request of the caller, authenticated with the headers of the role."""
    options = {
        "url": "{{ lab.vrni.url }}" + path,
        "method": method,
        "headers": "{{ vrni_session_headers }}",
        "ca_path": "{{ ca_path }}",
        "status_code": [200, 204],
    }
    return {"name": "Use the token", "ansible.builtin.uri": options, **keywords}


def test_the_token_is_revoked_whether_the_tasks_succeed_or_fail(ansible: Ansible, lab: Lab) -> None:
    fail: Task = {"name": "Fail", "ansible.builtin.fail": {"msg": "on purpose"}}
    files = {
        "good": [use(register="answer")],
        "failing": [use(), fail],
        "template": [{"name": "Stumble", "ansible.builtin.debug": {"msg": "{{ no_such_variable }}"}}],
        "revoking": [use("DELETE", BASE)],
        "rescued": [{"name": "Try", "block": [fail], "rescue": [use()]}],
        "nested": [{"name": "Include", "ansible.builtin.include_tasks": "failing.yml"}],
    }
    for name, tasks in files.items():
        task_file(ansible, f"tasks/{name}.yml", tasks)

    run = succeeded(play(ansible, [mended(role("vrni_session", tasks=f"tasks/{name}.yml")) for name in files]))

    counts = lab.counts("vrni")
    assert (counts["tokens_minted"], counts["tokens_valid"]) == (len(files), 0)
    assert counts["tokens_revoked"] == len(files)
    assert lines(lab.requests("vrni"))[: len(WHOLE)] == WHOLE
    assert tally(run)["changed"] == 0, "a temporary token is not a change"
    assert tally(run)["rescued"] == 4, "each failure of the tasks is a failure of the role"


def test_an_invalid_task_file_ends_the_role_before_a_token_is_created(ansible: Ansible, lab: Lab) -> None:
    task_file(ansible, "unknown.yml", [{"name": "Misspelt", "ansible.builtin.no_such_module": {}}])
    (ansible.folder / "broken.yml").write_text("- name: [unclosed\n")

    for name in ("missing.yml", "unknown.yml", "broken.yml"):
        run = play(ansible, [role("vrni_session", tasks=name)])
        assert run.returncode != 0, name
        assert name.removesuffix(".yml") in run.output or "no_such_module" in run.output

    assert lab.requests("vrni") == []


@pytest.mark.slow
def test_a_relative_path_is_searched_beside_the_playbook_and_never_in_the_role(ansible: Ansible, lab: Lab) -> None:
    """A role has its own main.yml, and the working directory may have one too."""
    for folder in ("there/", ""):
        task_file(ansible, f"{folder}main.yml", [use(path=f"/api/ni/info/version?from={folder}", tags=["always"])])
    task_file(ansible, "elsewhere.yml", [use()])
    tasks = [role("vrni_session", tasks=name) for name in ("main.yml", "elsewhere.yml")]
    task_file(ansible, "there/site.yml", [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])
    (ansible.folder / "values.yml").write_text(json.dumps(ansible.variables))

    succeeded(ansible.playbook("there/site.yml", arguments=["-e", "@values.yml"], environ={}))

    beside = [CREATE, PROBE, f"{PROBE}?from=there/", REVOKE, PROBE]
    assert lines(lab.requests("vrni")) == [*beside, *WHOLE], "the tasks run once, with the token"


def test_without_tasks_and_a_file_the_role_names_what_is_missing_and_sends_no_request(
    ansible: Ansible, lab: Lab
) -> None:
    run = play(ansible, [role("vrni_session")])

    assert run.returncode != 0
    assert "Set vrni_session_tasks" in said(run)
    assert lab.requests("vrni") == []


def test_a_stored_token_is_reused_with_one_request_and_renewed_in_time(ansible: Ansible, lab: Lab) -> None:
    task_file(ansible, "use.yml", [use(register="answer")])
    tasks = [
        role("vrni_session", token_file=FILE),
        note("first", "vrni_session"),
        role("vrni_session", token_file=FILE),
        note("second", "vrni_session"),
        role("vrni_session", token_file=FILE, tasks="use.yml"),
        note("used", "vrni_session"),
        change_settings("vrni", clock_offset=15000),
        role("vrni_session", token_file=FILE, min_remaining=3600),
        end_tokens("revoked", "vrni"),
        role("vrni_session", token_file=FILE, min_remaining=0),
    ]

    run = succeeded(play(ansible, tasks, keep=["first", "second", "used", "answer"]))

    assert lines(lab.requests("vrni")) == [
        *(CREATE, PROBE),
        PROBE,
        *(PROBE, PROBE),
        *(PROBE, CREATE, PROBE),
        *(PROBE, CREATE, PROBE),
    ]
    assert [run[name]["action"] for name in ("first", "second", "used")] == ["created", "reused", "reused"]
    assert "headers" not in run["first"], "without tasks the token is not needed in the result"
    assert run["answer"]["status"] == 200
    assert run["vrni_session_result"]["action"] == "renewed"
    assert lab.counts("vrni")["tokens_valid"] == 1
    assert tally(run)["changed"] == 3


@pytest.mark.slow
def test_users_of_ldap_and_vidm_get_tokens(ansible: Ansible, lab: Lab) -> None:
    task_file(ansible, "use.yml", [use()])
    ldap = {
        "username": "{{ lab.vrni.ldap_username }}",
        "password": "{{ lab.vrni.ldap_password }}",
        "domain_type": "LDAP",
        "domain": "{{ lab.vrni.ldap_domain }}",
    }
    vidm = {"username": None, "password": None, "vidm_token": "{{ lab.vrni.vidm_token }}"}

    succeeded(play(ansible, [role("vrni_session", tasks="use.yml", **user) for user in (ldap, vidm)]))

    log = lab.requests("vrni")
    assert lines(log) == [*WHOLE, f"{CREATE}/vidm", *WHOLE[1:]]
    assert json.loads(log[0].body)["domain"] == {"domain_type": "LDAP", "value": lab["vrni"]["ldap_domain"]}
    assert lab.counts("vrni")["tokens_valid"] == 0


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(False, id="without a file", marks=pytest.mark.slow),
        pytest.param(True, id="with a token in a file"),
    ],
)
def test_check_mode_creates_no_token_and_runs_the_tasks_only_with_an_existing_one(
    ansible: Ansible, lab: Lab, kept: bool
) -> None:
    task_file(ansible, "use.yml", [use(register="answer", check_mode=False)])
    options = {"token_file": FILE} if kept else {}
    if kept:
        succeeded(play(ansible, [role("vrni_session", **options)]))

    run = succeeded(
        play(ansible, [role("vrni_session", tasks="use.yml", **options)], keep=["answer"], arguments=["--check"])
    )

    counts = lab.counts("vrni")
    assert (counts.get("tokens_minted", 0), counts.get("tokens_valid", 0)) == (int(kept), int(kept))
    assert ("answer" in run.by_host["sddc"]) == kept
    assert run["vrni_session_result"]["action"] == ("reused" if kept else "created")


@pytest.mark.slow
def test_hosts_run_at_the_same_time_each_with_its_own_server_or_a_shared_file(ansible: Ansible, lab: Lab) -> None:
    use = {
        "url": "{{ server }}/api/ni/info/version",
        "headers": "{{ vrni_session_headers }}",
        "ca_path": "{{ ca_path }}",
    }
    task_file(ansible, "use.yml", [{"name": "Use", "ansible.builtin.uri": use}])
    addresses = lab.add_addresses(2)
    hosts = {f"host-{address}": {"server": lab.url("vrni", address)} for address in addresses}
    hosts |= {f"more-{number}": {"server": lab.url("vrni", addresses[0])} for number in range(3)}
    shared = {"hostname": "{{ lab.vrni.url }}", "token_file": "{{ playbook_dir }}/shared.json"}
    entry = {
        "product": "vrni",
        "name": "shared",
        "ca_path": "{{ ca_path }}",
        **shared,
        "username": "{{ lab.vrni.username }}",
        "password": "{{ lab.vrni.password }}",
    }
    tasks = [
        role("vrni_session", hostname="{{ server }}", tasks="use.yml"),
        role("vrni_session", **shared),
        role(
            "token_rotation",
            tokens=[entry],
        ),
    ]

    run = succeeded(play(ansible, tasks, hosts=hosts, arguments=["--forks=5"]))

    assert lab.counts("vrni")["tokens_minted"] == 1, "a shared file is one login"
    assert [lab.counts("vrni", address)["tokens_minted"] for address in addresses] == [4, 1]
    assert [lab.counts("vrni", address)["tokens_valid"] for address in addresses] == [0, 0]
    for host in hosts:
        (token,) = run.by_host[host]["token_rotation_result"]
        assert (token["name"], token["action"]) == ("shared", "reused")
    assert sum(tally(run, host)["changed"] for host in hosts) == 1


def test_a_role_that_is_listed_twice_in_a_play_reuses_nothing_of_the_first_time(ansible: Ansible, lab: Lab) -> None:
    (other,) = lab.add_addresses(1)
    headers = "{{ vrni_session_headers }}"
    use = {"url": "{{ server }}/api/ni/info/version", "headers": headers, "ca_path": "{{ ca_path }}"}
    task_file(ansible, "use.yml", [{"name": "Use", "ansible.builtin.uri": use}])
    there = lab.url("vrni", other)
    first = values("vrni_session", token_file="{{ playbook_dir }}/token.json", min_remaining=7000, no_log=False)
    second = values("vrni_session", hostname=there, tasks="use.yml")
    roles = [{"role": "sddc.tokens.vrni_session", "vars": variables} for variables in (first, second)]
    ansible.variables["server"] = there

    succeeded(play(ansible, [], keywords={"roles": roles}))

    assert lab.counts("vrni")["tokens_valid"] == 1, "the first one is kept in its file"
    assert (lab.counts("vrni", other)["tokens_minted"], lab.counts("vrni", other)["tokens_valid"]) == (1, 0)
    assert len(lines(lab.requests("vrni", host=other))) == 5, "no token of another server is sent there"
