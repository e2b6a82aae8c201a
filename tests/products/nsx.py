# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NSX: partner services that are re-authenticated with tokens of VMware Cloud Services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from products.csp import SERVER as CSP
from products.csp import csp
from support.kit import EVERY_RESULT, OMIT, Job, Kit, Role, Server, Target
from support.playbooks import Task
from support.tasks import INSTANCE_PATH, checked, failing

if TYPE_CHECKING:
    from lab.client import Lab

MODULE, INFO = "nsx_service_reauth", "nsx_service_instance_info"
SERVER = Server("nsx", ("username", "password"))
# Two service instances of the lab, and the tokens that an earlier task has registered as `csp`.
INSTANCE = {"tier0_id": "T0-main", "locale_service_id": "default", "service_instance_id": "partner-fw-01"}
ANOTHER = {**INSTANCE, "locale_service_id": "edge-east", "service_instance_id": "partner-fw-02"}
TOKENS = {"access_token": "{{ csp.token }}", "open_id_token": "{{ csp.id_token }}"}
NO_TOKENS = dict.fromkeys(TOKENS, OMIT)
NO_USER = dict.fromkeys(SERVER.credentials, OMIT)
USER = {name: value for name, value in SERVER.templates().items() if name != "hostname"}
BY_CSP = {**NO_TOKENS, **CSP.templates("csp_")}
WRONG = f"wrong-{CSP.templates()['api_token']}"
INSTANCES = ["partner-firewall", "partner ids"]
POLICY = "/policy/api/v1"


def path_of(tier0: str, locale_service: str, instance: str) -> str:
    """The policy path of a service instance."""
    return f"/infra/tier-0s/{tier0}/locale-services/{locale_service}/service-instances/{instance}"


def nsx(register: str = "", **options: Any) -> Task:
    """The module nsx_service_reauth, with the tokens that an earlier task has registered as `csp`."""
    return SERVER.task(MODULE, register, **{**NO_USER, **TOKENS, **options})


def instances(register: str = "", **options: Any) -> Task:
    """The module nsx_service_instance_info, with user name and password."""
    return SERVER.task(INFO, register, **options)


def _add_documented_instances(lab: Lab) -> None:
    lab.act("nsx", "add_service_instances", host=KIT.host, ids=INSTANCES, tier0_id="edge-t0")
    lab.act("nsx", "add_service_instances", host="127.0.0.1", ids=INSTANCES[:1], tier0_id="vmc")


KIT = Kit(
    SERVER,
    nsx,
    promised={MODULE: EVERY_RESULT | {"instances"}, INFO: EVERY_RESULT | {"service_instances"}},
    needs=(CSP.product,),
    jobs={
        "reauthenticates": Job(
            MODULE,
            lambda lab, file: {
                **SERVER.options(lab),
                **CSP.options(lab, "csp_"),
                "use_session": True,
                "service_instances": [INSTANCE_PATH],
                "wait_timeout": 3,
            },
            settled={"reauths": 1},
            may_run_twice=True,
        ),
        "forces": Job(
            MODULE,
            lambda lab, file: {
                "hostname": SERVER.options(lab)["hostname"],
                **CSP.options(lab, "csp_"),
                "service_instances": [INSTANCE_PATH],
                "force": True,
            },
        ),
        "lists": Job(INFO, lambda lab, file: {**SERVER.options(lab), "tier0_id": "T0-main"}),
    },
    settings={"alarm_clear_delay": 0, "rate_limit": 0},
    guarded="/policy/api/v1/infra/tier-0s",
    odd={
        "a sign-in without a session": (
            "reauthenticates",
            0,
            "X-Nothing: here",
            "has no header X-XSRF-TOKEN",
        )
    },
    signs_in=("POST /api/session/create$",),
    signs_out=("POST /api/session/destroy$",),
    unread=(r"POST \S+/service-instances/", "POST /api/session/"),
    # An alarm without text is about no instance.
    plausible=frozenset({("reauthenticates", "a list of empty objects")}),
    targets={
        "alarms": Target(
            "GET", "/alarms", "read the alarms", (csp("csp"), nsx("struck", **INSTANCE, wait=False)), safe=True
        ),
        "reauth": Target(
            "POST",
            "action=reauth",
            "re-authenticate .*/partner-fw-01",
            (csp("csp"), nsx("struck", **INSTANCE, force=True)),
            harmless=("no_body",),
        ),
    },
    successes=(
        instances(),
        nsx(**INSTANCE, wait=False),
        nsx(**BY_CSP, **INSTANCE, force=True, wait=False),
    ),
    done="reauths",
    refusals=(
        nsx(access_token="{{ wrong.awkward }}", **INSTANCE, force=True),
        nsx(**NO_TOKENS, username=USER["username"], password="{{ wrong.wrong }}", **INSTANCE),
    ),
    asks=(nsx(**USER, **INSTANCE), nsx(**BY_CSP, **INSTANCE, force=True), instances()),
    results=(
        # The delay before an alarm begins to clear.
        instances("nsx_info", **INSTANCE),
        checked(nsx("nsx_due", **INSTANCE)),
        nsx("nsx", **INSTANCE, wait=False),
        failing(nsx("nsx_refused", **{**INSTANCE, "tier0_id": "nope"}, force=True)),
        failing(nsx("nsx_misplaced", **INSTANCE, concurrency="many")),
        failing(instances("nsx_info_refused", **{**INSTANCE, "password": "a-wrong-password"})),
        nsx("nsx_by_credentials", **BY_CSP, **ANOTHER, wait=False),
        failing(nsx("nsx_no_file_misplaced", **NO_TOKENS, token_file="/no/such/file.json", **INSTANCE)),
    ),
    from_file={**NO_TOKENS, **INSTANCE, "force": True},
    group_defaults=INSTANCE,
    by_defaults={INFO: {"action": "none"}, MODULE: {**TOKENS, "wait": False, "action": "reauthenticated"}},
    exported={
        "hostname": ("NSXT_MANAGER_HOST",),
        "username": ("NSXT_USERNAME",),
        "password": ("NSXT_PASSWORD",),
        "access_token": ("NSX_ACCESS_TOKEN",),
        "open_id_token": ("NSX_OPEN_ID_TOKEN",),
    },
    roles={
        "nsx_partner_service": Role(
            {"hostname": SERVER.templates()["hostname"], **CSP.templates("csp_")},
            successes=({"service_instances": [INSTANCE_PATH], "wait": False},),
            refusals=(
                {"csp_api_token": WRONG},
                {
                    "csp_api_token": None,
                    "access_token": WRONG,
                    "open_id_token": "{{ example.password }}",
                    "force": True,
                },
                {"username": "admin", "password": {"value": USER["password"]}},
            ),
            blank={"wait": False},
            made=("reauths", 2),
            as_needed=True,
            prepare_job=lambda lab: lab.act("nsx", "raise_alarms", host="127.0.0.1", paths=[INSTANCE_PATH]),
            answers=(
                {"tier0_id": "T0-main", "service_instance_id": "partner-fw-01", "force": "true"},
                r"POST \S+/service-instances/partner-fw-01\?action=reauth",
            ),
        )
    },
    environment={"NSXT_MANAGER_HOST": "host"},
    variables={"nsx_reverse_proxy_url": "proxy_url", "nsx_password": "password"},
    prepare_examples=_add_documented_instances,
    rotation={
        "hostname": SERVER.templates()["hostname"],
        **CSP.templates("csp_"),
        "token_file": "{{ playbook_dir }}/nsx.json",
        "service_instances": [INSTANCE_PATH],
        "wait_timeout": 3,
    },
    rotated="reauthenticated",
    renewal={"force": True},
)
