# Copyright: (c) 2026, sddc.tokens contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of fault at each kind of request: named in one sentence, retried where safe, without leaks.

One play for each kind of request, with one host of Ansible, and one of the lab, for each fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from products import EXAMPLE, ISSUER, KITS
from support.canaries import leaks
from support.canary_plays import elsewhere, tokens
from support.entries import as_entry
from support.kit import Kit, Target
from support.playbooks import Ansible, Run, Task
from support.tasks import failing, said, succeeded

if TYPE_CHECKING:
    from lab.client import Lab, LoggedRequest

RETRIES = 1
# Timeouts in seconds: for a server that is late, and for all others, so that a busy machine does no harm.
SHORT, LONG = 4, 300
CLOSED = "the connection was closed before the response was complete"
OVERLOADED = {"status": 503, "headers": {"Retry-After": "0"}}
LIMITED = {"status": 429, "headers": {"Retry-After": "1"}}


@dataclass(frozen=True)
class Fault:
    """A fault, the cause in the error (none: the task succeeds), and the expected number of attempts."""

    kind: str
    parameters: dict[str, Any]
    cause: str
    tries_if_safe: int = 1
    tries: int = 1
    times: int = 0


FAULTS = {
    "error": Fault("status", {"status": 500, "body": {"message": "Out of disk"}}, "the server returned status 500.*"),
    "overloaded": Fault("status", OVERLOADED, "the server returned status 503", 1 + RETRIES, 1 + RETRIES),
    "overloaded_once": Fault("status", OVERLOADED, "", 2, 2, times=1),
    "limited_once": Fault("status", LIMITED, "", 2, 2, times=1),
    "late": Fault("delay", {"seconds": LONG}, f"no complete response within {SHORT} s"),
    "late_response": Fault("delay", {"seconds": LONG, "work": True}, f"no complete response within {SHORT} s"),
    "dropped_before": Fault("drop_before", {}, CLOSED, 1 + RETRIES),
    "dropped_after": Fault("drop_after", {}, CLOSED, 1 + RETRIES),
    "torn_before": Fault("drop_before", {"abrupt": True}, CLOSED, 1 + RETRIES),
    "torn_after": Fault("drop_after", {"abrupt": True}, CLOSED, 1 + RETRIES),
    "truncated": Fault("truncate", {}, "the response was cut off.*", 1 + RETRIES),
    "page_200": Fault("html", {"status": 200}, "the response is an HTML page.*"),
    "page_403": Fault("html", {"status": 403}, "the server returned status 403, 'an HTML page'.*"),
    "page_502": Fault("html", {"status": 502}, "the server returned status 502, 'an HTML page'.*"),
    "no_json": Fault("invalid_json", {"work": True}, "the response (is not valid JSON|has a body).*"),
    "no_body": Fault("empty", {"work": True}, "the response is empty.*"),
    "redirected": Fault("redirect", {}, "the server returned a redirect.*"),
}


STRUCK = {"timeout": "{{ timeout }}", "retries": RETRIES}
TARGETS = {name: (kit, target) for kit in KITS.values() for name, target in kit.targets.items()}
# Enough for the fast tests: a request that creates a token, one that only reads, and one that another product gets.
FAST = {"create", "prove", "reauth"}


@dataclass(frozen=True)
class Struck:
    """The result of one task to which a fault was applied."""

    fault: Fault
    kit: Kit
    target: Target
    result: dict[str, Any]
    requests: list[LoggedRequest]
    counts: dict[str, int]
    harmless: bool

    @property
    def message(self) -> str:
        """The error of the task, or of the one entry of its list."""
        parts = self.result.get("tokens", [{"error": self.result.get("msg", "")}])
        return str(parts[0]["error"] or "")

    @property
    def is_held(self) -> bool:
        """Whether a created token is in the result, or in the file of the entry."""
        return "token" in self.result or ("tokens" in self.result and not self.result["failed"])


LEFT_BEHIND = re.compile(
    r"An? (?:unused )?(?:access )?token [^.]*(?:may be left|may exist|is left)[^.]*\.(?: It [^.]*\.)?"
)


def named(struck: Struck) -> str:
    """Each failure is one sentence that names what was done, where and why. A success has no message."""
    if struck.harmless:
        return struck.message
    pattern = rf"Could not {struck.target.doing} on 127\.0\.\d+\.\d+:\d+: {struck.fault.cause}\. .*"
    matches = re.fullmatch(pattern, struck.message + " ")
    return "" if matches and "Traceback" not in struck.message else struck.message or "no error"


def advised(struck: Struck) -> str:
    """Each failure ends with what to do next."""
    if struck.harmless or not struck.message:
        return ""
    rest = LEFT_BEHIND.sub("", struck.message.split(": ", 1)[1])
    # The first sentence is the cause.
    return "" if re.match(r".*?[^.]\.'?\.? +[A-Z]", rest) else struck.message


def repeated(struck: Struck) -> str:
    """Requests that may have been carried out are not sent again, all others as often as the option says."""
    matching = [
        entry
        for entry in struck.requests
        if entry.method == struck.target.method and re.search(struck.target.path, entry.line)
    ]
    tries = struck.fault.tries_if_safe if struck.target.safe else struck.fault.tries
    # A revocation whose response was cut off is harmless and may have been repeated.
    allowed = {1, tries} if struck.harmless and struck.fault.cause else {tries}
    return "" if len(matching) in allowed else f"{len(matching)} tries in place of {tries}"


def accounted(struck: Struck) -> str:
    """At most one token of the task is lost, and the error names it."""
    before = 1 if any(task.get("register") == "before" for task in struck.target.tasks) else 0
    created = struck.counts.get("tokens_valid", 0) // struck.kit.secrets_in_lab - before
    if struck.is_held or created <= 0:
        return ""
    if created > 1:
        return f"{created} tokens are left on the server"
    told = LEFT_BEHIND.search(struck.message) or "The new token is stored in " in struck.message
    return "" if told else f"a token is left on the server, and unnamed: {struck.message}"


PROMISES: dict[str, Callable[[Struck], str]] = {
    "named": named,
    "advised": advised,
    "repeated": repeated,
    "accounted": accounted,
}


@pytest.mark.parametrize(
    "in_a_set", [pytest.param(False, id="alone"), pytest.param(True, id="in a set", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "target", [pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in TARGETS]
)
def test_each_fault_is_named_with_a_next_step_is_retried_only_where_safe_and_leaks_nothing(
    ansible: Ansible, lab: Lab, target: str, in_a_set: bool
) -> None:
    kit, struck_at = TARGETS[target]
    *addresses, elsewhere = lab.add_addresses(len(FAULTS) + 1)
    hosts = dict(zip(FAULTS, addresses, strict=True))
    match: dict[str, Any] = {"method": struck_at.method, "path": struck_at.path}
    for name, fault in FAULTS.items():
        aside: dict[str, Any] = {"location": lab.url(kit.name, elsewhere)} if fault.kind == "redirect" else {}
        lab.fault(kit.name, fault.kind, host=hosts[name], times=fault.times, **match, **fault.parameters, **aside)
    *before, struck = (moved(task) for task in struck_at.tasks)
    if in_a_set:
        struck = as_entry(kit, struck)

    run = succeeded(
        ansible.play(
            [*before, failing(struck)],
            hosts={
                name: {
                    "url": lab.url(kit.name, address),
                    "timeout": SHORT if FAULTS[name].kind == "delay" else LONG,
                }
                for name, address in hosts.items()
            },
            arguments=["--forks=12", "-vvv", "--diff"],
        )
    )

    broken = list(_broken(run, lab, kit, struck_at, hosts))
    assert not broken, "\n".join(broken)
    assert lab.requests(host=elsewhere) == [], "no redirect is followed"
    messages = json.dumps([results["struck"].get("msg") for results in run.by_host.values()])
    texts = {"output": run.output, "messages": messages}
    assert leaks(texts, [secret["value"] for secret in lab.secrets()]) == []


def moved(task: Task) -> Task:
    """The task at the host's own address, if the faults apply to it."""
    (key,) = (key for key in task if key.startswith("sddc.tokens."))
    options = {"before": {"hostname": "{{ url }}"}, "struck": {"hostname": "{{ url }}", **STRUCK}}
    return {**task, key: {**task[key], **options.get(task["register"], {})}}


def _broken(run: Run, lab: Lab, kit: Kit, target: Target, hosts: dict[str, str]) -> Iterator[str]:
    for name, fault in FAULTS.items():
        struck = Struck(
            fault,
            kit,
            target,
            run.by_host[name]["struck"],
            lab.requests(kit.name, hosts[name]),
            lab.counts(kit.name, hosts[name]),
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


@pytest.mark.slow
def test_an_invalid_certificate_and_a_closed_port_are_named_and_no_secret_is_sent(ansible: Ansible, lab: Lab) -> None:
    addresses = {kind: lab.add_addresses(1, kind)[0] for kind in CERTIFICATES}
    hosts: dict[str, Any] = {
        kind: {"place": {product: lab.url(product, address) for product in KITS}} for kind, address in addresses.items()
    }
    hosts["closed"] = {"place": dict.fromkeys(KITS, "https://127.0.0.1:1")}
    here = f"{{{{ place.{EXAMPLE.name} }}}}"
    struck = [
        failing({**elsewhere(kit.asks[0], kit, "place", retries=1), "register": f"{name}_struck"})
        for name, kit in KITS.items()
    ]
    tasks = [
        *tokens(),
        *struck,
        failing(EXAMPLE.task("bundle", ca_path="{{ omit }}")),
        {**EXAMPLE.task("store", ca_path="{{ omit }}"), "environment": {"SSL_CERT_FILE": "{{ ca_path }}"}},
        failing(EXAMPLE.task("trusting", hostname=here, validate_certs=False)),
    ]

    run = succeeded(ansible.play(tasks, hosts=hosts, environ={"REQUESTS_CA_BUNDLE": lab.ca_path}))

    for kind, cause in {**CERTIFICATES, "closed": "no connection: Connection refused"}.items():
        results = run.by_host[kind]
        for name in (task["register"] for task in struck):
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
    assert "ca_path" in run.by_host["untrusted"][f"{EXAMPLE.name}_struck"]["msg"]
    assert "Set hostname" in run.by_host["wrong_name"][f"{EXAMPLE.name}_struck"]["msg"]
    assert "Check the name and port" in run.by_host["closed"][f"{EXAMPLE.name}_struck"]["msg"]
    assert "retry " not in said(run), "short retries are not reported"
    for address in addresses.values():
        assert {entry.product for entry in lab.requests(host=address)} == {EXAMPLE.name}, "only without validate_certs"
    assert "ca_path" not in run.by_host["expired"][f"{EXAMPLE.name}_struck"]["msg"], (
        "no CA certificate helps with an expired certificate"
    )


def test_a_token_is_judged_by_the_clock_of_the_server_also_without_a_response(ansible: Ansible, lab: Lab) -> None:
    lab.change_settings(ISSUER.name, clock_offset=-7200)
    lab.change_settings(EXAMPLE.name, clock_offset=7200)
    lab.fault(EXAMPLE.name, "skew_date", method="GET", path="/info/version", skip=1, seconds=17900)
    issued, kept = ({"token_file": f"{{{{ playbook_dir }}}}/{name}.json"} for name in ("issued", "kept"))
    term = "lookup('sddc.tokens.token_file', playbook_dir ~ '/issued.json') | length"
    tasks = [
        ISSUER.task("exchanged", **issued),
        ISSUER.task("reused", **issued),
        {"name": "Look up", "ansible.builtin.debug": {"msg": f"{{{{ {term} }}}}"}, "register": "looked_up"},
        EXAMPLE.task("created", **kept),
        EXAMPLE.task("trusted", **kept, verify=False),
        EXAMPLE.task("renewed", **kept),
    ]

    run = succeeded(ansible.play(tasks))

    assert [run[name]["action"] for name in ("exchanged", "reused")] == ["created", "reused"]
    assert [run[name]["action"] for name in ("created", "trusted", "renewed")] == ["created", "reused", "renewed"]
    for name, life in (("exchanged", 1800), ("reused", 1800), ("created", 18000), ("trusted", 18000)):
        assert life - 60 <= run[name]["expires_in"] <= life + 1, name
    assert int(run["looked_up"]["msg"]) == len(run["exchanged"]["token"])
    assert lab.counts(EXAMPLE.name)["tokens_valid"] == 2, "the replaced one is in its grace period"


def test_a_date_that_contradicts_the_token_does_not_lead_to_a_negative_lifetime(ansible: Ansible, lab: Lab) -> None:
    lab.fault(ISSUER.name, "skew_date", seconds=20000)

    run = succeeded(ansible.play([failing(ISSUER.task("skewed"))]))

    assert "does not accept the token that it has just created" in run["skewed"]["msg"]
    assert "is left on the server" in run["skewed"]["msg"]
    assert "lives -" not in said(run)
