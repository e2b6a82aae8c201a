# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aria Operations for Networks (vRNI): a token of a local, LDAP or vIDM user, which can be revoked."""

from __future__ import annotations

from typing import Any

from support.kit import EVERY_RESULT, OMIT, TOKEN_RESULT, Details, Job, Kit, Options, Role, Server, Target
from support.playbooks import Task
from support.tasks import checked, failing

MODULE, INFO = "vrni_auth_token", "vrni_vidm_client_info"
TOKENS, VERSION = "/api/ni/auth/token", "/api/ni/info/version"
FILE = {"token_file": "{{ playbook_dir }}/vrni.json"}
OF_HOST = {"token_file": "{{ playbook_dir }}/{{ inventory_hostname }}.json"}
SERVER = Server("vrni", ("username", "password"))
# Of a task with its own credentials.
NOBODY = {"username": OMIT, "password": OMIT}
LDAP = {
    "username": "{{ lab.vrni.ldap_username }}",
    "password": "{{ lab.vrni.ldap_password }}",
    "domain_type": "LDAP",
    "domain": "{{ lab.vrni.ldap_domain }}",
}
VIDM = {**NOBODY, "vidm_token": "{{ lab.vrni.vidm_token }}"}
PASSWORD = "{{ lab.vrni.password }}"


def vrni(register: str = "", **options: Any) -> Task:
    """The module vrni_auth_token, with the local user."""
    return SERVER.task(MODULE, register, **options)


def vidm_client(register: str = "", **options: Any) -> Task:
    """The module vrni_vidm_client_info, which requires no authentication."""
    return SERVER.task(INFO, register, **NOBODY, **options)


def _local_user(lab: Details) -> Options:
    user = {name: lab["vrni"][name] for name in SERVER.credentials}
    return {**user, "domain": {"domain_type": "LOCAL"}}


def _job(*before: Job, **options: Any) -> Job:
    return Job(MODULE, lambda lab, file: {**SERVER.options(lab), "token_file": file, **options}, before, keeps=True)


_KEPT = _job()

KIT = Kit(
    SERVER,
    vrni,
    promised={MODULE: TOKEN_RESULT, INFO: EVERY_RESULT | {"vidm_appliance", "client_id"}},
    is_example=True,
    other_user=LDAP,
    jobs={
        "creates": Job(MODULE, lambda lab, file: SERVER.options(lab)),
        "creates and keeps": _KEPT,
        "reuses": _job(_KEPT),
        "renews": _job(_KEPT, renew="always"),
        "revokes": _job(_KEPT, state="absent"),
        "vidm client": Job(INFO, lambda lab, file: {"hostname": lab["vrni"]["url"]}),
    },
    settings={"token_limit": 0},
    mints=(r"POST \S+/auth/token$",),
    lies=frozenset({("refused", "DELETE /api/ni/auth/token")}),
    counts_tokens=True,
    response=("token", {"expiry": 0}),
    scheme="NetworkInsight",
    guarded=VERSION,
    odd={"a length in other digits": ("creates", 0, "Content-Length: \xb2", "")},
    targets={
        "create": Target("POST", TOKENS, "create an auth token", (vrni("struck"),), body=_local_user),
        "prove": Target("GET", VERSION, "check an auth token", (vrni("struck"),), safe=True),
        "verify": Target(
            "GET",
            VERSION,
            "check an auth token",
            (vrni("before", **OF_HOST, verify=False), vrni("struck", **OF_HOST)),
            safe=True,
        ),
        "revoke": Target(
            "DELETE",
            TOKENS,
            "delete an auth token",
            (vrni("before", **OF_HOST, verify=False), vrni("struck", **OF_HOST, state="absent")),
            safe=True,
            harmless=("no_json", "no_body"),
        ),
    },
    successes=(
        vrni("vrni", **FILE),
        vrni(**FILE, renew="always"),
        {**vrni("looped", **LDAP), "loop": ["first", "second"]},
        vrni("vidm", **VIDM),
        vrni(token="{{ vidm.token | default('') }}", state="absent"),
        vrni(**FILE, state="absent"),
        vidm_client(),
    ),
    refusals=(
        {**vrni("refused", password="{{ wrong[item] }}"), "loop": ["awkward", "wrong"]},
        {**vrni("retried", password="{{ wrong.awkward }}"), "until": "false", "retries": 1, "delay": 0},
        # In an option where it does not belong.
        vrni(timeout=PASSWORD),
        vrni(hostname=f"https://admin:{PASSWORD}@vrni.example.com"),
        vrni(passwort=PASSWORD),
        vrni(password={"value": PASSWORD}),
        vrni(**NOBODY, vidm_token=[PASSWORD]),
        vrni(state=PASSWORD),
        vrni(proxy_url=f"http://user:{PASSWORD}@127.0.0.1:1", retries=0),
    ),
    asks=(vrni(), vrni(token="{{ lab.vrni.vidm_token }}", state="absent")),
    asks_without_secret=(vidm_client(),),
    results=(
        vrni("vrni", **FILE),
        checked(vrni("vrni_renewal", **FILE, renew="always")),
        vrni("vrni_warned", **FILE, min_remaining=10**6, renew="always", return_token=False),
        failing(vrni("vrni_refused", password="a-wrong-password")),
        vrni("vrni_revoked", **FILE, state="absent"),
        vidm_client("vrni_info"),
        failing(vidm_client("vrni_info_refused")),
    ),
    # The second of the two requests for the client.
    faults=({"kind": "status", "path": "/client-id", "skip": 1, "status": 403, "body": {"message": "No vIDM"}},),
    by_defaults={MODULE: {"action": "created"}, INFO: {"action": "none"}},
    exported={
        "hostname": ("VRNI_HOST",),
        "username": ("VRNI_USERNAME",),
        "password": ("VRNI_PASSWORD",),
    },
    roles={
        "vrni_session": Role(
            SERVER.templates(),
            task={
                "name": "Use the token",
                "ansible.builtin.uri": {
                    "url": f"https://vrni.example.com{VERSION}",
                    "headers": "{{ vrni_session_headers }}",
                },
            },
            secret="vrni_session_headers",
            successes=({"tasks": "shout.yml"}, {"tasks": "use.yml", "no_log": False}),
            refusals=(
                {"tasks": "use.yml", "password": f"wrong-{PASSWORD}"},
                {"tasks": "use.yml", "password": {"a": [PASSWORD]}},
                {"tasks": "use.yml", "password": [PASSWORD]},
                {"tasks": "use.yml", "hostname": f"https://{PASSWORD}@vrni.example.com"},
                {"tasks": "fail.yml"},
            ),
            blank={"tasks": "nothing.yml"},
            made=("tokens_minted", 1),
        )
    },
    environment={"VRNI_HOST": "host", "VRNI_USERNAME": "username", "VRNI_PASSWORD": "password"},
    variables={
        "vrni_password": "password",
        "vrni_ldap_password": "ldap_password",
        "vidm_token": "vidm_token",
    },
    rotation={**SERVER.templates(), **FILE},
)
