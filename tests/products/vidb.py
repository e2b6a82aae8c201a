# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VCF Identity Broker (vIDB): an access token, which overflows if it is that of an API token."""

from __future__ import annotations

from typing import Any

from support.kit import OMIT, TOKEN_RESULT, Job, Kit, Server
from support.playbooks import Task
from support.tasks import checked, failing, rescued

MODULE = "vidb_access_token"
FILE = {"token_file": "{{ playbook_dir }}/vidb.json"}
SERVER = Server("vidb", ("api_token",))
VIDB_CLIENT = {
    "api_token": OMIT,
    "client_id": "{{ lab.vidb.client_id }}",
    "client_secret": "{{ lab.vidb.client_secret }}",
}


def vidb(register: str = "", **options: Any) -> Task:
    """The module vidb_access_token, with the API token, whose access token overflows."""
    return SERVER.task(MODULE, register, **options)


KIT = Kit(
    SERVER,
    vidb,
    promised={MODULE: TOKEN_RESULT},
    jobs={"grants": Job(MODULE, lambda lab, file: SERVER.options(lab))},
    tokens=(vidb("vidb"),),
    settings={"id_token_grants": ["api_token"]},
    mints=(r"POST /acs/\S+/token$",),
    guarded="/acs/t/CUSTOMER/expand-access-token",
    successes=(vidb("vidb"), vidb(**VIDB_CLIENT, **FILE), vidb(**VIDB_CLIENT, **FILE, state="absent")),
    refusals=(
        vidb(api_token="{{ wrong.awkward }}"),
        vidb(**{**VIDB_CLIENT, "client_secret": "{{ wrong.awkward }}"}),
        rescued(vidb(tenant="nobody", client_secret="{{ lab.vidb.client_secret }}")),
    ),
    asks=(vidb(),),
    results=(
        vidb("vidb", **FILE),
        checked(vidb("vidb_predicted", **FILE, renew="always")),
        vidb("vidb_client", **VIDB_CLIENT, token_file="{{ playbook_dir }}/client.json", return_token=False),
        failing(vidb("vidb_refused", api_token="a-wrong-api-token")),
        failing(vidb("vidb_misplaced", tenant="CUSTOMER", client_secret="a-secret-for-nothing")),
        vidb("vidb_gone", state="absent", **FILE),
        vidb("vidb_kept", **FILE),
    ),
    by_defaults={MODULE: {"action": "created"}},
    exported={
        "hostname": ("VIDB_HOST",),
        "tenant": ("VIDB_TENANT",),
        "client_id": ("VIDB_CLIENT_ID",),
        "client_secret": ("VIDB_CLIENT_SECRET",),
        "api_token": ("VIDB_API_TOKEN",),
    },
    environment={"VIDB_HOST": "host", "VIDB_API_TOKEN": "api_token"},
    variables={
        "vidb_api_token": "api_token",
        "vidb_client_id": "client_id",
        "vidb_client_secret": "client_secret",
    },
    rotation={
        "hostname": SERVER.templates()["hostname"],
        **FILE,
        "client_id": VIDB_CLIENT["client_id"],
        "client_secret": VIDB_CLIENT["client_secret"],
    },
    checks_by_request=False,
)
