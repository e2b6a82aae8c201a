# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VCF Operations: a token of a local user or of a directory user, whose expiry slides."""

from __future__ import annotations

from typing import Any

from support.kit import OMIT, TOKEN_RESULT, Job, Kit, Server
from support.playbooks import Task
from support.tasks import checked, failing

MODULE = "vcf_operations_token"
API = "/suite-api/api/auth"
FILE = {"token_file": "{{ playbook_dir }}/vcf_operations.json"}
SERVER = Server("vcf_operations", ("username", "password"))
DIRECTORY = {
    "username": "{{ lab.vcf_operations.directory_username }}",
    "password": "{{ lab.vcf_operations.directory_password }}",
    "auth_source": "{{ lab.vcf_operations.directory }}",
}


def vcf_operations(register: str = "", **options: Any) -> Task:
    """The module vcf_operations_token, with the local user."""
    return SERVER.task(MODULE, register, **options)


def _job(*before: Job, settled: dict[str, int] | None = None, **options: Any) -> Job:
    return Job(
        MODULE, lambda lab, file: {**SERVER.options(lab), "token_file": file, **options}, before, True, settled=settled
    )


_KEPT = _job(settled={})

KIT = Kit(
    SERVER,
    vcf_operations,
    promised={MODULE: TOKEN_RESULT},
    other_user=DIRECTORY,
    jobs={
        "creates": Job(MODULE, lambda lab, file: SERVER.options(lab)),
        "creates and keeps": _KEPT,
        "reuses": _job(_KEPT),
        # A token whose response is lost when the run is killed stays valid for six hours.
        "renews": _job(_KEPT, settled={}, renew="always"),
        "revokes": _job(_KEPT, settled={"tokens_valid": 0}, state="absent"),
    },
    tokens=(vcf_operations("vcf_operations"),),
    mints=(rf"POST {API}/token/acquire$",),
    unread=(rf"POST {API}/token/release$",),
    lies=frozenset({("refused", f"POST {API}/token/release")}),
    counts_tokens=True,
    response=("token", {"validity": 0}),
    scheme="OpsToken",
    guarded=f"{API}/currentuser",
    successes=(
        vcf_operations("vcf_operations"),
        vcf_operations(token="{{ vcf_operations.token | default('') }}", state="absent"),
        vcf_operations(**DIRECTORY),
        vcf_operations(**FILE),
        vcf_operations(**FILE, renew="always"),
        vcf_operations(**FILE, state="absent"),
    ),
    refusals=(
        vcf_operations(password="{{ wrong.awkward }}"),
        vcf_operations(token="{{ wrong.wrong }}", password=OMIT),
        vcf_operations(auth_source=["{{ wrong.awkward }}"]),
    ),
    asks=(vcf_operations(), vcf_operations(token="{{ vcf_operations.token | default(omit) }}", renew="always")),
    results=(
        checked(vcf_operations("ops_predicted", **FILE)),
        vcf_operations("ops", **FILE),
        vcf_operations("ops_again", **FILE),
        vcf_operations("ops_renewed", **FILE, renew="always", return_token=False),
        checked(vcf_operations("ops_gone_predicted", **FILE, state="absent")),
        vcf_operations("ops_gone", **FILE, state="absent"),
        failing(vcf_operations("ops_refused", password="a-wrong-password")),
    ),
    by_defaults={MODULE: {"action": "created"}},
    exported={
        "hostname": ("VCF_OPERATIONS_HOST",),
        "username": ("VCF_OPERATIONS_USERNAME",),
        "password": ("VCF_OPERATIONS_PASSWORD",),
        "auth_source": ("VCF_OPERATIONS_AUTH_SOURCE",),
    },
    environment={
        "VCF_OPERATIONS_HOST": "host",
        "VCF_OPERATIONS_USERNAME": "username",
        "VCF_OPERATIONS_PASSWORD": "password",
    },
    variables={
        "vcf_operations_password": "password",
        "vcf_operations_directory_password": "directory_password",
    },
    rotation={**SERVER.templates(), **FILE},
)
