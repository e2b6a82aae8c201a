# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide for Event-Driven Ansible, followed word for word in an empty home."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from ansible_rulebook.validators import Validate

from support.canaries import leaks
from support.checkout import CHECKOUT, built
from support.guides import GUIDES, Substitute, follow
from support.rulebooks import need_java
from support.surroundings import surroundings

if TYPE_CHECKING:
    from lab.client import Lab

GUIDE = (GUIDES / "event_driven.md").read_text()
HOST = "nsx.example.com"
INSTANCE = "/infra/tier-0s/T0-main/locale-services/edge-east/service-instances/partner-fw-05"
RULEBOOK = "ansible-rulebook --rulebook sddc.tokens"
NO_SYSTEMD = "no systemd runs in a test"


def until_seen(command: str, text: str, times: int = 1) -> str:
    """Run a command that ends only when it is stopped, until it has printed a text this often; then show its output."""
    return f"""
    {command} > seen 2>&1 &
    process=$!
    for _look in $(seq 6000); do
      [ "$(grep -c {shlex.quote(text)} seen)" -lt {times} ] && kill -0 $process || break
      sleep 0.1
    done
    sleep 0.5; kill $process; wait $process; cat seen; [ "$(grep -c {shlex.quote(text)} seen)" -ge {times} ]"""


def stopped(command: str, text: str, times: int = 1) -> Substitute:
    return Substitute(
        until_seen(command, text, times), "it ends by Ctrl-C: the test stops it when it has done its work", runs_it=True
    )


def in_lab(lab: Lab, folder: Path, call: str) -> str:
    """A command that changes the lab."""
    details = folder / "lab.json"
    details.write_text(json.dumps(lab.details))
    program = f"import sys; sys.path.insert(0, {str(CHECKOUT / 'tests')!r}); from lab.client import Lab; "
    return f"{sys.executable} -c {shlex.quote(f'{program}Lab.attach({str(details)!r}).{call}')}"


def unit() -> configparser.ConfigParser:
    """The service of the guide."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    (text,) = re.findall(r"^```ini\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    parser.read_string(text)
    return parser


def as_systemd(home: Path) -> str:
    """The command of the service, in an environment with only the variables of the unit."""
    file, path, command = (
        unit()["Service"][key].replace("%h", str(home)) for key in ("EnvironmentFile", "Environment", "ExecStart")
    )
    program = f"set -a; . {shlex.quote(file)}; export {path}; exec {command}"
    return f"env -i HOME={shlex.quote(str(home))} bash -c {shlex.quote(program)}"


def substitutes(lab: Lab, folder: Path, home: Path) -> dict[str, Substitute]:
    tarball = built(folder)
    heal = f"{RULEBOOK}.nsx_reauthenticate -i ~/.sddc/inventory.yml"
    rotate = f"{RULEBOOK}.rotate_tokens -i ~/.sddc/inventory.yml --vars ~/.sddc/tokens.yml"
    report = "ansible-rulebook --rulebook ~/.sddc/report.yml"
    paced = f"{heal} --vars ~/.sddc/pace.yml"
    fault = in_lab(lab, folder, f'fault("nsx", "drop_before", host="{HOST}")')
    alarm = in_lab(lab, folder, f'act("nsx", "raise_alarms", host="{HOST}", paths=["{INSTANCE}"])')
    found = {
        "sudo apt-get install --yes openjdk-17-jre-headless": Substitute(
            "java -version", "a test is not root: Java is here already"
        ),
        "ansible-galaxy collection install sddc.tokens": Substitute(
            f"ansible-galaxy collection install --offline {shlex.quote(str(tarball))}",
            "no Galaxy can be reached: the tarball of this checkout is installed instead",
        ),
        # A manager of the lab has two such alarms at its start.
        heal: stopped(heal, "PLAY RECAP", 2),
        paced: stopped(f"{fault}\n    {paced}", "It works again"),
        rotate: stopped(rotate, "PLAY RECAP", 2),
        report: stopped(report, "none.json: missing"),
        "systemctl --user daemon-reload": Substitute("true", NO_SYSTEMD),
        "systemctl --user enable --now sddc-tokens.service": Substitute(
            f"{alarm}\n{until_seen(as_systemd(home), 'PLAY RECAP')}",
            f"{NO_SYSTEMD}: the command of the unit is run in the environment of the unit",
            runs_it=True,
        ),
        "loginctl enable-linger": Substitute("true", NO_SYSTEMD),
        "journalctl --user --unit sddc-tokens.service --no-pager": Substitute("cat seen", NO_SYSTEMD),
    }
    if not shutil.which("systemd-analyze"):
        verify = "systemd-analyze --user verify ~/.config/systemd/user/sddc-tokens.service"
        found[verify] = Substitute("true", "this machine has no systemd-analyze", runs_it=True)
    return found


def editor(lab: Lab, folder: Path) -> Path:
    """An editor that fills in the placeholders of the guide, and adds the addresses of its hosts."""
    filled_in, program = folder / "filled-in", folder / "editor"
    names = "".join(f"{name}={value}\n" for name, value in surroundings(lab).items())
    filled_in.write_text(f"{names}JAVA_TOOL_OPTIONS=-Xrs\n")
    program.write_text(f'#!/bin/sh\ncat {shlex.quote(str(filled_in))} > "$1"\n')
    program.chmod(0o700)
    return program


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_events_guide_works_word_for_word(lab: Lab, tmp_path: Path) -> None:
    need_java()
    home, work, temporary = (tmp_path / name for name in ("home", "work", "tmp"))
    for folder in (home, work, temporary):
        folder.mkdir(mode=0o700)
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", **pip}
    environ |= {"EDITOR": str(editor(lab, tmp_path)), "XDG_RUNTIME_DIR": str(temporary), "TMPDIR": str(temporary)}

    done = follow("event_driven.md", work, environ, substitutes(lab, tmp_path, home))

    assert done.returncode == 0, done.output
    for line in lines_shown():
        assert line in done.output
    left = {str(path): path.read_text(errors="replace") for path in temporary.rglob("*") if path.is_file()}
    assert leaks({"output": done.output, **left}, [secret["value"] for secret in lab.secrets()]) == []
    counts = {product: lab.counts(product, f"{product}.example.com") for product in ("csp", "nsx", "vrni")}
    assert counts["nsx"]["reauths"] == 3
    assert counts["vrni"]["tokens_valid"] == 1


def lines_shown() -> list[str]:
    """The output that the guide announces."""
    blocks = re.findall(r"^```text\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def test_the_placeholders_of_the_guide_are_those_that_the_test_fills_in(lab: Lab, tmp_path: Path) -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    editor(lab, tmp_path)
    filled_in = (tmp_path / "filled-in").read_text()

    for line in block.splitlines():
        name, mark, value = line.partition("=")
        if line.startswith("#"):
            continue
        assert f"{name}{mark}" in filled_in
        if value != "..." and name != "VRNI_USERNAME":
            assert line in filled_in


def test_every_rulebook_of_the_guide_is_valid_for_ansible_rulebook() -> None:
    blocks = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)]
    rulebooks = [block for block in blocks if isinstance(block, list)]

    for rulebook in rulebooks:
        Validate.rulebook(rulebook)

    assert len(rulebooks) == 2


def test_the_job_template_of_the_guide_accepts_the_variables_that_the_rulebook_passes() -> None:
    (action,) = re.findall(r"run_job_template:\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    given = yaml.safe_load(action)
    definitions = yaml.safe_load((CHECKOUT / "playbooks/vars/awx_job_templates.yml").read_text())
    (template,) = [
        template for template in definitions["awx_setup_job_templates"].values() if template["name"] == given["name"]
    ]

    assert set(given["job_args"]["extra_vars"]) <= {question["variable"] for question in template["survey"]}
