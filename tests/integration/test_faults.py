# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of fault at each kind of request: named in one sentence, tried again where that is safe, nothing leaked.

One play for each kind of request, with one host of Ansible, and one of the lab, for each fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support.canaries import leaks
from support.playbooks import Ansible, Run, Task
from support.tasks import INSTANCE, csp, failing, nsx, said, succeeded, vrni

if TYPE_CHECKING:
    from lab.client import Lab, LoggedRequest

RETRIES = 1
# Seconds of patience with a server that is late, and with all others, so that a busy machine does no harm.
SHORT, LONG = 4, 60
CLOSED = "the connection was closed before the response was whole"
OVERLOADED = {"status": 503, "headers": {"Retry-After": "0"}}
LIMITED = {"status": 429, "headers": {"Retry-After": "1"}}


@dataclass(frozen=True)
class Fault:
    """A fault, the cause that the error must name (none: the task succeeds), and how often what is tried."""

    kind: str
    parameters: dict[str, Any]
    cause: str
    tries_if_safe: int = 1
    tries: int = 1
    times: int = 0


FAULTS = {
    "error": Fault("status", {"status": 500, "body": {"message": "Out of disk"}}, "the server answered 500.*"),
    "overloaded": Fault("status", OVERLOADED, "the server answered 503", 1 + RETRIES, 1 + RETRIES),
    "overloaded_once": Fault("status", OVERLOADED, "", 2, 2, times=1),
    "limited_once": Fault("status", LIMITED, "", 2, 2, times=1),
    "late": Fault("delay", {"seconds": LONG}, f"no whole response within {SHORT} s"),
    "late_reply": Fault("delay", {"seconds": LONG, "work": True}, f"no whole response within {SHORT} s"),
    "dropped_before": Fault("drop_before", {}, CLOSED, 1 + RETRIES),
    "dropped_after": Fault("drop_after", {}, CLOSED, 1 + RETRIES),
    "torn_before": Fault("drop_before", {"abrupt": True}, CLOSED, 1 + RETRIES),
    "torn_after": Fault("drop_after", {"abrupt": True}, CLOSED, 1 + RETRIES),
    "truncated": Fault("truncate", {}, "the response was cut off.*", 1 + RETRIES),
    "page_200": Fault("html", {"status": 200}, "an HTML page came back .*"),
    "page_403": Fault("html", {"status": 403}, "an HTML page came back .*"),
    "page_502": Fault("html", {"status": 502}, "an HTML page came back .*"),
    "no_json": Fault("invalid_json", {"work": True}, "the response is not valid JSON.*"),
    "no_body": Fault("empty", {"work": True}, "the response has an empty body.*"),
    "redirected": Fault("redirect", {}, "the server answered with a redirect.*"),
}


@dataclass(frozen=True)
class Target:
    """A kind of request: what it is for, in the words of an error, and the tasks by which it is made."""

    product: str
    method: str
    path: str
    doing: str
    tasks: tuple[Task, ...]
    safe: bool = False
    # Faults that do no harm here, for nobody reads the body.
    harmless: tuple[str, ...] = ()


HERE = {"hostname": "{{ url }}"}
IN_FILE = {**HERE, "token_file": "{{ playbook_dir }}/{{ inventory_hostname }}.json"}
STRUCK = {"timeout": "{{ timeout }}", "retries": RETRIES}
TARGETS = {
    "create": Target("vrni", "POST", "/auth/token", "create an auth token", (vrni("struck", **HERE, **STRUCK),)),
    "prove": Target(
        "vrni", "GET", "/info/version", "check an auth token", (vrni("struck", **HERE, **STRUCK),), safe=True
    ),
    "verify": Target(
        "vrni",
        "GET",
        "/info/version",
        "check an auth token",
        (vrni("before", **IN_FILE, verify=False), vrni("struck", **IN_FILE, **STRUCK)),
        safe=True,
    ),
    "revoke": Target(
        "vrni",
        "DELETE",
        "/auth/token",
        "delete an auth token",
        (vrni("before", **IN_FILE, verify=False), vrni("struck", **IN_FILE, **STRUCK, state="absent")),
        safe=True,
        harmless=("no_json", "no_body", "truncated"),
    ),
    "authorize": Target("csp", "POST", "authorize", "get an access token", (csp("struck", **HERE, **STRUCK),)),
    "alarms": Target(
        "nsx",
        "GET",
        "/alarms",
        "read the alarms",
        (csp("csp"), nsx("struck", **HERE, **INSTANCE, **STRUCK, wait=False)),
        safe=True,
    ),
    "reauth": Target(
        "nsx",
        "POST",
        "action=reauth",
        "re-authenticate .*/partner-fw-01",
        (csp("csp"), nsx("struck", **HERE, **INSTANCE, **STRUCK, force=True)),
        harmless=("no_json", "no_body"),
    ),
}


@dataclass(frozen=True)
class Struck:
    """What became of one task that a fault struck."""

    fault: Fault
    target: Target
    result: dict[str, Any]
    requests: list[LoggedRequest]
    counts: dict[str, int]
    harmless: bool

    @property
    def message(self) -> str:
        return str(self.result.get("msg", ""))


LEFT_BEHIND = re.compile(r"An? (?:access )?token [^.]*(?:may be left|may exist|is left)[^.]*\.")


def named(struck: Struck) -> str:
    """Each failure is one sentence that names what was done, where and why; a success says nothing."""
    if struck.harmless:
        return struck.message
    pattern = rf"Could not {struck.target.doing} on 127\.0\.\d+\.\d+:\d+: {struck.fault.cause}\. .*"
    matches = re.fullmatch(pattern, struck.message + " ")
    return "" if matches and "Traceback" not in struck.message else struck.message or "no error"


def advised(struck: Struck) -> str:
    """Each failure ends in what to do next."""
    if struck.harmless or not struck.message:
        return ""
    rest = LEFT_BEHIND.sub("", struck.message.split(": ", 1)[1])
    # The first sentence is the cause.
    return "" if re.match(r".*?[^.]\.'?\.? +[A-Z]", rest) else struck.message


def repeated(struck: Struck) -> str:
    """What may have been carried out is not sent again, all else as often as the option says."""
    matching = [
        entry
        for entry in struck.requests
        if entry.method == struck.target.method and re.search(struck.target.path, entry.line)
    ]
    tries = struck.fault.tries_if_safe if struck.target.safe else struck.fault.tries
    # A revocation that was carried out, and whose reply was cut, is harmless and may have been repeated.
    allowed = {1, tries} if struck.harmless and struck.fault.cause else {tries}
    return "" if len(matching) in allowed else f"{len(matching)} tries in place of {tries}"


def accounted(struck: Struck) -> str:
    """A token that the task has created and that nobody holds is the only one, and the error names it."""
    before = 1 if any(task.get("register") == "before" for task in struck.target.tasks) else 0
    created = struck.counts.get("tokens_valid", 0) // (2 if struck.target.product == "csp" else 1) - before
    if "token" in struck.result or created <= 0:
        return ""
    if created > 1:
        return f"{created} tokens are left on the server"
    return "" if LEFT_BEHIND.search(struck.message) else f"a token is left on the server, and unnamed: {struck.message}"


PROMISES: dict[str, Callable[[Struck], str]] = {
    "named": named,
    "advised": advised,
    "repeated": repeated,
    "accounted": accounted,
}


@pytest.mark.parametrize("target", TARGETS)
def test_each_fault_is_named_with_a_next_step_repeated_only_where_safe_and_leaks_nothing(
    ansible: Ansible, lab: Lab, target: str
) -> None:
    struck_at = TARGETS[target]
    *addresses, elsewhere = lab.add_addresses(len(FAULTS) + 1)
    hosts = dict(zip(FAULTS, addresses, strict=True))
    match: dict[str, Any] = {"method": struck_at.method, "path": struck_at.path}
    for name, fault in FAULTS.items():
        aside: dict[str, Any] = {"location": lab.url(struck_at.product, elsewhere)} if fault.kind == "redirect" else {}
        lab.fault(
            struck_at.product, fault.kind, host=hosts[name], times=fault.times, **match, **fault.parameters, **aside
        )
    *before, struck = struck_at.tasks

    run = succeeded(
        ansible.play(
            [*before, failing(struck)],
            hosts={
                name: {
                    "url": lab.url(struck_at.product, address),
                    "timeout": SHORT if FAULTS[name].kind == "delay" else LONG,
                }
                for name, address in hosts.items()
            },
            arguments=["--forks=12", "-vvv", "--diff"],
        )
    )

    broken = list(_broken(run, lab, struck_at, hosts))
    assert not broken, "\n".join(broken)
    assert lab.requests(host=elsewhere) == [], "no redirect is followed"
    messages = json.dumps([results["struck"].get("msg") for results in run.by_host.values()])
    texts = {"output": run.output, "messages": messages}
    assert leaks(texts, [secret["value"] for secret in lab.secrets()]) == []


def _broken(run: Run, lab: Lab, target: Target, hosts: dict[str, str]) -> Iterator[str]:
    for name, fault in FAULTS.items():
        struck = Struck(
            fault,
            target,
            run.by_host[name]["struck"],
            lab.requests(target.product, hosts[name]),
            lab.counts(target.product, hosts[name]),
            name in target.harmless or not fault.cause,
        )
        for promise, kept in PROMISES.items():
            if how := kept(struck):
                yield f"{name} is not {promise}: {how}"


CERTIFICATES = {
    "expired": "certificate has expired",
    "untrusted": "unable to get local issuer",
    "wrong_name": "mismatch",
}


def test_a_bad_certificate_and_a_closed_port_are_named_and_no_secret_is_sent(ansible: Ansible, lab: Lab) -> None:
    addresses = {kind: lab.add_addresses(1, kind)[0] for kind in CERTIFICATES}
    hosts = {
        kind: {product: lab.url(product, address) for product in ("vrni", "csp", "nsx")}
        for kind, address in addresses.items()
    }
    hosts["closed"] = dict.fromkeys(("vrni", "csp", "nsx"), "https://127.0.0.1:1")
    tokens = {"access_token": "an-access-token", "open_id_token": "an-openid-token"}
    tasks = [
        failing(vrni("vrni_struck", hostname="{{ vrni }}", retries=1)),
        failing(csp("csp_struck", hostname="{{ csp }}", retries=1)),
        failing(nsx("nsx_struck", hostname="{{ nsx }}", retries=1, **tokens, **INSTANCE)),
        failing(vrni("bundle", ca_path="{{ omit }}", hostname="{{ lab.vrni.url }}")),
        {
            **vrni("store", ca_path="{{ omit }}", hostname="{{ lab.vrni.url }}"),
            "environment": {"SSL_CERT_FILE": "{{ ca_path }}"},
        },
        failing(vrni("trusting", hostname="{{ vrni }}", validate_certs=False)),
    ]

    run = succeeded(ansible.play(tasks, hosts=hosts, environ={"REQUESTS_CA_BUNDLE": lab.ca_path}))

    for kind, cause in {**CERTIFICATES, "closed": "no connection: Connection refused"}.items():
        results = run.by_host[kind]
        for name in ("vrni_struck", "csp_struck", "nsx_struck"):
            message = results[name]["msg"]
            assert cause in message
            assert message.startswith("Could not ")
            assert ("is not trusted" in message) == (kind != "closed")
            assert results[name]["request_count"] == 0
            assert "may be left" not in message
            assert "may exist" not in message
        assert results["store"]["action"] == "created"
        assert "is not trusted" in results["bundle"]["msg"], "REQUESTS_CA_BUNDLE has no effect"
        assert results["trusting"].get("action") == ("created" if kind != "closed" else "none")
    assert "ca_path" in run.by_host["untrusted"]["vrni_struck"]["msg"]
    assert "host name" in run.by_host["wrong_name"]["vrni_struck"]["msg"]
    assert "hostname and port" in run.by_host["closed"]["vrni_struck"]["msg"]
    assert said(run).count("trying again in") >= 3, "what never left is tried again"
    for address in addresses.values():
        assert {entry.product for entry in lab.requests(host=address)} == {"vrni"}, "only without validate_certs"
    assert "ca_path" not in run.by_host["expired"]["vrni_struck"]["msg"], (
        "no authority mends a certificate that expired"
    )


def test_a_token_is_judged_by_the_clock_of_the_server_with_a_reply_and_without_one(ansible: Ansible, lab: Lab) -> None:
    lab.change_settings("csp", clock_offset=-7200)
    lab.change_settings("vrni", clock_offset=7200)
    lab.fault("vrni", "skew_date", method="GET", path="/info/version", skip=1, seconds=17900)
    csp_file, vrni_file = ({"token_file": f"{{{{ playbook_dir }}}}/{product}.json"} for product in ("csp", "vrni"))
    term = "lookup('sddc.tokens.token_file', playbook_dir ~ '/csp.json') | length"
    tasks = [
        csp("exchanged", **csp_file),
        csp("reused", **csp_file),
        {"name": "Look up", "ansible.builtin.debug": {"msg": f"{{{{ {term} }}}}"}, "register": "looked_up"},
        vrni("created", **vrni_file),
        vrni("trusted", **vrni_file, verify=False),
        vrni("renewed", **vrni_file),
    ]

    run = succeeded(ansible.play(tasks))

    assert [run[name]["action"] for name in ("exchanged", "reused")] == ["created", "reused"]
    assert [run[name]["action"] for name in ("created", "trusted", "renewed")] == ["created", "reused", "renewed"]
    for name, life in (("exchanged", 1800), ("reused", 1800), ("created", 18000), ("trusted", 18000)):
        assert life - 60 <= run[name]["expires_in"] <= life + 1, name
    assert int(run["looked_up"]["msg"]) == len(run["exchanged"]["token"])
    assert lab.counts("vrni")["tokens_valid"] == 1


def test_a_date_that_contradicts_the_token_is_no_reason_to_speak_of_a_negative_life(ansible: Ansible, lab: Lab) -> None:
    lab.fault("csp", "skew_date", seconds=20000)

    run = succeeded(ansible.play([failing(csp("skewed"))]))

    assert "does not accept the token that it has just created" in run["skewed"]["msg"]
    assert "is left on the server" in run["skewed"]["msg"]
    assert "lives -" not in said(run)
