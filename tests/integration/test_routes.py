# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of a task: in the controller process, as a module, over ssh. The results are the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUER, KITS
from support.canaries import leaks
from support.playbooks import AS_MODULE, EACH_ROUTE, OVER_SSH, Ansible, Route, module
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab


@pytest.fixture(params=EACH_ROUTE)
def route(request: pytest.FixtureRequest) -> Route:
    route: Route = request.param
    return route


def test_a_module_reaches_its_host_with_pipelining_and_leaves_no_file_there(ansible: Ansible, lab: Lab) -> None:
    for route in (AS_MODULE, OVER_SSH):
        remote = ansible.folder / f"remote of {route.name}"
        variables = {**route.variables, "ansible_remote_tmp": str(remote)}

        run = succeeded(ansible.play([EXAMPLE.task("created")], route=Route(route.name, variables), arguments=["-vvv"]))

        assert run["created"]["action"] == "created"
        assert "EXEC" in run.output
        assert " PUT " not in run.output
        assert not remote.exists()


def test_an_unreadable_response_is_not_shown_because_it_may_contain_the_token(ansible: Ansible, lab: Lab) -> None:
    chatty = ansible.folder / "chatty-python"
    chatty.write_text(f'#!/bin/sh\necho "{{ welcome }}"\nexec {sys.executable} "$@"\n')
    chatty.chmod(0o755)
    route = Route("chatty", {**AS_MODULE.variables, "ansible_python_interpreter": str(chatty)})
    task = {**EXAMPLE.task("created"), "ignore_errors": True}

    run = ansible.play([task], route=route, arguments=["-vv"])

    assert run["created"]["failed"]
    assert "The module's output is not valid JSON" in run["created"]["msg"]
    assert lab.requests(EXAMPLE.name)[0].method == "POST"
    assert leaks({"output": run.output, "result": str(run["created"])}, [one["value"] for one in lab.secrets()]) == []


def test_become_on_a_local_connection_uses_the_module_route(ansible: Ansible, lab: Lab) -> None:
    sudo = ansible.folder / "sudo"
    sudo.write_text('#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec "$@"\n')
    sudo.chmod(0o755)
    become = {"become": True, "vars": {"ansible_become_exe": str(sudo)}}
    tasks = [EXAMPLE.task("without"), {**EXAMPLE.task("with_become"), **become}]

    run = succeeded(ansible.play(tasks, environ={"ANSIBLE_BECOME_ALLOW_SAME_USER": "1"}, arguments=["-vvv"]))

    before, after = run.output.split("TASK [Task with_become]")
    assert "EXEC" not in before
    assert str(sudo) in after
    # sudo may require a terminal, which a pipe is not.
    assert " PUT " in after
    assert run["with_become"]["action"] == run["without"]["action"] == "created"
    assert "token" in run["with_become"]


def test_the_environment_of_a_task_overrides_that_of_the_process_and_is_not_sent_to_the_host(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    host, username, password = EXAMPLE.environment
    wrong = {host: "https://127.0.0.1:1", username: "nobody", password: "wrong-password"}
    right = {
        host: "{{ example.url }}",
        username: "{{ example.username }}",
        password: "{{ example.password }}",
        "KEPT": "kept-for-the-host",
    }
    bare = module(EXAMPLE.module, "created", ca_path="{{ ca_path }}")
    # The play sets the variables of other modules, too.
    others = {
        variable: f"{{{{ lab.{kit.name}.{detail} }}}}"
        for kit in KITS.values()
        for variable, detail in kit.environment.items()
        if detail in kit.server.credentials and kit is not EXAMPLE
    }
    variables = {**route.variables, "ansible_python_interpreter": str(spying_python(ansible.folder))}

    run = succeeded(
        ansible.play(
            [{**bare, "environment": right}],
            route=Route(route.name, variables),
            keywords={"environment": {**others, **wrong}},
            environ={**wrong, username: "somebody-else"},
            arguments=["-vvv"],
        )
    )

    assert run["created"]["action"] == "created"
    execs = " ".join(line for line in run.output.splitlines() if "EXEC" in line)
    seen = " ".join(path.read_text() for path in ansible.folder.glob("environment.*"))
    assert bool(execs) == bool(seen) == (not route.in_process)
    assert ("KEPT=kept-for-the-host" in execs) == ("KEPT=kept-for-the-host" in seen) == (not route.in_process)
    assert leaks({"execs": execs, "seen": seen}, [secret["value"] for secret in lab.secrets()]) == []
    # On a local connection the process environment is that of the caller.
    told = [execs, seen] if route is OVER_SSH else [execs]
    assert not [text for text in told for name in wrong if name in text or wrong[name] in text]


def test_a_token_that_is_given_is_returned_whole_on_all_routes(ansible: Ansible, lab: Lab, route: Route) -> None:
    run = succeeded(
        ansible.play([EXAMPLE.task("created"), EXAMPLE.task("again", token="{{ created.token }}")], route=route)
    )

    assert run["again"]["action"] == "reused"
    assert run["again"]["token"] == run["created"]["token"]
    assert run["again"]["headers"] == run["created"]["headers"]


def spying_python(folder: Path) -> Path:
    """A Python interpreter that records its environment and then runs that of the tests."""
    spy = folder / "python"
    spy.write_text(f'#!/bin/sh\nenv > "{folder}/environment.$$"\nexec "{sys.executable}" "$@"\n')
    spy.chmod(0o755)
    return spy


def test_module_defaults_and_invalid_options_are_the_same_on_all_routes(
    ansible: Ansible, lab: Lab, route: Route
) -> None:
    defaults = {
        "group/sddc.tokens.all": {"ca_path": "{{ ca_path }}", "timeout": 20},
        **{f"group/sddc.tokens.{kit.name}": kit.server.templates() for kit in (EXAMPLE, ISSUER)},
    }
    tasks = [
        module(EXAMPLE.module, "example"),
        module(ISSUER.module, "issuer"),
        failing(module(EXAMPLE.module, "no_option", user="admin")),
        failing(module(ISSUER.module, "no_choice", state="gone")),
        failing(module(EXAMPLE.module, "no_number", timeout="soon")),
    ]

    run = succeeded(ansible.play(tasks, route=route, keywords={"module_defaults": defaults}, arguments=["-vvv"]))

    assert [run[name]["action"] for name in ("example", "issuer")] == ["created", "created"]
    assert "there is no option user. Did you mean username?" in run["no_option"]["msg"]
    assert re.search(r"state must be one of: present, absent, got: gone", run["no_choice"]["msg"])
    assert "timeout" in run["no_number"]["msg"]
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []


def test_a_host_without_requests_gets_the_usual_message(ansible: Ansible, lab: Lab) -> None:
    bare = ansible.folder / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    route = Route("bare", {**OVER_SSH.variables, "ansible_python_interpreter": str(bare / "bin" / "python")})
    kits = {kit.name: kit for kit in (EXAMPLE, ISSUER)}
    tasks = [failing({**kit.asks[-1], "register": name}) for name, kit in kits.items()]

    run = succeeded(ansible.play(tasks, route=route))

    for name in kits:
        assert run[name]["msg"].startswith("Failed to import the required Python library (requests) on ")
        assert str(bare / "bin" / "python") in run[name]["msg"]
    assert lab.requests() == []


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("raise ImportError('no urllib3')", marks=pytest.mark.slow),
        "raise AttributeError('wrong urllib3')",
    ],
)
def test_with_a_broken_requests_library_on_the_control_node_the_task_runs_as_a_module(
    ansible: Ansible, lab: Lab, broken: str
) -> None:
    shadow = ansible.folder / "shadow"
    shadow.mkdir()
    (shadow / "requests.py").write_text(broken + "\n")
    unshadowed: dict[str, Any] = {"environment": {"PYTHONPATH": ""}}
    tasks = [{**EXAMPLE.task("created"), **unshadowed}, failing(EXAMPLE.task("shadowed"))]

    run = ansible.play(tasks, environ={"PYTHONPATH": str(shadow)}, arguments=["-vvv"])

    assert succeeded(run)["created"]["action"] == "created"
    assert "EXEC" in run.output
    assert "Failed to import the required Python library (requests)" in run["shadowed"]["msg"]
