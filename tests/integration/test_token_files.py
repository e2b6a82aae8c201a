# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which a token lives between tasks: private, shared by many, and read by the lookup."""

from __future__ import annotations

import json
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.canaries import leaks
from support.playbooks import Ansible, Run, Task
from support.tasks import LDAP, by_task, checked, end_tokens, failing, lines, succeeded, vrni

if TYPE_CHECKING:
    from lab.client import Lab

CREATE = "POST /api/ni/auth/token"
PROBE = "GET /api/ni/info/version"
REVOKE = "DELETE /api/ni/auth/token"
FILE = "{{ playbook_dir }}/token.json"
LOOKUP = "lookup('sddc.tokens.token_file', playbook_dir ~ '/token.json')"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def use(register: str, authorization: str) -> Task:
    """Read the version with a token by ansible.builtin.uri."""
    uri = {
        "url": "{{ lab.vrni.url }}/api/ni/info/version",
        "headers": {"Authorization": authorization},
        "ca_path": "{{ ca_path }}",
    }
    return {"name": f"Use {register}", "ansible.builtin.uri": uri, "register": register, "no_log": True}


def said(run: Run) -> str:
    """All that was printed, as one line: the display wraps its warnings."""
    return " ".join(run.output.split())


def test_a_file_of_another_host_or_user_is_reported_and_replaced_and_its_token_never_sent_there(
    ansible: Ansible, lab: Lab
) -> None:
    (elsewhere,) = lab.add_addresses(1)
    other = {"hostname": lab.url("vrni", elsewhere), "token_file": FILE}
    tasks = [
        vrni("created", token_file=FILE),
        vrni("left_alone", **other, state="absent"),
        checked(vrni("predicted", **other)),
        vrni("there", **other),
        vrni("ldap", **other, **LDAP),
    ]

    run = succeeded(ansible.play(tasks))

    tokens = [run[name]["token"] for name in ("created", "there", "ldap")]
    sent = {entry.header("Authorization") for entry in lab.requests("vrni", elsewhere)}
    assert sent == {None, f"NetworkInsight {tokens[1]}", f"NetworkInsight {tokens[2]}"}
    assert [entry.header("Authorization") for entry in lab.requests("vrni", elsewhere)][:2] == [None, signed(tokens[1])]
    assert lines(lab.requests("vrni", elsewhere)) == [CREATE, PROBE] * 2
    assert lines(lab.requests("vrni", "127.0.0.1")) == [CREATE, PROBE]
    assert (run["left_alone"]["action"], run["left_alone"]["changed"]) == ("none", False)
    assert run["predicted"]["action"] == run["there"]["action"] == run["ldap"]["action"] == "created"
    user = lab["vrni"]["username"]
    assert f"holds a vrni token of LOCAL/{user} on 127.0.0.1:" in said(run)
    assert "It is left alone." in said(run)
    assert f"not one of LDAP/example.com/jdoe on {elsewhere}:" in said(run)
    assert "It is replaced." in said(run)


def signed(token: str) -> str:
    return f"NetworkInsight {token}"


def test_a_file_is_private_from_the_start_and_made_so_again_and_a_symlink_is_refused(
    ansible: Ansible, lab: Lab
) -> None:
    folder = ansible.folder
    (folder / "real.json").write_text("{}")
    (folder / "link.json").symlink_to("real.json")
    tasks = [
        vrni("created", token_file=FILE),
        {"name": "Open", "ansible.builtin.file": {"path": FILE, "mode": "0644"}},
        vrni("reused", token_file=FILE),
        failing(vrni("linked", token_file="{{ playbook_dir }}/link.json")),
        failing(vrni("nowhere", token_file="{{ playbook_dir }}/missing/token.json")),
    ]

    run = succeeded(ansible.play(tasks))

    assert mode(folder / "token.json") == 0o600
    assert mode(folder / "token.json.lock") == 0o600
    assert run["reused"]["action"] == "reused"
    assert "its mode was 0644 instead of 0600" in said(run)
    assert "is a symbolic link" in run["linked"]["msg"]
    assert (folder / "real.json").read_text() == "{}"
    assert "with mode 0700" in run["nowhere"]["msg"]
    assert lines(lab.requests()) == [CREATE, PROBE, PROBE], "nothing is created that has no place to be kept"
    assert not list(folder.glob(".token.json.*")), "nothing half written is left"


def test_a_damaged_file_is_reported_kept_aside_and_replaced(ansible: Ansible, lab: Lab) -> None:
    content = '{"version": 1, "product": "vrni", "current": {"tok'
    (ansible.folder / "token.json").write_text(content)
    (ansible.folder / "token.json").chmod(0o600)
    tasks = [
        checked(vrni("predicted", token_file=FILE)),
        vrni("created", token_file=FILE),
        vrni("reused", token_file=FILE),
    ]

    run = succeeded(ansible.play(tasks))

    cut = by_task(run, lab, "vrni", "predicted", "created", "reused")
    assert [lines(requests) for requests in cut.values()] == [[], [CREATE, PROBE], [PROBE]]
    assert [run[name]["action"] for name in cut] == ["created", "created", "reused"]
    (aside,) = ansible.folder.glob("token.json.damaged-*")
    assert aside.read_text() == content
    assert mode(aside) == 0o600
    assert f"is damaged. It is kept as {aside}" in said(run)
    assert "It would be kept aside and replaced." in said(run)


def test_an_expired_token_in_the_file_is_replaced_without_asking_the_server_about_it(
    ansible: Ansible, lab: Lab
) -> None:
    lab.change_settings("vrni", lifetime=2)
    options = {"token_file": FILE, "min_remaining": 0}
    wait = {
        "name": "Wait until it has expired",
        "ansible.builtin.debug": {"msg": f"{{{{ {LOOKUP} }}}}"},
        "register": "waited",
        "until": "waited is failed",
        "retries": 60,
        "delay": 0.2,
        "ignore_errors": True,
        "no_log": True,
    }
    tasks = [vrni("created", **options), wait, checked(vrni("predicted", **options)), vrni("renewed", **options)]

    run = succeeded(ansible.play(tasks))

    cut = by_task(run, lab, "vrni", "created", "predicted", "renewed")
    assert [lines(requests) for requests in cut.values()] == [[CREATE, PROBE], [], [CREATE, PROBE]]
    assert run["predicted"]["action"] == run["renewed"]["action"] == "renewed"


def test_twelve_hosts_that_share_a_file_create_one_token(ansible: Ansible, lab: Lab) -> None:
    lab.fault("vrni", "delay", method="POST", path="/auth/token", seconds=1)
    hosts: dict[str, dict[str, Any]] = {f"host{number}": {} for number in range(12)}

    run = succeeded(ansible.play([vrni("kept", token_file=FILE)], hosts=hosts, arguments=["--forks=12"]))

    results = [run.by_host[name]["kept"] for name in hosts]
    assert sorted(result["action"] for result in results) == ["created"] + ["reused"] * 11
    assert len({result["token"] for result in results}) == 1
    assert lines(lab.requests("vrni")).count(CREATE) == 1
    assert lab.counts("vrni")["tokens_minted"] == 1


def test_two_processes_that_share_a_file_create_one_token(ansible: Ansible, lab: Lab) -> None:
    lab.fault("vrni", "delay", method="POST", path="/auth/token", seconds=2)
    other = Ansible(ansible.folder / "other", ansible.variables)
    other.folder.mkdir()
    tasks = [vrni("kept", token_file=str(ansible.folder / "token.json"))]

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda process: succeeded(process.play(tasks)), (ansible, other))

    assert sorted((first["kept"]["action"], second["kept"]["action"])) == ["created", "reused"]
    assert first["kept"]["token"] == second["kept"]["token"]
    assert lab.counts("vrni")["tokens_minted"] == 1


def test_a_task_that_waits_too_long_for_the_lock_says_so_and_creates_nothing(ansible: Ansible, lab: Lab) -> None:
    import fcntl

    with (ansible.folder / "token.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = succeeded(ansible.play([failing(vrni("late", token_file=FILE, lock_timeout=0.1))]))

    assert "another task has held the lock" in run["late"]["msg"].lower()
    assert "lock_timeout" in run["late"]["msg"]
    assert lab.requests() == []


def test_a_crash_between_storing_and_promoting_loses_no_token_and_the_next_run_finishes(
    ansible: Ansible, lab: Lab
) -> None:
    """The proof of the new token fails with the connection, so that it stays in the file, not yet in use."""
    lab.fault("vrni", "drop_before", method="GET", path="/info/version", skip=1, times=1)
    tasks = [
        vrni("created", token_file=FILE),
        failing(vrni("crashed", token_file=FILE, renew="always", retries=0)),
        vrni("finished", token_file=FILE),
        vrni("settled", token_file=FILE),
    ]

    run = succeeded(ansible.play(tasks))

    cut = by_task(run, lab, "vrni", "created", "crashed", "finished", "settled")
    assert lines(cut["crashed"]) == [CREATE, PROBE]
    assert run["crashed"]["failed"]
    assert run["finished"]["changed"]
    assert lines(cut["settled"]) == [PROBE]
    assert lab.counts("vrni")["tokens_valid"] == 1
    assert lab.counts("vrni")["tokens_minted"] == 2


def test_the_token_is_handed_over_by_headers_and_by_lookup_and_the_lookup_refuses_what_is_of_no_use(
    ansible: Ansible, lab: Lab
) -> None:
    shutil.copy(__file__, ansible.folder / "damaged.json")
    ask: list[Task] = [
        failing({"name": name, "ansible.builtin.debug": {"msg": f"{{{{ {term} }}}}"}, "register": name})
        for name, term in {
            "missing": LOOKUP.replace("token.json", "missing.json"),
            "damaged": LOOKUP.replace("token.json", "damaged.json"),
            "short": LOOKUP.replace("')", "', min_remaining=10**6)"),
            "unknown": LOOKUP.replace("')", "', secret='id_token')"),
        }.items()
    ]
    tasks = [
        vrni("stored", token_file=FILE, return_token=False),
        vrni("returned", token_file=FILE),
        use("by_headers", "{{ returned.headers.Authorization }}"),
        use("by_lookup", f"NetworkInsight {{{{ {LOOKUP} }}}}"),
        *ask,
        end_tokens("revoked", "vrni"),
        failing(use("revoked", f"NetworkInsight {{{{ {LOOKUP} }}}}")),
    ]

    run = succeeded(ansible.play(tasks))

    assert {"token", "headers"}.isdisjoint(run["stored"])
    assert run["stored"]["fingerprint"] == run["returned"]["fingerprint"]
    assert [run[name]["status"] for name in ("by_headers", "by_lookup", "revoked")] == [200, 200, 401]
    assert "there is no token in" in run["missing"]["msg"].lower()
    assert "is damaged" in run["damaged"]["msg"]
    assert "which is too soon" in run["short"]["msg"]
    assert "no id_token in" in run["unknown"]["msg"]
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []
    json.dumps(run["stored"])


def test_an_expiry_is_understood_in_seconds_and_milliseconds_and_without_one_the_probe_decides(
    ansible: Ansible, lab: Lab
) -> None:
    told = ("ms", "s", "absent", "past", "far")
    hosts = dict(zip(told, ({"url": lab.url("vrni", address)} for address in lab.add_addresses(len(told)))))
    for expiry, facts in hosts.items():
        lab.change_settings("vrni", host=facts["url"].split("/")[2].split(":")[0], expiry=expiry)
    options = {"hostname": "{{ url }}", "token_file": "{{ playbook_dir }}/{{ inventory_hostname }}.json"}
    tasks = [
        vrni("created", **options),
        vrni("reused", **options),
        vrni("trusted", **options, verify=False),
        end_tokens("revoked", "vrni") | {"run_once": True},
        vrni("renewed", **options),
    ]

    run = succeeded(ansible.play(tasks, hosts=hosts))

    for expiry, results in run.by_host.items():
        known = expiry in ("ms", "s")
        created = results["created"]
        assert (created["expires_in"] is not None) == (created["expires_at"] is not None) == known, expiry
        if known:
            assert 17900 <= created["expires_in"] <= 18001
        actions = [results[name]["action"] for name in ("created", "reused", "trusted", "renewed")]
        assert actions == ["created", "reused", "reused", "renewed"], expiry
    assert said(run).count("does not say usefully when its new token expires") >= 3
