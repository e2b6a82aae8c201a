# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that try to exhaust a client: each module fails within bounds of time and memory, and names the cause.

Faults of regular servers are in test_faults.py. A link to a foreign host is in the tests of the one product with links.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, KITS
from support.canaries import leaks
from support.canary_plays import elsewhere, tokens
from support.cores import DEFAULT, Core
from support.playbooks import Ansible, Task
from support.tasks import failing, succeeded

if TYPE_CHECKING:
    from lab.client import Lab

# Timeouts in seconds: for a server that is slow, and for one that should be done at once.
SHORT, LONG = 2, 60
# What a fault sends, and the cause in the error.
HOSTILE: dict[str, tuple[str, dict[str, Any], str]] = {
    "megabytes": ("huge", {"megabytes": 300}, "the response is longer than 16 MiB"),
    "bomb": ("gzip_bomb", {"megabytes": 300}, "the response is compressed, which was not requested"),
    "headers": ("endless_headers", {}, "the response has more or longer headers than any response of the API"),
    "trickle": ("trickle", {"interval": 0.5}, f"no complete response within {SHORT} s"),
}
# MiB that a hostile response may take: its read part, the same again as it grows, and the variation of a run.
MEMORY = 64


def every_module() -> list[Task]:
    """A task of every module that sends requests, all at the address of their host.

    Modules that revoke are excluded, because the body of that response is not read.
    """
    tasks = [
        elsewhere(task, kit, "place", timeout="{{ patience }}", retries=1)
        for kit in KITS.values()
        for task in (*kit.asks, *kit.asks_without_secret)
    ]
    reading = [task for task in tasks if "'state': 'absent'" not in str(task)]
    return [failing({**task, "register": f"task_{number}"}) for number, task in enumerate(reading)]


def measured(folder: Path) -> Core:
    """The core of the tests, with an ansible-playbook that records the peak memory of its processes, in KiB."""
    tools = folder / "measured"
    tools.mkdir()
    (tools / "python").symlink_to(sys.executable)
    script = tools / "ansible-playbook"
    script.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, resource, subprocess, sys\n"
        f"done = subprocess.run([{DEFAULT.ansible_playbook!r}, *sys.argv[1:]])\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        f"pathlib.Path({str(tools / 'peak')!r}).write_text(str(peak))\n"
        "sys.exit(done.returncode)\n"
    )
    script.chmod(0o755)
    return dataclasses.replace(DEFAULT, folder=tools)


def peak(core: Core) -> float:
    """In MiB."""
    return int((core.folder / "peak").read_text()) / 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak of memory is told in another unit")
def test_a_server_that_tries_to_exhaust_a_module_is_named_within_bounded_time_and_memory(
    ansible: Ansible, lab: Lab
) -> None:
    addresses = dict(zip(HOSTILE, lab.add_addresses(len(HOSTILE)), strict=True))
    for name, (kind, parameters, _cause) in HOSTILE.items():
        for product in KITS:
            lab.fault(product, kind, host=addresses[name], times=0, **parameters)
    hosts = {
        name: {
            "place": {product: lab.url(product, address) for product in KITS},
            "patience": SHORT if name == "trickle" else LONG,
        }
        for name, address in addresses.items()
    }
    honest = {"place": {product: lab[product]["url"] for product in KITS}, "patience": LONG}
    core = measured(ansible.folder)
    tasks = [*tokens(), *every_module()]
    succeeded(ansible.play(tasks, hosts={"honest": honest}, core=core))
    before = peak(core)

    run = succeeded(ansible.play(tasks, hosts=hosts, core=core, arguments=["-vvv"]))

    assert peak(core) < before + MEMORY
    for name, results in run.by_host.items():
        cause = HOSTILE[name][2]
        asked = {task["register"]: str(task) for task in every_module()}
        assert results.keys() > asked.keys()
        for register, task in asked.items():
            result = results[register]
            assert result["failed"], f"{name} {task}"
            assert cause in result["msg"], f"{name} {task}"
            assert result["msg"].startswith("Could not "), f"{name} {task}"
    trickled = [entry for entry in lab.requests(host=addresses["trickle"]) if entry.fault]
    assert trickled
    assert max(entry.seconds for entry in trickled) < LONG / 2, "given up in its time"
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []
    assert not re.search("Traceback|MemoryError", run.output)


def test_text_of_a_server_neither_controls_the_terminal_nor_is_a_template(ansible: Ansible, lab: Lab) -> None:
    password = lab[EXAMPLE.name]["password"]
    torn = "\u200b".join(password[start : start + 4] for start in range(0, len(password), 4))
    text = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202edesrever {{ 7000 * 7 }}"
    lab.fault(EXAMPLE.name, "status", status=400, times=0, body={"code": 1, "message": f"{text} {torn}"})

    run = succeeded(ansible.play([failing(EXAMPLE.task("refused"))], arguments=["-v"]))

    assert "owned" in run["refused"]["msg"]
    for shown in (run.output, run["refused"]["msg"]):
        assert not [character for character in shown if not character.isprintable() and not character.isspace()]
    assert "49000" not in run.output
    assert leaks({"output": run.output, "message": run["refused"]["msg"]}, [password]) == []
