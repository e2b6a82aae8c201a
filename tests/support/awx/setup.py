# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller of the lab as a client of AWX sees it, and awx_setup run against it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import yaml

from products import KITS
from support.awx.definitions import CREDENTIAL_TYPES, JOB_TEMPLATES
from support.cores import DEFAULT, Core
from support.playbooks import Ansible, Run

if TYPE_CHECKING:
    from lab.client import Lab

REPOSITORY = "https://git.example.com/sddc/automation.git"
# A credential of the store, where no server is required.
STORE = {
    "name": "A store",
    "type": "token_store",
    "inputs": {"url": "https://vault.example.com:8200", "role_id": "role-of-jobs", "secret_id": "secret-of-jobs"},
}


class Controller:
    """One controller: each address of the lab is one."""

    def __init__(self, lab: Lab, host: str, repository: Path) -> None:
        self.lab, self.host = lab, host
        self.url = lab.url("awx", host)
        lab.change_settings("awx", host=host, repositories={REPOSITORY: str(repository)})

    @property
    def environment(self) -> dict[str, str]:
        """The environment that the modules of awx.awx read."""
        return {
            "CONTROLLER_HOST": self.url,
            "CONTROLLER_USERNAME": self.lab["awx"]["username"],
            "CONTROLLER_PASSWORD": self.lab["awx"]["password"],
            "SSL_CERT_FILE": self.lab.ca_path,
        }

    def objects(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """The content of a list."""
        found: list[dict[str, Any]] = self.call("GET", path, page_size=200, **query)["results"]
        return found

    def one(self, path: str, **query: Any) -> dict[str, Any]:
        """The only object that matches a query."""
        (found,) = self.objects(path, **query)
        return found

    def content(self) -> dict[str, list[dict[str, Any]]]:
        """The content of the controller."""
        names = ("credential_types", "credentials", "projects", "inventories", "hosts", "job_templates", "schedules")
        found = {name: self.objects(name) for name in (*names, "workflow_job_template_nodes")}
        for template in found["job_templates"]:
            template["survey"] = self.call("GET", f"job_templates/{template['id']}/survey_spec")
            template["credentials"] = self.objects(f"job_templates/{template['id']}/credentials")
        return found

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Send a request to the controller."""
        response = requests.request(
            method,
            f"{self.url}/api/v2/{path}/",
            params=query,
            json=body,
            auth=(self.lab["awx"]["username"], self.lab["awx"]["password"]),
            verify=self.lab.ca_path,
            timeout=30,
        )
        response.raise_for_status()
        return response.json() if response.content else None

    def change(self, playbook: str, **values: Any) -> None:
        """Change fields of the job template of a playbook."""
        template = self.one("job_templates", name=JOB_TEMPLATES[playbook]["name"])
        self.call("PATCH", f"job_templates/{template['id']}", values)

    def attach(self, playbook: str, credential: int, **how: Any) -> None:
        """Attach a credential to the job template of a playbook, or remove it with `disassociate`."""
        template = self.one("job_templates", name=JOB_TEMPLATES[playbook]["name"])
        self.call("POST", f"job_templates/{template['id']}/credentials", {"id": credential, **how})

    def launch(self, job_template: str, prompts: dict[str, Any] | None = None, **answers: Any) -> list[dict[str, Any]]:
        """The jobs that AWX would start. `prompts` are the values of a launch besides the answers of the survey."""
        jobs: list[dict[str, Any]] = self.lab.act(
            "awx", "launch", host=self.host, job_template=job_template, answers=answers, prompts=prompts
        )
        return jobs


class Setup:
    """Runs awx_setup against a controller."""

    def __init__(self, controller: Controller, folder: Path, core: Core = DEFAULT, **variables: Any) -> None:
        self.controller, self.core = controller, core
        self.ansible = Ansible(folder, {})
        self.variables: dict[str, Any] = {"awx_setup_scm_url": REPOSITORY, **variables}

    def run(self, *arguments: str, user: tuple[str, str] | None = None, **variables: Any) -> Run:
        """Run the playbook by its name, as the system administrator or as another user with a password."""
        path = self.ansible.folder / "variables.yml"
        path.write_text(yaml.safe_dump({**self.variables, **variables}))
        environ = {**self.controller.environment, "ANSIBLE_PIPELINING": "true"}
        if user:
            environ |= {"CONTROLLER_USERNAME": user[0], "CONTROLLER_PASSWORD": user[1]}
        arguments = ("-e", f"@{path}", *arguments)
        return self.ansible.playbook("sddc.tokens.awx_setup", core=self.core, arguments=arguments, environ=environ)


def changes(run: Run) -> int:
    """The number of tasks that changed something."""
    return int(re.findall(r"changed=(\d+)", run.stdout)[-1])


def credentials(lab: Lab) -> list[dict[str, Any]]:
    """A credential of each type for a product of the lab, without optional values. Some kits use those of others."""
    return [
        {"name": f"The lab's {name}", "type": name, "inputs": kit.server.options(lab.details)}
        for name, kit in KITS.items()
        if name in CREDENTIAL_TYPES
    ]
