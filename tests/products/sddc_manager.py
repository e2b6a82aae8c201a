# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SDDC Manager: an access token with a refresh token that renews it."""

from __future__ import annotations

from typing import Any

from support.kit import OMIT, TOKEN_RESULT, Job, Kit, Server
from support.playbooks import Task
from support.tasks import checked, failing

MODULE = "sddc_manager_token"
FILE = {"token_file": "{{ playbook_dir }}/sddc_manager.json"}
REGISTERED = "{{ sddc_manager.token | default(omit) }}"
REFRESH = {"refresh_token": "{{ sddc_manager.refresh_token | default(omit) }}"}
SERVER = Server("sddc_manager", ("username", "password"))


def sddc_manager(register: str = "", **options: Any) -> Task:
    """The module sddc_manager_token, with user name and password."""
    return SERVER.task(MODULE, register, **options)


def _job(before: tuple[Job, ...] = (), settled: dict[str, int] | None = None, **options: Any) -> Job:
    return Job(
        MODULE, lambda lab, file: {**SERVER.options(lab), "token_file": file, **options}, before, True, settled=settled
    )


_KEPT = _job(settled={})

KIT = Kit(
    SERVER,
    sddc_manager,
    promised={MODULE: TOKEN_RESULT | {"refresh_token"}},
    jobs={
        "creates": Job(MODULE, lambda lab, file: SERVER.options(lab)),
        "creates and keeps": _KEPT,
        "reuses": _job((_KEPT,)),
        "refreshes": _job((_KEPT,), {"refresh_tokens_valid": 1, "sign_ins": 1}, renew="always"),
        "revokes": _job((_KEPT,), {"refresh_tokens_valid": 0}, state="absent"),
    },
    tokens=(sddc_manager("sddc_manager"),),
    mints=("POST /v1/tokens$", r"PATCH \S+/access-token/refresh$"),
    response=("accessToken", {"refreshToken": {"id": "refresh"}}),
    lies=frozenset({("refused", "DELETE /v1/tokens/refresh-token")}),
    guarded="/v1/sddc-managers",
    successes=(
        sddc_manager("sddc_manager"),
        sddc_manager(token="{{ sddc_manager.token | default('') }}", state="absent", **REFRESH),
        sddc_manager(**FILE),
        sddc_manager(**FILE, renew="always"),
        sddc_manager(**FILE, state="absent"),
    ),
    refusals=(
        sddc_manager(password="{{ wrong.awkward }}"),
        sddc_manager(token="{{ wrong.wrong }}", refresh_token="{{ wrong.awkward }}", password=OMIT),
        sddc_manager(refresh_token="{{ wrong.awkward }}"),
    ),
    asks=(sddc_manager(), sddc_manager(token=REGISTERED, **REFRESH, renew="always")),
    results=(
        checked(sddc_manager("sddc_predicted", **FILE)),
        sddc_manager("sddc", **FILE),
        sddc_manager("sddc_again", **FILE),
        sddc_manager("sddc_refreshed", **FILE, renew="always", return_token=False),
        checked(sddc_manager("sddc_gone_predicted", **FILE, state="absent")),
        sddc_manager("sddc_gone", **FILE, state="absent"),
        failing(sddc_manager("sddc_refused", password="a-wrong-password")),
        failing(sddc_manager("sddc_misplaced", refresh_token="a-secret-for-nothing")),
    ),
    by_defaults={MODULE: {"action": "created"}},
    exported={
        "hostname": ("SDDC_MANAGER_HOST",),
        "username": ("SDDC_MANAGER_USERNAME",),
        "password": ("SDDC_MANAGER_PASSWORD",),
    },
    environment={
        "SDDC_MANAGER_HOST": "host",
        "SDDC_MANAGER_USERNAME": "username",
        "SDDC_MANAGER_PASSWORD": "password",
    },
    variables={"sddc_manager_password": "password"},
    rotation={**SERVER.templates(), **FILE},
)
