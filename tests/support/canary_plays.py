# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays in which every module meets everything that might make it talk: success, failures, loops, retries, rescue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.canaries import AWKWARD
from support.collection import PRODUCTS
from support.entries import entry, token_set
from support.playbooks import Task, module
from support.tasks import (
    INSTANCE,
    LDAP,
    NOBODY,
    OAUTH_APP,
    VIDB_BY_TASK,
    VIDB_CLIENT,
    VIDM,
    avi,
    checked,
    csp,
    failing,
    nsx,
    sddc_manager,
    vcenter,
    vidb,
    vrni,
)

if TYPE_CHECKING:
    from lab.client import Lab

NSX_USER: dict[str, Any] = {"username": "{{ lab.nsx.username }}", "password": "{{ lab.nsx.password }}"}
SDDC_REFRESH: dict[str, Any] = {"refresh_token": "{{ sddc_manager.refresh_token | default(omit) }}"}
NO_TOKENS: dict[str, Any] = {"access_token": "{{ omit }}", "open_id_token": "{{ omit }}"}
BY_CSP: dict[str, Any] = {**NO_TOKENS, "csp_hostname": "{{ lab.csp.url }}", "csp_api_token": "{{ lab.csp.api_token }}"}
# Wrong credentials, which are secrets as well.
WRONG = {"awkward": AWKWARD, "wrong": "wrong-4e6f2c9a7b1d8053"}
# A name that no person gave: on an Avi controller it lets a Service Engine in.
GENERATED = "5b0b8f0e-6f5d-4c7c-9f39-2f8f7f1f4a63"
_QUOTED = "WHAT WAS SENT"
# What a server may quote of the requests of `struck`: what each of them has sent.
_SENT = {
    "avi": ("avi", "password"),
    "csp": ("csp", "api_token"),
    "nsx": ("nsx", "password"),
    "sddc_manager": ("sddc_manager", "password"),
    "vcenter": ("vrni", "vidm_token"),  # any token: it must be known by its looks
    "vidb": ("vidb", "api_token"),
    "vrni": ("vrni", "password"),
}
# What it may answer; the words above are replaced by that. A few of these are enough where a task is dear.
ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "quoting": ("status", {"status": 400, "body": {"message": _QUOTED, "error_message": _QUOTED, "error": _QUOTED}}),
    "redirecting": ("redirect", {"location": f"https://elsewhere.example.com/?token={_QUOTED}"}),
    "broken": ("invalid_json", {"body": f'{{"token": "{_QUOTED}'}),
    "refusing": ("status", {"status": 403, "body": _QUOTED, "headers": {"Content-Type": "text/plain"}}),
    "failing": ("status", {"status": 500, "body": {"details": [{"message": _QUOTED}], "code": 1}}),
    "overloaded": ("status", {"status": 503, "body": {"message": _QUOTED}, "headers": {"Retry-After": "0"}}),
    "html": ("html", {"status": 502, "work": True}),
    "empty": ("empty", {"work": True}),
    "dropping": ("drop_after", {}),
    "truncating": ("truncate", {}),
    "bombing": ("gzip_bomb", {"megabytes": 1}),
}
SOME = ("quoting", "redirecting")
LATE: dict[str, tuple[str, dict[str, Any]]] = {"late": ("delay", {"seconds": 60})}


def answering(lab: Lab, *names: str) -> list[dict[str, str]]:
    """Let the products answer so on addresses of their own; return where, by product."""
    addresses = dict(zip(names, lab.add_addresses(len(names)), strict=True))
    for name, address in addresses.items():
        kind, parameters = {**ANSWERS, **LATE}[name]
        for product, (of, key) in _SENT.items():
            lab.fault(product, kind, host=address, times=0, **_quoting(parameters, lab[of][key]))
    return [{product: lab.url(product, address) for product in PRODUCTS} for address in addresses.values()]


def _quoting(value: Any, sent: str) -> Any:
    if isinstance(value, str):
        return value.replace(_QUOTED, sent)
    if isinstance(value, list):
        return [_quoting(item, sent) for item in value]
    return {key: _quoting(item, sent) for key, item in value.items()} if isinstance(value, dict) else value


def successes() -> list[Task]:
    """Every module in all that it does well; `csp` and `vidb` are there for the tasks after it."""
    kept = {product: {"token_file": f"{{{{ playbook_dir }}}}/{product}.json"} for product in PRODUCTS}
    info = {"ca_path": "{{ ca_path }}", "hostname": "{{ lab.nsx.url }}"}
    retries = {"until": "retried is not failed", "retries": 2, "delay": 0}
    return [
        csp("csp", require_id_token=True),
        vidb("vidb"),
        csp(**OAUTH_APP),
        {**csp("retried"), **retries},
        csp(**kept["csp"]),
        csp(**kept["csp"], renew="always"),
        vrni("vrni", **kept["vrni"]),
        vrni(**kept["vrni"], renew="always"),
        {**vrni("looped", **LDAP), "loop": ["first", "second"]},
        vrni("vidm", **VIDM),
        vrni(token="{{ vidm.token | default('') }}", state="absent"),
        vrni(**kept["vrni"], state="absent"),
        module("vrni_vidm_client_info", ca_path="{{ ca_path }}", hostname="{{ lab.vrni.url }}"),
        sddc_manager("sddc_manager"),
        sddc_manager(token="{{ sddc_manager.token | default('') }}", state="absent", **SDDC_REFRESH),
        sddc_manager(**kept["sddc_manager"]),
        sddc_manager(**kept["sddc_manager"], renew="always"),
        sddc_manager(**kept["sddc_manager"], state="absent"),
        vidb(**VIDB_CLIENT, **kept["vidb"]),
        vidb(**VIDB_CLIENT, **kept["vidb"], state="absent"),
        vcenter("vcenter"),
        vcenter(**VIDB_BY_TASK),
        avi("avi", name="se-01", lifetime=3600, metadata={"rack": "4"}),
        avi("generated", name="{{ generated_name }}", lifetime=3600),
        avi(name="se-01", lifetime=7200, min_remaining=5000),
        avi("listed", of="avi_securechanneltoken_info", return_token=True),
        {**avi("engines", of="avi_se_auth_token", cloud="Default-Cloud"), "loop": [1, 2]},
        avi(name="{{ generated_name }}", state="absent"),
        module("nsx_service_instance_info", **info, **NSX_USER),
        nsx(**INSTANCE, wait=False),
        nsx(**BY_CSP, **INSTANCE, force=True, wait=False),
        module("token_file_info", paths=["{{ playbook_dir }}/csp.json", "{{ playbook_dir }}/vidb.json"]),
        token_set("", *(entry(product) for product in PRODUCTS if product != "nsx"), entry("nsx", wait=False)),
    ]


def refusals() -> list[Task]:
    """Wrong credentials, and right ones in the wrong place: refused by the server or before anything is sent."""
    password = "{{ lab.vrni.password }}"
    api_token = "{{ lab.csp.api_token }}"
    return [
        failing({**vrni("refused", password="{{ wrong[item] }}"), "loop": ["awkward", "wrong"]}),
        failing({**vrni("retried", password="{{ wrong.awkward }}"), "until": "false", "retries": 1, "delay": 0}),
        failing(csp(api_token="{{ wrong.awkward }}")),
        failing(csp(**{**OAUTH_APP, "client_secret": "{{ wrong.awkward }}"})),
        failing(sddc_manager(password="{{ wrong.awkward }}")),
        failing(sddc_manager(token="{{ wrong.wrong }}", refresh_token="{{ wrong.awkward }}", password="{{ omit }}")),
        failing(sddc_manager(refresh_token="{{ wrong.awkward }}")),
        failing(vidb(api_token="{{ wrong.awkward }}")),
        failing(vidb(**{**VIDB_CLIENT, "client_secret": "{{ wrong.awkward }}"})),
        failing(vcenter(access_token="{{ wrong.awkward }}")),
        failing(vcenter(expanded_access_token="{{ wrong.awkward }}")),
        failing(avi(password="{{ wrong.awkward }}")),
        failing(avi(of="avi_se_auth_token", cloud="Default-Cloud", password="{{ wrong.awkward }}")),
        failing(nsx(access_token="{{ wrong.awkward }}", **INSTANCE, force=True)),
        failing(nsx(**NO_TOKENS, username="{{ lab.nsx.username }}", password="{{ wrong.wrong }}", **INSTANCE)),
        # Where it does not belong.
        failing(vrni(timeout=password)),
        failing(vrni(hostname=f"https://admin:{password}@vrni.example.com")),
        failing(vrni(passwort=password)),
        failing(vrni(password={"value": password})),
        failing(vrni(**NOBODY, vidm_token=[password])),
        failing(vrni(state=password)),
        failing(vrni(proxy_url=f"http://user:{password}@127.0.0.1:1", retries=0)),
        failing(csp(renew=api_token)),
        failing(csp(token_file="/no/such/folder/token.json", min_remaining=api_token)),
        failing(avi(metadata={"password": ["{{ lab.avi.password }}"]}, expiry_time="{{ lab.avi.password }}")),
        failing(
            token_set("", entry("vrni", password="{{ wrong.awkward }}"), entry("csp", api_token="{{ wrong.wrong }}"))
        ),
        failing(token_set("", entry("vrni", timeout=password), entry("csp", min_remaining=password))),
        failing(token_set("", entry("vrni", passwort=password, state=password, domain_type=password))),
        failing(token_set("", entry("vrni", password={"value": [password]}, vidm_token=[password]))),
        failing(token_set("", {**entry("vrni"), "product": password}, {**entry("csp"), "product": "cspp"})),
        failing(token_set("", f"product=vrni password={password}", {"password": password})),
        failing(token_set("", entry("vrni", return_token=True, token=password))),
        failing(token_set("", {**entry("vrni"), "token_file": ""}, retries=password)),
        _rescued(vidb(tenant="nobody", client_secret="{{ lab.vidb.client_secret }}")),
        _rescued(csp("rescued", api_token=f"wrong-{api_token}", retries=0)),
    ]


def _rescued(task: Task) -> Task:
    """A task whose failure is printed by the next one, as people do."""
    told = {"name": "Tell", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}
    return {"name": "Try", "block": [task], "rescue": [told]}


def tokens_for_the_struck() -> list[Task]:
    """What `refusals` and `struck` hand in."""
    return [csp("csp", require_id_token=True), vidb("vidb"), sddc_manager("sddc_manager")]


def struck() -> list[Task]:
    """Every module against each of the servers of `answering`, which are in the variable `places`."""
    patience: dict[str, Any] = {"timeout": 2, "retries": 0}
    manager: dict[str, Any] = {"ca_path": "{{ ca_path }}", **patience}

    # Where an entry would not send by itself what the servers quote.
    sending: dict[str, dict[str, Any]] = {
        "nsx": NSX_USER,
        "vidb": {"api_token": "{{ lab.vidb.api_token }}", "client_id": "", "client_secret": ""},
    }

    def at(product: str) -> dict[str, Any]:
        return {"hostname": f"{{{{ item.{product} }}}}", **patience}

    tasks = [
        csp(**at("csp")),
        vrni(**at("vrni")),
        vrni(**at("vrni"), token="{{ lab.vrni.vidm_token }}", state="absent"),
        sddc_manager(**at("sddc_manager")),
        sddc_manager(
            **at("sddc_manager"),
            token="{{ sddc_manager.token }}",
            refresh_token="{{ sddc_manager.refresh_token }}",
            renew="always",
        ),
        vidb(**at("vidb")),
        vcenter(**at("vcenter")),
        avi(**at("avi"), name="se-01"),
        avi(**at("avi"), of="avi_securechanneltoken_info"),
        avi(**at("avi"), of="avi_se_auth_token", cloud="Default-Cloud"),
        nsx(**at("nsx"), **NSX_USER, **INSTANCE),
        nsx(**{**BY_CSP, "csp_hostname": "{{ item.csp }}"}, **patience, **INSTANCE),
        module("nsx_service_instance_info", **{**manager, **at("nsx")}, **NSX_USER),
        token_set("", *(entry(product, **at(product), **sending.get(product, {})) for product in PRODUCTS)),
    ]
    label = {"loop_control": {"label": "a place"}}
    return [failing({**task, "loop": "{{ places }}", **label, "register": "struck"}) for task in tasks]


def everything() -> list[Task]:
    """All of the above, and the successes once more as check mode predicts them."""
    return [*successes(), *refusals(), *struck(), *(failing(checked(task)) for task in successes())]
