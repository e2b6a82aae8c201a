# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide for AWX, followed word for word in an empty home. What it sets up is launched."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.awx.definitions import AWX, DOCUMENTS, ENGINE, JOB_TEMPLATES, TOKEN_FILES
from support.awx.jobs import Worker
from support.awx.setup import REPOSITORY, credentials
from support.bao import Bao, executable
from support.canaries import leaks
from support.checkout import CHECKOUT, built
from support.cores import DEFAULT
from support.guides import GUIDES, Substitute, files_of, follow

if TYPE_CHECKING:
    from lab.client import Lab

HOST = "awx.example.com"
IMAGE = "registry.example.com/sddc/tokens:1.0"
BUILD = f"ansible-builder build --file ~/execution-environment.yml --context ~/context --tag {IMAGE}"
CREATE = "ansible-vault create --vault-password-file ~/.sddc/vault-password ~/.sddc/awx-credentials.yml"
LAUNCH = (
    "ansible localhost -m awx.awx.job_launch -a \"name='SDDC tokens - rotate tokens' organization=Default timeout=900\""
)
MOUNT = "sudo install --directory --owner=awx --group=awx --mode=0700 /var/lib/sddc-tokens"
SETUP = (
    "ansible-playbook sddc.tokens.awx_setup --vault-password-file ~/.sddc/vault-password"
    " -e @~/.sddc/awx.yml -e @~/.sddc/awx-credentials.yml"
)
REMOVE = f"{SETUP} -e awx_setup_state=absent"


def store_credential(bao: Bao) -> dict[str, Any]:
    """The credential of the writer, in the secrets engine that the reader has set up with the other guide."""
    bao.do("POST", f"sys/mounts/{ENGINE}", {"type": "kv", "options": {"version": "2"}})
    ids = bao.app_role(files_of("many_machines.md")["writer.hcl"], "sddc-writer")
    return {
        "name": "Vault",
        "type": "token_store",
        "inputs": {"url": bao.address, **{name: ids[name] for name in ("role_id", "secret_id")}},
    }


def editor(lab: Lab, bao: Bao, folder: Path) -> Path:
    """An editor that fills in the placeholders of the guide, and leaves other files unchanged."""
    awx, listed = lab["awx"], [*credentials(lab), store_credential(bao)]
    (folder / "controller").write_text(
        f"export CONTROLLER_HOST=https://{HOST} CONTROLLER_USERNAME={awx['username']}\n"
        f"export CONTROLLER_PASSWORD={awx['password']} https_proxy={lab['proxy']['url']} SSL_CERT_FILE={lab.ca_path}\n"
    )
    (folder / "credentials").write_text(yaml.safe_dump({"awx_setup_credentials": listed}))
    program = folder / "editor"
    program.write_text(
        f"#!/bin/sh\ncd {shlex.quote(str(folder))}\n"
        'case "$1" in *controller) cat controller > "$1";; *all.yml) ;; *) cat credentials > "$1";; esac\n'
    )
    program.chmod(0o700)
    return program


def git_server(home: Path, folder: Path) -> None:
    """A repository that accepts pushes to the one of the guide."""
    subprocess.run(
        ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder / "server.git")], check=True
    )
    settings = {"user.name": "A reader", "user.email": "reader@example.com"}
    settings[f"url.file://{folder}/server.git.insteadOf"] = REPOSITORY
    for name, value in settings.items():
        subprocess.run(["git", "config", "--file", str(home / ".gitconfig"), name, value], check=True)


def substitutes(lab: Lab, folder: Path) -> dict[str, Substitute]:
    tarball = built(folder)
    galaxy = f"ansible-galaxy collection install --offline {shlex.quote(str(tarball))}"
    awx = shlex.quote(str(DEFAULT.collections / "ansible_collections" / "awx"))
    no_engine = "no container engine and no registry are here"
    return {
        "ansible-galaxy collection install sddc.tokens awx.awx": Substitute(
            f"{galaxy} && cp -r {awx} ~/.ansible/collections/ansible_collections/",
            "no Galaxy can be reached: the tarball of this checkout and an extracted awx.awx are installed instead",
        ),
        BUILD: Substitute(
            BUILD.partition(" --tag")[0].replace(" build ", " create "), f"{no_engine}: the context is made"
        ),
        f"podman push {IMAGE}": Substitute("true", no_engine),
        MOUNT: Substitute("true", "no execution node is here"),
        CREATE: Substitute(f"{CREATE} --skip-tty-check", "a test has no terminal", runs_it=True),
        LAUNCH: Substitute("true", "the stand-in of AWX starts no job: the test runs it by ansible-runner"),
        # The files that the test checks must exist at the end of the guide.
        REMOVE: Substitute("true", "done at the end of the test, when all has been looked at", runs_it=True),
    }


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_awx_guide_works_word_for_word_and_its_schedule_rotates_tokens(
    lab: Lab, own_bao: Bao, tmp_path: Path
) -> None:
    home, work, mounted = (tmp_path / name for name in ("home", "work", "mounted"))
    for folder in (home, work, mounted):
        folder.mkdir()
    git_server(home, tmp_path)
    lab.change_settings("awx", host=HOST, repositories={REPOSITORY: str(home / "automation")})
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    path = f"{os.environ['PATH']}:{Path(executable() or '').parent}"
    environ = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", **pip, **own_bao.environment}
    # The modules of awx.awx run one after the other: this saves a third of the time.
    environ |= {"EDITOR": str(editor(lab, own_bao, tmp_path)), "ANSIBLE_PIPELINING": "true"}

    done = follow("awx.md", work, environ, substitutes(lab, tmp_path))

    assert done.returncode == 0, done.output
    recaps = [line.split("changed=")[1].split()[0] for line in done.output.splitlines() if "changed=" in line]
    # The first run sets up, the second changes the slices of one job template.
    assert (int(recaps[0]) > 5, recaps[1:]) == (True, ["1"])
    secrets = [secret["value"] for secret in lab.secrets()]
    files = {"vault": (home / ".sddc" / "awx-credentials.yml").read_text(), "output": done.output}
    assert leaks(files, secrets) == []
    assert yaml.safe_load((home / "context" / "_build" / "requirements.yml").read_text())["collections"]
    check_what_runs(lab, own_bao, home, mounted, tmp_path)
    check_removal(lab, work, environ)


def check_what_runs(lab: Lab, bao: Bao, home: Path, mounted: Path, folder: Path) -> None:
    """Run what the schedule would start, in the pushed project: without a mounted path, and with one."""
    project = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(folder / "server.git"), str(project)], check=True)
    place = project / "collections" / "ansible_collections"
    place.mkdir(parents=True)
    (place / "sddc").symlink_to(home / ".ansible" / "collections" / "ansible_collections" / "sddc")
    text = (project / "group_vars" / "all.yml").read_text()
    (folder / "trusted.pem").write_text(Path(lab.ca_path).read_text() + Path(bao.ca_path).read_text())
    worker = Worker(folder / "jobs", project, str(folder / "trusted.pem"))
    answers = {"token_rotation_min_remaining": 1200}
    name = JOB_TEMPLATES["rotate_tokens"]["name"]

    for path in (folder / "not mounted", mounted):
        (project / "group_vars" / "all.yml").write_text(text.replace("/var/lib/sddc-tokens", str(path)))
        (prepared,) = lab.act("awx", "launch", host=HOST, job_template=name, answers=answers)
        job = worker.run(prepared, path.name)
        assert job.status == 0, job.output

    assert {name for name in DOCUMENTS if bao.document(name, mount=ENGINE).get("token")} == DOCUMENTS
    assert {path.name for path in mounted.glob("*.json")} == TOKEN_FILES


def check_removal(lab: Lab, work: Path, environ: dict[str, str]) -> None:
    """Type the last command, and check that only what the guide names is left."""
    shell = f"set -e\n. ~/awx-setup/bin/activate\n. ~/.sddc/controller\n{REMOVE}"
    done = subprocess.run(
        ["bash", "-c", shell], cwd=work, env=environ, capture_output=True, text=True, timeout=1500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = lab.counts("awx", HOST)
    assert [counts[name] for name in ("job_templates", "credentials", "projects", "schedules")] == [0, 0, 0, 0]
    assert counts["inventories"] == 1


def test_the_guide_names_every_job_template_and_credential_type() -> None:
    text = (GUIDES / "awx.md").read_text()

    for template in JOB_TEMPLATES.values():
        assert f"| `{template['name']}` |" in text
    assert "another key of awx_credential_types.yml" in text


def test_the_execution_environment_contains_the_collection_and_its_requirements(tmp_path: Path) -> None:
    programs = DEFAULT.folder
    create = [str(programs / "ansible-builder"), "create", "--file", str(AWX / "execution-environment.yml")]
    place = tmp_path / "collections" / "ansible_collections" / "sddc"
    place.mkdir(parents=True)
    (place / "tokens").symlink_to(CHECKOUT)
    introspect = [str(programs / "ansible-builder"), "introspect", str(tmp_path / "collections")]

    subprocess.run([*create, "--context", str(tmp_path / "context")], check=True, capture_output=True)
    found = subprocess.run(introspect, check=True, capture_output=True, text=True)

    galaxy = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())
    (required,) = yaml.safe_load((tmp_path / "context" / "_build" / "requirements.yml").read_text())["collections"]
    assert required["name"] == f"{galaxy['namespace']}.{galaxy['name']}"
    python = yaml.safe_load(found.stdout)["python"]
    assert json.dumps(python) == '["requests>=2.25.1  # from collection sddc.tokens"]'
