# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes by which a task runs: in the controller's process, as a module, over ssh. A user sees no difference."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.canaries import leaks
from support.playbooks import AS_MODULE, IN_PROCESS, OVER_SSH, ROUTES, Ansible, Route, Run, Task, module
from support.tasks import INSTANCE, checked, csp, failing, nsx, succeeded, vrni

if TYPE_CHECKING:
    from lab.client import Lab

FILE = "{{ playbook_dir }}/token.json"
# What differs from run to run.
VOLATILE = {"token", "id_token", "headers", "fingerprint", "issued_at", "expires_at", "expires_in", "exception"}


@pytest.fixture(params=ROUTES, ids=lambda route: route.name)
def route(request: pytest.FixtureRequest) -> Route:
    route: Route = request.param
    return route


def every_kind_of_result() -> list[Task]:
    """Each module in success, failure and check mode, with warnings and diffs."""
    return [
        vrni("created", token_file=FILE),
        checked(vrni("renewal", token_file=FILE, renew="always")),
        vrni("warned", token_file=FILE, min_remaining=10**6, renew="always", return_token=False),
        failing(vrni("refused", password="wrong")),
        vrni("revoked", token_file=FILE, state="absent"),
        csp("csp"),
        checked(csp("exchange")),
        failing(csp("bad_request", api_token="wrong")),
        failing(csp("misplaced", client_secret="secret-for-nothing")),
        checked(nsx("due", **INSTANCE)),
        nsx("acted", **INSTANCE, wait=False),
        failing(nsx("missing", **{**INSTANCE, "tier0_id": "nope"}, force=True)),
        failing(nsx("mistyped", **INSTANCE, concurrency="many")),
    ]


def results_of(run: Run) -> dict[str, dict[str, Any]]:
    """What was registered, without what differs from run to run."""
    told: dict[str, dict[str, Any]] = {}
    for name, result in run.by_host["sddc"].items():
        told[name] = {key: value for key, value in result.items() if key not in VOLATILE}
        for part in told[name].get("diff") or {}:
            told[name]["diff"][part] = sorted(told[name]["diff"][part])
        told[name]["warnings"] = [plain(text) for text in result.get("warnings", ())]
        told[name]["keys"] = sorted(result)
    return told


def plain(warning: str) -> str:
    """A warning alone: newer cores tell where in the playbook it came from. A life is measured to the second."""
    text = re.sub(r".*msg=(['\"])(.*?)\1, .*", r"\2", warning)
    return re.sub(r"lives \d+ s", "lives so many s", text)


def test_every_route_gives_the_same_results_and_only_in_process_starts_no_interpreter(
    ansible: Ansible, lab: Lab
) -> None:
    told, logged = {}, {}
    for route in ROUTES:
        lab.reset()
        run = succeeded(ansible.play(every_kind_of_result(), route=route, arguments=["-vvv", "--diff"]))
        told[route.name] = results_of(run)
        logged[route.name] = [entry.line for entry in lab.requests()]
        assert ("EXEC" in run.output) != route.in_process
        assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []
        for name in ("created", "csp"):
            assert run[name]["headers"]["Authorization"] == f"{run[name]['token_type']} {run[name]['token']}"

    expected = told[IN_PROCESS.name]
    assert expected["refused"]["failed"]
    assert expected["warned"]["warnings"]
    for route in (AS_MODULE, OVER_SSH):
        for name, result in expected.items():
            assert told[route.name][name] == result, f"{name} {route.name}"
        assert logged[route.name] == logged[IN_PROCESS.name]


def test_a_module_reaches_its_host_through_a_pipe_and_leaves_no_file_there(ansible: Ansible, lab: Lab) -> None:
    for route in (AS_MODULE, OVER_SSH):
        remote = ansible.folder / f"remote of {route.name}"
        variables = {**route.variables, "ansible_remote_tmp": str(remote)}

        run = succeeded(ansible.play([vrni("created")], route=Route(route.name, variables), arguments=["-vvv"]))

        assert run["created"]["action"] == "created"
        assert "EXEC" in run.output
        assert " PUT " not in run.output
        assert not remote.exists()


def test_a_reply_that_cannot_be_read_is_not_shown_for_it_holds_the_token(ansible: Ansible, lab: Lab) -> None:
    chatty = ansible.folder / "chatty-python"
    chatty.write_text(f'#!/bin/sh\necho "{{ welcome }}"\nexec {sys.executable} "$@"\n')
    chatty.chmod(0o755)
    route = Route("chatty", {**AS_MODULE.variables, "ansible_python_interpreter": str(chatty)})
    task = {**vrni("created"), "ignore_errors": True}

    run = ansible.play([task], route=route, arguments=["-vv"])

    assert run["created"]["failed"]
    assert "What the module printed is no result" in run["created"]["msg"]
    assert lab.requests("vrni")[0].method == "POST"
    assert leaks({"output": run.output, "result": str(run["created"])}, [one["value"] for one in lab.secrets()]) == []


def test_become_on_a_local_connection_takes_the_route_of_a_module(ansible: Ansible, lab: Lab) -> None:
    sudo = ansible.folder / "sudo"
    sudo.write_text('#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec "$@"\n')
    sudo.chmod(0o755)
    become = {"become": True, "vars": {"ansible_become_exe": str(sudo)}}
    tasks = [vrni("without"), {**vrni("with_become"), **become}]

    run = succeeded(ansible.play(tasks, environ={"ANSIBLE_BECOME_ALLOW_SAME_USER": "1"}, arguments=["-vvv"]))

    before, after = run.output.split("TASK [Task with_become]")
    assert "EXEC" not in before
    assert str(sudo) in after
    # sudo may insist on a terminal, which a pipe is not.
    assert " PUT " in after
    assert run["with_become"]["action"] == run["without"]["action"] == "created"
    assert "token" in run["with_become"]


def test_the_environment_of_a_task_beats_that_of_the_process_and_no_credential_of_it_reaches_the_host(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    wrong = {"VRNI_HOST": "https://127.0.0.1:1", "VRNI_USERNAME": "nobody", "VRNI_PASSWORD": "wrong-password"}
    right = {
        "VRNI_HOST": "{{ lab.vrni.url }}",
        "VRNI_USERNAME": "{{ lab.vrni.username }}",
        "VRNI_PASSWORD": "{{ lab.vrni.password }}",
        "KEPT": "kept-for-the-host",
    }
    bare = module("vrni_auth_token", "created", ca_path="{{ ca_path }}")
    variables = {**route.variables, "ansible_python_interpreter": str(spying_python(ansible.folder))}

    run = succeeded(
        ansible.play(
            [{**bare, "environment": right}],
            route=Route(route.name, variables),
            keywords={"environment": wrong},
            environ={**wrong, "VRNI_USERNAME": "somebody-else"},
            arguments=["-vvv"],
        )
    )

    assert run["created"]["action"] == "created"
    execs = " ".join(line for line in run.output.splitlines() if "EXEC" in line)
    seen = " ".join(path.read_text() for path in ansible.folder.glob("environment.*"))
    assert bool(execs) == bool(seen) == (not route.in_process)
    assert ("KEPT=kept-for-the-host" in execs) == ("KEPT=kept-for-the-host" in seen) == (not route.in_process)
    for text in (execs, seen):
        assert lab["vrni"]["password"] not in text
    # On a local connection the process environment is the caller's own.
    told = [execs, seen] if route is OVER_SSH else [execs]
    assert not [text for text in told for name in wrong if name in text or wrong[name] in text]


def spying_python(folder: Path) -> Path:
    """A Python that writes down its environment and then is the one of the tests."""
    spy = folder / "python"
    spy.write_text(f'#!/bin/sh\nenv > "{folder}/environment.$$"\nexec "{sys.executable}" "$@"\n')
    spy.chmod(0o755)
    return spy


def test_module_defaults_aliases_and_wrong_options_are_the_same_on_all_routes(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    defaults = {
        "group/sddc.tokens.all": {"ca_path": "{{ ca_path }}", "timeout": 20},
        "group/sddc.tokens.vrni": {
            "hostname": "{{ lab.vrni.url }}",
            "username": "{{ lab.vrni.username }}",
            "password": "{{ lab.vrni.password }}",
        },
        "group/sddc.tokens.csp": {"hostname": "{{ lab.csp.url }}", "api_token": "{{ lab.csp.api_token }}"},
        "group/sddc.tokens.nsx": {"hostname": "{{ lab.nsx.url }}", **INSTANCE},
    }
    tokens = {"access_token": "{{ csp.token }}", "id_token": "{{ csp.id_token }}"}
    tasks = [
        module("vrni_auth_token", "vrni"),
        module("csp_access_token", "csp"),
        module("nsx_service_reauth", "nsx", **tokens, wait=False),
        failing(module("vrni_auth_token", "no_option", user="admin")),
        failing(module("csp_access_token", "no_choice", state="gone")),
        failing(module("nsx_service_reauth", "no_number", **tokens, timeout="soon")),
    ]

    run = succeeded(ansible.play(tasks, route=route, keywords={"module_defaults": defaults}, arguments=["-vvv"]))

    assert [run[name]["action"] for name in ("vrni", "csp", "nsx")] == ["created", "created", "reauthenticated"]
    (post,) = [entry for entry in lab.requests("nsx") if entry.method == "POST"]
    assert post.header("X-NSX-OpenId") == run["csp"]["id_token"]
    assert "there is no option user. Supported parameters include:" in run["no_option"]["msg"]
    assert "username" in run["no_option"]["msg"]
    assert re.search(r"state must be one of: present, absent, got: gone", run["no_choice"]["msg"])
    assert "timeout" in run["no_number"]["msg"]
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_a_host_without_requests_gets_the_usual_message(ansible: Ansible, lab: Lab) -> None:
    bare = ansible.folder / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    route = Route("bare", {**OVER_SSH.variables, "ansible_python_interpreter": str(bare / "bin" / "python")})

    run = succeeded(ansible.play([failing(vrni("failed")), failing(nsx("by_nsx", **INSTANCE, **TOKENS))], route=route))

    for name in ("failed", "by_nsx"):
        assert run[name]["msg"].startswith("Failed to import the required Python library (requests) on ")
        assert str(bare / "bin" / "python") in run[name]["msg"]
    assert lab.requests() == []


TOKENS = {"access_token": "an-access-token", "open_id_token": "an-openid-token"}


@pytest.mark.parametrize("broken", ["raise ImportError('no urllib3')", "raise AttributeError('wrong urllib3')"])
def test_with_broken_requests_on_the_controller_the_task_runs_as_a_module(
    ansible: Ansible, lab: Lab, broken: str
) -> None:
    shadow = ansible.folder / "shadow"
    shadow.mkdir()
    (shadow / "requests.py").write_text(broken + "\n")
    unshadowed: dict[str, Any] = {"environment": {"PYTHONPATH": ""}}
    tasks = [{**vrni("created"), **unshadowed}, failing(vrni("shadowed"))]

    run = ansible.play(tasks, environ={"PYTHONPATH": str(shadow)}, arguments=["-vvv"])

    assert succeeded(run)["created"]["action"] == "created"
    assert "EXEC" in run.output
    assert "Failed to import the required Python library (requests)" in run["shadowed"]["msg"]
