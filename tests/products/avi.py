# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Avi Load Balancer: secure channel tokens, and the tokens with which Service Engines register."""

from __future__ import annotations

from typing import Any

from support.kit import EVERY_RESULT, TOKEN_RESULT, Job, Kit, Role, Server
from support.playbooks import Task
from support.tasks import checked, failing

MODULE, INFO, ENGINE = "avi_securechanneltoken", "avi_securechanneltoken_info", "avi_se_auth_token"
SERVER = Server("avi", ("username", "password"))
PASSWORD = "{{ lab.avi.password }}"
CLOUD = {"cloud": "Default-Cloud"}
# A foreign secret, given to an engine.
SECRET = "{{ example.password }}"
_FAILING = {"tasks": "fail.yml", "engines": [{"name": "se-02", "password": SECRET}]}


def avi(register: str = "", *, of: str = MODULE, **options: Any) -> Task:
    """A module for Avi Load Balancer, with user name and password."""
    return SERVER.task(of, register, **options)


def engine(register: str = "", **options: Any) -> Task:
    """The module avi_se_auth_token, for a cloud of the lab."""
    return SERVER.task(ENGINE, register, **{**CLOUD, **options})


def _named(before: tuple[Job, ...], settled: dict[str, int], **options: Any) -> Job:
    return Job(
        MODULE,
        lambda lab, file: {**SERVER.options(lab), "name": "Engines", **options},
        before,
        settled=settled,
        at_most={"objects": 1},
    )


_CREATED = _named((), {"objects": 1}, lifetime=3600)

KIT = Kit(
    SERVER,
    avi,
    promised={
        MODULE: TOKEN_RESULT - {"headers"},
        INFO: EVERY_RESULT | {"securechanneltokens"},
        ENGINE: EVERY_RESULT | {"token", "token_type", "cluster_uuid", "ova_properties"},
    },
    jobs={
        "creates": _CREATED,
        "updates": _named((_CREATED,), {"objects": 1}, in_use=True),
        "deletes": _named((_CREATED,), {"objects": 0}, state="absent"),
        "lists": Job(INFO, lambda lab, file: SERVER.options(lab), (_CREATED,), all_keys={"return_token": True}),
        "engine token": Job(ENGINE, lambda lab, file: {**SERVER.options(lab), **CLOUD}),
    },
    mints=("securetoken-generate", r"POST \S+channeltoken$"),
    signs_in=("POST /login$",),
    signs_out=("POST /logout$",),
    unread=("POST /login", "POST /logout"),
    guarded="/api/tenant",
    odd={"two cookies of one name": ("creates", 1, "Set-Cookie: csrftoken=of-another-path", "")},
    successes=(
        avi("avi", name="se-01", lifetime=3600, metadata={"rack": "4"}),
        avi("generated", name="{{ generated_name }}", lifetime=3600),
        avi(name="se-01", lifetime=7200, min_remaining=5000),
        avi("listed", of=INFO, return_token=True),
        {**engine("engines"), "loop": [1, 2]},
        avi(name="{{ generated_name }}", state="absent"),
    ),
    refusals=(
        avi(password="{{ wrong.awkward }}"),
        engine(password="{{ wrong.awkward }}"),
        avi(metadata={"password": [PASSWORD]}, expiry_time=PASSWORD),
    ),
    asks=(avi(name="se-01"), avi(of=INFO), engine()),
    results=(
        checked(avi("avi_predicted", name="se-01", lifetime=3600)),
        avi("avi", name="se-01", lifetime=3600, metadata={"rack": "4"}),
        avi("avi_updated", name="se-01", metadata={"rack": "5"}, return_token=False),
        failing(avi("avi_refused", name="se-01", password="a-wrong-password")),
        failing(avi("avi_misplaced", name="se-01", lifetime="soon")),
        avi("avi_info", of=INFO),
        avi("avi_info_shown", of=INFO, return_token=True),
        engine("engine"),
        checked(engine("engine_predicted")),
        failing(engine("engine_refused", cloud="No-Cloud")),
        avi("avi_deleted", name="se-01", state="absent"),
    ),
    group_defaults={"tenant": "lab"},
    by_defaults={
        MODULE: {"name": "se-01", "action": "created"},
        INFO: {"action": "none"},
        ENGINE: {**CLOUD, "action": "created"},
    },
    exported={
        "hostname": ("AVI_CONTROLLER",),
        "username": ("AVI_USERNAME",),
        "password": ("AVI_PASSWORD",),
        "tenant": ("AVI_TENANT",),
        "api_version": ("AVI_VERSION",),
    },
    roles={
        "avi_service_engine_token": Role(
            {**SERVER.templates(), "cloud": "{{ lab.avi.cloud }}"},
            needed={"engines": [{"name": "se-01"}, {"name": "se-02"}], **CLOUD},
            task={
                "name": "Deploy",
                "ansible.builtin.assert": {"that": "avi_service_engine_token_ova_properties | length == 3"},
            },
            secret="avi_service_engine_token_ova_properties",
            successes=({"tasks": "shout.yml", "engines": [{"name": "se-01", "password": SECRET}]},),
            refusals=(
                _FAILING,
                {**_FAILING, "password": f"wrong-{PASSWORD}"},
                {"tasks": "fail.yml", "engines": {"name": "se", "password": SECRET}},
            ),
            blank={
                "tasks": "nothing.yml",
                "engines": [
                    {"name": name, **dict.fromkeys(["tenant", "tenant_uuid", "cloud", "cloud_uuid"], "")}
                    for name in ("se-01", "se-02")
                ],
            },
            left={"objects": 1},
            made=("engine_tokens", 2),
        )
    },
    environment={"AVI_CONTROLLER": "host", "AVI_USERNAME": "username", "AVI_PASSWORD": "password"},
    variables={"avi_password": "password"},
    rotation={**SERVER.templates(), "name": "Engines in the east", "lifetime": 86400, "metadata": {"rack": "4"}},
    renewal={"lifetime": 172800, "min_remaining": 90000},
)
