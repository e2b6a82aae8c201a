# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What many plays need: each module with the lab's details, a hand on the lab in mid-play, and the lab's view of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.playbooks import Run, Task, module

if TYPE_CHECKING:
    from lab.client import Lab, LoggedRequest

# Of a task whose credentials are its own.
# A service instance of the lab: by its three ids, and by its path.
INSTANCE = {"tier0_id": "T0-main", "locale_service_id": "default", "service_instance_id": "partner-fw-01"}
INSTANCE_PATH = "/infra/tier-0s/T0-main/locale-services/default/service-instances/partner-fw-01"
NOBODY = {"username": "{{ omit }}", "password": "{{ omit }}"}
LDAP = {
    "username": "{{ lab.vrni.ldap_username }}",
    "password": "{{ lab.vrni.ldap_password }}",
    "domain_type": "LDAP",
    "domain": "{{ lab.vrni.ldap_domain }}",
}
VIDM = {**NOBODY, "vidm_token": "{{ lab.vrni.vidm_token }}"}
OAUTH_APP = {
    "api_token": "{{ omit }}",
    "client_id": "{{ lab.csp.client_id }}",
    "client_secret": "{{ lab.csp.client_secret }}",
}
VIDB_CLIENT = {
    "api_token": "{{ omit }}",
    "client_id": "{{ lab.vidb.client_id }}",
    "client_secret": "{{ lab.vidb.client_secret }}",
}
VIDB_BY_TASK = {
    "access_token": "{{ omit }}",
    "vidb_hostname": "{{ lab.vidb.url }}",
    "vidb_api_token": "{{ lab.vidb.api_token }}",
}


def vrni(register: str = "", **options: Any) -> Task:
    """The module vrni_auth_token, as the local user."""
    base = {
        "hostname": "{{ lab.vrni.url }}",
        "username": "{{ lab.vrni.username }}",
        "password": "{{ lab.vrni.password }}",
        "ca_path": "{{ ca_path }}",
    }
    return module("vrni_auth_token", register, **{**base, **options})


def csp(register: str = "", **options: Any) -> Task:
    """The module csp_access_token, with the API token."""
    base = {"hostname": "{{ lab.csp.url }}", "api_token": "{{ lab.csp.api_token }}", "ca_path": "{{ ca_path }}"}
    return module("csp_access_token", register, **{**base, **options})


def nsx(register: str = "", **options: Any) -> Task:
    """The module nsx_service_reauth, with the tokens that a task before it has registered as `csp`."""
    base = {
        "hostname": "{{ lab.nsx.url }}",
        "access_token": "{{ csp.token }}",
        "open_id_token": "{{ csp.id_token }}",
        "ca_path": "{{ ca_path }}",
    }
    return module("nsx_service_reauth", register, **{**base, **options})


def vidb(register: str = "", **options: Any) -> Task:
    """The module vidb_access_token, with the API token, whose access token overflows."""
    base = {"hostname": "{{ lab.vidb.url }}", "api_token": "{{ lab.vidb.api_token }}", "ca_path": "{{ ca_path }}"}
    return module("vidb_access_token", register, **{**base, **options})


def sddc_manager(register: str = "", **options: Any) -> Task:
    """The module sddc_manager_token, as the user with a password."""
    base = {
        "hostname": "{{ lab.sddc_manager.url }}",
        "username": "{{ lab.sddc_manager.username }}",
        "password": "{{ lab.sddc_manager.password }}",
        "ca_path": "{{ ca_path }}",
    }
    return module("sddc_manager_token", register, **{**base, **options})


def vcenter(register: str = "", **options: Any) -> Task:
    """The module vcenter_registered_token, with the token that a task before it has registered as `vidb`."""
    base = {"hostname": "{{ lab.vcenter.url }}", "access_token": "{{ vidb.token }}", "ca_path": "{{ ca_path }}"}
    return module("vcenter_registered_token", register, **{**base, **options})


def avi(register: str = "", *, of: str = "avi_securechanneltoken", **options: Any) -> Task:
    """A module for Avi Load Balancer, as the user with a password."""
    base = {
        "hostname": "{{ lab.avi.url }}",
        "username": "{{ lab.avi.username }}",
        "password": "{{ lab.avi.password }}",
        "ca_path": "{{ ca_path }}",
    }
    # One of their options is `name`.
    task = module(of, register)
    task[f"sddc.tokens.{of}"] = {**base, **options}
    return task


def checked(task: Task) -> Task:
    """The task in check mode."""
    return {**task, "check_mode": True}


def failing(task: Task) -> Task:
    """The task, after which the play goes on also when it has failed."""
    return {**task, "ignore_errors": True}


def change_settings(product: str, **values: Any) -> Task:
    """Change settings of a product of the lab."""
    return _control("PATCH", f"/settings/{product}", values)


def act(product: str, action: str, **values: Any) -> Task:
    """Let a product of the lab do something by itself."""
    return _control("POST", f"/actions/{product}/{action}", values)


def end_tokens(ending: str, product: str) -> Task:
    """Let all tokens of a product be `expired` or `revoked`."""
    return _control("POST", "/tokens", {"ending": ending, "product": product})


def _control(method: str, path: str, body: Any) -> Task:
    return {
        "name": f"{method} {path}",
        "ansible.builtin.uri": {
            "url": "{{ lab.control.url }}" + path,
            "method": method,
            "body": body,
            "body_format": "json",
            "ca_path": "{{ ca_path }}",
        },
    }


def succeeded(run: Run) -> Run:
    """The run, which nothing has stopped."""
    assert run.returncode == 0, run.output
    return run


def by_task(run: Run, lab: Lab, product: str | None, *names: str) -> dict[str, list[LoggedRequest]]:
    """The log of a product, or of all, cut after as many requests as each task says it made; none may be left over."""
    log = lab.requests(product)
    cut = {}
    for name in names:
        count = run[name]["request_count"]
        cut[name], log = log[:count], log[count:]
    assert log == []
    return cut


def lines(requests: list[LoggedRequest]) -> list[str]:
    """Method, path and query of each."""
    return [entry.line for entry in requests]


def says(run: Run, text: str) -> bool:
    """Whether a text was printed: the display of older cores wraps its warnings, at hyphens and within words, too."""
    return "".join(text.split()) in "".join(run.output.split())


def said(run: Run) -> str:
    """All that was printed, on one line: the display wraps its warnings."""
    return " ".join(run.output.split())
