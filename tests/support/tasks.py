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


def checked(task: Task) -> Task:
    """The task in check mode."""
    return {**task, "check_mode": True}


def failing(task: Task) -> Task:
    """The task, after which the play goes on also when it has failed."""
    return {**task, "ignore_errors": True}


def change_settings(product: str, **values: Any) -> Task:
    """Change settings of a product of the lab."""
    return _control("PATCH", f"/settings/{product}", values)


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


def by_task(run: Run, lab: Lab, product: str, *names: str) -> dict[str, list[LoggedRequest]]:
    """A product's log, cut after as many requests as each task says it made; nothing may be left over."""
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


def said(run: Run) -> str:
    """All that was printed, on one line: the display wraps its warnings."""
    return " ".join(run.output.split())
