# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vCenter: an overflow token of the identity broker, which must be registered, and a session that must be ended."""

from __future__ import annotations

from typing import Any

from products.vidb import FILE
from products.vidb import SERVER as VIDB
from support.kit import OMIT, TOKEN_RESULT, Entry, Job, Kit, Role, Server
from support.playbooks import Task
from support.tasks import checked, failing

MODULE, SESSION = "vcenter_registered_token", "vcenter_session"
SERVER = Server("vcenter")
USER = Server("vcenter", ("username", "password"))
TOKEN_USER = Server("vcenter", ("access_token",))
SESSION_FILE = {"token_file": "{{ playbook_dir }}/vcenter_session.json"}
# A foreign secret, in an option where it does not belong.
SECRET = "{{ example.password }}"
VIDB_BY_TASK = {"access_token": OMIT, **VIDB.templates("vidb_")}


def vcenter(register: str = "", **options: Any) -> Task:
    """The module vcenter_registered_token, with the token that an earlier task has registered as `vidb`."""
    return SERVER.task(MODULE, register, **{"access_token": "{{ vidb.token }}", **options})


def session(register: str = "", **options: Any) -> Task:
    """The module vcenter_session, with user name and password."""
    return USER.task(SESSION, register, **options)


# By a token that an earlier task has registered.
BY_TOKEN = {"username": OMIT, "password": OMIT, "access_token": "{{ vidb.token }}"}


def _session(*before: Job, settled: dict[str, int], **options: Any) -> Job:
    return Job(
        SESSION,
        lambda lab, file: {**USER.options(lab), "token_file": file, **options},
        before,
        keeps=True,
        settled=settled,
    )


_KEPT = _session(settled={})
_REGISTERS = Job(
    MODULE,
    lambda lab, file: {**SERVER.options(lab), **VIDB.options(lab, "vidb_")},
    settled={"registered": 1},
    may_run_twice=True,
)

KIT = Kit(
    SERVER,
    vcenter,
    promised={MODULE: TOKEN_RESULT, SESSION: TOKEN_RESULT},
    needs=(VIDB.product,),
    jobs={
        "registers": _REGISTERS,
        "opens a session": Job(SESSION, lambda lab, file: USER.options(lab)),
        "opens and keeps a session": _KEPT,
        "reuses a session": _session(_KEPT, settled={}),
        "renews a session": _session(_KEPT, settled={}, renew="always"),
        "opens a session by a token": Job(SESSION, lambda lab, file: TOKEN_USER.options(lab)),
        "ends a session": _session(_KEPT, settled={"tokens_valid": 0}, state="absent"),
    },
    mints=(r"POST /api/session$",),
    lies=frozenset({("refused", "DELETE /api/session")}),
    counts_tokens=True,
    unread=("registered-tokens",),
    guarded="/api/vcenter/datacenter",
    successes=(
        vcenter("vcenter"),
        vcenter(**VIDB_BY_TASK),
        session("session"),
        session(token="{{ session.token | default('') }}", state="absent"),
        session(**SESSION_FILE),
        session(**SESSION_FILE, renew="always"),
        session(**SESSION_FILE, state="absent"),
        session(**BY_TOKEN),
    ),
    done="registrations",
    refusals=(
        vcenter(access_token="{{ wrong.awkward }}"),
        vcenter(expanded_access_token="{{ wrong.awkward }}"),
        session(password="{{ wrong.awkward }}"),
        session(**{**BY_TOKEN, "access_token": "{{ wrong.wrong }}"}),
        session(token="{{ wrong.awkward }}", timeout="{{ lab.vcenter.password }}"),
    ),
    asks=(vcenter(), vcenter(**VIDB_BY_TASK), session(), session(**BY_TOKEN)),
    # It must look like a token.
    quoted="eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJvdmVyZmxvdyIsImV4cCI6NDEwMjQ0NDgwMH0.c2lnbmVkLWJ5LW5vYm9keQ",
    results=(
        checked(vcenter("vcenter_predicted")),
        vcenter("vcenter"),
        vcenter("vcenter_again", access_token=OMIT, **FILE),
        checked(vcenter("vcenter_unminted", **VIDB_BY_TASK)),
        failing(vcenter("vcenter_refused", probe_path="/api/nowhere")),
        checked(session("session_predicted", **SESSION_FILE)),
        session("session", **SESSION_FILE),
        session("session_again", **SESSION_FILE),
        session("session_renewed", **SESSION_FILE, renew="always", return_token=False),
        session("session_by_token", **BY_TOKEN),
        session("session_ended", **SESSION_FILE, state="absent"),
        failing(session("session_refused", password="a-wrong-password")),
    ),
    from_file={"access_token": OMIT},
    by_defaults={
        MODULE: {"access_token": "{{ vidb.token }}", "action": "registered"},
        SESSION: {**{name: f"{{{{ lab.vcenter.{name} }}}}" for name in USER.credentials}, "action": "created"},
    },
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
    environment={"VMWARE_HOST": "host", "VMWARE_USER": "username", "VMWARE_PASSWORD": "password"},
    variables={"vcenter_password": "password"},
    rotation={
        **SERVER.templates(),
        **VIDB.templates("vidb_"),
        "token_file": "{{ playbook_dir }}/vcenter.json",
    },
    rotated="registered",
    renewal={},
    further_entries={SESSION: Entry(SESSION, {**USER.templates(), **SESSION_FILE}, has_expiry=False)},
)
