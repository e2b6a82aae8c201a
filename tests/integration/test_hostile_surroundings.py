# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Harmful settings of a machine or shell: .netrc, other trust stores, proxies, and prepared files.

An invalid certificate with a REQUESTS_CA_BUNDLE that would accept it is in test_faults.py, and so are redirects.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUERS, KITS
from support.canaries import leaks
from support.canary_plays import successes
from support.in_process import operation_of
from support.playbooks import AS_MODULE, EACH_ROUTE, IN_PROCESS, OVER_SSH, Ansible, Route, Task, module
from support.tasks import checked, failing, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

EVIL = "evil-9b1deb4d3b7d4bad"
NOBODY = 65534


@pytest.mark.parametrize("route", [IN_PROCESS, AS_MODULE], ids=lambda route: route.name)
def test_netrc_and_the_trust_stores_of_other_programs_are_ignored(ansible: Ansible, lab: Lab, route: Route) -> None:
    home = ansible.folder / "home"
    home.mkdir()
    netrc = home / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login eve password {EVIL}\ndefault login eve password {EVIL}\n")
    netrc.chmod(0o600)
    nothing = str(ansible.folder / "no-such-bundle.pem")
    ansible.variables["generated_name"] = "se-of-this-test"
    makers = [kit.name for kit in (EXAMPLE, *ISSUERS)]
    tasks = successes() if route is IN_PROCESS else [KITS[name].task(name) for name in makers]

    run = succeeded(
        ansible.play(
            tasks,
            route=route,
            environ={"NETRC": str(netrc), "REQUESTS_CA_BUNDLE": nothing, "CURL_CA_BUNDLE": nothing},
        )
    )

    assert {run[name]["action"] for name in makers} == {"created"}
    sent = "\n".join(f"{entry.headers} {entry.body} {entry.line}" for entry in lab.requests())
    assert leaks({"requests": sent}, [EVIL]) == []
    assert leaks({"requests": sent}, [lab[EXAMPLE.name]["password"]]), "headers that must be sent are recorded"


def by_name(register: str, **options: Any) -> Task:
    return EXAMPLE.task(register, hostname=f"https://{EXAMPLE.host}", **options)


@pytest.mark.parametrize("route", EACH_ROUTE)
def test_a_proxy_comes_from_the_option_or_the_environment_and_sees_only_a_host_name(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    proxy, nowhere = lab["proxy"]["url"], "http://127.0.0.1:1"
    tasks = [
        {**by_name("of_the_task"), "environment": {"HTTPS_PROXY": proxy}},
        {**by_name("by_the_option", proxy_url=proxy), "environment": {"https_proxy": nowhere}},
        {**EXAMPLE.task("bypassed"), "environment": {"HTTPS_PROXY": nowhere, "NO_PROXY": "127.0.0.1"}},
    ]

    run = succeeded(ansible.play(tasks, route=route, arguments=["-vvv"]))

    assert {run[task["register"]]["action"] for task in tasks} == {"created"}
    assert lab.tunnels() == [f"{EXAMPLE.host}:443"] * 2
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_a_proxy_of_the_shell_applies_to_the_control_node_and_not_to_a_managed_node(ansible: Ansible, lab: Lab) -> None:
    environ = {"HTTPS_PROXY": lab["proxy"]["url"], "NO_PROXY": "127.0.0.0/8,localhost"}

    for route, name in ((IN_PROCESS, "here"), (AS_MODULE, "as_module"), (OVER_SSH, "there")):
        run = succeeded(
            ansible.play(
                [failing(by_name(name, retries=0, timeout=20)), EXAMPLE.task("direct")],
                route=route,
                environ={**environ, "NO_PROXY": "127.0.0.1"},
            )
        )
        assert bool(run[name].get("failed")) == (route is OVER_SSH)
        assert run["direct"]["action"] == "created"

    assert lab.tunnels() == [f"{EXAMPLE.host}:443"] * 2


def test_the_password_of_a_proxy_is_in_no_message(ansible: Ansible) -> None:
    proxy = f"http://user:{EVIL}@127.0.0.1:1"
    # In variables: newer cores quote the lines of the playbook around a failed task.
    ansible.variables.update(proxy=proxy, no_proxy=f"socks9://{EVIL}@nowhere")
    tasks = [
        failing(by_name("by_the_option", proxy_url="{{ proxy }}", retries=0)),
        {**failing(by_name("of_the_task", retries=0)), "environment": {"HTTPS_PROXY": "{{ proxy }}"}},
        failing(by_name("of_the_shell", retries=0)),
        failing(by_name("no_proxy_at_all", proxy_url="{{ no_proxy }}", retries=0)),
    ]

    run = succeeded(ansible.play(tasks, environ={"HTTPS_PROXY": proxy}, arguments=["-vvvv"]))

    assert all("proxy" in run[task["register"]]["msg"] for task in tasks)
    assert leaks({"output": run.output, "messages": str(run.by_host)}, [EVIL]) == []


# Token files.


def users_of(file: str) -> list[Task]:
    """Every task that opens a token file."""
    term = f"lookup('sddc.tokens.token_file', {file!r})"
    keepers = [kit for kit in KITS.values() if "token_file" in operation_of(kit.module).argument_spec.options]
    tasks: list[Task] = [
        *(kit.task(kit.name, token_file=file, **kit.from_file) for kit in keepers),
        checked(EXAMPLE.task("predicted", token_file=file)),
        EXAMPLE.task("absent", token_file=file, state="absent"),
        {"name": "Look up", "ansible.builtin.debug": {"msg": f"{{{{ {term} }}}}"}, "register": "looked_up"},
    ]
    return [failing(task) for task in tasks]


def laid_out(folder: Path, lab: Lab) -> dict[str, tuple[Path, str]]:
    """Token files that another user controls, and the error for each."""
    owned = folder / "owned.json"
    link, target = folder / "link.json", folder / "target.json"
    open_folder = folder / "open"
    open_folder.mkdir()
    content = f'{{"token": "{lab[EXAMPLE.name]["vidm_token"]}"}}'
    for path in (owned, target, open_folder / "token.json"):
        path.write_text(content)
        path.chmod(0o600)
    os.chown(owned, NOBODY, NOBODY)
    link.symlink_to(target)
    open_folder.chmod(0o777)
    return {
        "owned": (owned, "belongs to another user"),
        "link": (link, "is a symbolic link"),
        "folder": (open_folder / "token.json", "can replace files in the folder of the token file"),
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("trap", ["owned", "link", "folder"])
def test_a_token_file_that_another_user_controls_is_refused_unread_and_unchanged(
    ansible: Ansible, lab: Lab, trap: str
) -> None:
    path, said_of_it = laid_out(ansible.folder, lab)[trap]
    content, status = path.read_text(), path.lstat()

    run = succeeded(ansible.play(users_of(str(path)), arguments=["-vvv"]))

    for name, result in run.by_host["sddc"].items():
        assert result["failed"], name
        assert said_of_it in said(run)
        if name != "looked_up":
            assert said_of_it in result["msg"], name
    assert run.output.count("...ignoring") == len(run.by_host["sddc"])
    assert (path.read_text(), path.lstat().st_mtime_ns, path.lstat().st_uid) == (
        content,
        status.st_mtime_ns,
        status.st_uid,
    )
    made = {entry.line for entry in lab.requests() if entry.method != "GET"}
    assert made == set(), "no token is created that cannot be stored"
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_a_token_file_that_others_can_read_is_reported_and_made_private_before_it_is_used(
    ansible: Ansible, lab: Lab
) -> None:
    file = ansible.folder / "token.json"
    succeeded(ansible.play([EXAMPLE.task("created", token_file=str(file))]))
    file.chmod(0o640)

    run = succeeded(
        ansible.play(
            [
                module("token_info", "info", paths=[str(file)]),
                checked(EXAMPLE.task("predicted", token_file=str(file))),
                EXAMPLE.task("reused", token_file=str(file)),
            ]
        )
    )

    assert run["reused"]["action"] == "reused"
    assert "its mode was 0640 instead of 0600" in said(run)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert lab.counts(EXAMPLE.name)["tokens_minted"] == 1
