# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMware Cloud Services (CSP): an access token for an API token or an OAuth app."""

from __future__ import annotations

from typing import Any

from support.kit import OMIT, TOKEN_RESULT, Job, Kit, Server, Target
from support.playbooks import Task
from support.tasks import checked, failing, rescued

MODULE = "csp_access_token"
FILE = {"token_file": "{{ playbook_dir }}/csp.json"}
SERVER = Server("csp", ("api_token",))
API_TOKEN = "{{ lab.csp.api_token }}"
OAUTH_APP = {
    "api_token": OMIT,
    "client_id": "{{ lab.csp.client_id }}",
    "client_secret": "{{ lab.csp.client_secret }}",
}


def csp(register: str = "", **options: Any) -> Task:
    """The module csp_access_token, with the API token."""
    return SERVER.task(MODULE, register, **options)


KIT = Kit(
    SERVER,
    csp,
    promised={MODULE: TOKEN_RESULT | {"id_token"}},
    jobs={
        "exchanges": Job(MODULE, lambda lab, file: SERVER.options(lab)),
        "exchanges and keeps": Job(
            MODULE, lambda lab, file: {**SERVER.options(lab), "token_file": file}, keeps=True, settled={}
        ),
    },
    tokens=(csp("csp", require_id_token=True),),
    response=("access_token", {"expires_in": 1800, "token_type": "bearer"}),
    targets={"authorize": Target("POST", "authorize", "get an access token", (csp("struck"),))},
    secrets_in_lab=2,
    mints=(r"POST \S+authorize$",),
    successes=(
        csp("csp", require_id_token=True),
        csp(**OAUTH_APP),
        {**csp("retried"), "until": "retried is not failed", "retries": 2, "delay": 0},
        csp(**FILE),
        csp(**FILE, renew="always"),
    ),
    refusals=(
        csp(api_token="{{ wrong.awkward }}"),
        csp(**{**OAUTH_APP, "client_secret": "{{ wrong.awkward }}"}),
        csp(renew=API_TOKEN),
        csp(token_file="/no/such/folder/token.json", min_remaining=API_TOKEN),
        rescued(csp("rescued", api_token=f"wrong-{API_TOKEN}", retries=0)),
    ),
    asks=(csp(),),
    results=(
        csp("csp"),
        checked(csp("csp_exchange")),
        failing(csp("csp_refused", api_token="a-wrong-api-token")),
        failing(csp("csp_misplaced", client_secret="a-secret-for-nothing")),
    ),
    by_defaults={MODULE: {"action": "created"}},
    exported={
        "hostname": ("CSP_HOST",),
        "api_token": ("CSP_API_TOKEN", "NSXT_VMC_TOKEN"),
        "client_id": ("CSP_CLIENT_ID",),
        "client_secret": ("CSP_CLIENT_SECRET",),
    },
    environment={"CSP_HOST": "host", "CSP_API_TOKEN": "api_token"},
    variables={
        "csp_api_token": "api_token",
        "csp_client_id": "client_id",
        "csp_client_secret": "client_secret",
    },
    rotation={**SERVER.templates(), **FILE, "require_id_token": True},
    checks_by_request=False,
)
