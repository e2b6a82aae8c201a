# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vCenter: an overflow token of the identity broker, which must be registered before vCenter accepts it."""

from __future__ import annotations

from typing import Any

from products.vidb import FILE
from products.vidb import SERVER as VIDB
from support.kit import OMIT, TOKEN_RESULT, Job, Kit, Role, Server
from support.playbooks import Task
from support.tasks import checked, failing

MODULE = "vcenter_registered_token"
SERVER = Server("vcenter")
# A foreign secret, in an option where it does not belong.
SECRET = "{{ example.password }}"
VIDB_BY_TASK = {"access_token": OMIT, **VIDB.templates("vidb_")}


def vcenter(register: str = "", **options: Any) -> Task:
    """The module vcenter_registered_token, with the token that an earlier task has registered as `vidb`."""
    return SERVER.task(MODULE, register, **{"access_token": "{{ vidb.token }}", **options})


KIT = Kit(
    SERVER,
    vcenter,
    promised={MODULE: TOKEN_RESULT},
    needs=(VIDB.product,),
    jobs={
        "registers": Job(
            MODULE,
            lambda lab, file: {**SERVER.options(lab), **VIDB.options(lab, "vidb_")},
            settled={"registered": 1},
            may_run_twice=True,
        )
    },
    unread=("registered-tokens",),
    guarded="/api/vcenter/datacenter",
    successes=(vcenter("vcenter"), vcenter(**VIDB_BY_TASK)),
    done="registrations",
    refusals=(
        vcenter(access_token="{{ wrong.awkward }}"),
        vcenter(expanded_access_token="{{ wrong.awkward }}"),
    ),
    asks=(vcenter(), vcenter(**VIDB_BY_TASK)),
    # It must look like a token.
    quoted="eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJvdmVyZmxvdyIsImV4cCI6NDEwMjQ0NDgwMH0.c2lnbmVkLWJ5LW5vYm9keQ",
    results=(
        checked(vcenter("vcenter_predicted")),
        vcenter("vcenter"),
        vcenter("vcenter_again", access_token=OMIT, **FILE),
        checked(vcenter("vcenter_unminted", **VIDB_BY_TASK)),
        failing(vcenter("vcenter_refused", probe_path="/api/nowhere")),
    ),
    from_file={"access_token": OMIT},
    by_defaults={MODULE: {"access_token": "{{ vidb.token }}", "action": "registered"}},
    exported={
        "hostname": ("VMWARE_HOST",),
        "validate_certs": ("VMWARE_VALIDATE_CERTS",),
        "access_token": ("VCENTER_ACCESS_TOKEN",),
    },
    roles={
        "vcenter_overflow_token": Role(
            {**SERVER.templates(), **VIDB.templates("vidb_")},
            refusals=(
                {"vidb_api_token": f"wrong-{VIDB.templates()['api_token']}"},
                {"expanded_access_token": {"a": [SECRET]}, "vidb_client_secret": {"a": [SECRET]}},
            ),
            made=("registrations", 1),
        )
    },
    environment={"VMWARE_HOST": "host"},
    rotation={
        **SERVER.templates(),
        **VIDB.templates("vidb_"),
        "token_file": "{{ playbook_dir }}/vcenter.json",
    },
    rotated="registered",
    renewal={},
)
