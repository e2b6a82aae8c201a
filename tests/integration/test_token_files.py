# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that stores a token between tasks: private, shared by many, and read by the lookup."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE
from support.canaries import leaks
from support.in_process_plays import InProcess
from support.playbooks import Ansible, Task
from support.tasks import by_task, checked, end_tokens, failing, lines, said, says, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

CREATE = "POST /api/ni/auth/token"
PROBE = "GET /api/ni/info/version"
REVOKE = "DELETE /api/ni/auth/token"
FILE = "{{ playbook_dir }}/token.json"
LOOKUP = "lookup('sddc.tokens.token_file', playbook_dir ~ '/token.json')"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def signed(token: str) -> str:
    return f"NetworkInsight {token}"


def use(register: str, authorization: str) -> Task:
    """Read the version with a token, using ansible.builtin.uri."""
    uri = {
        "url": "{{ example.url }}/api/ni/info/version",
        "headers": {"Authorization": authorization},
        "ca_path": "{{ ca_path }}",
    }
    return {"name": f"Use {register}", "ansible.builtin.uri": uri, "register": register, "no_log": True}


def test_a_file_of_another_host_or_user_is_refused_unchanged_and_replaced_only_with_consent(
    in_process: InProcess, lab: Lab
) -> None:
    (elsewhere,) = lab.add_addresses(1)
    other = {"hostname": lab.url(EXAMPLE.name, elsewhere), "token_file": FILE}
    tasks = [
        EXAMPLE.task("created", token_file=FILE),
        failing(EXAMPLE.task("absent", **other, state="absent")),
        failing(checked(EXAMPLE.task("predicted", **other))),
        failing(EXAMPLE.task("there", **other)),
        failing(EXAMPLE.task("user", token_file=FILE, **EXAMPLE.other_user)),
        EXAMPLE.task("reused", token_file=FILE),
        EXAMPLE.task("replaced", **other, replace_foreign=True),
    ]

    run = succeeded(in_process.play(tasks))

    sent = {entry.header("Authorization") for entry in lab.requests(EXAMPLE.name, elsewhere)}
    assert sent == {None, signed(run["replaced"]["token"])}
    assert lines(lab.requests(EXAMPLE.name, elsewhere)) == [CREATE, PROBE]
    assert lines(lab.requests(EXAMPLE.name, "127.0.0.1")) == [CREATE, PROBE, PROBE]
    for name in ("absent", "predicted", "there", "user"):
        assert "replace_foreign" in run[name]["msg"]
    assert run["reused"]["token"] == run["created"]["token"], "the file is unchanged"
    assert run["replaced"]["action"] == "created"


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_file_of_another_kind_is_refused_before_any_request_and_keeps_its_mode(
    in_process: InProcess, lab: Lab, state: str
) -> None:
    (in_process.folder / "notes.txt").write_text("remember the milk")
    (in_process.folder / "notes.txt").chmod(0o644)

    run = succeeded(
        in_process.play([failing(EXAMPLE.task("mistyped", token_file="{{ playbook_dir }}/notes.txt", state=state))])
    )

    assert "is not a token file" in run["mistyped"]["msg"]
    assert (in_process.folder / "notes.txt").read_text() == "remember the milk"
    assert mode(in_process.folder / "notes.txt") == 0o644
    assert lab.requests() == []
    assert sorted(path.name for path in in_process.folder.glob("notes*")) in (
        ["notes.txt"],
        ["notes.txt", "notes.txt.lock"],
    )


def test_a_file_is_private_from_the_start_is_made_private_again_and_may_not_be_a_symlink(
    ansible: Ansible, lab: Lab
) -> None:
    folder = ansible.folder
    (folder / "real.json").write_text("{}")
    (folder / "link.json").symlink_to("real.json")
    tasks = [
        EXAMPLE.task("created", token_file=FILE),
        {"name": "Open", "ansible.builtin.file": {"path": FILE, "mode": "0644"}},
        EXAMPLE.task("reused", token_file=FILE),
        failing(EXAMPLE.task("linked", token_file="{{ playbook_dir }}/link.json")),
        failing(EXAMPLE.task("nowhere", token_file="{{ playbook_dir }}/missing/token.json")),
    ]

    run = succeeded(ansible.play(tasks))

    assert mode(folder / "token.json") == 0o600
    assert mode(folder / "token.json.lock") == 0o600
    assert run["reused"]["action"] == "reused"
    assert "its mode was 0644 instead of 0600" in said(run)
    assert "is a symbolic link" in run["linked"]["msg"]
    assert (folder / "real.json").read_text() == "{}"
    assert "with mode 0700" in run["nowhere"]["msg"]
    assert lines(lab.requests()) == [CREATE, PROBE, PROBE], "no token is created that cannot be stored"
    assert not list(folder.glob(".token.json.*")), "no partial file is left"


def test_a_damaged_file_is_reported_moved_aside_and_replaced(in_process: InProcess, lab: Lab) -> None:
    content = '{"version": 1, "product": "any", "current": {"tok'
    for name in ("token.json", "other.json"):
        (in_process.folder / name).write_text(content)
        (in_process.folder / name).chmod(0o600)
    other = {"token_file": "{{ playbook_dir }}/other.json", "state": "absent"}
    tasks = [
        checked(EXAMPLE.task("predicted", token_file=FILE)),
        EXAMPLE.task("created", token_file=FILE),
        EXAMPLE.task("reused", token_file=FILE),
        checked(EXAMPLE.task("absent_predicted", **other)),
        EXAMPLE.task("absent", **other),
    ]

    run = succeeded(in_process.play(tasks))

    cut = by_task(run, lab, EXAMPLE.name, "predicted", "created", "reused")
    assert [lines(requests) for requests in cut.values()] == [[], [CREATE, PROBE], [PROBE]]
    assert [run[name]["action"] for name in cut] == ["created", "created", "reused"]
    assert run["absent_predicted"]["action"] == run["absent"]["action"] == "forgotten"
    asides = [*in_process.folder.glob("token.json.damaged-*"), *in_process.folder.glob("other.json.damaged-*")]
    assert len(asides) == 2
    for aside in asides:
        assert aside.read_text() == content
        assert mode(aside) == 0o600
        assert says(run, f"It was moved to {aside}")
    assert says(run, f"{in_process.folder}/token.json is damaged. It would be moved aside and replaced.")
    assert not (in_process.folder / "other.json").exists()


def test_an_expired_stored_token_is_replaced_without_a_request_about_it(ansible: Ansible, lab: Lab) -> None:
    expire = {"path": FILE, "regexp": '("expires_at": )[0-9.]+', "replace": r"\g<1>1000.0"}
    tasks = [
        EXAMPLE.task("created", token_file=FILE),
        {"name": "Let it expire", "ansible.builtin.replace": expire},
        failing({"name": "Look up", "ansible.builtin.debug": {"msg": f"{{{{ {LOOKUP} }}}}"}, "register": "looked_up"}),
        checked(EXAMPLE.task("predicted", token_file=FILE)),
        EXAMPLE.task("renewed", token_file=FILE),
    ]

    run = succeeded(ansible.play(tasks))

    cut = by_task(run, lab, EXAMPLE.name, "created", "predicted", "renewed")
    assert [lines(requests) for requests in cut.values()] == [[CREATE, PROBE], [], [CREATE, PROBE]]
    assert run["predicted"]["action"] == run["renewed"]["action"] == "renewed"
    assert "expired at 1970-01-01T00:16:40Z" in run["looked_up"]["msg"]


def test_twelve_hosts_that_share_a_file_create_one_token(ansible: Ansible, lab: Lab) -> None:
    lab.fault(EXAMPLE.name, "delay", method="POST", path="/auth/token", seconds=1)
    hosts: dict[str, dict[str, Any]] = {f"host{number}": {} for number in range(12)}

    run = succeeded(ansible.play([EXAMPLE.task("kept", token_file=FILE)], hosts=hosts, arguments=["--forks=12"]))

    results = [run.by_host[name]["kept"] for name in hosts]
    assert sorted(result["action"] for result in results) == ["created"] + ["reused"] * 11
    assert len({result["token"] for result in results}) == 1
    assert lines(lab.requests(EXAMPLE.name)).count(CREATE) == 1
    assert lab.counts(EXAMPLE.name)["tokens_minted"] == 1


def test_two_processes_that_share_a_file_create_one_token(ansible: Ansible, lab: Lab) -> None:
    lab.fault(EXAMPLE.name, "delay", method="POST", path="/auth/token", seconds=2)
    other = Ansible(ansible.folder / "other", ansible.variables)
    other.folder.mkdir()
    tasks = [EXAMPLE.task("kept", token_file=str(ansible.folder / "token.json"))]

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda process: succeeded(process.play(tasks)), (ansible, other))

    assert sorted((first["kept"]["action"], second["kept"]["action"])) == ["created", "reused"]
    assert first["kept"]["token"] == second["kept"]["token"]
    assert lab.counts(EXAMPLE.name)["tokens_minted"] == 1


def test_a_task_that_times_out_waiting_for_the_lock_reports_it_and_creates_nothing(
    in_process: InProcess, lab: Lab
) -> None:
    with (in_process.folder / "token.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = succeeded(in_process.play([failing(EXAMPLE.task("late", token_file=FILE, lock_timeout=0.1))]))

    assert "another task has held the lock" in run["late"]["msg"].lower()
    assert "lock_timeout" in run["late"]["msg"]
    assert lab.requests() == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/info/version"), ("DELETE", "/auth/token")])
def test_a_task_killed_during_a_renewal_loses_no_token_and_the_next_run_repairs_the_file(
    ansible: Ansible, lab: Lab, method: str, path: str
) -> None:
    """Killed before the new token is verified, and before the old one is revoked."""
    lab.fault(EXAMPLE.name, "delay", method=method, path=path, skip=1 if method == "GET" else 0, seconds=60)
    tasks = [EXAMPLE.task("created", token_file=FILE), EXAMPLE.task("killed", token_file=FILE, renew="always")]
    with ThreadPoolExecutor() as pool:
        killed = pool.submit(ansible.play, tasks)
        lab.wait_for_requests(4 if method == "GET" else 5, finished=False)
        kill_all_in(ansible.folder)
        assert killed.result().returncode != 0
    lab.clear_faults()
    lab.clear_requests()

    run = succeeded(ansible.play([EXAMPLE.task("finished", token_file=FILE), EXAMPLE.task("settled", token_file=FILE)]))

    cut = by_task(run, lab, EXAMPLE.name, "finished", "settled")
    assert run["finished"]["changed"]
    assert CREATE not in lines(cut["finished"])
    assert lines(cut["settled"]) == [PROBE]
    record = json.loads((ansible.folder / "token.json").read_text())
    assert lab.counts(EXAMPLE.name)["tokens_minted"] == 2
    assert record["pending"] is None
    assert lab.counts(EXAMPLE.name)["tokens_valid"] == 1 + len(record["superseded"]), "each is in the file"
    assert len(record["superseded"]) == (method == "GET"), (
        "the run that completed it keeps the old one for its grace period"
    )


def kill_all_in(folder: Path) -> None:
    """Kill the processes in this folder, which only the play of this test uses."""
    for cwd in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if cwd.readlink() == folder:
                os.kill(int(cwd.parent.name), signal.SIGKILL)


@pytest.mark.parametrize(
    ("request_that_waits", "minted"), [(PROBE, 1), pytest.param(CREATE, 2, marks=pytest.mark.slow)]
)
def test_the_keyword_timeout_ends_a_task_like_a_kill_and_the_next_task_continues(
    ansible: Ansible, lab: Lab, request_that_waits: str, minted: int
) -> None:
    """A token whose response had not arrived is the only unknown one."""
    method, path = request_that_waits.split()
    lab.fault(EXAMPLE.name, "delay", method=method, path=f"{path}$", seconds=30, work=True, times=1)
    cut = {**failing(EXAMPLE.task("cut", token_file=FILE)), "timeout": 2}

    run = ansible.play([cut, EXAMPLE.task("next", token_file=FILE)], arguments=["-vvv"])

    assert run["cut"]["timedout"]["period"] == 2
    assert (run["next"]["action"], run["next"]["verified"]) == ("created", True)
    counts = lab.counts(EXAMPLE.name)
    assert (counts["tokens_minted"], counts["tokens_valid"]) == (minted, minted)
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_the_token_is_available_as_headers_and_from_the_lookup_which_refuses_an_unusable_one(
    ansible: Ansible, lab: Lab
) -> None:
    shutil.copy(__file__, ansible.folder / "strange.json")
    ask: list[Task] = [
        failing({"name": name, "ansible.builtin.debug": {"msg": f"{{{{ {term} }}}}"}, "register": name})
        for name, term in {
            "missing": LOOKUP.replace("token.json", "missing.json"),
            "strange": LOOKUP.replace("token.json", "strange.json"),
            "short": LOOKUP.replace("')", "', min_remaining=10**6)"),
            "unknown": LOOKUP.replace("')", "', secret='id_token')"),
        }.items()
    ]
    tasks = [
        EXAMPLE.task("stored", token_file=FILE, return_token=False),
        EXAMPLE.task("returned", token_file=FILE),
        use("by_headers", "{{ returned.headers.Authorization }}"),
        use("by_lookup", f"NetworkInsight {{{{ {LOOKUP} }}}}"),
        *ask,
        end_tokens("revoked", EXAMPLE.name),
        failing(use("revoked", f"NetworkInsight {{{{ {LOOKUP} }}}}")),
    ]

    run = succeeded(ansible.play(tasks))

    assert {"token", "headers"}.isdisjoint(run["stored"])
    assert run["stored"]["fingerprint"] == run["returned"]["fingerprint"]
    assert [run[name]["status"] for name in ("by_headers", "by_lookup", "revoked")] == [200, 200, 401]
    assert "there is no token in" in run["missing"]["msg"].lower()
    assert "is not a token file" in run["strange"]["msg"]
    assert "expires too soon" in run["short"]["msg"]
    assert "contains no id_token" in run["unknown"]["msg"]
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_an_expiry_is_read_in_seconds_and_milliseconds_and_without_one_the_probe_decides(
    ansible: Ansible, lab: Lab
) -> None:
    told = ("ms", "s", "absent", "past", "far")
    addresses = dict(zip(told, lab.add_addresses(len(told)), strict=True))
    for expiry, address in addresses.items():
        lab.change_settings(EXAMPLE.name, host=address, expiry=expiry)
    hosts = {expiry: {"url": lab.url(EXAMPLE.name, address)} for expiry, address in addresses.items()}
    options = {"hostname": "{{ url }}", "token_file": "{{ playbook_dir }}/{{ inventory_hostname }}.json"}
    tasks = [
        EXAMPLE.task("created", **options),
        EXAMPLE.task("reused", **options),
        EXAMPLE.task("trusted", **options, verify=False),
        end_tokens("revoked", EXAMPLE.name) | {"run_once": True},
        EXAMPLE.task("renewed", **options),
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
    assert said(run).count("returned no usable expiry") >= 3
