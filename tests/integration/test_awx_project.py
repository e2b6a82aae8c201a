# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample project of AWX decides where its jobs store tokens, with every ansible-core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.awx.definitions import DOCUMENTS, ENGINE, EXAMPLE_PLAYBOOK, PROJECT, TOKEN_FILES, VARIABLES, role_of
from support.cores import Core
from support.playbooks import Ansible, Task
from support.tasks import succeeded

OF_A_STORE = {"BAO_ADDR": "https://vault.example.com:8200"}
RECORD_STORE = f"{role_of(EXAMPLE_PLAYBOOK)}_record_store"
NAMES = [name for name in VARIABLES if "sddc_tokens_in_store" in str(VARIABLES[name]) or name.startswith("token_")]


def project_with(register: str, folder: Path) -> list[Task]:
    """Record the variables of the project with this folder for token files."""
    values = {name: f"{{{{ {name} }}}}" for name in NAMES}
    return [
        {"name": "Choose", "ansible.builtin.set_fact": {"sddc_tokens_folder": str(folder)}},
        {"name": "Record", "ansible.builtin.set_fact": {register: values}, "register": register},
    ]


def stored_in(variables: dict[str, Any]) -> dict[str, Any]:
    """Where the rotation stores tokens, the report reads them, and a session records its own."""
    entries = variables["token_rotation_tokens"]
    return {
        "files": {Path(entry["token_file"]).name for entry in entries if entry["token_file"]},
        "documents": {entry["token_store"]["path"] for entry in entries if entry["token_store"]},
        "read": {store["path"] for store in variables["token_report_stores"]},
        "paths": len(variables["token_report_paths"]),
        "written": sum(bool(variables[f"token_report_{kind}_file"]) for kind in ("html", "json")),
        "recorded": variables[RECORD_STORE].get("path"),
    }


IN_FILES = {"files": TOKEN_FILES, "documents": set(), "read": set(), "paths": 1, "written": 2, "recorded": None}
IN_STORE = {"files": set(), "documents": DOCUMENTS, "read": DOCUMENTS, "paths": 0, "written": 0, "recorded": "sessions"}


@pytest.mark.parametrize(
    ("environ", "method"),
    [
        pytest.param({**OF_A_STORE, "VAULT_ROLE_ID": "role", "BAO_TOKEN": ""}, "approle", id="with an AppRole"),
        pytest.param(
            {**OF_A_STORE, "BAO_TOKEN": "t", "VAULT_ROLE_ID": ""}, "token", marks=pytest.mark.slow, id="token"
        ),
        pytest.param({"BAO_ADDR": ""}, None, marks=pytest.mark.slow, id="without a credential"),
    ],
)
def test_a_store_is_used_where_no_path_is_mounted_and_the_job_has_its_credential(
    ansible: Ansible, tmp_path: Path, core: Core, environ: dict[str, str], method: str | None
) -> None:
    variables: Task = {"name": "Load", "ansible.builtin.include_vars": str(PROJECT / "group_vars" / "all.yml")}
    tasks = [variables, *project_with("absent", tmp_path / "nowhere"), *project_with("mounted", tmp_path)]

    run = succeeded(ansible.play(tasks, core=core, environ=environ))
    absent, mounted = (run[name]["ansible_facts"][name] for name in ("absent", "mounted"))

    assert stored_in(absent) == (IN_STORE if method else IN_FILES)
    assert stored_in(mounted) == IN_FILES
    if method:
        stores = [absent[RECORD_STORE], *absent["token_report_stores"]]
        assert {(store["mount"], store["auth_method"]) for store in stores} == {(ENGINE, method)}
