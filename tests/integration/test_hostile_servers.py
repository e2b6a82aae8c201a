# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that want to exhaust whoever asks them: each module gives up within bounds of time and memory, and says why.

Faults of honest servers are in test_faults.py; a link to a foreign host is in test_vcenter_registered_token.py.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.canaries import leaks
from support.canary_plays import BY_CSP, NSX_USER
from support.collection import PRODUCTS
from support.cores import DEFAULT, Core
from support.playbooks import Ansible, Task, module
from support.tasks import INSTANCE, VIDB_BY_TASK, avi, csp, failing, nsx, sddc_manager, succeeded, vcenter, vidb, vrni

if TYPE_CHECKING:
    from lab.client import Lab

# Seconds: of patience with a server that trickles, and with one that should be done at once.
SHORT, LONG = 2, 60
# What a fault sends, and what the error says of it.
HOSTILE: dict[str, tuple[str, dict[str, Any], str]] = {
    "megabytes": ("huge", {"megabytes": 300}, "the response is longer than 16 MiB"),
    "bomb": ("gzip_bomb", {"megabytes": 300}, "the response is compressed, though that was not asked for"),
    "headers": ("endless_headers", {}, "the response has more headers, or longer ones, than any of the API can have"),
    "trickle": ("trickle", {"interval": 0.5}, f"no whole response within {SHORT} s"),
}
# MiB that a hostile reply may cost: what is read of it, once more as it grows, and the noise of a run.
MEMORY = 64


def every_module(**options: Any) -> list[Task]:
    """A task of every module that asks a server, all at the place of the host that runs it."""

    def at(product: str) -> dict[str, Any]:
        return {"hostname": f"{{{{ place.{product} }}}}", "timeout": "{{ patience }}", "retries": 1, **options}

    tasks = [
        csp("csp_access_token", **at("csp")),
        vrni("vrni_auth_token", **at("vrni")),
        module("vrni_vidm_client_info", "vrni_vidm_client_info", ca_path="{{ ca_path }}", **at("vrni")),
        sddc_manager("sddc_manager_token", **at("sddc_manager")),
        vidb("vidb_access_token", **at("vidb")),
        vcenter("vcenter_registered_token", **at("vcenter"), **VIDB_BY_TASK),
        avi("avi_securechanneltoken", **at("avi"), name="se-01"),
        avi("avi_securechanneltoken_info", of="avi_securechanneltoken_info", **at("avi")),
        avi("avi_se_auth_token", of="avi_se_auth_token", cloud="Default-Cloud", **at("avi")),
        nsx("nsx_service_reauth", **{**BY_CSP, **at("nsx")}, **NSX_USER, **INSTANCE),
        nsx("with_csp", **{**at("nsx"), **BY_CSP, "csp_hostname": "{{ place.csp }}"}, **INSTANCE, force=True),
        module(
            "nsx_service_instance_info", "nsx_service_instance_info", ca_path="{{ ca_path }}", **at("nsx"), **NSX_USER
        ),
    ]
    return [failing(task) for task in tasks]


def measured(folder: Path) -> Core:
    """The core of the tests, whose ansible-playbook writes the most memory that one of its processes took, in KiB."""
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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak of memory is told in another unit")
def test_a_server_that_wants_to_exhaust_a_module_costs_bounded_time_and_memory_and_is_named(
    ansible: Ansible, lab: Lab
) -> None:
    addresses = dict(zip(HOSTILE, lab.add_addresses(len(HOSTILE)), strict=True))
    for name, (kind, parameters, _cause) in HOSTILE.items():
        for product in PRODUCTS:
            lab.fault(product, kind, host=addresses[name], times=0, **parameters)
    hosts = {
        name: {
            "place": {product: lab.url(product, address) for product in PRODUCTS},
            "patience": SHORT if name == "trickle" else LONG,
        }
        for name, address in addresses.items()
    }
    honest = {"place": {product: lab[product]["url"] for product in PRODUCTS}, "patience": LONG}
    core = measured(ansible.folder)
    succeeded(ansible.play(every_module(), hosts={"honest": honest}, core=core))
    before = peak(core)

    run = succeeded(ansible.play(every_module(), hosts=hosts, core=core, arguments=["-vvv"]))

    assert peak(core) < before + MEMORY
    for name, results in run.by_host.items():
        cause = HOSTILE[name][2]
        assert len(results) == len(every_module())
        for task, result in results.items():
            assert result["failed"], f"{name} {task}"
            assert cause in result["msg"], f"{name} {task}"
            assert result["msg"].startswith("Could not "), f"{name} {task}"
    trickled = [entry for entry in lab.requests(host=addresses["trickle"]) if entry.fault]
    assert trickled
    assert max(entry.seconds for entry in trickled) < LONG / 2, "given up in its time"
    assert leaks({"output": run.output}, [secret["value"] for secret in lab.secrets()]) == []
    assert not re.search("Traceback|MemoryError", run.output)


def test_what_a_server_says_writes_nothing_on_the_terminal_and_is_no_template(ansible: Ansible, lab: Lab) -> None:
    password = lab["vrni"]["password"]
    torn = "\u200b".join(password[start : start + 4] for start in range(0, len(password), 4))
    text = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202edesrever {{ 7000 * 7 }}"
    lab.fault("vrni", "status", status=400, times=0, body={"code": 1, "message": f"{text} {torn}"})
    path = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"
    lab.act("nsx", "raise_alarms", host="127.0.0.1", paths=[path], text=f"out of order {text}")
    alarmed = {**BY_CSP, "alarm_pattern": "no such alarm", "csp_hostname": "{{ lab.csp.url }}"}
    tasks = [failing(vrni("refused")), nsx("warned", **alarmed, **INSTANCE)]

    run = succeeded(ansible.play(tasks, arguments=["-v"]))

    assert "owned" in run["refused"]["msg"]
    assert "owned" in run.output.split("Task warned")[1], "the alarm is quoted in a warning"
    for shown in (run.output, run["refused"]["msg"]):
        assert not [character for character in shown if not character.isprintable() and not character.isspace()]
    assert "49000" not in run.output
    assert leaks({"output": run.output, "message": run["refused"]["msg"]}, [password]) == []
