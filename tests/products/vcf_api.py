# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API tokens of the VCF SSO: one that is kept for an API client, and a list of all of them."""

from __future__ import annotations

from typing import Any

from support.kit import EVERY_RESULT, TOKEN_RESULT, Details, Job, Kit, Options, Server
from support.playbooks import Task
from support.tasks import checked, failing

MODULE, INFO = "vcf_api_token", "vcf_api_token_info"
API = "/suite-api/api"
REALMS = f"{API}/fleet-management/iam/ssorealms"
FILE = {"token_file": "{{ playbook_dir }}/vcf_api.json"}
SERVER = Server("vcf_api", ("username", "password"))
CREATED = {"vidb_hostname": "{{ lab.vidb.url }}", "api_client": "{{ lab.vcf_api.api_client }}"}
UNKNOWN = "6f1c7a52-93b0-4f0e-9a55-0d6f3f6f2b1e"


def vcf_api(register: str = "", **options: Any) -> Task:
    """The module vcf_api_token, with all that creates an API token, in a file."""
    return SERVER.task(MODULE, register, **{**CREATED, **FILE, **options})


def deletion(register: str = "", **options: Any) -> Task:
    """The module vcf_api_token, for an API token of any origin."""
    return SERVER.task(MODULE, register, state="absent", **options)


def info(register: str = "", **options: Any) -> Task:
    """The module vcf_api_token_info."""
    return SERVER.task(INFO, register, **options)


def _options(lab: Details, file: str) -> Options:
    created = {"vidb_hostname": lab["vidb"]["url"], "api_client": lab["vcf_api"]["api_client"]}
    return {**SERVER.options(lab), **created, "token_file": file}


def _job(*before: Job, settled: dict[str, int] | None = None, **options: Any) -> Job:
    return Job(MODULE, lambda lab, file: {**_options(lab, file), **options}, before, True, settled=settled)


_KEPT = _job(settled={"api_tokens_valid": 1})

KIT = Kit(
    SERVER,
    vcf_api,
    promised={
        MODULE: TOKEN_RESULT - {"headers"} | {"token_id", "token_name"},
        INFO: EVERY_RESULT | {"api_tokens"},
    },
    jobs={
        "creates and keeps": _KEPT,
        "renews": _job(_KEPT, settled={"api_tokens_valid": 1}, renew="always"),
        "revokes": _job(_KEPT, settled={"api_tokens_valid": 0}, state="absent"),
        "deletes": Job(MODULE, lambda lab, file: {**SERVER.options(lab), "token_id": UNKNOWN, "state": "absent"}),
        "lists": Job(INFO, lambda lab, file: {**SERVER.options(lab), "api_client": lab["vcf_api"]["api_client"]}),
    },
    uses=("vcf_operations", "vidb"),
    group="vcf_operations",
    tokens=(vcf_api("vcf_api"),),
    mints=(rf"POST {REALMS}/\S+/api-tokens$",),
    signs_in=(rf"POST {API}/auth/token/acquire$",),
    signs_out=(rf"POST {API}/auth/token/release$",),
    unread=(rf"POST {API}/auth/token/release$",),
    reads=(rf"POST {REALMS}/\S+/query$",),
    counts_tokens=True,
    guarded=REALMS,
    successes=(
        vcf_api("vcf_api"),
        vcf_api(renew="always"),
        vcf_api(state="absent"),
        deletion(token_id=UNKNOWN),
        info(),
    ),
    done="generated",
    refusals=(
        vcf_api(password="{{ wrong.awkward }}"),
        info(password="{{ wrong.awkward }}"),
        vcf_api(access_token=["{{ wrong.awkward }}"]),
    ),
    asks=(vcf_api(), vcf_api(renew="always"), deletion(token_id=UNKNOWN), info()),
    results=(
        checked(vcf_api("api_predicted")),
        vcf_api("api"),
        vcf_api("api_again"),
        vcf_api("api_renewed", renew="always", return_token=False),
        info("api_list"),
        checked(vcf_api("api_gone_predicted", state="absent")),
        vcf_api("api_gone", state="absent"),
        deletion("api_deleted", token_id=UNKNOWN),
        failing(vcf_api("api_refused", password="a-wrong-password")),
    ),
    by_defaults={MODULE: {**CREATED, **FILE, "action": "created"}, INFO: {"action": "none"}},
    exported={
        "hostname": ("VCF_OPERATIONS_HOST",),
        "username": ("VCF_OPERATIONS_USERNAME",),
        "password": ("VCF_OPERATIONS_PASSWORD",),
        "auth_source": ("VCF_OPERATIONS_AUTH_SOURCE",),
        "vidb_hostname": ("VIDB_HOST",),
        "vidb_tenant": ("VIDB_TENANT",),
    },
    # The others are those of the kits of the products that it uses.
    environment={"VIDB_TENANT": "tenant"},
    rotation={**SERVER.templates(), **CREATED, **FILE},
    # The broker is another server.
    checks_by_request=False,
)
